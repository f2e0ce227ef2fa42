import { type CreditUnit, formatCredits, formatUsd, type PicoUsd, pico } from "../core/money.ts";
import type { Clock, KeyIdentity } from "../ports.ts";
import type { AdminTables, KeyRecord, SpendWindow } from "../ports-admin.ts";
import type { UsageQuery } from "../ports-reports.ts";
import { findAccount } from "./accounts.ts";
import { creditsOrNull, presentKey, presentSums } from "./present.ts";
import { done, type Outcome, refuse } from "./refusals.ts";
import { presentRequest } from "./request-record.ts";
import { readUsageQuery, type UsageTexts } from "./usage-query.ts";

/** What a customer's reads of their own account need. */
export interface SelfServicePorts {
  readonly tables: Pick<AdminTables, "accounts" | "grants" | "keys" | "requests" | "usage">;
  readonly clock: Clock;
  readonly credit: CreditUnit;
  readonly creditName: string;
}
type Own = Pick<KeyIdentity, "keyId" | "accountId">;
/** Raw query parameters, all text. */
type Query = Readonly<Record<string, string | undefined>>;

const noAccount = (own: Own): Error =>
  new Error(`Bug: key ${own.keyId} was accepted and its account ${own.accountId} cannot be found`);

/**
 * `GET /v1/key`: the key that asks, its limits and what it spent. `data` has the names that tools made for OpenRouter read.
 * Amounts are credits as decimal text.
 */
export async function keyInfo(ports: SelfServicePorts, own: Own): Promise<Outcome<object>> {
  const { tables, credit } = ports;
  const key = await tables.keys.find(own.keyId);
  if (key === null) throw noAccount(own);
  const [daily, weekly, monthly] = await Promise.all(
    (["day", "week", "month"] as const).map((window) => spentSince(ports, key, window)),
  );
  const { account_id, revoked_at, settings, ...shown } = presentKey(key, credit);
  const left = limitLeft(key);
  return done({
    ...shown,
    data: {
      label: key.name,
      limit: shown.spend_limit,
      limit_remaining: creditsOrNull(left, credit),
      limit_reset: key.spendWindow === null ? null : resets[key.spendWindow],
      usage: shown.spent_total,
      usage_daily: daily,
      usage_weekly: weekly,
      usage_monthly: monthly,
    },
  });
}

const resets: Readonly<Record<SpendWindow, string | null>> = {
  hour: "hourly",
  day: "daily",
  week: "weekly",
  month: "monthly",
  total: null,
};

/** What the key may still be asked to hold in its window; null without a limit. */
function limitLeft({ spendLimit, windowSpent, windowHeld }: KeyRecord): PicoUsd | null {
  if (spendLimit === null || windowSpent === null || windowHeld === null) return null;
  const left = spendLimit - windowSpent - windowHeld;
  return pico(left > 0n ? left : 0n);
}

/** Charged for requests since the start of the current UTC day, week (from Monday) or month. */
async function spentSince(
  { tables, clock, credit }: SelfServicePorts,
  key: KeyRecord,
  window: "day" | "week" | "month",
): Promise<string> {
  const start = new Date(clock.now());
  start.setUTCHours(0, 0, 0, 0);
  if (window === "week") start.setUTCDate(start.getUTCDate() - ((start.getUTCDay() + 6) % 7));
  if (window === "month") start.setUTCDate(1);
  const sums = await tables.usage.totals({
    ...{ from: start.toISOString(), to: null, bucket: "day", tz: "UTC", groupBy: [] },
    ...{ accountId: key.accountId, keyId: key.id, model: null, endpoint: null },
  });
  return formatCredits(sums.charge, credit);
}

/**
 * `GET /v1/credits`: the account's credit. total_granted = all grants; used = charges less refunds;
 * held + available = total_granted − used − what expired or was voided.
 */
export async function credits(ports: SelfServicePorts, own: Own): Promise<Outcome<object>> {
  const { credit, tables } = ports;
  const account = await findAccount(tables, own.accountId);
  if (account === null) throw noAccount(own);
  const { granted, voided, expired } = await tables.accounts.moved(own.accountId);
  const { posted, held, available } = account.balance;
  // What was granted and is neither there nor taken back was used: exact, without summing every charge.
  const used = granted - voided - expired - posted;
  const shown = (amount: bigint): string => formatCredits(pico(amount), credit);
  return done({
    total_granted: shown(granted),
    used: shown(used),
    expired: shown(expired),
    voided: shown(voided),
    held: shown(held),
    available: shown(available),
    credit: { name: ports.creditName, usd: formatUsd(pico(credit.picoPerCredit)) },
    data: { total_credits: shown(posted + used), total_usage: shown(used) },
  });
}

/** Buckets of a report that a customer gets at once: seven months of hours. */
const bucketsMax = 5_000;

/** `GET /v1/usage`: the account's settled requests in buckets of time, by model or key if asked; without what the vendor bills. */
export async function ownUsage(ports: SelfServicePorts, own: Own, query: Query): Promise<Outcome<object>> {
  const { tables, credit } = ports;
  const read = readUsageQuery(query as UsageTexts, ["model", "key"]);
  if (!read.ok) return read;
  const scope = {
    accountId: own.accountId,
    keyId: query.key ?? null,
    model: query.model ?? null,
    endpoint: null,
  };
  const report: UsageQuery = { ...read.value, ...scope };
  const rows = await tables.usage.buckets(report, { after: null, limit: bucketsMax + 1 });
  return done({
    data: rows
      .slice(0, bucketsMax)
      .map((row) => ({ bucket: row.bucket, model: row.model, key_id: row.key, ...presentSums(row, credit) })),
    has_more: rows.length > bucketsMax,
    totals: presentSums(await tables.usage.totals(report), credit),
  });
}

/** `GET /v1/generation?id=`: the receipt of one of the account's own requests, without what the vendor bills. */
export async function generation(ports: SelfServicePorts, own: Own, query: Query): Promise<Outcome<object>> {
  const id = query.id;
  if (id === undefined || id === "")
    return refuse("invalid_query", "Cannot look up a request: give its id as `id`.", "id");
  const row = await ports.tables.requests.find(id);
  // Another account's request is answered like one that does not exist.
  if (row === null || row.accountId !== own.accountId) {
    return refuse(
      "request_not_found",
      `Cannot find the request ${JSON.stringify(id.slice(0, 100))}: this account made none with this id.`,
      "id",
    );
  }
  const {
    vendor_cost_usd,
    loss_usd,
    account_id,
    attempts,
    notes,
    rejected_usage,
    deployment,
    price_lines,
    ...shown
  } = presentRequest(row, ports.credit);
  const receipt = {
    ...shown,
    attempts: attempts.length,
    price_lines: price_lines.map(({ list_price_usd, ...line }) => line),
  };
  const { usage, charge } = shown;
  const forTools = {
    id: row.id,
    model: shown.model_served ?? shown.model_requested,
    created_at: row.createdAt,
    streamed: row.stream,
    total_cost: charge,
    tokens_prompt: usage?.input ?? null,
    tokens_completion: usage?.output ?? null,
    latency: shown.ttft_ms,
    generation_time: shown.duration_ms,
    finish_reason: null,
  };
  return done({ ...receipt, data: forTools });
}
