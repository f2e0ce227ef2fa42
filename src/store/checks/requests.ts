import { sql } from "../db.ts";
import type { LedgerCheck } from "./check.ts";

/** Requests against their entries and their own bill: invariants 4, 5 and 6. */
export const requestChecks: readonly LedgerCheck[] = [
  {
    name: "charge_is_within_hold",
    description:
      "Each charge is within its hold, beyond what the operator pays for failed attempts only a full hold has a loss beside it, and only a settled request was charged.",
    statement: sql`
      select (select count(*) from requests) as checked,
        (select jsonb_build_object('request_id', id, 'state', state, 'hold', hold::text, 'charge', charge::text, 'loss', loss::text)
          from requests
          where charge < 0 or charge > hold or loss < 0 or (loss > 0 and charge <> hold and loss > coalesce(whole_number(record ->> 'operator_loss_pusd'), 0)) or (state <> 'settled' and (charge <> 0 or loss <> 0))
          order by id limit 1) as first_bad`,
  },
  {
    name: "requests_equal_entries",
    description:
      "Each settled request has one settlement, of its charge, its loss and its vendor cost, and each settlement has its request.",
    statement: sql`
      with e as (
        select tx_id, min(account_id) as account_id,
          coalesce(sum(amount) filter (where ledger_account = 'customer'), 0) as customer,
          coalesce(sum(amount) filter (where ledger_account = 'earnings'), 0) as earnings,
          coalesce(sum(amount) filter (where ledger_account = 'loss'), 0) as loss,
          coalesce(sum(amount) filter (where ledger_account = 'vendor_cost'), 0) as vendor_cost,
          coalesce(sum(amount) filter (where ledger_account = 'vendor_payable'), 0) as vendor_payable
        from entries where kind = 'settlement' group by tx_id),
      c as (
        select coalesce(r.id, e.tx_id) as id, r.state, r.account_id, e.account_id as entries_account, r.charge, r.loss, r.vendor_cost,
          coalesce(-e.customer, 0) as booked_charge, coalesce(e.earnings, 0) as booked_earnings,
          coalesce(-e.loss, 0) as booked_loss, coalesce(-e.vendor_cost, 0) as booked_cost, coalesce(e.vendor_payable, 0) as payable
        from requests r full join e on e.tx_id = r.id)
      select (select count(*) from c) as checked,
        (select jsonb_build_object('request_id', id, 'state', state, 'account_id', account_id, 'entries_account_id', entries_account,
            'charge', charge::text, 'booked_charge', booked_charge::text, 'loss', loss::text, 'booked_loss', booked_loss::text,
            'vendor_cost', vendor_cost::text, 'booked_vendor_cost', booked_cost::text)
          from c
          where charge is distinct from booked_charge or loss is distinct from booked_loss or vendor_cost is distinct from booked_cost
            or booked_earnings <> booked_charge + booked_loss or payable <> booked_cost or entries_account <> account_id
          order by id limit 1) as first_bad`,
  },
  {
    name: "slices_equal_entries",
    description: "Each request names the grants that paid it, with what the entries took from each.",
    statement: sql`
      with s as (
        select r.id, u.grant_id, sum(u.amount) as amount
        from requests r, unnest(r.grant_ids, r.grant_amounts) as u (grant_id, amount) group by r.id, u.grant_id),
      e as (
        select tx_id, grant_id, -sum(amount) as amount from entries
        where kind = 'settlement' and ledger_account = 'customer' group by tx_id, grant_id),
      c as (
        select coalesce(s.id, e.tx_id) as id, coalesce(s.grant_id, e.grant_id) as grant_id, s.amount as slice, e.amount as booked
        from s full join e on e.tx_id = s.id and e.grant_id = s.grant_id)
      select (select count(*) from c) as checked,
        (select jsonb_build_object('request_id', id, 'grant_id', grant_id, 'slice', slice::text, 'booked', booked::text)
          from c where slice is distinct from booked order by id, grant_id limit 1) as first_bad`,
  },
  {
    // `offset 0` keeps the record and the three numbers from being read from their text again wherever they are named.
    name: "charge_equals_price_lines",
    description:
      "Each charge is the sum of its price lines, and each line is its quantity times its unit price.",
    statement: sql`
      with c as (
        select r.id, r.charge, l.total, l.is_odd
        from requests r cross join lateral (select r.record -> 'price_lines' as lines offset 0) p cross join lateral (
          select coalesce(sum(v.amount), 0) as total,
            bool_or(v.amount is null or v.price is null or v.quantity is null or v.amount <> v.price * v.quantity) as is_odd
          from json_array_elements(case json_typeof(p.lines) when 'array' then p.lines else '[]' end) as e (line)
            cross join lateral json_to_record(case json_typeof(e.line) when 'object' then e.line else '{}' end)
              as x (amount_pusd text, unit_price_pusd text, quantity text)
            cross join lateral (select whole_number(x.amount_pusd) as amount,
              whole_number(x.unit_price_pusd) as price, whole_number(x.quantity) as quantity offset 0) v) l
        where r.state = 'settled')
      select (select count(*) from c) as checked,
        (select jsonb_build_object('request_id', id, 'charge', charge::text, 'price_lines', total::text, 'has_odd_line', coalesce(is_odd, false))
          from c where charge <> total or is_odd order by id limit 1) as first_bad`,
  },
  {
    name: "settled_requests_have_usage",
    description:
      "Each settled request has a usage and says who counted it; its parts are within their wholes.",
    statement: sql`
      select (select count(*) from requests where state = 'settled') as checked,
        (select jsonb_build_object('request_id', id, 'source', source, 'input', input, 'output', output, 'total', total)
          from requests
          where state = 'settled' and (source is null or source not in ('vendor', 'estimated') or input is null or output is null
            or cached_input is null or cache_write is null or reasoning is null or total is null
            or input < 0 or output < 0 or cached_input < 0 or cache_write < 0 or reasoning < 0
            or cached_input + cache_write > input or reasoning > output)
          order by id limit 1) as first_bad`,
  },
  {
    name: "attempts_settle_once",
    description: "No attempt at a vendor, by the vendor's own request id, is part of two requests.",
    statement: sql`
      with a as (
        select r.id, x.endpoint, x.vendor_request_id, x.started_at
        from requests r cross join lateral (select r.record -> 'attempts' as attempts offset 0) p
          cross join lateral json_array_elements(case json_typeof(p.attempts) when 'array' then p.attempts else '[]' end) as e (attempt)
          cross join lateral json_to_record(case json_typeof(e.attempt) when 'object' then e.attempt else '{}' end)
              as x (endpoint text, vendor_request_id text, started_at text)
        where x.vendor_request_id is not null),
      d as (
        select endpoint, vendor_request_id, started_at, min(id) as first_id, max(id) as last_id
        from a group by endpoint, vendor_request_id, started_at having count(distinct id) > 1)
      select (select count(*) from a) as checked,
        (select jsonb_build_object('endpoint', endpoint, 'vendor_request_id', vendor_request_id, 'started_at', started_at,
            'request_id', first_id, 'other_request_id', last_id)
          from d order by first_id limit 1) as first_bad`,
  },
  {
    name: "refunds_are_within_charges",
    description:
      "Refunds of a request are within its charge, go back to what paid it, and stay in its account.",
    statement: sql`
      with f as (
        select e.corrects as id, e.account_id, coalesce(g.metadata ->> 'refund_of', e.grant_id) as origin, sum(e.amount) as amount
        from entries e left join grants g on g.id = e.grant_id and g.metadata ->> 'request' = e.corrects
        where e.kind = 'refund' and e.ledger_account = 'customer' group by 1, 2, 3),
      c as (
        select f.*, r.state, r.account_id as request_account,
          (select coalesce(sum(u.amount), 0) from unnest(r.grant_ids, r.grant_amounts) as u (id, amount) where u.id = f.origin) as paid
        from f left join requests r on r.id = f.id)
      select (select count(*) from c) as checked,
        (select jsonb_build_object('request_id', id, 'grant_id', origin, 'refunded', amount::text, 'paid', paid::text, 'state', state,
            'account_id', account_id, 'request_account_id', request_account)
          from c where state is distinct from 'settled' or request_account is distinct from account_id or amount > coalesce(paid, 0)
          order by id, origin limit 1) as first_bad`,
  },
];
