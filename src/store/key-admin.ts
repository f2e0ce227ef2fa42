import type { KeyAdmin, KeyLimits, KeyRecord, SpendWindow } from "../ports-admin.ts";
import { type Queryable, sql } from "./db.ts";
import { amountFromText, amountOrNull, instant, instantOrNull } from "./rows.ts";

const insertKey = sql`
  insert into keys (id, account_id, name, display, models, spend_limit, spend_window, rpm, tpm, max_concurrent, settings, expires_at)
  values ($1, $2, $3, $4, $5::text[], $6, $7, $8, $9, $10, $11, $12::timestamptz)`;
const insertSecret = sql`insert into key_secrets (hash, key_id) values ($1, $2)`;
const updateKey = sql`
  update keys set name = $2, models = $3::text[], spend_limit = $4, spend_window = $5, rpm = $6, tpm = $7, max_concurrent = $8,
    settings = $9, expires_at = $10::timestamptz where id = $1`;
const retireSecrets = sql`
  update key_secrets set expires_at = least(expires_at, clock_timestamp() + $2::int * interval '1 second') where key_id = $1`;
const updateDisplay = sql`update keys set display = $2 where id = $1`;
const revokeKey = sql`update keys set revoked_at = clock_timestamp() where id = $1 and revoked_at is null`;
const lockKey = sql`select id from keys where id = $1 for update`;
/** The spend of a window that has ended is not shown as that of the one that is running. */
const selectKey = sql`
  select k.id, k.account_id, k.name, k.display, k.models, k.spend_limit::text as spend_limit, k.spend_window, k.rpm, k.tpm,
    k.max_concurrent, k.settings, k.expires_at, k.revoked_at, k.created_at, c.last_used_at,
    nullif(w.starts_at, '-infinity') as window_start,
    (case when c.window_start = w.starts_at then c.window_spent else 0 end)::text as window_spent,
    (case when c.window_start = w.starts_at then c.window_held else 0 end)::text as window_held,
    coalesce(c.spent_total, 0)::text as spent_total,
    (select max(s.expires_at) from key_secrets s where s.key_id = k.id and s.expires_at > clock_timestamp()) as overlap_ends_at
  from keys k left join key_counters c on c.key_id = k.id
    cross join lateral (select window_start(k.spend_window, clock_timestamp()) as starts_at) w
  where k.id = $1`;
const selectKeys = sql`
  select k.id, k.account_id, k.name, k.display, k.models, k.spend_limit::text as spend_limit, k.spend_window, k.rpm, k.tpm,
    k.max_concurrent, k.settings, k.expires_at, k.revoked_at, k.created_at, c.last_used_at,
    nullif(w.starts_at, '-infinity') as window_start,
    (case when c.window_start = w.starts_at then c.window_spent else 0 end)::text as window_spent,
    (case when c.window_start = w.starts_at then c.window_held else 0 end)::text as window_held,
    coalesce(c.spent_total, 0)::text as spent_total,
    (select max(s.expires_at) from key_secrets s where s.key_id = k.id and s.expires_at > clock_timestamp()) as overlap_ends_at
  from keys k left join key_counters c on c.key_id = k.id
    cross join lateral (select window_start(k.spend_window, clock_timestamp()) as starts_at) w
  where k.account_id = $1 and ($2::text is null or k.id < $2) order by k.id desc limit $3`;

export interface KeyRow {
  readonly id: string;
  readonly account_id: string;
  readonly name: string;
  readonly display: string;
  readonly models: string[] | null;
  readonly spend_limit: string | null;
  readonly spend_window: SpendWindow | null;
  readonly rpm: number | null;
  readonly tpm: number | null;
  readonly max_concurrent: number | null;
  readonly settings: { readonly usage_cost?: boolean; readonly idempotency?: boolean };
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
  readonly created_at: Date;
  readonly last_used_at: Date | null;
  readonly window_start: Date | null;
  readonly window_spent: string;
  readonly window_held: string;
  readonly spent_total: string;
  readonly overlap_ends_at: Date | null;
}

export function createKeyAdmin(db: Queryable): KeyAdmin {
  const find = async (id: string): Promise<KeyRecord | null> => {
    const [row] = await db.query<KeyRow>(selectKey, [id]);
    return row === undefined ? null : fromRow(row);
  };
  return {
    async add(key, secretHash) {
      const [models, spendLimit, ...rest] = limitsToRow(key);
      await db.query(insertKey, [key.id, key.accountId, key.name, key.display, models, spendLimit, ...rest]);
      await db.query(insertSecret, [secretHash, key.id]);
    },
    find,
    async lock(id) {
      await db.query(lockKey, [id]);
      return find(id);
    },
    async list(accountId, { after, limit }) {
      return (await db.query<KeyRow>(selectKeys, [accountId, after, limit])).map(fromRow);
    },
    async change(id, change) {
      await db.query(updateKey, [id, change.name, ...limitsToRow(change)]);
    },
    async rotate(id, { hash, display, overlapSeconds }) {
      await db.query(retireSecrets, [id, overlapSeconds]);
      await db.query(insertSecret, [hash, id]);
      await db.query(updateDisplay, [id, display]);
    },
    async revoke(id) {
      await db.query(revokeKey, [id]);
    },
  };
}

/** In the order in which both statements take them. */
const limitsToRow = (limits: KeyLimits): unknown[] => [
  limits.models,
  limits.spendLimit === null ? null : limits.spendLimit.toString(),
  limits.spendWindow,
  limits.rpm,
  limits.tpm,
  limits.maxConcurrent,
  JSON.stringify({ usage_cost: limits.settings.usageCost, idempotency: limits.settings.idempotency }),
  limits.expiresAt,
];

export const fromRow = (row: KeyRow): KeyRecord => ({
  id: row.id,
  accountId: row.account_id,
  name: row.name,
  display: row.display,
  models: row.models,
  spendLimit: amountOrNull(row.spend_limit),
  spendWindow: row.spend_window,
  rpm: row.rpm,
  tpm: row.tpm,
  maxConcurrent: row.max_concurrent,
  settings: { usageCost: row.settings.usage_cost === true, idempotency: row.settings.idempotency === true },
  expiresAt: instantOrNull(row.expires_at),
  revokedAt: instantOrNull(row.revoked_at),
  createdAt: instant(row.created_at),
  lastUsedAt: instantOrNull(row.last_used_at),
  windowSpent: row.spend_window === null ? null : amountFromText(row.window_spent),
  windowHeld: row.spend_window === null ? null : amountFromText(row.window_held),
  windowStart: instantOrNull(row.window_start),
  spentTotal: amountFromText(row.spent_total),
  overlapEndsAt: instantOrNull(row.overlap_ends_at),
});
