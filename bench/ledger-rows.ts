/** Rows for the ledger benchmark: accounts with credit, and a history as if many requests had been served. */
import { type Db, sql } from "../src/store/db.ts";

const makeAccounts = sql`
  insert into accounts (id, name) select 'acc_' || lpad(n::text, 6, '0'), 'bench' from generate_series(0, $1::int - 1) n on conflict do nothing`;
const makeBalances = sql`
  insert into balances (account_id) select 'acc_' || lpad(n::text, 6, '0') from generate_series(0, $1::int - 1) n on conflict do nothing`;
const makeKeys = sql`
  insert into keys (id, account_id, name, display)
  select 'key_' || lpad(n::text, 6, '0'), 'acc_' || lpad(n::text, 6, '0'), 'bench', 'sk-tg-…' from generate_series(0, $1::int - 1) n on conflict do nothing`;
const makeGrants = sql`
  select count(g.id) from generate_series(0, $1::int - 1) n,
    lateral ledger_grant(json_build_object('id', 'grt_' || lpad(n::text, 6, '0'), 'account_id', 'acc_' || lpad(n::text, 6, '0'),
      'kind', 'paid', 'amount', '1000000000000000000')) g`;

export async function addAccounts(db: Db, count: number): Promise<void> {
  await db.query(makeAccounts, [count]);
  await db.query(makeBalances, [count]);
  await db.query(makeKeys, [count]);
  await db.query(makeGrants, [count]);
  await db.execute("vacuum analyze");
}

// Ids sort by time, as those of real requests do. Spread over a thousand accounts that the load does not touch.
const makeRequests = sql`
  insert into requests (id, account_id, key_id, state, outcome, model_requested, model_served, endpoint, source, stream, hold,
    charge, vendor_cost, loss, input, cached_input, cache_write, output, reasoning, total, grant_ids, grant_amounts, record,
    created_at, settled_at)
  select 'old_' || lpad(n::text, 12, '0'), 'old_' || n % 1000, 'key_' || n % 1000, 'settled', 'complete', 'gpt-5-mini',
    'gpt-5-mini-2025-08-07', 'azure-east', 'vendor', true, 5000000000, 1234567890, 1234567890, 0, 131, 0, 0, 240, 64, 371,
    array['old_' || n % 1000], array[1234567890], $3::jsonb,
    timestamptz '2026-01-01' + n * interval '20 ms', timestamptz '2026-01-01' + n * interval '20 ms'
  from generate_series($1::bigint, $2::bigint) n`;
const makeEntries = sql`
  insert into entries (tx_id, kind, ledger_account, account_id, grant_id, amount, seq, balance_after, created_at)
  select 'old_' || lpad(n::text, 12, '0'), 'settlement', e.name, 'old_' || n % 1000, case when e.name = 'customer' then 'old' end,
    e.sign * 1234567890, case when e.name = 'customer' then n / 1000 + 1 end, case when e.name = 'customer' then 1000000000000 end,
    timestamptz '2026-01-01' + n * interval '20 ms'
  from generate_series($1::bigint, $2::bigint) n,
    (values ('customer', -1), ('earnings', 1), ('vendor_cost', -1), ('vendor_payable', 1)) as e (name, sign)`;

const chunk = 100_000;

/** `rows` finished requests with four entries each. */
export async function addHistory(db: Db, rows: number, progress: (text: string) => void): Promise<void> {
  const record = JSON.stringify({ deployment: "gpt-5-mini-prod", filler: "x".repeat(900) });
  for (let from = 0; from < rows; from += chunk) {
    const to = Math.min(from + chunk, rows) - 1;
    await db.query(makeRequests, [from, to, record]);
    await db.query(makeEntries, [from, to]);
    if ((from / chunk) % 10 === 0) progress(`${to + 1} of ${rows} rows`);
  }
  await db.execute("vacuum analyze");
  await db.execute("checkpoint");
}
