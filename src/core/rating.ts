import { type Decimal, multiplyUp, type PicoUsd, pico, sumPico, zeroPico } from "./money.ts";
import type { MeterKind, PriceRow, PriceTier, UnitPrices } from "./prices.ts";
import type { Fees, Usage } from "./usage.ts";

/** One line of a bill. `amount` = quantity × unitPrice exactly. */
export interface PriceLine {
  readonly kind: MeterKind;
  readonly quantity: number;
  /** What the customer pays per unit, pUSD. */
  readonly unitPrice: PicoUsd;
  /** What the vendor's list says per unit, pUSD. */
  readonly listPrice: PicoUsd;
  readonly amount: PicoUsd;
}

export interface Rated {
  readonly lines: readonly PriceLine[];
  /** Σ quantity × sell price, pUSD. */
  readonly charge: PicoUsd;
  /** Σ quantity × list price, pUSD: what the vendor bills us. */
  readonly vendorCost: PicoUsd;
}

/**
 * Where a kind without a price of its own is billed: it is a part of that other kind, so it costs what the rest costs.
 * Cached input without a price has no discount; writing to the cache is free before gpt-5.6, so it is plain input (dialect §6.1).
 */
const fallbackKind: Partial<Record<MeterKind, MeterKind>> = {
  cached_input: "input",
  cache_write: "input",
  audio_input: "input",
  image_input: "input",
  cached_audio_input: "cached_input",
  audio_output: "output",
};

export function unitPrice(prices: UnitPrices, kind: MeterKind): PicoUsd | null {
  const own = prices[kind];
  if (own !== undefined) return own;
  const other = fallbackKind[kind];
  return other === undefined ? null : unitPrice(prices, other);
}

/**
 * The tier of `row` that prices a request of `inputTokens` served on `serviceTier`. The long-context tier applies to the
 * whole request. An unknown or absent service tier is priced as standard; `fast` is sold as `priority` (dialect §6.1).
 */
export function tierFor(row: PriceRow, serviceTier: string | null, inputTokens: number): PriceTier {
  const tiers = tiersOf(row, serviceTier) ?? row.tiers;
  let chosen = tiers[0];
  for (const tier of tiers) if (inputTokens > tier.aboveInputTokens) chosen = tier;
  if (chosen === undefined) throw new Error(`Bug: price row ${row.id} has no tier`);
  return chosen;
}

/** The price tiers of a service tier, or null when the row does not sell it. */
export function tiersOf(row: PriceRow, serviceTier: string | null): readonly PriceTier[] | null {
  if (
    serviceTier === null ||
    serviceTier === "auto" ||
    serviceTier === "default" ||
    serviceTier === "standard"
  )
    return row.tiers;
  const name = serviceTier === "fast" ? "priority" : serviceTier;
  // The vendor says the word: "constructor" is nothing that is sold either.
  return Object.hasOwn(row.serviceTiers, name) ? (row.serviceTiers[name] ?? null) : null;
}

/** Whether `row` sells `serviceTier` and has a price there for every one of `kinds`, whatever the size of the input. */
export function canRate(row: PriceRow, serviceTier: string | null, kinds: Iterable<MeterKind>): boolean {
  const tiers = tiersOf(row, serviceTier);
  if (tiers === null) return false;
  const needed = [...kinds];
  return tiers.every(({ prices }) => needed.every((kind) => unitPrice(prices, kind) !== null));
}

/**
 * Quantities by priced kind: parts leave their whole, so that nothing is counted twice (dialect §1.5), also where a vendor
 * does not say which of the cached tokens were audio or images. Those of each side sum to the side. Zero kinds are left out.
 */
export function quantitiesOf(usage: Usage, fees: Fees): ReadonlyArray<readonly [MeterKind, number]> {
  const cachedText = usage.cachedInput - usage.cachedAudioInput;
  const freshAudio = usage.audioInput - usage.cachedAudioInput;
  // Media tokens that the cache already covers leave plain input only once.
  const plain = usage.input - usage.cachedInput - usage.cacheWrite - freshAudio - usage.imageInput;
  const overlap = plain < 0 ? -plain : 0;
  // Images cannot account for all of it: then so much of the audio was read from the cache, or else written to it.
  const coveredAudio = Math.max(overlap - usage.imageInput, 0);
  const inferredCachedAudio = Math.min(coveredAudio, cachedText);
  const kinds: Array<readonly [MeterKind, number]> = [
    ["input", Math.max(plain, 0)],
    ["cached_input", cachedText - inferredCachedAudio],
    ["cache_write", usage.cacheWrite],
    ["audio_input", freshAudio - coveredAudio],
    ["cached_audio_input", usage.cachedAudioInput + inferredCachedAudio],
    ["image_input", Math.max(usage.imageInput - overlap, 0)],
    ["output", usage.output - usage.audioOutput],
    ["audio_output", usage.audioOutput],
    ["web_search", fees.webSearch],
    ["file_search", fees.fileSearch],
    ["code_interpreter", fees.codeInterpreter],
  ];
  return kinds.filter(([, quantity]) => quantity > 0);
}

/** What is rated, and at which terms. `markup` is a plain decimal, 1.2 = 20 % above list. */
export interface RateTerms {
  readonly row: PriceRow;
  readonly serviceTier: string | null;
  readonly markup: Decimal;
}

/**
 * The charge for `usage`, in pUSD. Exact: whole numbers only; the one rounding is in the sell price (up, per unit).
 * Throws when a used kind has no price at all: the caller held money for a priced request, so this is a bug in the book.
 */
export function rate(usage: Usage, fees: Fees, terms: RateTerms): Rated {
  const { prices } = tierFor(terms.row, terms.serviceTier, usage.input);
  const lines = quantitiesOf(usage, fees).map(([kind, quantity]): PriceLine => {
    const listPrice = unitPrice(prices, kind);
    if (listPrice === null) throw new PriceMissing(terms.row.id, kind);
    const sell = multiplyUp(listPrice, terms.markup);
    return { kind, quantity, unitPrice: sell, listPrice, amount: pico(sell * BigInt(quantity)) };
  });
  const vendorCost = lines.reduce((sum, line) => sum + line.listPrice * BigInt(line.quantity), 0n);
  return { lines, charge: sumPico(lines.map((line) => line.amount)), vendorCost: pico(vendorCost) };
}

/** A used kind of unit without any price in the row that should price it. */
export class PriceMissing extends Error {
  override readonly name = "PriceMissing";
  constructor(rowId: string, kind: MeterKind) {
    super(`Cannot rate ${kind}: price row ${rowId} has no price for it; add one.`);
  }
}

/** The dearest sell price of each side over every tier that could be served, for holds. */
export function dearest(
  row: PriceRow,
  serviceTiers: readonly (string | null)[],
  markup: Decimal,
): { input: PicoUsd; output: PicoUsd } {
  const inputKinds: MeterKind[] = [
    "input",
    "cached_input",
    "cache_write",
    "audio_input",
    "cached_audio_input",
    "image_input",
  ];
  const outputKinds: MeterKind[] = ["output", "audio_output"];
  let input: bigint = zeroPico;
  let output: bigint = zeroPico;
  for (const name of serviceTiers) {
    for (const { prices } of tiersOf(row, name) ?? row.tiers) {
      for (const kind of inputKinds) input = largest(input, unitPrice(prices, kind), markup);
      for (const kind of outputKinds) output = largest(output, unitPrice(prices, kind), markup);
    }
  }
  return { input: pico(input), output: pico(output) };
}

function largest(current: bigint, listPrice: PicoUsd | null, markup: Decimal): bigint {
  if (listPrice === null) return current;
  const sell = multiplyUp(listPrice, markup);
  return sell > current ? sell : current;
}
