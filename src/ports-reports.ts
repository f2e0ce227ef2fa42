/**
 * What people look at, as ports: requests, entries and their proof, usage, endpoints and probes. `store/` and `cli/` implement
 * them, the edges and stories of administration take them. Amounts are pUSD, times are RFC 3339 in UTC.
 */
import type { PicoUsd } from "./core/money.ts";
import type { Lesson } from "./core/parameters.ts";

/** A slice of a list that runs from the newest to the oldest: what comes after the row with the id `after`. */
export interface Page {
  readonly after: string | null;
  readonly limit: number;
}

/** From inclusive, to exclusive; null = open. */
export interface Period {
  readonly from: string | null;
  readonly to: string | null;
}

// ---------------------------------------------------------------- requests

export type RequestState = "open" | "settled" | "released" | "refused";

/** A finished request or an open hold, as stored. `record` is what the gateway wrote beside the columns. */
export interface RequestRow {
  readonly id: string;
  readonly accountId: string;
  readonly accountName: string | null;
  readonly keyId: string | null;
  readonly keyName: string | null;
  readonly state: RequestState;
  readonly outcome: string | null;
  readonly modelRequested: string;
  readonly modelServed: string | null;
  readonly endpoint: string | null;
  readonly source: string | null;
  readonly stream: boolean;
  readonly hold: PicoUsd;
  /** Null while it is not known, that is while the hold is open. */
  readonly charge: PicoUsd | null;
  readonly vendorCost: PicoUsd | null;
  readonly loss: PicoUsd | null;
  readonly tokens: {
    readonly input: number;
    readonly cachedInput: number;
    readonly cacheWrite: number;
    readonly output: number;
    readonly reasoning: number;
    readonly total: number;
  } | null;
  readonly record: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
  readonly settledAt: string | null;
}

export interface RequestFilter extends Period {
  readonly accountId: string | null;
  readonly keyId: string | null;
  /** Requested or served. */
  readonly model: string | null;
  readonly endpoint: string | null;
  /** A state or an outcome. */
  readonly status: string | null;
  readonly source: string | null;
}

export interface Refund {
  readonly id: string;
  readonly amount: PicoUsd;
  readonly reason: string | null;
  readonly actor: string | null;
  readonly createdAt: string;
}

export type RefundOutcome =
  | { readonly code: "done"; readonly amount: PicoUsd }
  | { readonly code: "not_settled" }
  | { readonly code: "exceeds_charge"; readonly refundable: PicoUsd };

export interface RequestLog {
  find(id: string): Promise<RequestRow | null>;
  list(filter: RequestFilter, page: Page): Promise<readonly RequestRow[]>;
  refunds(requestId: string): Promise<readonly Refund[]>;
  /** Gives back `amount`, or all that is left for null, to the grants it came from. `txId` makes a repeated refund the same one. */
  refund(refund: {
    readonly txId: string;
    readonly requestId: string;
    readonly amount: PicoUsd | null;
    /** How long the grant lives that replaces one which has expired meanwhile. */
    readonly lifeDays: number;
  }): Promise<RefundOutcome>;
}

// ---------------------------------------------------------------- ledger

export const ledgerAccounts = [
  "customer",
  "earnings",
  "vendor_cost",
  "vendor_payable",
  "cash",
  "promotional",
  "breakage",
  "loss",
] as const;
export type LedgerAccount = (typeof ledgerAccounts)[number];

export interface Entry {
  readonly id: string;
  readonly txId: string;
  readonly kind: string;
  readonly ledgerAccount: LedgerAccount;
  readonly accountId: string;
  readonly grantId: string | null;
  readonly amount: PicoUsd;
  /** Of customer entries only. */
  readonly seq: number | null;
  readonly balanceAfter: PicoUsd | null;
  readonly corrects: string | null;
  readonly createdAt: string;
}

export interface EntryFilter extends Period {
  readonly accountId: string | null;
  readonly ledgerAccount: LedgerAccount | null;
  readonly txId: string | null;
}

export interface Entries {
  list(filter: EntryFilter, page: Page): Promise<readonly Entry[]>;
  /** The entries of one ledger transaction, in the order they were made. */
  ofTransaction(txId: string): Promise<readonly Entry[]>;
  /** Books what a probe cost the operator, above 0, as the ledger transaction `txId`; once. */
  bookProbe(txId: string, cost: PicoUsd): Promise<void>;
  /** Says why a ledger transaction was made, and by whom. */
  explain(txId: string, note: { readonly actor: string; readonly reason: string }): Promise<void>;
}

export interface VerificationCheck {
  readonly name: string;
  readonly description: string;
  readonly ok: boolean;
  /** Rows (accounts, transactions, requests…) that were looked at. */
  readonly checked: number;
  readonly firstBad: Readonly<Record<string, unknown>> | null;
  readonly durationMs: number;
}

export interface Verification {
  /** Proves every invariant of the ledger that its tables can express. Reads only; blocks no writer. */
  verify(options: { readonly recoveryMs: number }): Promise<readonly VerificationCheck[]>;
}

// ---------------------------------------------------------------- usage

export type UsageGroup = "account" | "model" | "endpoint" | "key";

export interface UsageQuery extends Period {
  /** `all`: the whole period is one bucket. */
  readonly bucket: "hour" | "day" | "all";
  /** IANA name; buckets start at this zone's full hours or midnights. */
  readonly tz: string;
  readonly groupBy: readonly UsageGroup[];
  readonly accountId: string | null;
  readonly keyId: string | null;
  readonly model: string | null;
  readonly endpoint: string | null;
}

export interface UsageSums {
  readonly requests: number;
  readonly bySource: { readonly vendor: number; readonly estimated: number; readonly none: number };
  readonly input: number;
  readonly cachedInput: number;
  readonly cacheWrite: number;
  readonly output: number;
  readonly reasoning: number;
  readonly charge: PicoUsd;
  readonly vendorCost: PicoUsd;
  readonly loss: PicoUsd;
}

export interface UsageBucket extends UsageSums {
  readonly bucket: string;
  /** Null for what is not grouped by; "" for what the request did not have. */
  readonly account: string | null;
  readonly model: string | null;
  readonly endpoint: string | null;
  readonly key: string | null;
}

/** Where a list of buckets goes on: after this one. */
export type UsageCursor = Pick<UsageBucket, "bucket" | "account" | "model" | "endpoint" | "key">;

export interface UsageReports {
  /** Settled requests by the time they were admitted, oldest bucket first. */
  buckets(
    query: UsageQuery,
    page: { readonly after: UsageCursor | null; readonly limit: number },
  ): Promise<readonly UsageBucket[]>;
  totals(query: UsageQuery): Promise<UsageSums>;
}

// ---------------------------------------------------------------- endpoints

/** A vendor endpoint as it is now. Never its key. */
export interface EndpointState {
  readonly name: string;
  readonly kind: "azure" | "openai";
  readonly baseUrl: string;
  readonly apiVersion: string | null;
  /** `cooling` = not asked until `until`, after failures; `unused` = not asked since the start. */
  readonly state: "healthy" | "cooling" | "unused";
  readonly until: string | null;
  readonly lastError: string | null;
  readonly deployments: ReadonlyArray<{
    readonly deployment: string;
    readonly model: string;
    /** Names under which clients reach it. */
    readonly servedAs: readonly string[];
    readonly quirks: readonly Lesson[];
  }>;
}

export interface Endpoints {
  list(): readonly EndpointState[];
}

// ---------------------------------------------------------------- probes

/** A measurement of one deployment, by the gateway that uses it. */
export interface ProbeRequest {
  /** Sent to the vendor with each call; the ledger transaction of what they cost. */
  readonly id: string;
  readonly endpoint: string;
  /** Null: the only one of the endpoint. */
  readonly deployment: string | null;
  /** Learn what was found; the next request goes by it. */
  readonly save: boolean;
  /** What all calls together may cost at most. */
  readonly maxCost: PicoUsd;
  /** Requests that the report's sums of money are of. */
  readonly volume: number;
}

export type ProbeRefusalCode =
  | "probe_not_possible"
  | "endpoint_unreachable"
  | "endpoint_refuses_key"
  | "endpoint_refuses_probe"
  | "probe_interrupted";

/** How it ended, and what it cost in either case. The message is for people and has no secret. */
export type Probed<Report> = {
  /** Null where it did not become clear. */
  readonly deployment: string | null;
  /** `known`: by the vendor's own usage. `atMost`: what calls without usage may have cost besides; null without a price. */
  readonly spent: { readonly known: PicoUsd; readonly atMost: PicoUsd | null };
} & (
  | { readonly ok: true; readonly report: Report }
  | { readonly ok: false; readonly code: ProbeRefusalCode; readonly message: string }
);

/** Measures, within minutes; an aborted signal ends it early, as `probe_interrupted`. */
export type ProbeEndpoint<Report> = (request: ProbeRequest, signal: AbortSignal) => Promise<Probed<Report>>;
