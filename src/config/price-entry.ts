import { AmountError, type PicoUsd, parseUsd, parseUsdPerMillion, picoPerUsd } from "../core/money.ts";
import { operatorProvider, priceRowId } from "../core/price-book.ts";
import type { MeterKind, PriceRow, PriceTier, UnitPrices } from "../core/prices.ts";

/** Prices of tokens by kind: USD per million, decimal text with at most 6 decimals. */
export interface TokenPriceTexts {
  readonly input?: string;
  readonly cached_input?: string;
  readonly cache_write?: string;
  readonly audio_input?: string;
  readonly cached_audio_input?: string;
  readonly image_input?: string;
  readonly output?: string;
  readonly audio_output?: string;
}

export interface TieredPriceTexts extends TokenPriceTexts {
  /** Prices of the whole request when its input exceeds a bound, ascending. */
  readonly tiers?: ReadonlyArray<TokenPriceTexts & { readonly above_input_tokens: number }>;
}

/**
 * One price as the operator or the catalogue writes it. It states the whole price of a model from one instant
 * on.
 */
export interface PriceEntry extends TieredPriceTexts {
  readonly model: string;
  /** RFC 3339 in UTC; absent = since ever. */
  readonly from?: string;
  readonly service_tiers?: Readonly<Record<string, TieredPriceTexts>>;
  /** USD for each use, decimal text with at most 12 decimals. */
  readonly fees?: FeeTexts;
  readonly context_window?: number;
  readonly max_input_tokens?: number;
  readonly max_output_tokens?: number;
}

export interface FeeTexts {
  readonly web_search?: string;
  readonly file_search?: string;
  readonly code_interpreter?: string;
}

/**
 * A price entry that cannot be used; `field` is the path inside the entry, for whoever knows where the entry
 * stands.
 */
export class PriceEntryError extends Error {
  override readonly name = "PriceEntryError";
  readonly field: string;
  constructor(model: string, field: string, fault: string, options?: ErrorOptions) {
    super(`Cannot read ${field} of the price of ${model}: ${fault}.`, options);
    this.field = field;
  }
}

/** The row of an entry in the operator's own list: it wins over every vendor's. Throws `PriceEntryError`. */
export const operatorRow = (entry: PriceEntry, origin: "config" | "admin" = "config"): PriceRow =>
  priceRow(entry, { provider: operatorProvider, origin });

/** Throws `PriceEntryError` for what is not exact, not complete or not in order. */
export function priceRow(entry: PriceEntry, source: { provider: string; origin: string }): PriceRow {
  const { model } = entry;
  if (typeof model !== "string" || model === "")
    throw new PriceEntryError("a model", "model", "it is empty; name the model");
  const from = parseInstant(entry.from, model);
  const fees = parseFees(entry.fees, model);
  const tiers = parseTiers(entry, { model, path: "", fees });
  const serviceTiers: Record<string, readonly PriceTier[]> = {};
  for (const [name, texts] of Object.entries(entry.service_tiers ?? {})) {
    const path = `service_tiers.${name}.`;
    serviceTiers[name] = parseTiers(texts, { model, path, fees });
    if (tiers[0]?.prices.output !== undefined && serviceTiers[name][0]?.prices.output === undefined) {
      throw new PriceEntryError(
        model,
        `${path}output`,
        "it is missing; give the price of output in every service tier",
      );
    }
  }
  return {
    id: priceRowId(source.provider, model, from),
    provider: source.provider,
    model,
    from,
    tiers,
    serviceTiers,
    contextWindow: parseLimit(entry.context_window, { model, field: "context_window" }),
    maxInputTokens: parseLimit(entry.max_input_tokens, { model, field: "max_input_tokens" }),
    maxOutputTokens: parseLimit(entry.max_output_tokens, { model, field: "max_output_tokens" }),
    origin: source.origin,
  };
}

const tokenKinds = [
  "input",
  "cached_input",
  "cache_write",
  "audio_input",
  "cached_audio_input",
  "image_input",
  "output",
  "audio_output",
] as const satisfies readonly MeterKind[];
const feeKinds = ["web_search", "file_search", "code_interpreter"] as const satisfies readonly MeterKind[];

interface Place {
  readonly model: string;
  /** Prefix of field names inside the entry: "", or "service_tiers.flex." */
  readonly path: string;
  /** Fees do not depend on tiers, so every tier carries them. */
  readonly fees: UnitPrices;
}

function parseTiers(texts: TieredPriceTexts, place: Place): readonly PriceTier[] {
  const standard = parsePrices(texts, place);
  const tiers: PriceTier[] = [{ aboveInputTokens: 0, prices: standard }];
  let above = 0;
  for (const [index, tier] of (texts.tiers ?? []).entries()) {
    const path = `${place.path}tiers[${index}].`;
    const bound = tier.above_input_tokens;
    if (!Number.isSafeInteger(bound) || bound <= above) {
      const found = `${JSON.stringify(bound)} is not a whole number above ${above}`;
      const fault = `${found}; order tiers from the smallest bound up`;
      throw new PriceEntryError(place.model, `${path}above_input_tokens`, fault);
    }
    above = bound;
    const prices = parsePrices(tier, { ...place, path });
    const missing = tokenKinds.find(
      (kind) => (standard[kind] === undefined) !== (prices[kind] === undefined),
    );
    if (missing !== undefined) {
      throw new PriceEntryError(
        place.model,
        `${path}${missing}`,
        "price the same kinds in every tier of a list",
      );
    }
    tiers.push({ aboveInputTokens: above, prices });
  }
  return tiers;
}

function parsePrices(texts: TokenPriceTexts, place: Place): UnitPrices {
  const prices: Partial<Record<MeterKind, PicoUsd>> = { ...place.fees };
  for (const kind of tokenKinds) {
    const text = texts[kind];
    if (text === undefined) continue;
    prices[kind] = parsePrice(
      text,
      { model: place.model, field: `${place.path}${kind}` },
      parseUsdPerMillion,
    );
  }
  if (prices.input === undefined) {
    throw new PriceEntryError(
      place.model,
      `${place.path}input`,
      'it is missing; give a price, or "0" if it is free',
    );
  }
  return prices;
}

function parseFees(fees: FeeTexts | undefined, model: string): UnitPrices {
  const prices: Partial<Record<MeterKind, PicoUsd>> = {};
  for (const kind of feeKinds) {
    const text = fees?.[kind];
    if (text !== undefined) prices[kind] = parsePrice(text, { model, field: `fees.${kind}` }, parseUsd);
  }
  return prices;
}

type Field = { readonly model: string; readonly field: string };

/** $10¹¹ for one token or one use: what is dearer is a slip of the keyboard, and no ledger row could hold it. */
const priceMax = 100_000_000_000n * picoPerUsd;

function parsePrice(text: string, { model, field }: Field, parse: (text: string) => PicoUsd): PicoUsd {
  const fault = `${JSON.stringify(text)} is not an exact price; write it as decimal text like "0.25"`;
  if (typeof text !== "string") throw new PriceEntryError(model, field, fault);
  let price: PicoUsd;
  try {
    price = parse(text);
  } catch (error) {
    if (!(error instanceof AmountError)) throw error;
    throw new PriceEntryError(model, field, fault, { cause: error });
  }
  if (price < 0n)
    throw new PriceEntryError(model, field, `${JSON.stringify(text)} is negative; write 0 or more`);
  if (price > priceMax)
    throw new PriceEntryError(
      model,
      field,
      `${JSON.stringify(text)} is more than 100000000000 USD for one unit`,
    );
  return price;
}

const instantForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/;

function parseInstant(text: string | undefined, model: string): number {
  if (text === undefined) return 0;
  const instant = typeof text === "string" && instantForm.test(text) ? Date.parse(text) : Number.NaN;
  // Date.parse rolls 30 February over into March; such a text does not come back the same.
  if (Number.isNaN(instant) || new Date(instant).toISOString().slice(0, 19) !== text.slice(0, 19)) {
    const fault = `${JSON.stringify(text)} is not an instant; write UTC like "2026-01-01T00:00:00Z"`;
    throw new PriceEntryError(model, "from", fault);
  }
  return instant;
}

function parseLimit(limit: number | undefined, { model, field }: Field): number | null {
  if (limit === undefined) return null;
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new PriceEntryError(
      model,
      field,
      `${JSON.stringify(limit)} is not a whole number above 0; write tokens`,
    );
  }
  return limit;
}
