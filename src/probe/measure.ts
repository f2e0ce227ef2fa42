import { setTimeout as sleepFor } from "node:timers/promises";
import { formatUsd, zeroPico } from "../core/money.ts";
import { type LimitParameter, lessonFrom } from "../core/parameters.ts";
import type { PriceRow } from "../core/prices.ts";
import { encodingFor } from "../core/tokens/encodings.ts";
import { Budget, largestCost } from "./budget.ts";
import { type CallContext, costOf, performCall } from "./call.ts";
import { countCalls } from "./count.ts";
import { failureOf } from "./failures.ts";
import {
  allCalls,
  answerCalls,
  asParameterCall,
  errorCalls,
  firstCall,
  parameterCalls,
  wholeLongCall,
} from "./plan.ts";
import { progressOf } from "./progress.ts";
import { spentOn } from "./spent.ts";
import {
  type CallPlan,
  type CallRecord,
  type Measurement,
  ProbeFailure,
  type ProbeOptions,
  type ProbePorts,
  type ProbeTarget,
} from "./types.ts";

/** Independent calls that are open at once: quick against a slow vendor, within the smallest rate limits. */
const callsAtOnce = 4;

/**
 * The one loop that talks to the vendor: the first call alone, because it tells the limit parameter, the model and
 * whether anything answers at all; then the streams; then everything else. Rejects with a `ProbeFailure` when the first
 * call gives no answer.
 */
export async function measure(
  ports: ProbePorts,
  target: ProbeTarget,
  options: ProbeOptions,
): Promise<Measurement> {
  const run = new Run(ports, target, options);
  const started = { startedAtMs: ports.clock.now(), elapsed: ports.clock.elapsed() };
  const { limit, isOtherShown } = await run.first();
  const streams = answerCalls(limit);
  const rest = [...parameterCalls(limit, isOtherShown), ...errorCalls(limit)];
  run.expect(streams.length + rest.length);
  const early = streams.slice(0, 4);
  await run.all(early);
  const isUsageTaken = run.find("usage-a")?.answer !== null;
  const late = isUsageTaken ? streams.slice(4) : [wholeLongCall(limit)];
  await run.all([...late, ...rest]);
  const model = run.model();
  const measured = {
    ...{ target, limit, model, options: { maxCost: options.maxCost, volume: options.volume } },
    ...{ priceRow: run.row, priceBook: ports.catalog.prices().version, skipped: run.skipped },
    calls: run.calls,
    startedAtMs: started.startedAtMs,
    durationMs: ports.clock.elapsed() - started.elapsed,
  };
  const { encoding, isGuess } = encodingFor(model);
  const counts = await countCalls(ports.tokens, measured.calls, { model, encoding });
  return { ...measured, encoding: { name: encoding, isGuess }, counts };
}

class Run {
  readonly calls: CallRecord[] = [];
  readonly skipped: CallPlan[] = [];
  row: PriceRow | null;
  readonly #ports: ProbePorts;
  readonly #target: ProbeTarget;
  readonly #options: ProbeOptions;
  readonly #budget: Budget;
  #expected = allCalls("max_tokens").length;

  constructor(ports: ProbePorts, target: ProbeTarget, options: ProbeOptions) {
    this.#ports = ports;
    this.#target = target;
    this.#options = options;
    this.#budget = new Budget(options.maxCost);
    this.row = this.#findRow(null);
  }

  expect(calls: number): void {
    this.#expected = this.calls.length + calls;
  }

  find(id: string): CallRecord | undefined {
    return this.calls.find(({ plan }) => plan.id === id);
  }

  /** The served model where an answer named one other than the deployment. */
  model(): string {
    const { route, isModelKnown } = this.#target;
    const served = this.find("whole-a")?.answer?.model ?? null;
    if (served === null || served === route.deployment) return route.model;
    return isModelKnown && encodingFor(served).isGuess ? route.model : served;
  }

  /** Tries the limit parameters as a client would meet them: the old name, then the one the refusal names. */
  async first(): Promise<{ limit: LimitParameter; isOtherShown: boolean }> {
    const record = await this.#firstCall("max_tokens");
    const lesson =
      record.error === null || record.status !== 400 ? null : lessonFrom(record.error, record.plan.body);
    if (lesson?.kind !== "rename") {
      this.#accept(record);
      return { limit: "max_tokens", isOtherShown: false };
    }
    this.#keep({ ...record, plan: asParameterCall(record.plan) });
    this.#accept(await this.#firstCall("max_completion_tokens"));
    return { limit: "max_completion_tokens", isOtherShown: true };
  }

  #firstCall(limit: LimitParameter): Promise<CallRecord> {
    const plan = firstCall(limit);
    const largest = this.row === null ? null : largestCost(plan, this.row);
    if (largest !== null && largest > this.#options.maxCost) {
      const message = `Cannot probe within $${formatUsd(this.#options.maxCost)}: the first call alone may cost $${formatUsd(largest)}; raise --max-cost.`;
      throw new ProbeFailure("usage", message);
    }
    return performCall(this.#ports, this.#context(), plan);
  }

  #accept(record: CallRecord): void {
    if (record.answer === null) throw failureOf(record, this.#target, this.#options.signal);
    this.row = this.#options.price ?? this.#findRow(record.answer.model) ?? this.row;
    if (this.row === null && this.#options.isMaxCostStrict) {
      const message = `Cannot keep to --max-cost $${formatUsd(this.#options.maxCost)}: no price is known for ${record.answer.model ?? this.#target.route.model}; give --price, or leave --max-cost out.`;
      throw new ProbeFailure("usage", message, spentOn([record]));
    }
    // The answer may have told the model, and with it the price.
    this.#keep({ ...record, cost: costOf(record.plan, record, this.row) });
  }

  #keep(record: CallRecord): void {
    this.#budget.settle(zeroPico, record.cost.amount ?? zeroPico);
    this.calls.push(record);
    this.#report(record);
  }

  /** Makes calls, some at once, each only when its largest cost still fits. Ends early when interrupted. */
  async all(plans: readonly CallPlan[]): Promise<void> {
    const queue = [...plans];
    const open = new Set<Promise<void>>();
    while (queue.length > 0 || open.size > 0) {
      if (this.#options.signal.aborted) queue.length = 0;
      const next = queue[0];
      const reserved = next === undefined || this.row === null ? zeroPico : largestCost(next, this.row);
      if (next !== undefined && open.size < callsAtOnce && this.#budget.reserve(reserved)) {
        queue.shift();
        const one = this.#one(next, reserved).finally(() => open.delete(one));
        open.add(one);
      } else if (open.size > 0) await Promise.race(open);
      else if (next !== undefined) this.skipped.push(...queue.splice(0, 1));
    }
    if (this.#options.signal.aborted) {
      throw new ProbeFailure(
        "interrupted",
        `Interrupted after ${this.calls.length} calls, which cost at most $${formatUsd(this.#budget.spent)}.`,
        spentOn(this.calls),
      );
    }
  }

  async #one(plan: CallPlan, reserved: Parameters<Budget["settle"]>[0]): Promise<void> {
    const record = await performCall(this.#ports, this.#context(), plan);
    this.#budget.settle(reserved, record.cost.amount ?? zeroPico);
    this.calls.push(record);
    this.#report(record);
  }

  #context(): CallContext {
    const {
      id,
      timeoutMs,
      signal,
      sleep = (ms) => sleepFor(ms, undefined, { signal }).catch(() => undefined),
    } = this.#options;
    return { target: this.#target, options: { id, timeoutMs, signal, sleep }, row: this.row };
  }

  #findRow(served: string | null): PriceRow | null {
    const { price } = this.#options;
    if (price !== null) return price;
    const { route } = this.#target;
    const book = this.#ports.catalog.prices();
    const now = this.#ports.clock.now();
    const own = served === null ? null : book.find(route.provider, served, now);
    return own ?? book.find(route.provider, route.model, now);
  }

  #report(record: CallRecord): void {
    this.#options.onProgress(progressOf(record, this.calls.length, this.#expected));
  }
}
