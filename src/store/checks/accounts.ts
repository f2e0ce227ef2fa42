import { sql } from "../db.ts";
import type { LedgerCheck } from "./check.ts";

/** Accounts against their entries: invariants 1, 2 and 3 of docs/reference/ledger.md. */
export const accountChecks: readonly LedgerCheck[] = [
  {
    name: "posted_equals_entries",
    description: "What is posted on each account is the sum of its entries.",
    statement: sql`
      with e as (select account_id, sum(amount) as total from entries where ledger_account = 'customer' group by account_id),
      c as (select coalesce(b.account_id, e.account_id) as account_id, b.posted, coalesce(e.total, 0) as total
        from balances b full join e on e.account_id = b.account_id)
      select (select count(*) from c) as checked,
        (select jsonb_build_object('account_id', account_id, 'posted', posted::text, 'entries', total::text)
          from c where posted is distinct from total order by account_id limit 1) as first_bad`,
  },
  {
    name: "held_equals_holds",
    description: "What is held on each account is the sum of its open holds.",
    statement: sql`
      with h as (select account_id, sum(amount) as total from holds group by account_id),
      c as (select coalesce(b.account_id, h.account_id) as account_id, b.held, coalesce(h.total, 0) as total
        from balances b full join h on h.account_id = b.account_id)
      select (select count(*) from c) as checked,
        (select jsonb_build_object('account_id', account_id, 'held', held::text, 'holds', total::text)
          from c where held is distinct from total order by account_id limit 1) as first_bad`,
  },
  {
    name: "entries_numbered_without_gaps",
    description: "Each account's entries are numbered 1, 2, 3… and the balance knows the last number.",
    statement: sql`
      with n as (select account_id, id, seq, row_number() over (partition by account_id order by seq, id) as nth
        from entries where ledger_account = 'customer'),
      m as (select account_id, max(seq) as last from n group by account_id),
      l as (select b.account_id, b.seq, coalesce(m.last, 0) as last from balances b left join m on m.account_id = b.account_id)
      select (select count(*) from n) as checked,
        coalesce(
          (select jsonb_build_object('account_id', account_id, 'entry_id', id, 'seq', seq, 'expected', nth)
            from n where seq is distinct from nth order by account_id, nth limit 1),
          (select jsonb_build_object('account_id', account_id, 'seq', seq, 'last_entry', last)
            from l where seq is distinct from last order by account_id limit 1)) as first_bad`,
  },
  {
    name: "balance_after_follows",
    description: "Each entry's balance is the one before plus its amount.",
    statement: sql`
      with n as (select account_id, id, seq, balance_after, sum(amount) over (partition by account_id order by seq, id) as running
        from entries where ledger_account = 'customer')
      select (select count(*) from n) as checked,
        (select jsonb_build_object('account_id', account_id, 'entry_id', id, 'seq', seq, 'balance_after', balance_after::text,
            'expected', running::text)
          from n where balance_after is distinct from running order by account_id, seq limit 1) as first_bad`,
  },
  {
    name: "never_below_zero",
    description: "No account was ever below zero, and none holds more than is posted.",
    statement: sql`
      with n as (select account_id, id, seq, sum(amount) over (partition by account_id order by seq, id) as running
        from entries where ledger_account = 'customer')
      select (select count(*) from n) + (select count(*) from balances) as checked,
        coalesce(
          (select jsonb_build_object('account_id', account_id, 'entry_id', id, 'seq', seq, 'balance', running::text)
            from n where running < 0 order by account_id, seq limit 1),
          (select jsonb_build_object('account_id', account_id, 'posted', posted::text, 'held', held::text)
            from balances where held < 0 or held > posted order by account_id limit 1)) as first_bad`,
  },
  {
    name: "transactions_sum_to_zero",
    description: "The entries of each ledger transaction sum to zero.",
    statement: sql`
      with t as (select tx_id, sum(amount) as total from entries group by tx_id)
      select (select count(*) from t) as checked,
        (select jsonb_build_object('transaction_id', tx_id, 'sum', total::text) from t where total <> 0 order by tx_id limit 1) as first_bad`,
  },
  {
    name: "transactions_are_of_one_kind",
    description:
      "Each ledger transaction is of one kind and one account, and moves money between the places of its kind only.",
    statement: sql`
      with t as (
        select tx_id, count(distinct kind) as kinds, count(distinct account_id) as accounts,
          min(id) filter (where not coalesce(case kind
            when 'settlement' then case ledger_account when 'customer' then amount < 0 when 'earnings' then amount > 0
              when 'loss' then amount < 0 when 'vendor_cost' then amount < 0 when 'vendor_payable' then amount > 0 end
            when 'grant' then case ledger_account when 'customer' then amount > 0
              when 'cash' then amount < 0 when 'promotional' then amount < 0 end
            when 'void' then case ledger_account when 'customer' then amount < 0
              when 'cash' then amount > 0 when 'promotional' then amount > 0 end
            when 'expiry' then case ledger_account when 'customer' then amount < 0 when 'breakage' then amount > 0 end
            when 'refund' then case ledger_account when 'customer' then amount > 0 when 'earnings' then amount < 0 end
            when 'probe' then case ledger_account when 'vendor_cost' then amount < 0 when 'vendor_payable' then amount > 0 end
            end, false)) as odd_entry
        from entries group by tx_id)
      select (select count(*) from t) as checked,
        (select jsonb_build_object('transaction_id', tx_id, 'kinds', kinds, 'accounts', accounts, 'odd_entry', odd_entry)
          from t where kinds > 1 or accounts > 1 or odd_entry is not null order by tx_id limit 1) as first_bad`,
  },
  {
    name: "guards_are_on",
    description: "The triggers that refuse to change or delete entries are on.",
    statement: sql`
      with g as (
        select w.name, t.tgenabled as state
        from (values ('entries_immutable'), ('entries_not_truncated')) as w (name)
        left join pg_trigger t on t.tgname = w.name and t.tgrelid = 'entries'::regclass)
      select (select count(*) from g) as checked,
        (select jsonb_build_object('trigger', name, 'state', coalesce(state::text, 'missing'))
          from g where state is null or state not in ('O', 'A') order by name limit 1) as first_bad`,
  },
];
