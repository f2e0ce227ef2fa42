import type { FaultName } from "./faults.ts";

/**
 * What the simulated vendor charges for one attempt. Final when it appears: the vendor is done with it.
 * Counts are tokens; cached_input and cache_write are parts of input, reasoning is a part of output.
 */
export interface BillLine {
  /** The id of the answer (`chatcmpl-…`, `resp_…`), or null when there was none. */
  readonly id: string | null;
  /** The vendor's `x-request-id` header. */
  readonly request_id: string;
  /** When the attempt arrived, RFC 3339. */
  readonly at: string;
  readonly path: string;
  /** The underlying model, null when the request named none that exists. */
  readonly model: string | null;
  readonly served_model: string | null;
  readonly deployment: string | null;
  readonly service_tier: string | null;
  readonly stream: boolean;
  readonly input: number;
  readonly cached_input: number;
  readonly cache_write: number;
  readonly output: number;
  readonly reasoning: number;
  readonly total: number;
  readonly billed: boolean;
  /** Why this much is charged: `complete`, `refused`, `client_left`, `fault`, `cancelled`. */
  readonly reason: BillReason;
  /** The status that was sent, null when the connection ended before one. */
  readonly status: number | null;
  readonly fault: FaultName | null;
  /** `x-client-request-id` or `x-request-id` of the request, to find an attempt again. */
  readonly client_request_id: string | null;
  /** The client left before the end. */
  readonly aborted: boolean;
}

export type BillReason = "complete" | "refused" | "client_left" | "fault" | "cancelled";

const linesMax = 200_000;

/** The bill so far. Bounded: after 200,000 lines the oldest go, and are counted in `dropped`. */
export class Bill {
  #lines: BillLine[] = [];
  #dropped = 0;

  add(line: BillLine): void {
    this.#lines.push(line);
    if (this.#lines.length < linesMax * 1.1) return;
    this.#dropped += this.#lines.length - linesMax;
    this.#lines = this.#lines.slice(-linesMax);
  }

  lines(): BillLine[] {
    return [...this.#lines];
  }

  dropped(): number {
    return this.#dropped;
  }

  clear(): void {
    this.#lines = [];
    this.#dropped = 0;
  }
}

/** Sums of what was charged. */
export function totalBill(
  lines: readonly BillLine[],
): Record<"attempts" | "input" | "cached_input" | "cache_write" | "output" | "reasoning" | "total", number> {
  const totals = {
    attempts: lines.length,
    input: 0,
    cached_input: 0,
    cache_write: 0,
    output: 0,
    reasoning: 0,
    total: 0,
  };
  for (const line of lines) {
    totals.input += line.input;
    totals.cached_input += line.cached_input;
    totals.cache_write += line.cache_write;
    totals.output += line.output;
    totals.reasoning += line.reasoning;
    totals.total += line.total;
  }
  return totals;
}
