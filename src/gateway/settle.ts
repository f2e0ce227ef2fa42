import { minPico, type PicoUsd, pico, zeroPico } from "../core/money.ts";
import type { PriceRow } from "../core/prices.ts";
import { type PriceLine, rate, type RateTerms } from "../core/rating.ts";
import type { MeterReading } from "../core/usage.ts";
import type { Ports, SettleOperation } from "../ports.ts";
import type { Outcome } from "./relay.ts";
import { rowServed } from "./reading.ts";
import type { Admitted } from "./types.ts";

/** A charge within its hold. `lines` sum to `charge` exactly; what the vendor billed beyond the hold is `loss`. */
export interface Bill {
  readonly lines: readonly BillLine[];
  readonly charge: PicoUsd;
  readonly loss: PicoUsd;
  readonly vendorCost: PicoUsd;
}

export type BillLine = Omit<PriceLine, "kind"> & { readonly kind: PriceLine["kind"] | "beyond_hold" };

/**
 * What a reading costs under `terms`, never more than `hold`. The part beyond is taken off by a line of its own, so that
 * the lines always add up to the charge; it is the operator's loss (contract §7.2).
 */
export function billOf(reading: MeterReading, terms: RateTerms, hold: PicoUsd): Bill {
  const rated = rate(reading.usage, reading.fees, terms);
  const charge = minPico(rated.charge, hold);
  const loss = pico(rated.charge - charge);
  if (loss === 0n) return { lines: rated.lines, charge, loss, vendorCost: rated.vendorCost };
  const cut: BillLine = { kind: "beyond_hold", quantity: 1, unitPrice: pico(-loss), listPrice: zeroPico, amount: pico(-loss) };
  return { lines: [...rated.lines, cut], charge, loss, vendorCost: rated.vendorCost };
}

/** The settlement of a request: charged when something was billed, released when nothing was. */
export function settlementOf(admitted: Admitted, outcome: Outcome, times: RequestTimes): SettleOperation {
  const { reading, served } = outcome;
  const { request } = admitted;
  const row = rowServed(admitted, served, { model: outcome.modelServed, at: admitted.admittedAtMs });
  const terms: RateTerms = { row, serviceTier: outcome.serviceTier, markup: admitted.model.markup };
  const isBilled = reading.source !== "none";
  const bill = isBilled ? billOf(reading, terms, admitted.hold) : nothing;
  return {
    id: admitted.id,
    accountId: request.identity.accountId,
    keyId: request.identity.keyId,
    state: isBilled ? "settled" : "released",
    outcome: outcome.outcome,
    charge: bill.charge,
    loss: bill.loss,
    vendorCost: bill.vendorCost,
    modelRequested: request.facts.model,
    modelServed: outcome.modelServed,
    endpoint: served.route.endpoint,
    source: reading.source,
    stream: request.facts.stream,
    tokens: isBilled ? tokensOf(reading) : null,
    record: {
      deployment: served.route.deployment,
      priced_as: row.model,
      price_row: row.id,
      service_tier: outcome.serviceTier,
      attempts: withUsage(outcome, reading),
      usage: usageRecord(reading),
      estimate: outcome.estimate,
      price_lines: bill.lines.map(lineRecord),
      rewrites: outcome.rewrites,
      output_cap: admitted.cap,
      hold_basis: { input_bound: admitted.terms.inputBound, choices: admitted.terms.choices, cap: admitted.cap },
      rejected_usage: outcome.rejectedUsage,
      operation: request.facts.operation,
      client_request_id: request.clientRequestId,
      idempotency_key: request.idempotency?.key ?? null,
      ...times,
    },
  };
}

const nothing: Bill = { lines: [], charge: zeroPico, loss: zeroPico, vendorCost: zeroPico };

export interface RequestTimes {
  readonly ttft_ms: number | null;
  readonly duration_ms: number;
  /** The part of the duration that was Tollgate's own: admission and what came after the vendor's last byte. */
  readonly overhead_ms: number;
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
  const { usage } = reading;
  const known = reading.source === "none" ? null : usage;
  return {
    input: known?.input ?? null,
    cached_input: known?.cachedInput ?? null,
    cache_write: known?.cacheWrite ?? null,
    output: known?.output ?? null,
    reasoning: known?.reasoning ?? null,
    total: known?.total ?? null,
    audio_input: known?.audioInput ?? null,
    audio_output: known?.audioOutput ?? null,
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

function withUsage(outcome: Outcome, reading: MeterReading): unknown[] {
  const last = outcome.attempts.length - 1;
  return outcome.attempts.map((attempt, index) => (index === last && reading.source !== "none" ? { ...attempt, usage: usageRecord(reading) } : attempt));
}

/** Price terms whose row may come from anywhere, for tests and recovery. */
export type { PriceRow };

/** Reports what ended, to logs and metrics. */
export function observeEnd(ports: Ports, settled: SettleOperation, about: { status: number; times: RequestTimes }): void {
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
    durationMs: about.times.duration_ms,
    overheadMs: about.times.overhead_ms,
  });
  if (settled.loss > 0n) ports.observe({ event: "billed_beyond_hold", requestId: settled.id, loss: settled.loss });
}
