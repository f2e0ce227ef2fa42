/** Every outside effect as a type. Stories take these as parameters; edges implement them; they meet only in `cli/`. */
import type { PicoUsd } from "./core/money.ts";
import type { Lesson } from "./core/parameters.ts";
import type { PriceBook } from "./core/prices.ts";
import type { DeploymentRoute, ModelRoute } from "./core/routing.ts";
import type { OneShotSignal } from "./lib/one-shot.ts";
import type { KeptResponses, Results, Samples } from "./ports-stored.ts";

export type {
  DueRun,
  KeptResponse,
  KeptResponses,
  Results,
  RunTerms,
  Samples,
  UsageSample,
} from "./ports-stored.ts";

/** Milliseconds. `now` is for durations and display only: money is decided by the database's clock. */
export interface Clock {
  now(): number;
  /** Monotonic, for measuring. */
  elapsed(): number;
}

export interface Ids {
  /** Sortable by time, unique across processes: "req_…". */
  next(prefix: "req" | "tx" | "grt" | "acc" | "key" | "prc"): string;
}

// ---------------------------------------------------------------- ledger

/** A hold to commit before the vendor is called. `id` is the request id and makes a repeated operation the same one. */
export interface HoldOperation {
  readonly id: string;
  readonly accountId: string;
  readonly keyId: string | null;
  readonly amount: PicoUsd;
  /** When `amount` does not fit, the hold may shrink in whole steps to what is available, never below `least`. */
  readonly elastic: { readonly least: PicoUsd; readonly step: PicoUsd } | null;
  /** False: a refusal is not the end of the request (it comes again with a tighter bound) and is not written down. */
  readonly isFinal: boolean;
  /** Counted against the key's tokens per minute until the settlement says what was used. */
  readonly tokens: number;
  readonly idempotency: { readonly key: string; readonly fingerprint: string } | null;
  /** What recovery and the request record need; JSON. */
  readonly request: HeldRequest;
}

/** Stored with an open hold, so that any process can settle it after a crash. Amounts are decimal text of pUSD. */
export interface HeldRequest {
  readonly model_requested: string;
  readonly stream: boolean;
  readonly [field: string]: unknown;
}

export type HoldRefusalCode =
  | "account_not_found"
  | "invalid_api_key"
  | "account_frozen"
  | "insufficient_funds"
  | "key_spend_limit"
  | "request_rate_limit"
  | "token_rate_limit"
  | "concurrency_limit"
  | "idempotency_key_reused"
  | "idempotency_in_progress"
  | "replay"
  | "ended";

/** Details of a refusal, each where it applies; amounts are pUSD. */
export interface HoldRefusal {
  readonly code: HoldRefusalCode;
  readonly available: PicoUsd | null;
  readonly limit: string | null;
  readonly remaining: number | null;
  readonly retryAfterMs: number | null;
  /** The request that first used the idempotency key. */
  readonly requestId: string | null;
}

/** What is left of a key's limits after this hold; null where the key has none, or where the answer is a repeated one. */
export interface RateLimits {
  readonly rpm: number | null;
  readonly requestsLeft: number | null;
  readonly tpm: number | null;
  readonly tokensLeft: number | null;
}

export type HoldOutcome =
  | { readonly ok: true; readonly amount: PicoUsd; readonly limits: RateLimits }
  | { readonly ok: false; readonly refusal: HoldRefusal };

export type RequestOutcome =
  | "complete"
  | "client_left"
  | "vendor_cut"
  | "vendor_error"
  | "refused"
  | "recovered";

/** The end of a hold: a charge within it, or its release. `charge` + `loss` is what the usage costs at sell prices. */
export interface SettleOperation {
  readonly id: string;
  readonly accountId: string;
  readonly keyId: string | null;
  readonly state: "settled" | "released";
  readonly outcome: RequestOutcome;
  readonly charge: PicoUsd;
  readonly loss: PicoUsd;
  readonly vendorCost: PicoUsd;
  readonly modelRequested: string;
  readonly modelServed: string | null;
  readonly endpoint: string | null;
  readonly source: "vendor" | "estimated" | "none";
  readonly stream: boolean;
  /** Null when nothing is known to have been used. */
  readonly tokens: {
    readonly input: number;
    readonly cachedInput: number;
    readonly cacheWrite: number;
    readonly output: number;
    readonly reasoning: number;
    readonly total: number;
  } | null;
  /** The rest of the request record, as JSON. */
  readonly record: Record<string, unknown>;
}

export type SettleOutcome =
  | { readonly code: "done" }
  /** It was ended before, by this process or by recovery; what stands is given. */
  | { readonly code: "already"; readonly charge: PicoUsd; readonly outcome: string };

/** The money path. Every call resolves only after COMMIT; a rejected promise is a `LedgerFault` and nothing is known to have moved. */
export interface Ledger {
  hold(operation: HoldOperation): Promise<HoldOutcome>;
  settle(operation: SettleOperation): Promise<SettleOutcome>;
  /** Keeps the last known progress of an open hold. Best effort: joins the next batch. */
  checkpoint(id: string, progress: Record<string, unknown>): void;
  /** Stores the first result of a request that carried an idempotency key. */
  /** Hands an open hold, whose story ended in a bug, to recovery: no process will settle it. Best effort. */
  abandon(id: string): void;
  rememberResult(accountId: string, key: string, result: StoredResult): Promise<void>;
  findResult(accountId: string, key: string): Promise<StoredResult | null>;
}

export interface StoredResult {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** The ledger cannot be reached or is too busy. Nothing is admitted while this lasts. */
export class LedgerFault extends Error {
  override readonly name = "LedgerFault";
  readonly code: "ledger_unavailable" | "overloaded";
  constructor(code: "ledger_unavailable" | "overloaded", message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

/** An open hold whose process is gone. */
export interface OrphanedHold {
  readonly id: string;
  readonly accountId: string;
  readonly keyId: string | null;
  readonly amount: PicoUsd;
  readonly request: HeldRequest;
  readonly progress: Record<string, unknown> | null;
  readonly createdAt: string;
}

/** Leases of gateway processes and what dead ones left behind. */
export interface Leases {
  /** Takes a lease; the id fences this process's holds. */
  register(leaseMs: number): Promise<string>;
  /** False when the lease had lapsed: register again before holding. */
  renew(leaseMs: number): Promise<boolean>;
  findOrphans(limit: number): Promise<readonly OrphanedHold[]>;
  release(): Promise<void>;
}

// ---------------------------------------------------------------- keys

/** What a verified key may do. Status and limits are checked again, by the database, with each hold. */
export interface KeyIdentity {
  readonly keyId: string;
  readonly accountId: string;
  readonly accountName: string;
  /** Null = every model. */
  readonly models: readonly string[] | null;
  readonly settings: { readonly usageCost?: boolean; readonly idempotency?: boolean };
  readonly isDemo: boolean;
}

export interface Keys {
  /** Finds the key behind a secret's SHA-256, or null. Revoked and expired keys are not found. */
  find(hash: Uint8Array): Promise<KeyIdentity | null>;
}

// ---------------------------------------------------------------- vendors

export interface VendorRequest {
  readonly deployment: DeploymentRoute;
  /** "chat/completions", "responses", … under the vendor's API root. */
  readonly operation: string;
  readonly method: "POST" | "GET" | "DELETE";
  readonly body: Uint8Array | null;
  readonly requestId: string;
  readonly signal: OneShotSignal;
}

/** A vendor's answer, its body unread. `headers` are lower-case names. */
export interface VendorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array> & { destroy(error?: Error): void };
  /** The text without the operator's credentials of this endpoint: a vendor's error may show them in any form. */
  readonly hide: (text: string) => string;
}

export interface Vendor {
  /** Resolves at the response head. Rejects with a `VendorFault`. */
  call(request: VendorRequest): Promise<VendorAnswer>;
}

/** The vendor could not be reached or broke the protocol before its answer's head. */
export class VendorFault extends Error {
  override readonly name = "VendorFault";
  readonly code: "unreachable" | "timeout" | "protocol" | "aborted";
  /** False when it is certain that no byte of the request reached the vendor. */
  readonly mayHaveReached: boolean;
  constructor(
    code: VendorFault["code"],
    message: string,
    options: { mayHaveReached: boolean; cause?: unknown },
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.mayHaveReached = options.mayHaveReached;
  }
}

// ---------------------------------------------------------------- catalog

/** Models, prices and lessons in force now. Each call reads an immutable snapshot. */
export interface Catalog {
  /** The route of a client's model name, or null. */
  findModel(name: string): ModelRoute | null;
  models(): readonly ModelRoute[];
  prices(): PriceBook;
  lessons(endpoint: string, deployment: string): readonly Lesson[];
  learn(endpoint: string, deployment: string, lesson: Lesson): Promise<void>;
  /** A deployment by what the vendor calls it, upper and lower case alike: the one that served when another was asked. */
  findDeployment(endpoint: string, deployment: string): DeploymentRoute | null;
}

export interface TokenCounter {
  /** Tokens of the texts; `isUpperBound` when they were too large to count exactly and bytes stand in. Never blocks for long. */
  countAll(
    texts: readonly string[],
    encoding: string,
  ): Promise<{ readonly tokens: number; readonly isUpperBound: boolean }>;
}

// ---------------------------------------------------------------- observations

export type Observation =
  | {
      readonly event: "request_ended";
      readonly requestId: string;
      readonly accountId: string;
      readonly model: string;
      readonly endpoint: string | null;
      readonly outcome: RequestOutcome;
      readonly source: string;
      readonly status: number;
      readonly stream: boolean;
      readonly charge: PicoUsd;
      readonly vendorCost: PicoUsd;
      readonly loss: PicoUsd;
      readonly tokens: SettleOperation["tokens"];
      readonly ttftMs: number | null;
      readonly durationMs: number;
      readonly overheadMs: number;
    }
  | {
      readonly event: "request_refused";
      readonly requestId: string;
      readonly code: string;
      readonly status: number;
    }
  | {
      readonly event: "attempt_failed";
      readonly requestId: string;
      readonly endpoint: string;
      readonly status: number | null;
      readonly reason: string;
    }
  | {
      readonly event: "usage_rejected";
      readonly requestId: string;
      readonly endpoint: string;
      readonly reason: string;
    }
  | { readonly event: "billed_beyond_hold"; readonly requestId: string; readonly loss: PicoUsd }
  | {
      readonly event: "lesson_learned";
      readonly endpoint: string;
      readonly deployment: string;
      readonly lesson: string;
    }
  | { readonly event: "hold_recovered"; readonly requestId: string; readonly outcome: string }
  | { readonly event: "settle_retried"; readonly requestId: string; readonly error: string }
  | { readonly event: "fault"; readonly where: string; readonly error: string };

export type Observe = (observation: Observation) => void;

/** Places in a request's story at which a test ends the process, to prove that recovery finishes it (docs/proof.md). */
export type CrashPoint =
  | "after_hold"
  | "before_send"
  | "after_first_byte"
  | "after_usage"
  | "before_settle"
  | "after_settle"
  | "inside_batch";

/** All that the story of one request needs. */
export interface Ports {
  /** Told when a request reaches one of the places; absent but in tests. */
  readonly reach?: (point: CrashPoint) => void;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly ledger: Ledger;
  readonly vendor: Vendor;
  readonly catalog: Catalog;
  readonly tokens: TokenCounter;
  readonly results: Results;
  readonly kept: KeptResponses;
  readonly samples: Samples;
  readonly observe: Observe;
}
