import { minPico, type PicoUsd, pico, zeroPico } from "../core/money.ts";
import type { MeterKind, PriceRow } from "../core/prices.ts";
import { canRate, type PriceLine, type RateTerms, rate, tiersOf } from "../core/rating.ts";
import { type Fees, type MeterReading, nothingBilled } from "../core/usage.ts";
import type { Ports, SettleOperation } from "../ports.ts";
import type { Note, Outcome } from "./outcome.ts";
import { kindsOf, rowServed } from "./reading.ts";
import type { Admitted, Attempt } from "./types.ts";

/** A charge within its hold. `lines` sum to `charge` exactly; what the vendor billed beyond the hold is `loss`. */
export interface Bill {
  readonly lines: readonly BillLine[];
  readonly charge: PicoUsd;
  readonly loss: PicoUsd;
  readonly vendorCost: PicoUsd;
}

export type BillLine = Omit<PriceLine, "kind"> & { readonly kind: PriceLine["kind"] | "beyond_hold" };

const noBill: Bill = { lines: [], charge: zeroPico, loss: zeroPico, vendorCost: zeroPico };

/**
 * What a reading costs under `terms`, never more than `hold`. The part beyond is taken off by a line of its own, so that
 * the lines always add up to the charge; it is the operator's loss (contract §7.2).
 */
export function billOf(reading: MeterReading, terms: RateTerms, hold: PicoUsd): Bill {
  if (reading.source === "none") return noBill;
  const rated = rate(reading.usage, reading.fees, terms);
  const charge = minPico(rated.charge, hold);
  const loss = pico(rated.charge - charge);
  if (loss === 0n) return { lines: rated.lines, charge, loss, vendorCost: rated.vendorCost };
  const cut: BillLine = {
    kind: "beyond_hold",
    quantity: 1,
    unitPrice: pico(-loss),
    listPrice: zeroPico,
    amount: pico(-loss),
  };
  return { lines: [...rated.lines, cut], charge, loss, vendorCost: rated.vendorCost };
}

/** An attempt with what it cost. An attempt the operator pays is a loss of what the vendor's list says, at no markup. */
interface BilledAttempt {
  readonly attempt: Attempt;
  readonly row: PriceRow;
  readonly bill: Bill;
  readonly notes: readonly Note[];
}

function billAttempt(
  admitted: Admitted,
  attempt: Attempt,
  seen: { model: string | null; serviceTier: string | null },
): BilledAttempt {
  const { reading } = attempt;
  const used = kindsOf(reading.usage, reading.fees);
  const row = rowServed(admitted, attempt.served, {
    model: seen.model,
    atMs: admitted.admittedAtMs,
    kinds: used,
  });
  const terms: RateTerms = { row, serviceTier: seen.serviceTier, markup: admitted.model.markup };
  const { priced, notes } = withoutUnpriced(reading, terms);
  const bill = billOf(priced, terms, admitted.hold);
  if (attempt.paidBy === "customer") return { attempt, row, bill, notes };
  return {
    attempt,
    row,
    notes,
    bill: { lines: [], charge: zeroPico, loss: bill.vendorCost, vendorCost: bill.vendorCost },
  };
}

/** Fees by their kind, as the price book names them. */
const feeKinds: Readonly<Record<keyof Fees, MeterKind>> = {
  webSearch: "web_search",
  fileSearch: "file_search",
  codeInterpreter: "code_interpreter",
};

/** A tool the vendor ran though nobody asked has perhaps no price: it is noted for the operator and not charged. */
export function withoutUnpriced(
  reading: MeterReading,
  terms: RateTerms,
): { priced: MeterReading; notes: readonly Note[] } {
  const { row } = terms;
  // A tier that is not sold is priced as the standard one.
  const tier = tiersOf(row, terms.serviceTier) === null ? null : terms.serviceTier;
  if (canRate(row, tier, kindsOf(reading.usage, reading.fees))) return { priced: reading, notes: [] };
  const fees = { ...reading.fees };
  const notes: Note[] = [];
  for (const name of Object.keys(fees) as (keyof Fees)[]) {
    if (fees[name] === 0 || canRate(row, tier, [feeKinds[name]])) continue;
    notes.push({ kind: "unpriced", what: feeKinds[name], quantity: fees[name] });
    fees[name] = 0;
  }
  return { priced: { ...reading, fees }, notes };
}

/** The settlement of a request: charged when something was billed, released when nothing was. */
export function settlementOf(admitted: Admitted, outcome: Outcome, times: RequestTimes): SettleOperation {
  const { request } = admitted;
  const last = outcome.attempts.length - 1;
  const billed = outcome.attempts.map((attempt, index) =>
    billAttempt(
      admitted,
      attempt,
      index === last ? { model: outcome.modelServed, serviceTier: outcome.serviceTier } : unseen,
    ),
  );
  const main = billed[last] as BilledAttempt;
  const operatorLoss = billed.reduce(
    (sum, { attempt, bill }) => (attempt.paidBy === "operator" ? sum + bill.vendorCost : sum),
    0n,
  );
  // Nothing of use came of the last attempt, but an earlier one cost money: its usage is what there is to show.
  const costly = billed.findLast(({ attempt }) => attempt.reading.source !== "none") ?? null;
  const reading =
    costly === null
      ? nothingBilled
      : main.attempt.reading.source === "none"
        ? costly.attempt.reading
        : main.attempt.reading;
  const { route } = main.attempt.served;
  return {
    id: admitted.id,
    accountId: request.identity.accountId,
    keyId: request.identity.keyId,
    state: costly === null ? "released" : "settled",
    outcome: outcome.outcome,
    charge: main.bill.charge,
    loss: pico((main.attempt.paidBy === "customer" ? main.bill.loss : 0n) + operatorLoss),
    vendorCost: pico(billed.reduce((sum, { bill }) => sum + bill.vendorCost, 0n)),
    modelRequested: request.facts.model,
    modelServed: outcome.modelServed,
    endpoint: route.endpoint,
    source: reading.source,
    stream: request.facts.stream,
    tokens: reading.source === "none" ? null : tokensOf(reading),
    record: {
      deployment: route.deployment,
      priced_as: main.row.model,
      price_row: main.row.id,
      service_tier: outcome.serviceTier,
      attempts: billed.map(attemptRecord),
      usage: usageRecord(reading),
      estimate: null,
      price_lines: main.bill.lines.map(lineRecord),
      operator_loss_pusd: operatorLoss.toString(),
      rewrites: outcome.rewrites,
      notes: [...outcome.notes, ...billed.flatMap(({ notes }) => notes)],
      output_cap: outcome.cap,
      hold_basis: {
        input_bound: admitted.terms.inputBound,
        choices: admitted.terms.choices,
        cap: admitted.cap,
      },
      rejected_usage: outcome.notes.find((note) => note.kind === "usage_rejected")?.["reason"] ?? null,
      operation: request.facts.operation,
      client_request_id: request.clientRequestId,
      idempotency_key: request.idempotency?.key ?? null,
      ...times,
    },
  };
}

/** The end of a request whose client left before a vendor was called. */
export function releaseUncalled(admitted: Admitted): SettleOperation {
  const { request } = admitted;
  return {
    id: admitted.id,
    accountId: request.identity.accountId,
    keyId: request.identity.keyId,
    state: "released",
    outcome: "client_left",
    charge: zeroPico,
    loss: zeroPico,
    vendorCost: zeroPico,
    modelRequested: request.facts.model,
    modelServed: null,
    endpoint: null,
    source: "none",
    stream: request.facts.stream,
    tokens: null,
    record: {
      attempts: [],
      price_lines: [],
      rewrites: [],
      notes: [],
      operation: request.facts.operation,
      client_request_id: request.clientRequestId,
    },
  };
}

const unseen = { model: null, serviceTier: null };

export interface RequestTimes {
  readonly ttft_ms: number | null;
  readonly duration_ms: number | null;
  /** The part of the duration that was Tollgate's own: admission and what came after the vendor's last byte. */
  readonly overhead_ms: number | null;
}

export const tokensOf = ({ usage }: MeterReading): NonNullable<SettleOperation["tokens"]> => ({
  input: usage.input,
  cachedInput: usage.cachedInput,
  cacheWrite: usage.cacheWrite,
  output: usage.output,
  reasoning: usage.reasoning,
  total: usage.total,
});

/** The reading as the request record shows it (contract §10); null tokens when nothing was billed. */
export function usageRecord(reading: MeterReading): Record<string, unknown> {
  const known = reading.source === "none" ? null : reading.usage;
  return {
    input: known?.input ?? null,
    cached_input: known?.cachedInput ?? null,
    cache_write: known?.cacheWrite ?? null,
    output: known?.output ?? null,
    reasoning: known?.reasoning ?? null,
    total: known?.total ?? null,
    audio_input: known?.audioInput ?? null,
    audio_output: known?.audioOutput ?? null,
    image_input: known?.imageInput ?? null,
    fees: reading.fees,
    source: reading.source,
    method: reading.method,
    bound: reading.bound,
    reason: reading.reason,
  };
}

export const lineRecord = (line: BillLine): Record<string, unknown> => ({
  kind: line.kind,
  quantity: line.quantity,
  unit_price_pusd: line.unitPrice.toString(),
  list_price_pusd: line.listPrice.toString(),
  amount_pusd: line.amount.toString(),
});

/** One call to a vendor, as the request record keeps it. */
function attemptRecord({ attempt, bill }: BilledAttempt): Record<string, unknown> {
  const isBilled = attempt.reading.source !== "none";
  return {
    endpoint: attempt.served.route.endpoint,
    deployment: attempt.served.route.deployment,
    status: attempt.status,
    vendor_request_id: attempt.vendorRequestId,
    usage: isBilled ? usageRecord(attempt.reading) : null,
    vendor_cost_pusd: isBilled ? bill.vendorCost.toString() : null,
    paid_by: isBilled ? attempt.paidBy : null,
    reason: attempt.reason,
    started_at: attempt.startedAt,
    ended_at: attempt.endedAt,
  };
}

/** Reports what ended, to logs and metrics. */
export function observeEnd(
  ports: Pick<Ports, "observe">,
  settled: SettleOperation,
  about: { status: number; times: RequestTimes },
): void {
  ports.observe({
    event: "request_ended",
    requestId: settled.id,
    accountId: settled.accountId,
    model: settled.modelRequested,
    endpoint: settled.endpoint,
    outcome: settled.outcome,
    source: settled.source,
    status: about.status,
    stream: settled.stream,
    charge: settled.charge,
    vendorCost: settled.vendorCost,
    loss: settled.loss,
    tokens: settled.tokens,
    ttftMs: about.times.ttft_ms,
    durationMs: about.times.duration_ms === null ? 0 : about.times.duration_ms,
    overheadMs: about.times.overhead_ms === null ? 0 : about.times.overhead_ms,
  });
  // What the operator pays for attempts that failed is foreseen; what a vendor billed beyond the hold is an alarm.
  const foreseen = settled.record["operator_loss_pusd"];
  const beyond = settled.loss - (typeof foreseen === "string" ? BigInt(foreseen) : 0n);
  if (beyond > 0n) ports.observe({ event: "billed_beyond_hold", requestId: settled.id, loss: pico(beyond) });
}
