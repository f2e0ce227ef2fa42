import type { PicoUsd } from "./money.ts";

/** Everything that can have a unit price. Token kinds are priced per token, fees per call or session. */
export const meterKinds = [
  "input",
  "cached_input",
  "cache_write",
  "audio_input",
  "cached_audio_input",
  "image_input",
  "output",
  "audio_output",
  "web_search",
  "file_search",
  "code_interpreter",
] as const;
export type MeterKind = (typeof meterKinds)[number];

/** Unit prices in pUSD per token (or per call). A kind that is absent has no price of its own. */
export type UnitPrices = Readonly<Partial<Record<MeterKind, PicoUsd>>>;

/** Prices that apply to the whole request when its input exceeds `aboveInputTokens` (strictly more). */
export interface PriceTier {
  readonly aboveInputTokens: number;
  readonly prices: UnitPrices;
}

/** List prices and limits of one model from one instant on. Immutable: a change of price is a new row. */
export interface PriceRow {
  /** Stable and unique: "<provider>/<model>@<from as RFC 3339>". */
  readonly id: string;
  /** "openai", "azure", another vendor's name, or "operator". */
  readonly provider: string;
  readonly model: string;
  /** Instant of effect, ms since the epoch; 0 = since ever. */
  readonly from: number;
  /** Standard tier, ascending by `aboveInputTokens`; the first starts at 0. */
  readonly tiers: readonly PriceTier[];
  /** Other service tiers that are sold: flex, priority, batch. One that is absent has no known price. */
  readonly serviceTiers: Readonly<Record<string, readonly PriceTier[]>>;
  /** Tokens; null = unknown. */
  readonly contextWindow: number | null;
  readonly maxInputTokens: number | null;
  readonly maxOutputTokens: number | null;
  /** Who says so: "genai-prices 0.1.8", "catalogue", "config", "admin". */
  readonly origin: string;
}

/** A dated, immutable list of unit prices; a request keeps the book it was admitted under. */
export interface PriceBook {
  readonly version: string;
  /**
   * The row in force for `model` at `atMs` when sold by `provider`, or null. The operator's own rows win, then the
   * provider's, then OpenAI's for "azure". Dated snapshot ids ("gpt-5-mini-2025-08-07") find their family's row. Never guesses.
   */
  find(provider: string, model: string, atMs: number): PriceRow | null;
  rows(): readonly PriceRow[];
}
