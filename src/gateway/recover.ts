import { pico, zeroPico } from "../core/money.ts";
import { markupFromJson } from "../core/held-request.ts";
import type { PriceBook, PriceRow } from "../core/prices.ts";
import { type EstimateMethod, type MeterReading, noFees, noUsage, type Usage, usageFault } from "../core/usage.ts";
import type { Ledger, Leases, Observe, OrphanedHold, SettleOperation } from "../ports.ts";
import { type Bill, billOf, lineRecord, tokensOf, usageRecord } from "./settle.ts";

export interface RecoverPorts {
  readonly ledger: Ledger;
  readonly leases: Leases;
  readonly prices: () => PriceBook;
  readonly observe: Observe;
}

/** Holds taken up in one go; what is left waits for the next. */
const maxPerSweep = 500;

/**
 * Settles the open holds of dead processes from their last known progress. A process thought dead that settles late finds
 * its hold gone, or this one does: the hold's row is the token, so it is one or the other, never both.
 * Returns how many were ended here.
 */
export async function recoverOrphans(ports: RecoverPorts): Promise<number> {
  const orphans = await ports.leases.findOrphans(maxPerSweep);
  const results = await Promise.all(
    orphans.map(async (orphan) => {
      const operation = recoveryOf(orphan, ports.prices());
      const result = await ports.ledger.settle(operation);
      const key = orphan.request["idempotency_key"];
      if (typeof key === "string") await ports.ledger.rememberResult(orphan.accountId, key, interruptedResult);
      if (result.code === "done") ports.observe({ event: "hold_recovered", requestId: orphan.id, outcome: operation.state });
      return result.code === "done";
    }),
  );
  return results.filter(Boolean).length;
}

/** What a retry with the same Idempotency-Key gets: the first run was charged, its answer is lost. */
const interruptedResult = {
  status: 500,
  headers: { "content-type": "application/json; charset=utf-8" },
  body: new TextEncoder().encode(
    JSON.stringify({
      error: {
        message: "The first request with this Idempotency-Key was interrupted and its answer is lost; use a new key to run it again.",
        type: "server_error",
        param: null,
        code: "interrupted",
      },
    }),
  ),
};

/**
 * The end of an orphaned hold. A request may have reached its vendor from the moment its hold was committed, so it is
 * charged: by the vendor's running usage if that was seen, else by an estimate, a lower bound.
 */
export function recoveryOf(orphan: OrphanedHold, book: PriceBook): SettleOperation {
  const known = { ...orphan.request, ...orphan.progress };
  const row = rowOf(known, book, orphan.createdAt);
  const markup = markupFromJson(orphan.request["markup"]);
  const reading = readingOf(known, row);
  const bill: Bill | null = row === null || markup === null ? null : billOf(reading, { row, serviceTier: textOf(known["service_tier"]), markup }, orphan.amount);
  const isBilled = bill !== null && reading.source !== "none";
  return {
    id: orphan.id,
    accountId: orphan.accountId,
    keyId: orphan.keyId,
    state: isBilled ? "settled" : "released",
    outcome: "recovered",
    charge: isBilled ? bill.charge : zeroPico,
    loss: isBilled ? bill.loss : pico(0n),
    vendorCost: isBilled ? bill.vendorCost : zeroPico,
    modelRequested: orphan.request.model_requested,
    modelServed: textOf(known["model_served"]),
    endpoint: textOf(known["endpoint"]),
    source: isBilled ? reading.source : "none",
    stream: orphan.request.stream,
    tokens: isBilled ? tokensOf(reading) : null,
    record: {
      ...orphan.request,
      deployment: textOf(known["deployment"]),
      priced_as: row?.model ?? null,
      price_row: row?.id ?? null,
      service_tier: textOf(known["service_tier"]),
      attempts: [],
      usage: usageRecord(reading),
      estimate: null,
      price_lines: isBilled ? bill.lines.map(lineRecord) : [],
      rewrites: [],
      progress: orphan.progress,
      ttft_ms: null,
      duration_ms: null,
      overhead_ms: null,
    },
  };
}

type Known = Readonly<Record<string, unknown>>;
const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);
const countOf = (value: unknown): number | null => (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null);

/** The row of the model that served if that was seen, else the one the hold was priced by. */
function rowOf(known: Known, book: PriceBook, createdAt: string): PriceRow | null {
  const provider = textOf(known["provider"]);
  const at = Date.parse(createdAt);
  if (provider === null) return null;
  for (const name of [textOf(known["model_served"]), textOf(known["priced_as"]), textOf(known["model"])]) {
    const row = name === null ? null : book.find(provider, name, at);
    if (row !== null) return row;
  }
  return null;
}

function readingOf(known: Known, row: PriceRow | null): MeterReading {
  const seen = known["usage"];
  const estimate = { source: "estimated", bound: "lower_bound", reason: "recovered", fees: noFees } as const;
  if (isUsage(seen) && usageFault(seen, { contextWindow: row?.contextWindow ?? null, maxOutputTokens: row?.maxOutputTokens ?? null }) === null) {
    return { ...estimate, usage: seen, method: "tokenizer" };
  }
  const counted = countOf(known["input_tokens"]);
  const bytes = countOf(known["body_bytes"]);
  // Without a count, a quarter of the body's bytes: near the truth for text (tokens study §1.7), and marked as such.
  const input = counted ?? (bytes === null ? null : Math.ceil(bytes / 4));
  const bound = countOf(known["input_bound"]);
  if (input === null) return { ...estimate, usage: noUsage, source: "none", method: null, bound: null, reason: null };
  const capped = bound === null ? input : Math.min(input, bound);
  const output = countOf(known["output_tokens"]);
  const method: EstimateMethod = counted === null ? "characters" : "tokenizer";
  const usage: Usage = { ...noUsage, input: capped, output: output === null ? noUsage.output : output, total: capped + (output === null ? 0 : output) };
  return { ...estimate, usage, method };
}

function isUsage(value: unknown): value is Usage {
  if (typeof value !== "object" || value === null) return false;
  return Object.keys(noUsage).every((kind) => countOf((value as Record<string, unknown>)[kind]) !== null);
}
