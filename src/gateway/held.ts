import { markupFromJson } from "../core/held-request.ts";
import { zeroPico } from "../core/money.ts";
import type { MeterKind, PriceBook, PriceRow } from "../core/prices.ts";
import { canRate, type RateTerms } from "../core/rating.ts";
import type { MeterReading } from "../core/usage.ts";
import type { OrphanedHold, RequestOutcome, SettleOperation } from "../ports.ts";
import { type Bill, billOf, lineRecord, tokensOf, usageRecord, withoutUnpriced } from "./settle.ts";

/** An open hold, and what was kept with it, as plain values. */
export type Known = Readonly<Record<string, unknown>>;
export const knownOf = (hold: OrphanedHold): Known => ({ ...hold.request, ...hold.progress });
export const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** The row of the model that served if that was seen and prices tokens both ways, else the one the hold was priced by. */
export function heldRow(known: Known, book: PriceBook, createdAt: string): PriceRow | null {
  const provider = textOf(known["provider"]);
  const at = Date.parse(createdAt);
  if (provider === null) return null;
  const needed: readonly MeterKind[] = known["operation"] === "embeddings" ? ["input"] : ["input", "output"];
  for (const name of [textOf(known["model_served"]), textOf(known["priced_as"]), textOf(known["model"])]) {
    const row = name === null ? null : book.find(provider, name, at);
    if (row !== null && (name === textOf(known["model"]) || canRate(row, null, needed))) return row;
  }
  return null;
}

/** How a request ended whose story is told by another process than the one that held for it. */
export interface HeldEnd {
  readonly row: PriceRow | null;
  readonly known: Known;
  readonly reading: MeterReading;
  readonly outcome: RequestOutcome;
  readonly record: Readonly<Record<string, unknown>>;
}

/** Settles an open hold by what its row says alone. Without a price or a markup nobody may guess: it is released. */
export function settlementOfHeld(hold: OrphanedHold, end: HeldEnd): SettleOperation {
  const { row, known, reading } = end;
  const markup = markupFromJson(hold.request["markup"]);
  const serviceTier = textOf(known["service_tier"]);
  const terms: RateTerms | null = row === null || markup === null ? null : { row, serviceTier, markup };
  const { priced, notes } = terms === null ? { priced: reading, notes: [] } : withoutUnpriced(reading, terms);
  const bill: Bill | null = terms === null ? null : billOf(priced, terms, hold.amount);
  const isBilled = bill !== null && reading.source !== "none";
  return {
    id: hold.id,
    accountId: hold.accountId,
    keyId: hold.keyId,
    state: isBilled ? "settled" : "released",
    outcome: end.outcome,
    charge: isBilled ? bill.charge : zeroPico,
    loss: isBilled ? bill.loss : zeroPico,
    vendorCost: isBilled ? bill.vendorCost : zeroPico,
    modelRequested: hold.request.model_requested,
    modelServed: textOf(known["model_served"]),
    endpoint: textOf(known["endpoint"]),
    source: isBilled ? reading.source : "none",
    stream: hold.request.stream,
    tokens: isBilled ? tokensOf(reading) : null,
    record: {
      ...hold.request,
      deployment: textOf(known["deployment"]),
      priced_as: row?.model ?? null,
      price_row: row?.id ?? null,
      service_tier: serviceTier,
      attempts: [],
      usage: usageRecord(reading),
      estimate: null,
      price_lines: isBilled ? bill.lines.map(lineRecord) : [],
      rewrites: [],
      notes,
      ttft_ms: null,
      duration_ms: null,
      overhead_ms: null,
      ...end.record,
    },
  };
}
