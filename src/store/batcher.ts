import type { HoldOperation, HoldOutcome, SettleOperation, SettleOutcome } from "../ports.ts";
import { LedgerFault } from "../ports.ts";
import { classifyError } from "./retry.ts";

interface Waiting<Operation, Outcome> {
  readonly operation: Operation;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
  readonly since: number;
}
export type WaitingHold = Waiting<HoldOperation, HoldOutcome>;
export type WaitingSettle = Waiting<SettleOperation, SettleOutcome>;

export interface Batch {
  readonly settles: readonly SettleOperation[];
  readonly holds: readonly HoldOperation[];
  readonly progress: ReadonlyMap<string, string>;
}
export interface BatchResult {
  /** An error fails its own operation only: the batch is committed. */
  readonly settles: readonly (SettleOutcome | Error)[];
  readonly holds: readonly HoldOutcome[];
}

export interface BatcherOptions {
  /** Applies one batch in one database transaction. */
  readonly apply: (batch: Batch) => Promise<BatchResult>;
  readonly maxOperations: number;
  /** Holds waiting beyond this are refused as `overloaded`. */
  readonly maxQueuedHolds: number;
  /** How long a hold may wait for a ledger that cannot be reached, ms. Settlements wait for as long as it takes. */
  readonly holdPatienceMs: number;
  readonly now: () => number;
  readonly onRetry: (error: unknown) => void;
}

/**
 * Group commit: operations that arrive while a batch is in flight form the next one, so batches grow under load and
 * vanish when idle. Settlements and releases go before new holds: they free credit and must not be lost. An operation
 * is answered only after COMMIT; when a COMMIT's fate is unknown, the same operations go again and the database
 * recognises them by id.
 */
export class Batcher {
  private readonly options: BatcherOptions;
  private settles: WaitingSettle[] = [];
  private holds: WaitingHold[] = [];
  private progress = new Map<string, string>();
  private isRunning = false;
  private isClosed = false;
  private idle: (() => void)[] = [];

  constructor(options: BatcherOptions) {
    this.options = options;
  }

  hold(operation: HoldOperation): Promise<HoldOutcome> {
    if (this.isClosed)
      return Promise.reject(new LedgerFault("ledger_unavailable", "Cannot hold: the ledger is closed"));
    if (this.holds.length >= this.options.maxQueuedHolds) {
      const message = `Cannot hold: ${this.holds.length} requests wait for the ledger already; try again shortly`;
      return Promise.reject(new LedgerFault("overloaded", message));
    }
    return new Promise((resolve, reject) => {
      this.holds.push({ operation, resolve, reject, since: this.options.now() });
      this.start();
    });
  }

  settle(operation: SettleOperation): Promise<SettleOutcome> {
    return new Promise((resolve, reject) => {
      this.settles.push({ operation, resolve, reject, since: this.options.now() });
      this.start();
    });
  }

  checkpoint(id: string, progress: string): void {
    this.progress.set(id, progress);
    this.start();
  }

  /** Resolves when everything queued has been applied; refuses new holds from now on. */
  async close(): Promise<void> {
    this.isClosed = true;
    if (this.isRunning) await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  private start(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    // A microtask later, so that all operations of one turn of the event loop share the first batch.
    queueMicrotask(() => void this.run());
  }

  private async run(): Promise<void> {
    while (this.settles.length > 0 || this.holds.length > 0 || this.progress.size > 0) {
      const settles = takeFrom(this.settles, this.options.maxOperations);
      const holds = takeFrom(this.holds, this.options.maxOperations - settles.length);
      const progress = this.progress;
      this.progress = new Map();
      await this.applyBatch(settles, holds, progress);
    }
    this.isRunning = false;
    for (const resolve of this.idle.splice(0)) resolve();
  }

  private async applyBatch(
    settles: WaitingSettle[],
    holds: WaitingHold[],
    progress: Map<string, string>,
  ): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        const batch = {
          settles: settles.map((one) => one.operation),
          holds: holds.map((one) => one.operation),
          progress,
        };
        const result = await this.options.apply(batch);
        settles.forEach((one, index) => answer(one, result.settles[index]));
        holds.forEach((one, index) => answer(one, result.holds[index]));
        return;
      } catch (error) {
        const kind = classifyError(error);
        if (kind === "fatal") return this.isolate({ settles, holds, progress }, error);
        this.options.onRetry(error);
        holds = this.dropImpatient(holds, settles, error);
        if (settles.length === 0 && holds.length === 0) return;
        await pause(kind === "again" ? 5 * (attempt + 1) : Math.min(50 * 2 ** attempt, 1_000));
      }
    }
  }

  /** One operation the database rejects must not fail its neighbours: each goes alone, and only the bad one fails. */
  private async isolate(
    batch: { settles: WaitingSettle[]; holds: WaitingHold[]; progress: Map<string, string> },
    error: unknown,
  ): Promise<void> {
    const { settles, holds, progress } = batch;
    if (settles.length + holds.length + progress.size <= 1) {
      for (const one of [...settles, ...holds]) one.reject(asError(error));
      if (progress.size > 0) this.options.onRetry(error);
      return;
    }
    for (const one of settles) await this.applyBatch([one], [], new Map());
    for (const one of holds) await this.applyBatch([], [one], new Map());
    for (const [id, text] of progress) await this.applyBatch([], [], new Map([[id, text]]));
  }

  /**
   * Gives up on holds that have waited too long. Such a hold may exist all the same, when only its answer was lost,
   * so its release joins the queue: a release of an unknown hold moves nothing.
   */
  private dropImpatient(holds: WaitingHold[], settles: WaitingSettle[], error: unknown): WaitingHold[] {
    const now = this.options.now();
    const isPatient = (one: WaitingHold): boolean => now - one.since < this.options.holdPatienceMs;
    for (const one of holds.filter((each) => !isPatient(each))) {
      one.reject(new LedgerFault("ledger_unavailable", "Cannot hold: the ledger cannot be reached", error));
      settles.push({
        operation: releaseOf(one.operation),
        resolve: () => undefined,
        reject: () => undefined,
        since: now,
      });
    }
    for (const one of this.holds.splice(0)) {
      if (isPatient(one)) this.holds.push(one);
      else
        one.reject(new LedgerFault("ledger_unavailable", "Cannot hold: the ledger cannot be reached", error));
    }
    return holds.filter(isPatient);
  }
}

/** Takes the first operations out of a queue, each id once: a batch is set-wise, so a repetition goes into the next one. */
function takeFrom<One extends { readonly operation: { readonly id: string } }>(
  queue: One[],
  most: number,
): One[] {
  const ids = new Set<string>();
  const taken: One[] = [];
  const left: One[] = [];
  let at = 0;
  for (; at < queue.length && taken.length < most; at += 1) {
    const one = queue[at] as One;
    if (ids.has(one.operation.id)) left.push(one);
    else taken.push(one);
    ids.add(one.operation.id);
  }
  queue.splice(0, at, ...left);
  return taken;
}

function releaseOf(hold: HoldOperation): SettleOperation {
  return {
    id: hold.id,
    accountId: hold.accountId,
    keyId: hold.keyId,
    state: "released",
    outcome: "refused",
    charge: 0n as SettleOperation["charge"],
    loss: 0n as SettleOperation["loss"],
    vendorCost: 0n as SettleOperation["vendorCost"],
    modelRequested: hold.request.model_requested,
    modelServed: null,
    endpoint: null,
    source: "none",
    stream: hold.request.stream,
    tokens: null,
    record: { ...hold.request, refusal: "ledger_unavailable" },
  };
}

function answer<Outcome>(waiting: Waiting<unknown, Outcome>, outcome: Outcome | Error | undefined): void {
  if (outcome instanceof Error) waiting.reject(outcome);
  else if (outcome === undefined)
    waiting.reject(new Error("Bug: the ledger gave no result for an operation"));
  else waiting.resolve(outcome);
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
