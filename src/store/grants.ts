import type { Grant, GrantKind, Grants } from "../ports-admin.ts";
import { type Queryable, sql } from "./db.ts";
import { amountFromText, instant, instantOrNull } from "./rows.ts";

const grant = sql`select id, is_new from ledger_grant($1)`;
const voidGrant = sql`select amount from ledger_void($1, $2)`;
/** Locks in id order, as every money statement does, so that two of them cannot deadlock. */
const expireGrants = sql`
  select ledger_expire(d.account_id, 1) from (
    select distinct g.account_id from grants g
    where g.account_id = any ($1::text[]) and g.remaining > g.reserved
      and (g.expires_at <= clock_timestamp() or g.voided_at is not null)
    order by g.account_id) d`;
const selectGrant = sql`
  select id, account_id, kind, priority, amount::text as amount, remaining::text as remaining, reserved::text as reserved,
    reference, expires_at, voided_at, coalesce(expires_at <= clock_timestamp(), false) as is_expired, metadata, created_at
  from grants where id = $1`;
const selectGrants = sql`
  select id, account_id, kind, priority, amount::text as amount, remaining::text as remaining, reserved::text as reserved,
    reference, expires_at, voided_at, coalesce(expires_at <= clock_timestamp(), false) as is_expired, metadata, created_at
  from grants where account_id = $1 and ($2::text is null or id < $2) order by id desc limit $3`;

interface GrantRow {
  readonly id: string;
  readonly account_id: string;
  readonly kind: GrantKind;
  readonly priority: number;
  readonly amount: string;
  readonly remaining: string;
  readonly reserved: string;
  readonly reference: string | null;
  readonly expires_at: Date | null;
  readonly voided_at: Date | null;
  readonly is_expired: boolean;
  readonly metadata: Record<string, unknown>;
  readonly created_at: Date;
}

export function createGrants(db: Queryable): Grants {
  const find = async (id: string): Promise<Grant | null> => {
    const [row] = await db.query<GrantRow>(selectGrant, [id]);
    return row === undefined ? null : fromRow(row);
  };
  return {
    async add(wanted) {
      const [result] = await db.query<{ id: string; is_new: boolean }>(grant, [
        JSON.stringify({
          id: wanted.id,
          account_id: wanted.accountId,
          kind: wanted.kind,
          priority: wanted.priority,
          amount: wanted.amount.toString(),
          reference: wanted.reference,
          expires_at: wanted.expiresAt,
          metadata: wanted.metadata,
        }),
      ]);
      const made = result === undefined ? null : await find(result.id);
      if (result === undefined || made === null)
        throw new Error(`Bug: grant ${wanted.id} was made and cannot be found`);
      return { grant: made, isNew: result.is_new };
    },
    find,
    async list(accountId, { after, limit }) {
      return (await db.query<GrantRow>(selectGrants, [accountId, after, limit])).map(fromRow);
    },
    async void(txId, grantId) {
      const [result] = await db.query<{ amount: string }>(voidGrant, [txId, grantId]);
      if (result === undefined) throw new Error(`Bug: voiding grant ${grantId} gave no result`);
      return amountFromText(result.amount);
    },
    async expire(accountIds) {
      await db.query(expireGrants, [accountIds]);
    },
  };
}

const fromRow = (row: GrantRow): Grant => ({
  id: row.id,
  accountId: row.account_id,
  kind: row.kind,
  priority: row.priority,
  amount: amountFromText(row.amount),
  remaining: amountFromText(row.remaining),
  reserved: amountFromText(row.reserved),
  reference: row.reference,
  expiresAt: instantOrNull(row.expires_at),
  voidedAt: instantOrNull(row.voided_at),
  isExpired: row.is_expired,
  metadata: row.metadata,
  createdAt: instant(row.created_at),
});
