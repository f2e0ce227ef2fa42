/** Accounts, grants, keys and entries as people see them: amounts as exact decimal text, in credits unless the name says `_usd`. */
import { type CreditUnit, formatCredits, formatUsd, type PicoUsd } from "../core/money.ts";
import type { Account, AdminToken, Grant, KeyRecord } from "../ports-admin.ts";
import type { Entry, UsageBucket, UsageSums } from "../ports-reports.ts";

export const presentAccount = (account: Account, credit: CreditUnit) => ({
  id: account.id,
  name: account.name,
  external_id: account.externalId,
  metadata: account.metadata,
  status: account.status,
  is_demo: account.isDemo,
  balance: {
    posted: formatCredits(account.balance.posted, credit),
    held: formatCredits(account.balance.held, credit),
    available: formatCredits(account.balance.available, credit),
  },
  created_at: account.createdAt,
});

export const presentGrant = (grant: Grant, credit: CreditUnit) => ({
  id: grant.id,
  account_id: grant.accountId,
  kind: grant.kind,
  status: grantStatus(grant),
  priority: grant.priority,
  amount: formatCredits(grant.amount, credit),
  remaining: formatCredits(grant.remaining, credit),
  reserved: formatCredits(grant.reserved, credit),
  reference: grant.reference,
  expires_at: grant.expiresAt,
  voided_at: grant.voidedAt,
  created_at: grant.createdAt,
});

function grantStatus(grant: Grant): "active" | "used" | "expired" | "voided" {
  if (grant.voidedAt !== null) return "voided";
  if (grant.isExpired) return "expired";
  return grant.remaining === 0n ? "used" : "active";
}

export const presentKey = (key: KeyRecord, credit: CreditUnit) => ({
  id: key.id,
  account_id: key.accountId,
  name: key.name,
  prefix: key.display.slice(0, key.display.indexOf("…")),
  display: key.display,
  models: key.models,
  spend_limit: creditsOrNull(key.spendLimit, credit),
  spend_window: key.spendWindow,
  window_spent: creditsOrNull(key.windowSpent, credit),
  window_held: creditsOrNull(key.windowHeld, credit),
  window_start: key.windowStart,
  spent_total: formatCredits(key.spentTotal, credit),
  rpm: key.rpm,
  tpm: key.tpm,
  max_concurrent: key.maxConcurrent,
  settings: { usage_cost: key.settings.usageCost, idempotency: key.settings.idempotency },
  expires_at: key.expiresAt,
  revoked_at: key.revokedAt,
  overlap_ends_at: key.overlapEndsAt,
  last_used_at: key.lastUsedAt,
  created_at: key.createdAt,
});

export const presentToken = (token: AdminToken) => ({
  id: token.id,
  name: token.name,
  role: token.role,
  display: token.display,
  created_by: token.createdBy,
  expires_at: token.expiresAt,
  revoked_at: token.revokedAt,
  created_at: token.createdAt,
});

/** `amount` and `amount_usd` say the same; either sums to zero over a ledger transaction. */
export const presentEntry = (entry: Entry, credit: CreditUnit) => ({
  id: entry.id,
  transaction_id: entry.txId,
  kind: entry.kind,
  ledger_account: entry.ledgerAccount,
  account_id: entry.accountId,
  grant_id: entry.grantId,
  amount: formatCredits(entry.amount, credit),
  amount_usd: formatUsd(entry.amount),
  seq: entry.seq,
  balance_after: creditsOrNull(entry.balanceAfter, credit),
  corrects: entry.corrects,
  created_at: entry.createdAt,
});

export const presentSums = (sums: UsageSums, credit: CreditUnit) => ({
  requests: sums.requests,
  by_source: sums.bySource,
  input: sums.input,
  cached_input: sums.cachedInput,
  cache_write: sums.cacheWrite,
  output: sums.output,
  reasoning: sums.reasoning,
  charge: formatCredits(sums.charge, credit),
});

/** For the operator: with what the vendor bills, and what was billed beyond holds. */
export const presentBucket = (bucket: UsageBucket, credit: CreditUnit) => ({
  bucket: bucket.bucket,
  account_id: bucket.account,
  model: bucket.model,
  endpoint: bucket.endpoint,
  key_id: bucket.key,
  ...presentSums(bucket, credit),
  vendor_cost_usd: formatUsd(bucket.vendorCost),
  loss_usd: formatUsd(bucket.loss),
});

export const creditsOrNull = (amount: PicoUsd | null, credit: CreditUnit): string | null =>
  amount === null ? null : formatCredits(amount, credit);
export const usdOrNull = (amount: PicoUsd | null): string | null =>
  amount === null ? null : formatUsd(amount);
