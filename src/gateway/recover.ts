import type { PriceBook, PriceRow } from "../core/prices.ts";
import {
  type EstimateMethod,
  type MeterReading,
  noFees,
  noUsage,
  type Usage,
  usageFault,
} from "../core/usage.ts";
import type { Leases, Ledger, Observe, OrphanedHold, SettleOperation, StoredResult } from "../ports.ts";
import { heldRow, type Known, knownOf, settlementOfHeld } from "./held.ts";

export interface RecoverPorts {
  readonly ledger: Ledger;
  readonly leases: Leases;
  readonly prices: () => PriceBook;
  readonly observe: Observe;
}

/** Holds taken up in one go. */
const maxPerSweep = 500;

/**
 * Settles the open holds of dead processes from their last known progress. A process thought dead that settles late finds
 * its hold gone, or this one does: the hold's row is the token, so it is one or the other, never both.
 * Returns how many were ended here.
 */
export async function recoverOrphans(ports: RecoverPorts): Promise<number> {
  let ended = 0;
  for (;;) {
    const orphans = await ports.leases.findOrphans(maxPerSweep);
    const outcomes = await Promise.all(orphans.map((orphan) => recoverOne(ports, orphan)));
    ended += outcomes.filter((outcome) => outcome === "ended").length;
    // As long as a full sweep gets something done there may be more; what fails stays for the next time.
    if (orphans.length < maxPerSweep || outcomes.every((outcome) => outcome === "failed")) return ended;
  }
}

/** One hold that cannot be ended must not keep the others from it. */
async function recoverOne(ports: RecoverPorts, orphan: OrphanedHold): Promise<"ended" | "gone" | "failed"> {
  try {
    const operation = recoveryOf(orphan, ports.prices());
    const result = await ports.ledger.settle(operation);
    const key = orphan.request["idempotency_key"];
    if (typeof key === "string") await ports.ledger.rememberResult(orphan.accountId, key, interruptedResult);
    if (result.code !== "done") return "gone";
    ports.observe({ event: "hold_recovered", requestId: orphan.id, outcome: operation.state });
    return "ended";
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    ports.observe({ event: "fault", where: `recovery of ${orphan.id}`, error: text });
    return "failed";
  }
}

/** What a retry with the same Idempotency-Key gets: the first run was charged, its answer is lost. */
export const interruptedResult: StoredResult = {
  status: 500,
  headers: { "content-type": "application/json; charset=utf-8", "x-should-retry": "false" },
  body: new TextEncoder().encode(
    JSON.stringify({
      error: {
        message:
          "The first request with this Idempotency-Key was interrupted and its answer is lost; use a new key to run it again.",
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
  const known = knownOf(orphan);
  const row = heldRow(known, book, orphan.createdAt);
  return settlementOfHeld(orphan, {
    row,
    known,
    reading: readingOf(known, row),
    outcome: "recovered",
    record: { progress: orphan.progress },
  });
}

const countOf = (value: unknown): number | null =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;

function readingOf(known: Known, row: PriceRow | null): MeterReading {
  const seen = known["usage"];
  const estimate = { source: "estimated", bound: "lower_bound", reason: "recovered", fees: noFees } as const;
  if (
    isUsage(seen) &&
    usageFault(seen, {
      contextWindow: row?.contextWindow ?? null,
      maxOutputTokens: row?.maxOutputTokens ?? null,
    }) === null
  ) {
    return { ...estimate, usage: seen, method: "tokenizer" };
  }
  const counted = countOf(known["input_tokens"]);
  const bytes = countOf(known["body_bytes"]);
  // Without a count, a quarter of the body's bytes: near the truth for text (tokens study §1.7), and marked as such.
  const input = counted ?? (bytes === null ? null : Math.ceil(bytes / 4));
  const bound = countOf(known["input_bound"]);
  if (input === null)
    return { ...estimate, usage: noUsage, source: "none", method: null, bound: null, reason: null };
  const capped = bound === null ? input : Math.min(input, bound);
  const output = countOf(known["output_tokens"]);
  const method: EstimateMethod = counted === null ? "characters" : "tokenizer";
  const usage: Usage = {
    ...noUsage,
    input: capped,
    output: output === null ? noUsage.output : output,
    total: capped + (output === null ? 0 : output),
  };
  return { ...estimate, usage, method };
}

function isUsage(value: unknown): value is Usage {
  if (typeof value !== "object" || value === null) return false;
  return Object.keys(noUsage).every((kind) => countOf((value as Record<string, unknown>)[kind]) !== null);
}
