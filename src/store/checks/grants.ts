import { sql } from "../db.ts";
import type { LedgerCheck } from "./check.ts";

/** Grants and holds: invariants 4, 7 and 9. */
export const grantChecks: readonly LedgerCheck[] = [
  {
    name: "hold_slices_sum_to_hold",
    description: "The slices of each open hold sum to its amount and are of its own account's grants.",
    statement: sql`
      with h as (
        select h.id, h.account_id, h.amount, cardinality(h.grant_ids) as ids, cardinality(h.grant_amounts) as amounts,
          (select coalesce(sum(s.amount), 0) from unnest(h.grant_amounts) as s (amount)) as slices,
          (select min(s.id) from unnest(h.grant_ids) as s (id)
            where not exists (select 1 from grants g where g.id = s.id and g.account_id = h.account_id)) as foreign_grant
        from holds h)
      select (select count(*) from h) as checked,
        (select jsonb_build_object('request_id', id, 'amount', amount::text, 'slices', slices::text, 'foreign_grant', foreign_grant)
          from h where slices <> amount or ids <> amounts or foreign_grant is not null order by id limit 1) as first_bad`,
  },
  {
    name: "reserved_equals_slices",
    description: "What is reserved of each grant is the sum of the slices that open holds have of it.",
    statement: sql`
      with s as (
        select u.id, sum(u.amount) as amount from holds h, unnest(h.grant_ids, h.grant_amounts) as u (id, amount) group by u.id)
      select (select count(*) from grants) as checked,
        (select jsonb_build_object('grant_id', g.id, 'reserved', g.reserved::text, 'slices', coalesce(s.amount, 0)::text)
          from grants g left join s on s.id = g.id where g.reserved <> coalesce(s.amount, 0) order by g.id limit 1) as first_bad`,
  },
  {
    name: "grants_sum_to_posted",
    description: "What remains of an account's grants is what is posted on it, and no grant is below zero.",
    statement: sql`
      with g as (
        select account_id, sum(remaining) as remaining,
          min(id) filter (where reserved < 0 or remaining < reserved or remaining > amount) as odd_grant
        from grants group by account_id),
      c as (select coalesce(b.account_id, g.account_id) as account_id, b.posted, coalesce(g.remaining, 0) as remaining, g.odd_grant
        from balances b full join g on g.account_id = b.account_id)
      select (select count(*) from c) as checked,
        (select jsonb_build_object('account_id', account_id, 'posted', posted::text, 'remaining', remaining::text, 'odd_grant', odd_grant)
          from c where posted is distinct from remaining or odd_grant is not null order by account_id limit 1) as first_bad`,
  },
  {
    name: "grants_equal_entries",
    description:
      "What remains of each grant is the sum of the entries that name it, and every customer entry names one of its account.",
    statement: sql`
      with e as (
        select account_id, grant_id, sum(amount) as total from entries where ledger_account = 'customer' group by account_id, grant_id),
      c as (select coalesce(g.id, e.grant_id) as grant_id, coalesce(g.account_id, e.account_id) as account_id, g.remaining, e.total
        from grants g full join e on e.grant_id = g.id and e.account_id = g.account_id)
      select (select count(*) from c) as checked,
        (select jsonb_build_object('account_id', account_id, 'grant_id', grant_id, 'remaining', remaining::text, 'entries', total::text)
          from c where remaining is distinct from total order by account_id, grant_id limit 1) as first_bad`,
  },
  {
    name: "only_expired_credit_is_breakage",
    description:
      "What went to breakage is what expired of each account's grants, and each had expired by then.",
    statement: sql`
      with e as (
        select account_id, sum(amount) filter (where ledger_account = 'breakage') as breakage,
          -sum(amount) filter (where ledger_account = 'customer') as expired
        from entries where kind = 'expiry' or ledger_account = 'breakage' group by account_id)
      select (select count(*) from entries where kind = 'expiry') as checked,
        coalesce(
          (select jsonb_build_object('transaction_id', x.tx_id, 'grant_id', x.grant_id, 'expires_at', g.expires_at, 'booked_at', x.created_at)
            from entries x left join grants g on g.id = x.grant_id
            where x.kind = 'expiry' and x.ledger_account = 'customer' and (g.expires_at is null or g.expires_at > x.created_at)
            order by x.id limit 1),
          (select jsonb_build_object('account_id', account_id, 'breakage', breakage::text, 'expired', expired::text)
            from e where breakage is distinct from expired order by account_id limit 1)) as first_bad`,
  },
  {
    name: "holds_end_once",
    description: "No hold is open and ended at the same time.",
    statement: sql`
      select (select count(*) from holds) as checked,
        (select jsonb_build_object('request_id', h.id, 'state', r.state)
          from holds h join requests r on r.id = h.id order by h.id limit 1) as first_bad`,
  },
  {
    name: "no_hold_is_forgotten",
    description: "No hold of a dead process is still open after the time in which recovery takes it up.",
    statement: sql`
      with h as (
        select h.id, h.account_id, h.instance_id, h.created_at, i.lease_until from holds h left join instances i on i.id = h.instance_id)
      select (select count(*) from h) as checked,
        (select jsonb_build_object('request_id', id, 'account_id', account_id, 'instance', instance_id, 'created_at', created_at,
            'lease_until', lease_until)
          from h where greatest(created_at, coalesce(lease_until, created_at)) < clock_timestamp() - $1::int * interval '1 millisecond'
          order by created_at, id limit 1) as first_bad`,
    takesRecoveryMs: true,
  },
];
