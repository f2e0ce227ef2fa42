import { zeroPico } from "../core/money.ts";
import type { PriceRow } from "../core/prices.ts";
import type { UsageLimits } from "../core/usage.ts";
import { type VendorAnswer, VendorFault } from "../ports.ts";
import { largestCost, vendorCost } from "./budget.ts";
import { readBody, readStreamAnswer, readWholeAnswer, unstreamed } from "./read-answer.ts";
import { readError } from "./read-error.ts";
import type {
  CallCost,
  CallPlan,
  CallRecord,
  ProbeOptions,
  ProbePorts,
  ProbeTarget,
  RateWait,
} from "./types.ts";

/** The longest wait after a 429 that a probe takes upon itself, and the one when the vendor names none. */
const waitMsMax = 20_000;
const waitMsDefault = 2_000;

export interface CallContext {
  readonly target: ProbeTarget;
  readonly options: Pick<ProbeOptions, "id" | "timeoutMs" | "signal"> & {
    readonly sleep: (ms: number) => Promise<void>;
  };
  /** Null: not known (yet). */
  readonly row: PriceRow | null;
}

/** Makes one call and reads its answer to the end. Never rejects for what the vendor does; after a 429 it waits and asks once more. */
export async function performCall(
  ports: ProbePorts,
  context: CallContext,
  plan: CallPlan,
): Promise<CallRecord> {
  const first = await attemptCall(ports, context, plan);
  if (first.status !== 429) return first;
  const wait = readWait(first.headers);
  const delay = wait.retryAfterMs ?? waitMsDefault;
  if (delay > waitMsMax || context.options.signal.aborted) return { ...first, waits: [wait] };
  await context.options.sleep(delay);
  const second = await attemptCall(ports, context, plan);
  return { ...second, waits: second.status === 429 ? [wait, readWait(second.headers)] : [wait] };
}

/** `retry-after-ms`, else `retry-after` in seconds. */
function readWait(headers: Readonly<Record<string, string>>): RateWait {
  const ms = headers["retry-after-ms"];
  if (ms !== undefined && /^\d{1,10}$/.test(ms))
    return { header: `retry-after-ms: ${ms}`, retryAfterMs: Number(ms) };
  const seconds = headers["retry-after"];
  if (seconds === undefined) return { header: null, retryAfterMs: null };
  const retryAfterMs = /^\d{1,7}$/.test(seconds) ? Number(seconds) * 1_000 : null;
  return { header: `retry-after: ${seconds.slice(0, 60)}`, retryAfterMs };
}

async function attemptCall(ports: ProbePorts, context: CallContext, plan: CallPlan): Promise<CallRecord> {
  const startedAt = ports.clock.elapsed();
  const elapsed = (): number => ports.clock.elapsed() - startedAt;
  const timeout = AbortSignal.timeout(context.options.timeoutMs);
  const end = (seen: Partial<CallRecord>): CallRecord => ({
    ...{
      plan,
      status: null,
      headers: {},
      fault: null,
      error: null,
      answer: null,
      firstByteMs: null,
      waits: [],
    },
    ...{ cost: costOf(plan, seen, context.row), durationMs: elapsed(), endedAtMs: ports.clock.now() },
    ...seen,
  });
  let answer: VendorAnswer;
  try {
    answer = await ports.vendor.call({
      deployment: { ...context.target.route, deployment: deploymentOf(context.target, plan) },
      ...{ operation: "chat/completions", method: "POST", body: encodeBody(context.target, plan) },
      ...{ requestId: context.options.id, signal: AbortSignal.any([context.options.signal, timeout]) },
    });
  } catch (error) {
    if (!(error instanceof VendorFault)) throw error;
    return end({ fault: faultOf(error, timeout, context.options.timeoutMs) });
  }
  const { status, headers } = answer;
  const limits: UsageLimits = context.row ?? { contextWindow: null, maxOutputTokens: null };
  if (status >= 200 && status < 300 && plan.body.stream === true && isEventStream(answer)) {
    const read = await readStreamAnswer(answer, elapsed, limits);
    const cut = timeout.aborted
      ? timeoutMessage(context.options.timeoutMs)
      : (read.answer.stream?.cut ?? null);
    const stream = read.answer.stream === null ? null : { ...read.answer.stream, cut };
    return end({ status, headers, answer: { ...read.answer, stream }, firstByteMs: read.firstByteMs });
  }
  const body = await readBody(answer);
  const firstByteMs = body.firstByte ? elapsed() : null;
  if (body.cut !== null) {
    const message = timeout.aborted
      ? timeoutMessage(context.options.timeoutMs)
      : `the answer broke off: ${body.cut}`;
    return end({
      status,
      headers,
      firstByteMs,
      fault: { code: timeout.aborted ? "timeout" : "protocol", message },
    });
  }
  const whole = status >= 200 && status < 300 ? readWholeAnswer(body.text, limits) : null;
  if (whole === null) return end({ status, headers, firstByteMs, error: readError(status, body.text) });
  const stream = plan.body.stream === true ? unstreamed : null;
  return end({ status, headers, firstByteMs, answer: { ...whole, stream } });
}

const deploymentOf = (target: ProbeTarget, plan: CallPlan): string =>
  plan.deployment ?? target.route.deployment;

function encodeBody(target: ProbeTarget, plan: CallPlan): Uint8Array {
  const text = plan.rawBody ?? JSON.stringify({ model: deploymentOf(target, plan), ...plan.body });
  return new TextEncoder().encode(text);
}

const isEventStream = (answer: VendorAnswer): boolean =>
  answer.headers["content-type"]?.startsWith("text/event-stream") === true;

const timeoutMessage = (ms: number): string => `no complete answer within ${ms / 1_000} s`;

function faultOf(
  error: VendorFault,
  timeout: AbortSignal,
  timeoutMs: number,
): NonNullable<CallRecord["fault"]> {
  if (error.code === "aborted" && timeout.aborted)
    return { code: "timeout", message: timeoutMessage(timeoutMs) };
  return { code: error.code, message: error.message };
}

const nothing: CallCost = { basis: "nothing", amount: zeroPico };

/**
 * A refusal bills nothing, but for what Azure's filter or a time-out took (dialect §3.6). What may have been generated
 * without usage is counted at the most it can be.
 */
export function costOf(plan: CallPlan, seen: Partial<CallRecord>, row: PriceRow | null): CallCost {
  const status = seen.status ?? null;
  const mayBeBilled =
    status === null || status < 300 || status === 408 || seen.error?.isContentFilter === true;
  if (!mayBeBilled || seen.fault?.code === "unreachable") return nothing;
  if (row === null) return { basis: "unknown", amount: null };
  const usage = seen.answer?.usage ?? null;
  const known = usage === null ? null : vendorCost(usage, row, seen.answer?.serviceTier ?? null);
  return known === null
    ? { basis: "at_most", amount: largestCost(plan, row) }
    : { basis: "known", amount: known };
}
