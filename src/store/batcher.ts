import type { HoldOperation, HoldOutcome, SettleOperation, SettleOutcome } from "../ports.ts";
import { LedgerFault } from "../ports.ts";
import { classifyError } from "./retry.ts";

interface Waiting<Operation, Outcome> {
  readonly operation: Operation;
  /** What the database keeps of it, as JSON text. */
  readonly json: string;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
  readonly since: number;
  /** Its caller has been told that it failed: whatever comes of it is released. */
  isGivenUp: boolean;
}
type WaitingHold = Waiting<HoldOperation, HoldOutcome>;
type WaitingSettle = Waiting<SettleOperation, SettleOutcome>;

export interface Batch {
  readonly settles: readonly { readonly operation: SettleOperation; readonly json: string }[];
  readonly holds: readonly { readonly operation: HoldOperation; readonly json: string }[];
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
  readonly toJson: (value: unknown) => string;
  /** Batches in flight at a time; one for each connection. */
  readonly lanes: number;
  readonly maxOperations: number;
  /** Of JSON text in one batch. */
  readonly maxBytes: number;
  /** Holds waiting beyond this are refused as `overloaded`. */
  readonly maxQueuedHolds: number;
  /** How long a hold may wait for a ledger that cannot be reached, ms. Settlements wait for as long as it takes. */
  readonly holdPatienceMs: number;
  readonly now: () => number;
  readonly onRetry: (error: unknown) => void;
}

/** A batch on its way; one that failed is sent again without the holds that were given up meanwhile. */
interface Flight {
  readonly settles: readonly WaitingSettle[];
  holds: readonly WaitingHold[];
  readonly progress: ReadonlyMap<string, string>;
}

/** How long progress waits for a batch to go with, ms. */
const gatherMs = 10;
const noProgress: ReadonlyMap<string, string> = new Map();

/**
 * Group commit: operations that arrive while every lane is busy form the next batch, so batches grow under load and
 * vanish when idle. Settlements and releases go before new holds: they free credit and must not be lost. An operation
 * is answered only after COMMIT; when a COMMIT's fate is unknown, the same operations go again and the database
 * recognises them by id.
 */
export class Batcher {
  private readonly options: BatcherOptions;
  private readonly settles: WaitingSettle[] = [];
  private readonly holds: WaitingHold[] = [];
  private progress = new Map<string, string>();
  private gathering: ReturnType<typeof setTimeout> | null = null;
  private readonly flights = new Set<Flight>();
  private running = 0;
  private isClosed = false;
  private readonly idle: (() => void)[] = [];
  private patience: ReturnType<typeof setTimeout> | null = null;
  private lastError: unknown = null;

  constructor(options: BatcherOptions) {
    this.options = options;
  }

  hold(operation: HoldOperation): Promise<HoldOutcome> {
    if (this.isClosed) {
      return Promise.reject(new LedgerFault("ledger_unavailable", "Cannot hold: the ledger is closed"));
    }
    if (this.holds.length >= this.options.maxQueuedHolds) {
      const message = `Cannot hold: ${this.holds.length} requests wait for the ledger already; try again shortly`;
      return Promise.reject(new LedgerFault("overloaded", message));
    }
    return new Promise((resolve, reject) => {
      this.holds.push({ operation, ...this.about(operation.request), resolve, reject });
      this.start();
      this.watchPatience();
    });
  }

  settle(operation: SettleOperation): Promise<SettleOutcome> {
    this.progress.delete(operation.id);
    return new Promise((resolve, reject) => {
      this.settles.push({ operation, ...this.about(operation.record), resolve, reject });
      this.start();
    });
  }

  /** Progress goes with the next batch; when none comes, a moment later with other progress. That of an ended request is dropped. */
  checkpoint(id: string, progress: string): void {
    this.progress.set(id, progress);
    this.gathering ??= setTimeout(() => {
      this.gathering = null;
      if (this.progress.size > 0) this.start();
    }, gatherMs);
  }

  /** Resolves when everything queued has been applied; refuses new holds from now on. */
  async close(): Promise<void> {
    this.isClosed = true;
    // What is still open then ends with another process, by what is known of it.
    if (this.gathering !== null) clearTimeout(this.gathering);
    if (this.progress.size > 0) this.start();
    if (this.running > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
    if (this.patience !== null) clearTimeout(this.patience);
  }

  private about(kept: unknown): Pick<WaitingHold, "json" | "since" | "isGivenUp"> {
    return { json: this.options.toJson(kept), since: this.options.now(), isGivenUp: false };
  }

  private hasWork(): boolean {
    return this.settles.length > 0 || this.holds.length > 0 || this.progress.size > 0;
  }

  private start(): void {
    if (this.running >= this.options.lanes) return;
    this.running += 1;
    // A microtask later, so that all operations of one turn of the event loop share the first batch.
    queueMicrotask(() => void this.run());
  }

  private async run(): Promise<void> {
    while (this.hasWork()) await this.apply(this.nextFlight());
    this.running -= 1;
    if (this.running === 0) for (const resolve of this.idle.splice(0)) resolve();
  }

  private nextFlight(): Flight {
    const { maxOperations, maxBytes } = this.options;
    const settles = takeFrom(this.settles, { operations: maxOperations, bytes: maxBytes, isWhole: true });
    const operations = maxOperations - settles.length;
    const holds = takeFrom(this.holds, {
      operations,
      bytes: maxBytes - bytesOf(settles),
      isWhole: settles.length === 0,
    });
    const progress = this.progress;
    this.progress = new Map();
    return { settles, holds, progress };
  }

  private async apply(flight: Flight): Promise<void> {
    this.flights.add(flight);
    try {
      for (
        let attempt = 0;
        flight.settles.length + flight.holds.length + flight.progress.size > 0;
        attempt += 1
      ) {
        const failure = await this.tryOnce(flight);
        if (failure === null) return;
        const kind = classifyError(failure.error);
        if (kind === "fatal") return await this.isolate(flight, failure.error);
        this.lastError = failure.error;
        this.options.onRetry(failure.error);
        await pause(kind === "again" ? 5 * (attempt + 1) : Math.min(50 * 2 ** attempt, 1_000));
        flight.holds = flight.holds.filter((one) => !one.isGivenUp);
      }
    } finally {
      this.flights.delete(flight);
    }
  }

  private async tryOnce(flight: Flight): Promise<{ readonly error: unknown } | null> {
    try {
      const { settles, holds } = await this.options.apply(flight);
      for (const [index, one] of flight.settles.entries()) answer(one, settles[index]);
      for (const [index, one] of flight.holds.entries()) answer(one, holds[index]);
      return null;
    } catch (error) {
      return { error };
    }
  }

  /** One operation that the database rejects must not fail its neighbours: halves go alone, until only the bad one is left. */
  private async isolate({ settles, holds, progress }: Flight, error: unknown): Promise<void> {
    const size = settles.length + holds.length;
    if (size === 0 || (size === 1 && progress.size === 0)) {
      for (const one of [...settles, ...holds]) one.reject(asError(error));
      if (progress.size > 0) this.options.onRetry(error);
      return;
    }
    if (progress.size > 0) {
      for (const one of progress) await this.apply({ settles: [], holds: [], progress: new Map([one]) });
      return this.apply({ settles, holds, progress: noProgress });
    }
    const half = Math.ceil(size / 2);
    const holdsFirst = Math.max(half - settles.length, 0);
    const first = { settles: settles.slice(0, half), holds: holds.slice(0, holdsFirst), progress };
    const second = { settles: settles.slice(half), holds: holds.slice(holdsFirst), progress };
    await this.apply(first);
    await this.apply(second);
  }

  /** While holds wait, gives up on those that have waited too long, whether the database hangs or is gone. */
  private watchPatience(): void {
    if (this.patience !== null) return;
    const { holdPatienceMs, now } = this.options;
    this.patience = setTimeout(() => {
      this.patience = null;
      const isLate = (one: WaitingHold): boolean => !one.isGivenUp && now() - one.since >= holdPatienceMs;
      for (const one of this.holds.filter(isLate)) this.giveUp(one);
      const kept = this.holds.filter((one) => !one.isGivenUp);
      this.holds.splice(0, this.holds.length, ...kept);
      for (const flight of this.flights) {
        for (const one of flight.holds.filter(isLate)) {
          this.giveUp(one);
          this.releaseLater(one);
        }
      }
      const isWaiting = [...this.flights].some((flight) => flight.holds.some((one) => !one.isGivenUp));
      if (kept.length > 0 || isWaiting) this.watchPatience();
    }, holdPatienceMs / 4).unref();
  }

  private giveUp(one: WaitingHold): void {
    one.isGivenUp = true;
    const message = `Cannot hold: the ledger did not answer within ${this.options.holdPatienceMs} ms; try again shortly`;
    one.reject(new LedgerFault("ledger_unavailable", message, this.lastError));
  }

  /**
   * A hold that was sent may exist, or may yet come to be by a batch whose answer is lost: its release follows. One that
   * overtakes its hold keeps it from coming to be.
   */
  private releaseLater({ operation }: WaitingHold): void {
    const release = releaseOf(operation);
    const ignore = (): void => undefined;
    this.settles.push({
      operation: release,
      ...this.about(release.record),
      resolve: ignore,
      reject: this.options.onRetry,
    });
    this.start();
  }
}

const bytesOf = (queue: readonly { readonly json: string }[]): number =>
  queue.reduce((sum, one) => sum + one.json.length, 0);

/**
 * Takes the first operations out of a queue, within the room, each id once: a batch is set-wise, so a repetition goes into
 * the next one. The first of a batch is taken whatever its size.
 */
function takeFrom<One extends WaitingHold | WaitingSettle>(
  queue: One[],
  room: { readonly operations: number; readonly bytes: number; readonly isWhole: boolean },
): One[] {
  const ids = new Set<string>();
  const taken: One[] = [];
  const repeated: One[] = [];
  let bytes = 0;
  let at = 0;
  for (; at < queue.length && taken.length < room.operations; at += 1) {
    const one = queue[at] as One;
    bytes += one.json.length;
    if (bytes > room.bytes && !(room.isWhole && taken.length === 0)) break;
    if (ids.has(one.operation.id)) repeated.push(one);
    else taken.push(one);
    ids.add(one.operation.id);
  }
  queue.splice(0, at, ...repeated);
  return taken;
}

function releaseOf(hold: HoldOperation): SettleOperation {
  const nothing = 0n as SettleOperation["charge"];
  return {
    id: hold.id,
    accountId: hold.accountId,
    keyId: hold.keyId,
    state: "released",
    outcome: "refused",
    charge: nothing,
    loss: nothing,
    vendorCost: nothing,
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
