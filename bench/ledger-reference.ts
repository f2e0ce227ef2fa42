/**
 * What group commit can do at best here: the same batching over the smallest set-based ledger that still keeps a balance
 * (one entry for each settlement; no keys, grants, request records or rollups). Tollgate's ledger is measured against it,
 * on the same database in the same run.
 */
import pg from "pg";
import { pico } from "../src/core/money.ts";
import type { HoldOperation, SettleOperation } from "../src/ports.ts";
import { type Batch, Batcher, type BatchResult } from "../src/store/batcher.ts";

const tables = `
  create schema reference;
  create table reference.accounts (id text primary key, posted numeric not null, held numeric not null default 0) with (fillfactor = 50);
  create table reference.holds (id text primary key, account_id text not null, amount numeric not null, created_at timestamptz not null);
  create table reference.entries (id bigint generated always as identity primary key, tx_id text not null, account_id text not null,
    amount numeric not null, created_at timestamptz not null);
  create unique index on reference.entries (tx_id);
  create function reference.apply(p_holds json, p_settles json) returns table (part text, ord int, is_done boolean) language plpgsql as $$
  begin
    perform 1 from reference.accounts where id in (
        select x.acc from json_to_recordset(coalesce(p_holds, '[]')) as x (acc text)
        union select x.acc from json_to_recordset(coalesce(p_settles, '[]')) as x (acc text)) order by id for update;
    if p_settles is not null then
      return query
        with o as materialized (select * from json_to_recordset(p_settles) as x (ord int, id text, acc text, charge numeric)),
        d as (delete from reference.holds h using o where h.id = o.id returning o.ord, o.id, o.acc, o.charge, h.amount),
        u as (update reference.accounts a set posted = a.posted - t.charge, held = a.held - t.held
          from (select d.acc, sum(d.charge) as charge, sum(d.amount) as held from d group by d.acc) t where a.id = t.acc),
        e as (insert into reference.entries (tx_id, account_id, amount, created_at)
          select d.id, d.acc, -d.charge, clock_timestamp() from d)
        select 'settle', d.ord, true from d;
    end if;
    if p_holds is not null then
      return query
        with o as materialized (
          select x.*, a.posted - a.held as available, sum(x.amount) over (partition by x.acc order by x.ord) as running
          from json_to_recordset(p_holds) as x (ord int, id text, acc text, amount numeric) join reference.accounts a on a.id = x.acc),
        admitted as materialized (select * from o where running <= available),
        u as (update reference.accounts a set held = a.held + t.amount
          from (select x.acc, sum(x.amount) as amount from admitted x group by x.acc) t where a.id = t.acc),
        i as (insert into reference.holds select x.id, x.acc, x.amount, clock_timestamp() from admitted x)
        select 'hold', o.ord, o.running <= o.available from o;
    end if;
  end $$`;

export async function addReference(url: string, accounts: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(tables);
  await client.query(
    "insert into reference.accounts (id, posted) select 'acc_' || lpad(n::text, 6, '0'), 1e20 from generate_series(0, $1::int - 1) n",
    [accounts],
  );
  await client.query("vacuum analyze reference.accounts");
  await client.end();
}

export interface ReferenceLedger {
  hold(operation: HoldOperation): Promise<boolean>;
  settle(operation: SettleOperation): Promise<void>;
  close(): Promise<void>;
}

export async function openReference(url: string): Promise<ReferenceLedger> {
  const client = new pg.Client({ connectionString: url, options: "-c synchronous_commit=on" });
  await client.connect();
  const apply = async ({ holds, settles }: Batch): Promise<BatchResult> => {
    const asked = holds.map(({ operation }, ord) => ({
      ord,
      id: operation.id,
      acc: operation.accountId,
      amount: String(operation.amount),
    }));
    const ended = settles.map(({ operation }, ord) => ({
      ord,
      id: operation.id,
      acc: operation.accountId,
      charge: String(operation.charge),
    }));
    const parameters = [asked, ended].map((one) => (one.length === 0 ? null : JSON.stringify(one)));
    await client.query({
      name: "apply",
      text: "select part, ord, is_done from reference.apply($1, $2)",
      values: parameters,
    });
    const limits = { rpm: null, requestsLeft: null, tpm: null, tokensLeft: null };
    return {
      holds: holds.map(({ operation }) => ({ ok: true, amount: operation.amount, limits })),
      settles: settles.map(() => ({ code: "done" })),
    };
  };
  const batcher = new Batcher({
    apply,
    toJson: () => "",
    lanes: 1,
    maxOperations: 512,
    maxBytes: 1,
    maxQueuedHolds: 100_000,
    holdPatienceMs: 60_000,
    now: () => performance.now(),
    onRetry: (error) => process.stderr.write(`retry: ${String(error)}\n`),
  });
  return {
    hold: async (operation) => (await batcher.hold(operation)).ok,
    settle: async (operation) => void (await batcher.settle({ ...operation, loss: pico(0n) })),
    async close() {
      await batcher.close();
      await client.end();
    },
  };
}
