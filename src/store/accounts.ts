import type { PicoUsd } from "../core/money.ts";
import type { Account, AccountStatus, Accounts, Metadata } from "../ports-admin.ts";
import { type Queryable, sql } from "./db.ts";
import { amountFromText, instant } from "./rows.ts";

/** Adds nothing when the external id is taken, so that the transaction goes on and the caller can say so. */
const insertAccount = sql`
  with a as (
    insert into accounts (id, name, external_id, metadata, is_demo) values ($1, $2, $3, $4, $5)
    on conflict (external_id) do nothing returning id)
  insert into balances (account_id) select id from a returning account_id`;
const selectAccount = sql`
  select a.id, a.name, a.external_id, a.metadata, a.status, a.is_demo, a.created_at,
    b.posted::text as posted, b.held::text as held, (b.posted - b.held)::text as available
  from accounts a join balances b on b.account_id = a.id where a.id = $1`;
const lockAccount = sql`select id from accounts where id = $1 for update`;
/** The last parameters say which columns change, as null is a value of external_id. */
const updateAccount = sql`
  update accounts set name = coalesce($2, name), metadata = coalesce($3, metadata), status = coalesce($4, status),
    external_id = case when $6 then $5 else external_id end
  where id = $1 and not ($6 and exists (select 1 from accounts o where o.external_id = $5 and o.id <> $1)) returning id`;
const selectAccounts = sql`
  select a.id, a.name, a.external_id, a.metadata, a.status, a.is_demo, a.created_at,
    b.posted::text as posted, b.held::text as held, (b.posted - b.held)::text as available
  from accounts a join balances b on b.account_id = a.id
  where ($1::text is null or a.status = $1) and ($2::text is null or a.external_id = $2) and ($3::text is null or a.id < $3)
  order by a.id desc limit $4`;

const selectMoved = sql`
  select kind, abs(sum(amount))::text as amount from entries
  where account_id = $1 and ledger_account = 'customer' and kind in ('grant', 'void', 'expiry', 'refund') group by kind`;

export interface AccountRow {
  readonly id: string;
  readonly name: string;
  readonly external_id: string | null;
  readonly metadata: Metadata;
  readonly status: AccountStatus;
  readonly is_demo: boolean;
  readonly created_at: Date;
  readonly posted: string;
  readonly held: string;
  readonly available: string;
}

export function createAccounts(db: Queryable): Accounts {
  const find = async (id: string): Promise<Account | null> => {
    const [row] = await db.query<AccountRow>(selectAccount, [id]);
    return row === undefined ? null : fromRow(row);
  };
  return {
    async add({ id, name, externalId, metadata, isDemo }) {
      return (
        (await db.query(insertAccount, [id, name, externalId, JSON.stringify(metadata), isDemo])).length === 1
      );
    },
    find,
    async lock(id) {
      await db.query(lockAccount, [id]);
      return find(id);
    },
    async change(id, { name, externalId, metadata, status }) {
      const metadataText = metadata === undefined ? null : JSON.stringify(metadata);
      const values = [
        id,
        name ?? null,
        metadataText,
        status ?? null,
        externalId ?? null,
        externalId !== undefined,
      ];
      return (await db.query(updateAccount, values)).length === 1;
    },
    async list({ status, externalId }, { after, limit }) {
      return (await db.query<AccountRow>(selectAccounts, [status, externalId, after, limit])).map(fromRow);
    },
    async moved(id) {
      const rows = await db.query<{ kind: string; amount: string }>(selectMoved, [id]);
      // A kind without entries has moved nothing: that is known, not assumed.
      const of = (kind: string): PicoUsd =>
        amountFromText(rows.find((row) => row.kind === kind)?.amount ?? "0");
      return { granted: of("grant"), voided: of("void"), expired: of("expiry"), refunded: of("refund") };
    },
  };
}

export const fromRow = (row: AccountRow): Account => ({
  id: row.id,
  name: row.name,
  externalId: row.external_id,
  metadata: row.metadata,
  status: row.status,
  isDemo: row.is_demo,
  createdAt: instant(row.created_at),
  balance: {
    posted: amountFromText(row.posted),
    held: amountFromText(row.held),
    available: amountFromText(row.available),
  },
});
