import type { CreditUnit, PicoUsd } from "../core/money.ts";
import type { JsonBody, Rewrite } from "../core/parameters.ts";
import type { PriceBook, PriceRow } from "../core/prices.ts";
import type { DeploymentRoute, ModelRoute } from "../core/routing.ts";
import type { HoldTerms } from "../core/upper-bound.ts";
import type { MeterReading } from "../core/usage.ts";
import type { OneShotSignal } from "../lib/one-shot.ts";
import type { KeyIdentity, RateLimits, StoredResult } from "../ports.ts";
import type { RequestFacts } from "../protocol/request.ts";

/** One request of a customer, authenticated and read. */
export interface ApiRequest {
  readonly identity: KeyIdentity;
  readonly facts: RequestFacts;
  /** With the fingerprint of body and route. */
  readonly idempotency: { readonly key: string; readonly fingerprint: string } | null;
  readonly clientRequestId: string | null;
  /** `Clock.elapsed()` when the request's head arrived, ms. */
  readonly arrivedAt: number;
}

/** What an answer's head says about the request; the http edge turns it into headers. */
export interface AnswerHead {
  readonly status: number;
  readonly contentType: string;
  readonly requestId: string;
  readonly model: string | null;
  readonly endpoint: string | null;
  readonly hold: PicoUsd | null;
  readonly outputCap: number | null;
  readonly rewrites: readonly Rewrite[];
  readonly vendorHeaders: Readonly<Record<string, string>>;
  readonly limits: RateLimits | null;
  /** Of non-streamed answers, once settled. */
  readonly charge: PicoUsd | null;
  readonly usageSource: string | null;
  /** Headers of the first result of an idempotency key, which is sent again; null for an answer of its own. */
  readonly replayed: Readonly<Record<string, string>> | null;
}

/** The way back to the customer. Losing it ends nothing but the writing. */
export interface Client {
  /** Sends the head; only once, and before anything else. */
  begin(head: AnswerHead): void;
  hasBegun(): boolean;
  write(chunks: readonly Uint8Array[]): void;
  end(): void;
  refuse(refusal: Refusal): void;
  /** What `refuse` would send, to be kept. */
  render(refusal: Refusal): StoredResult;
  isGone(): boolean;
  /** Aborts when the customer has left. */
  readonly gone: OneShotSignal;
  /** Resolves when the customer has taken enough of what was written, or has left. */
  whenWritable(): Promise<void> | null;
}

export type RefusalCode =
  | "invalid_api_key"
  | "account_frozen"
  | "model_not_found"
  | "model_not_priced"
  | "credit_balance_exhausted"
  | "key_spend_limit_exceeded"
  | "rate_limit_exceeded"
  | "unsupported_feature"
  | "stored_object_not_found"
  | "response_still_running"
  | "idempotency_key_reused"
  | "idempotency_in_progress"
  | "idempotency_result_not_kept"
  | "ledger_unavailable"
  | "upstream_unavailable"
  | "upstream_auth_failed"
  | "overloaded"
  | "vendor_refused";

/** An expected end without an answer, as a value. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
  readonly requestId: string;
  readonly param: string | null;
  readonly retryAfterMs: number | null;
  /** Of money refusals. */
  readonly funds: {
    readonly limitSource: "account_balance" | "key_spend_limit";
    readonly required: PicoUsd;
    /** Null when the ledger did not say. */
    readonly available: PicoUsd | null;
    readonly maxAffordableOutputTokens: number | null;
  } | null;
  readonly limits: RateLimits | null;
  /** Of `vendor_refused`: the vendor's own answer. */
  readonly vendor: {
    readonly status: number;
    readonly type: string | null;
    readonly code: string | null;
    readonly headers: Readonly<Record<string, string>>;
    /** Azure's detail of a filtered prompt. */
    readonly innerError: Readonly<Record<string, unknown>> | null;
  } | null;
  /** Of refusals after a vendor was called. */
  readonly endpoint: string | null;
  readonly model: string | null;
  readonly hold: PicoUsd | null;
}

/**
 * One call to a vendor and what it brought. An attempt that cost money and brought the customer nothing is paid by the
 * operator, on `loss`; one whose cost is the customer's doing (a filtered prompt) or brought an answer, by the customer.
 */
export interface Attempt {
  readonly served: PricedDeployment;
  readonly status: number | null;
  readonly vendorRequestId: string | null;
  readonly reason: string | null;
  readonly reading: MeterReading;
  readonly paidBy: "customer" | "operator";
  readonly startedAt: string;
  readonly endedAt: string;
}

/** A deployment with everything that decides its price. */
export interface PricedDeployment {
  readonly route: DeploymentRoute;
  readonly row: PriceRow;
}

/** A request that may be sent: priced, bounded, and with its hold committed. */
export interface Admitted {
  readonly id: string;
  readonly request: ApiRequest;
  readonly model: ModelRoute;
  readonly book: PriceBook;
  readonly deployments: readonly PricedDeployment[];
  readonly terms: HoldTerms;
  readonly hold: PicoUsd;
  /** The cap per choice that is sent to the vendor; null where the operation has none. */
  readonly cap: number | null;
  /** True when the client gave none and Tollgate chose it. */
  readonly isCapOurs: boolean;
  /** Bound of the input that the cap was fitted to; null when unknown. */
  readonly inputTokens: number | null;
  readonly limits: RateLimits;
  readonly admittedAtMs: number;
  readonly createdAt: string;
}

export interface GatewaySettings {
  readonly credit: CreditUnit;
  /** What customers call a credit. */
  readonly creditName: string;
  readonly defaultMaxOutputTokens: number;
  readonly maxAnswerBytes: number;
  readonly maxEventBytes: number;
  /** Share of requests with vendor usage that are estimated too, 0 to 1. */
  readonly estimateSampleRate: number;
  /** Cool-down of a deployment that failed, ms, when the vendor names no time. */
  readonly coolDownMs: number;
  readonly random: () => number;
}

export type { JsonBody };
