import type { Entries, Entry, LedgerAccount } from "../ports-reports.ts";
import { type Queryable, sql } from "./db.ts";
import { amountFromText, amountOrNull, instant } from "./rows.ts";

/** Newest first, by the index on time; $6 is the last entry of the page before. */
const selectEntries = sql`
  select id, tx_id, kind, ledger_account, account_id, grant_id, amount::text as amount, seq, balance_after::text as balance_after,
    corrects, created_at
  from entries
  where ($1::text is null or account_id = $1) and ($2::text is null or ledger_account = $2) and ($3::text is null or tx_id = $3)
    and ($4::timestamptz is null or created_at >= $4) and ($5::timestamptz is null or created_at < $5)
    and ($6::bigint is null or (created_at, id) < (select last.created_at, last.id from entries last where last.id = $6))
  order by created_at desc, id desc limit $7`;
const selectTransaction = sql`
  select id, tx_id, kind, ledger_account, account_id, grant_id, amount::text as amount, seq, balance_after::text as balance_after,
    corrects, created_at
  from entries where tx_id = $1 order by id`;
const bookProbe = sql`select ledger_probe($1, $2::numeric)`;
const insertNote = sql`insert into transaction_notes (tx_id, actor, reason) values ($1, $2, $3)`;

interface EntryRow {
  readonly id: number;
  readonly tx_id: string;
  readonly kind: string;
  readonly ledger_account: LedgerAccount;
  readonly account_id: string;
  readonly grant_id: string | null;
  readonly amount: string;
  readonly seq: number | null;
  readonly balance_after: string | null;
  readonly corrects: string | null;
  readonly created_at: Date;
}

export function createEntries(db: Queryable): Entries {
  return {
    async list({ accountId, ledgerAccount, txId, from, to }, { after, limit }) {
      const values = [accountId, ledgerAccount, txId, from, to, after, limit];
      return (await db.query<EntryRow>(selectEntries, values)).map(fromRow);
    },
    async ofTransaction(txId) {
      return (await db.query<EntryRow>(selectTransaction, [txId])).map(fromRow);
    },
    async bookProbe(txId, cost) {
      await db.query(bookProbe, [txId, String(cost)]);
    },
    async explain(txId, { actor, reason }) {
      await db.query(insertNote, [txId, actor, reason]);
    },
  };
}

const fromRow = (row: EntryRow): Entry => ({
  id: String(row.id),
  txId: row.tx_id,
  kind: row.kind,
  ledgerAccount: row.ledger_account,
  accountId: row.account_id,
  grantId: row.grant_id,
  amount: amountFromText(row.amount),
  seq: row.seq,
  balanceAfter: amountOrNull(row.balance_after),
  corrects: row.corrects,
  createdAt: instant(row.created_at),
});
