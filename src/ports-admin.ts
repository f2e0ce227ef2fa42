/**
 * What people administer, as ports: the edges `admin/` and `cli/` and the stories of `billing/` take these as
 * parameters, `store/` implements them. Amounts are pUSD, times are RFC 3339 in UTC.
 */
import type { PicoUsd } from "./core/money.ts";
import type { PriceBook, PriceRow } from "./core/prices.ts";
import type { StoredResult } from "./ports.ts";
import type { ConsoleLogins, PortalTokens } from "./ports-console.ts";
import type { Entries, Page, Period, RequestLog, UsageReports, Verification } from "./ports-reports.ts";

/** Makes ids of the things people create: "acc_…". Sortable by time, unique across processes. */
export interface AdminIds {
  next(prefix: "acc" | "grt" | "key" | "tok" | "tx" | "prc" | "probe"): string;
}

// ---------------------------------------------------------------- accounts

export type AccountStatus = "active" | "frozen";
export type Metadata = Readonly<Record<string, string>>;

export interface Account {
  readonly id: string;
  readonly name: string;
  readonly externalId: string | null;
  readonly metadata: Metadata;
  readonly status: AccountStatus;
  readonly isDemo: boolean;
  readonly createdAt: string;
  /** available = posted − held. */
  readonly balance: { readonly posted: PicoUsd; readonly held: PicoUsd; readonly available: PicoUsd };
}

export type NewAccount = Pick<Account, "id" | "name" | "externalId" | "metadata" | "isDemo">;
/** Undefined = as it is. */
export interface AccountChange {
  readonly name?: string | undefined;
  readonly externalId?: string | null | undefined;
  readonly metadata?: Metadata | undefined;
  readonly status?: AccountStatus | undefined;
}
export interface AccountFilter {
  readonly status: AccountStatus | null;
  readonly externalId: string | null;
}

export interface Accounts {
  /** False when the external id belongs to another account; nothing is written then. */
  add(account: NewAccount): Promise<boolean>;
  find(id: string): Promise<Account | null>;
  /** Finds and locks against other changes until the transaction ends. */
  lock(id: string): Promise<Account | null>;
  /** False when the external id belongs to another account; nothing is written then. */
  change(id: string, change: AccountChange): Promise<boolean>;
  list(filter: AccountFilter, page: Page): Promise<readonly Account[]>;
  /** What people did to the account's money since ever; each is a sum of amounts ≥ 0. */
  moved(id: string): Promise<{
    readonly granted: PicoUsd;
    readonly voided: PicoUsd;
    readonly expired: PicoUsd;
    readonly refunded: PicoUsd;
  }>;
}

// ---------------------------------------------------------------- grants

export type GrantKind = "paid" | "promotional" | "refund";

export interface Grant {
  readonly id: string;
  readonly accountId: string;
  readonly kind: GrantKind;
  readonly priority: number;
  readonly amount: PicoUsd;
  /** Not yet burned; `reserved` is the part of it that open holds have taken. */
  readonly remaining: PicoUsd;
  readonly reserved: PicoUsd;
  readonly reference: string | null;
  readonly expiresAt: string | null;
  readonly voidedAt: string | null;
  /** By the database's clock, now. */
  readonly isExpired: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
}

export type NewGrant = Pick<
  Grant,
  "id" | "accountId" | "kind" | "priority" | "amount" | "reference" | "expiresAt" | "metadata"
>;

export interface Grants {
  /** One balanced ledger transaction. With a reference that the account has used before, the first grant, and nothing moves. */
  add(grant: NewGrant): Promise<{ readonly grant: Grant; readonly isNew: boolean }>;
  find(id: string): Promise<Grant | null>;
  list(accountId: string, page: Page): Promise<readonly Grant[]>;
  /** Takes back what is left and not reserved, as the ledger transaction `txId`; gives the amount. */
  void(txId: string, grantId: string): Promise<PicoUsd>;
  /** Books what has expired in these accounts, so that their balances say what can be spent. */
  expire(accountIds: readonly string[]): Promise<void>;
}

// ---------------------------------------------------------------- keys

export type SpendWindow = "hour" | "day" | "week" | "month" | "total";

export interface KeyLimits {
  /** Null = every model. */
  readonly models: readonly string[] | null;
  readonly spendLimit: PicoUsd | null;
  readonly spendWindow: SpendWindow | null;
  readonly rpm: number | null;
  readonly tpm: number | null;
  readonly maxConcurrent: number | null;
  readonly settings: { readonly usageCost: boolean; readonly idempotency: boolean };
  readonly expiresAt: string | null;
}

export interface KeyRecord extends KeyLimits {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  /** Prefix and last 4 characters of the newest secret. */
  readonly display: string;
  readonly revokedAt: string | null;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
  /** In the spend window that is running; null for a key without one. */
  readonly windowSpent: PicoUsd | null;
  readonly windowHeld: PicoUsd | null;
  readonly windowStart: string | null;
  readonly spentTotal: PicoUsd;
  /** Until when an older secret still works; null when there is none. */
  readonly overlapEndsAt: string | null;
}

export interface NewKey extends KeyLimits {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  readonly display: string;
}

export interface KeyAdmin {
  add(key: NewKey, secretHash: Uint8Array): Promise<void>;
  find(id: string): Promise<KeyRecord | null>;
  lock(id: string): Promise<KeyRecord | null>;
  list(accountId: string, page: Page): Promise<readonly KeyRecord[]>;
  change(id: string, change: KeyLimits & { readonly name: string }): Promise<void>;
  /** Adds a secret; the older ones stop after the overlap, or sooner where that was said before. */
  rotate(
    id: string,
    secret: { readonly hash: Uint8Array; readonly display: string; readonly overlapSeconds: number },
  ): Promise<void>;
  /** Ends the key and all its secrets now. A key that is revoked stays as it is. */
  revoke(id: string): Promise<void>;
}

// ---------------------------------------------------------------- prices, audit, tokens, idempotency

export interface PriceRows {
  /** False when a row with this id exists: prices are never edited. */
  add(row: PriceRow): Promise<boolean>;
  list(): Promise<readonly PriceRow[]>;
}

/** A price as the operator writes it: USD per million tokens as decimal text, by kind (the form of `prices` in the configuration). */
export type PriceEntry = Readonly<Record<string, unknown>> & {
  readonly model: string;
  readonly from: string;
};

/** The price book in force, and how to add to it. */
export interface PriceDesk {
  book(): PriceBook;
  /** The exact row of an entry, or which field is at fault and why. */
  read(
    entry: PriceEntry,
  ):
    | { readonly ok: true; readonly row: PriceRow }
    | { readonly ok: false; readonly field: string; readonly message: string };
  /** Takes published rows into the book, in this process at once. */
  refresh(): Promise<void>;
}

export interface AuditRecord {
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly before: unknown;
  readonly after: unknown;
}

export interface Audit {
  add(record: AuditRecord): Promise<void>;
  list(
    filter: Period & { readonly target: string | null; readonly actor: string | null },
    page: Page,
  ): Promise<readonly (AuditRecord & { readonly id: string; readonly at: string })[]>;
}

/** Owner may all; operator and finance may each their part; viewer may read. */
export const roles = ["owner", "operator", "finance", "viewer"] as const;
export type Role = (typeof roles)[number];

export interface AdminToken {
  readonly id: string;
  readonly name: string;
  readonly display: string;
  readonly role: Role;
  readonly createdBy: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
}

export interface AdminTokens {
  add(token: Omit<AdminToken, "createdAt" | "revokedAt">, secretHash: Uint8Array): Promise<void>;
  find(id: string): Promise<AdminToken | null>;
  /** The token behind a secret's SHA-256, if it is neither revoked nor expired. */
  findLive(secretHash: Uint8Array): Promise<AdminToken | null>;
  list(page: Page): Promise<readonly AdminToken[]>;
  revoke(id: string): Promise<void>;
}

export type Reservation =
  /** The key is this caller's until its transaction ends. */
  | { readonly state: "new" }
  | { readonly state: "running" }
  | { readonly state: "reused" }
  | { readonly state: "done"; readonly result: StoredResult };

export interface AdminIdempotency {
  /**
   * Only inside a transaction, with which the reservation lives and dies. One that is committed without a result stays
   * `running` until it is released, or for `lifeMs`, so that the key of a process that died becomes free.
   */
  reserve(key: string, fingerprint: string, lifeMs: number): Promise<Reservation>;
  /** Keeps the result for 24 hours. */
  remember(key: string, result: StoredResult): Promise<void>;
  /** Makes a key free that has no result. */
  release(key: string): Promise<void>;
}

// ---------------------------------------------------------------- the whole

export interface AdminTables {
  readonly accounts: Accounts;
  readonly grants: Grants;
  readonly keys: KeyAdmin;
  readonly requests: RequestLog;
  readonly entries: Entries;
  readonly usage: UsageReports;
  readonly prices: PriceRows;
  readonly audit: Audit;
  readonly tokens: AdminTokens;
  readonly idempotency: AdminIdempotency;
  readonly logins: ConsoleLogins;
  readonly portalTokens: PortalTokens;
}

export interface AdminStore extends AdminTables {
  /**
   * Runs `work` in one database transaction, again when it lost to another one; rolls back when it throws.
   * `work` uses only the tables it is given.
   */
  transaction<T>(work: (tables: AdminTables) => Promise<T>): Promise<T>;
  readonly verification: Verification;
}
