/** Who looks at the books through a browser, as ports: the edges `console/` and `admin/` take these as parameters, `store/` implements them. */
import type { PicoUsd } from "./core/money.ts";
import type { UsageSample } from "./ports.ts";
import type { Account, KeyRecord, Role } from "./ports-admin.ts";
import type { Page, Period, RequestRow } from "./ports-reports.ts";

/** Who is asking. The same as the admin API's. */
export interface Person {
  /** "owner" for the configured token, else the admin token's id. */
  readonly name: string;
  readonly role: Role;
  readonly tokenId: string | null;
}

/** What a session's secret is looked up by. `epoch` ends every session when the configured admin token changes. */
export interface SessionLimits {
  readonly epoch: string;
  /** How long a session lives without being used, and altogether. */
  readonly idleSeconds: number;
  readonly lifeSeconds: number;
}

/** One-time login links, sessions and customers' page tokens. Only SHA-256 hashes of their secrets are kept. */
export interface ConsoleLogins {
  addLink(hash: Uint8Array, person: Person, about: { epoch: string; lifeSeconds: number }): Promise<void>;
  /** The person of a live link, once: the link is gone then. */
  takeLink(hash: Uint8Array, epoch: string): Promise<Person | null>;
  openSession(hash: Uint8Array, person: Person, limits: SessionLimits): Promise<void>;
  /** The person of a live session, and its age in seconds. Being asked for keeps it alive. */
  findSession(
    hash: Uint8Array,
    limits: SessionLimits,
  ): Promise<{ readonly person: Person; readonly ageSeconds: number } | null>;
  /** Ends a session now, or after `graceSeconds` for requests that are on their way. */
  endSession(hash: Uint8Array, graceSeconds: number): Promise<void>;
  /** Removes links and sessions that have ended. */
  sweep(): Promise<void>;
}

/** What a customer's short-lived page token opens: one account, to look at. */
export interface PortalGrant {
  readonly accountId: string;
  readonly expiresAt: string;
}
export interface PortalTokens {
  /** Gives when it expires, by the database's clock. */
  add(token: {
    readonly hash: Uint8Array;
    readonly accountId: string;
    readonly createdBy: string;
    readonly lifeSeconds: number;
  }): Promise<string>;
  find(hash: Uint8Array): Promise<PortalGrant | null>;
}

/** The parts of a browser's request that say who it is and where it comes from. */
export interface BrowserRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/**
 * Reads the session of a browser's request. `absent`: it brings no session cookie. `refused`: it does, but the session has
 * ended or the request comes from another site; `message` says which. `secret` is what the browser proved itself with.
 */
export type SessionReading =
  | { readonly state: "absent" }
  | { readonly state: "refused"; readonly status: 401 | 403; readonly message: string }
  | { readonly state: "known"; readonly person: Person; readonly secret: string };
export type SessionReader = (request: BrowserRequest) => Promise<SessionReading>;

/** What the live tail looks at, once a second while anyone watches. */
export interface RequestTailSource {
  /** Ended requests with an id above `afterId`, and those of `ids` that have ended; newest first. */
  ended(about: {
    readonly afterId: string;
    readonly ids: readonly string[];
    readonly limit: number;
  }): Promise<readonly RequestRow[]>;
  /** Open requests, newest first. */
  open(limit: number): Promise<readonly RequestRow[]>;
}

// ---------------------------------------------------------------- reports of the console

/** An account with what it spent lately. `hoursLeft` = available ÷ what it spent per hour in the last 7 days, rounded down. */
export interface AccountReport extends Account {
  readonly spent24h: PicoUsd;
  readonly spent7d: PicoUsd;
  readonly spent30d: PicoUsd;
  readonly liveKeys: number;
  /** Null when nothing was spent in 7 days. */
  readonly hoursLeft: number | null;
}
export interface AccountReportFilter {
  readonly status: Account["status"] | null;
  /** Part of the name or of the external id, in any case. */
  readonly search: string | null;
}

export interface OpenHolds {
  readonly count: number;
  readonly held: PicoUsd;
  readonly oldest: {
    readonly requestId: string;
    readonly amount: PicoUsd;
    readonly createdAt: string;
  } | null;
}

/** What must be zero: the sum of all entries, and for all accounts together the customer entries less what is posted. */
export interface Imbalance {
  readonly entries: PicoUsd;
  readonly balances: PicoUsd;
}

/** How requests ended in one span of time, and how long they took: of a sample where there are very many. */
export interface TrafficBucket {
  readonly bucket: string;
  /** Requests that were looked at. */
  readonly looked: number;
  /** True when there were more than are looked at. */
  readonly isSample: boolean;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Milliseconds; null when none of them has the figure. */
  readonly ttftP50: number | null;
  readonly ttftP95: number | null;
  readonly durationP50: number | null;
  readonly durationP95: number | null;
}

/** A model that answered, and where, with how many requests and since when. */
export interface SeenModel {
  readonly model: string;
  readonly endpoint: string;
  readonly requests: number;
  readonly lastAt: string;
}

export interface KeyFilter {
  readonly accountId: string | null;
  readonly status: "live" | "ended" | null;
  readonly search: string | null;
}
export type ListedKey = KeyRecord & { readonly accountName: string };

export interface ConsoleReports extends EstimationReports {
  accounts(filter: AccountReportFilter, page: Page): Promise<readonly AccountReport[]>;
  account(id: string): Promise<AccountReport | null>;
  /** The accounts that run out first, of those that spent anything in 7 days. */
  lowestBalances(limit: number): Promise<readonly AccountReport[]>;
  /** Names of accounts by their ids. */
  accountNames(ids: readonly string[]): Promise<ReadonlyMap<string, string>>;
  openHolds(): Promise<OpenHolds>;
  /** Reads every entry: for a background check, not for a page. */
  imbalance(): Promise<Imbalance>;
  traffic(period: {
    readonly from: string;
    readonly to: string;
    readonly bucket: "hour" | "day";
    readonly tz: string;
  }): Promise<readonly TrafficBucket[]>;
  /** Models that answered settled requests since `from`. */
  seenModels(from: string): Promise<readonly SeenModel[]>;
  keys(filter: KeyFilter, page: Page): Promise<readonly ListedKey[]>;
}

// ---------------------------------------------------------------- how good estimates are

/** Sampled requests of one deployment and kind. */
export interface SampleGroup {
  readonly endpoint: string;
  readonly deployment: string;
  readonly model: string;
  readonly kind: UsageSample["kind"];
  readonly requests: number;
}

/** How an estimator's counts compare with the vendor's; errors are shares of the vendor's count. */
export interface Accuracy {
  readonly tokens: number;
  readonly exact: number;
  readonly errorP50: number | null;
  readonly errorP95: number | null;
}
export interface EstimationRow extends SampleGroup {
  readonly vendor: { readonly input: number; readonly output: number; readonly reasoning: number };
  readonly tokenizer: { readonly input: Accuracy; readonly output: Accuracy };
  readonly characters: { readonly input: Accuracy; readonly output: Accuracy };
}
/**
 * The same requests at the plain prices of input and output, counted in four ways: by the vendor, by the tokenizer, at 4
 * characters per token and at 1.67 of them.
 */
export interface LeakRow extends SampleGroup {
  readonly billed: PicoUsd;
  readonly tokenizer: PicoUsd;
  readonly characters: PicoUsd;
  readonly denseCharacters: PicoUsd;
  readonly tokens: {
    readonly billed: number;
    readonly tokenizer: number;
    readonly characters: number;
    readonly denseCharacters: number;
  };
}
export interface SampleFilter extends Period {
  readonly endpoint: string | null;
}
export interface EstimationReports {
  estimation(filter: SampleFilter): Promise<readonly EstimationRow[]>;
  leak(filter: SampleFilter): Promise<readonly LeakRow[]>;
  /** Newest first. */
  samples(filter: SampleFilter, page: Page): Promise<readonly UsageSample[]>;
}
