import { sql } from "../db.ts";
import type { LedgerCheck } from "./check.ts";

/** What is derived from requests: invariants 8 and 10, rollups and the counters of keys. */
export const reportChecks: readonly LedgerCheck[] = [
  {
    name: "rollups_equal_requests",
    description: "The sums per hour that reports use are those of the settled requests.",
    statement: sql`
      with r as (
        select date_trunc('hour', created_at) as bucket, account_id, coalesce(key_id, '') as key_id,
          coalesce(model_served, model_requested) as model, coalesce(endpoint, '') as endpoint, source, count(*) as requests,
          coalesce(sum(input), 0) as input, coalesce(sum(cached_input), 0) as cached_input, coalesce(sum(cache_write), 0) as cache_write,
          coalesce(sum(output), 0) as output, coalesce(sum(reasoning), 0) as reasoning,
          sum(charge) as charge, sum(vendor_cost) as vendor_cost, sum(loss) as loss
        from requests where state = 'settled' group by 1, 2, 3, 4, 5, 6),
      c as (
        select coalesce(u.bucket, r.bucket) as bucket, coalesce(u.account_id, r.account_id) as account_id,
          coalesce(u.model, r.model) as model, coalesce(u.endpoint, r.endpoint) as endpoint, coalesce(u.source, r.source) as source,
          u.charge as rollup_charge, r.charge as charge,
          row (u.requests, u.input, u.cached_input, u.cache_write, u.output, u.reasoning, u.charge, u.vendor_cost, u.loss)
            is distinct from
          row (r.requests, r.input, r.cached_input, r.cache_write, r.output, r.reasoning, r.charge, r.vendor_cost, r.loss) as is_bad
        from usage_rollups u full join r on (u.bucket, u.account_id, u.key_id, u.model, u.endpoint, u.source)
          = (r.bucket, r.account_id, r.key_id, r.model, r.endpoint, r.source))
      select (select count(*) from c) as checked,
        (select jsonb_build_object('bucket', bucket, 'account_id', account_id, 'model', model, 'endpoint', endpoint, 'source', source,
            'rollup_charge', rollup_charge::text, 'requests_charge', charge::text)
          from c where is_bad order by bucket, account_id limit 1) as first_bad`,
  },
  {
    name: "hour_sums_equal_rollups",
    description:
      "The sums of whole hours, by model and by account, are those of the sums per key they were made from.",
    statement: sql`
      with u as (
        select g.grain, u.bucket, case g.grain when 'account' then u.account_id else '' end as account_id,
          case g.grain when 'model' then u.model else '' end as model, case g.grain when 'model' then u.endpoint else '' end as endpoint,
          u.source, sum(u.requests) as requests, sum(u.input) as input, sum(u.cached_input) as cached_input,
          sum(u.cache_write) as cache_write, sum(u.output) as output, sum(u.reasoning) as reasoning,
          sum(u.charge) as charge, sum(u.vendor_cost) as vendor_cost, sum(u.loss) as loss
        from usage_rollups u cross join (values ('model'), ('account')) as g (grain)
        where exists (select 1 from usage_summed d where d.bucket = u.bucket) group by 1, 2, 3, 4, 5, 6),
      c as (
        select coalesce(s.bucket, u.bucket) as bucket, coalesce(s.grain, u.grain) as grain,
          coalesce(s.account_id, u.account_id) as account_id, coalesce(s.model, u.model) as model,
          s.charge as summed, u.charge as charge,
          row (s.requests, s.input, s.cached_input, s.cache_write, s.output, s.reasoning, s.charge, s.vendor_cost, s.loss)
            is distinct from
          row (u.requests, u.input, u.cached_input, u.cache_write, u.output, u.reasoning, u.charge, u.vendor_cost, u.loss) as is_bad
        from usage_sums s full join u on (s.grain, s.bucket, s.account_id, s.model, s.endpoint, s.source)
          = (u.grain, u.bucket, u.account_id, u.model, u.endpoint, u.source))
      select (select count(*) from usage_rollups) as checked,
        (select jsonb_build_object('bucket', bucket, 'grain', grain, 'account_id', account_id, 'model', model,
            'summed_charge', summed::text, 'rollup_charge', charge::text)
          from c where is_bad order by bucket, grain limit 1) as first_bad`,
  },
  {
    name: "vendor_cost_agrees",
    description:
      "For each day the vendor's cost of requests is the same in the entries and in the requests, and in the requests and the reports.",
    statement: sql`
      with e as (
        select date_trunc('day', created_at) as day, -sum(amount) as cost from entries
          where ledger_account = 'vendor_cost' and kind <> 'probe' group by 1),
      r as (select date_trunc('day', settled_at) as day, sum(vendor_cost) as cost from requests group by 1),
      a as (select date_trunc('day', created_at) as day, sum(vendor_cost) as cost from requests where state = 'settled' group by 1),
      u as (select date_trunc('day', bucket) as day, sum(vendor_cost) as cost from usage_rollups group by 1),
      c as (
        select 'entries' as in_what, coalesce(e.day, r.day) as day, coalesce(e.cost, 0) as cost, coalesce(r.cost, 0) as requests_cost
        from e full join r on r.day = e.day
        union all
        select 'reports', coalesce(u.day, a.day), coalesce(u.cost, 0), coalesce(a.cost, 0) from u full join a on a.day = u.day)
      select (select count(*) from c) as checked,
        (select jsonb_build_object('day', day, 'in', in_what, 'vendor_cost', cost::text, 'requests_vendor_cost', requests_cost::text)
          from c where cost <> requests_cost order by day, in_what limit 1) as first_bad`,
  },
  {
    name: "probe_costs_agree",
    description:
      "What each probe cost is the same in its entries, which are the operator's, and in the audit log.",
    statement: sql`
      with e as (
        select tx_id, min(account_id) as account_id,
          coalesce(-sum(amount) filter (where ledger_account = 'vendor_cost'), 0) as cost,
          coalesce(sum(amount) filter (where ledger_account = 'vendor_payable'), 0) as payable
        from entries where kind = 'probe' group by tx_id),
      a as (
        select after ->> 'id' as tx_id, max(case when after ->> 'known_usd' ~ '^\\d+(\\.\\d+)?$'
          then (after ->> 'known_usd')::numeric * 1000000000000 end) as cost
        from audit_log where action = 'endpoint.probe' group by 1),
      c as (
        select coalesce(e.tx_id, a.tx_id) as id, e.account_id, coalesce(e.cost, 0) as booked, coalesce(e.payable, 0) as payable,
          a.cost as audited
        from e full join a on a.tx_id = e.tx_id)
      select (select count(*) from c) as checked,
        (select jsonb_build_object('transaction_id', id, 'account_id', account_id, 'booked', booked::text, 'payable', payable::text,
            'audited', trim_scale(audited)::text)
          from c where audited is distinct from booked or payable <> booked or account_id <> 'operator' order by id limit 1) as first_bad`,
  },
  {
    name: "key_counters_agree",
    description:
      "Each key's counters are not below zero; its total is what its requests were charged, its open requests are its holds.",
    statement: sql`
      with r as (select key_id, sum(charge) as charge from requests where state = 'settled' and key_id is not null group by key_id),
      h as (select key_id, count(*) as n, sum(amount) as held from holds where key_id is not null group by key_id),
      c as (
        select k.id, coalesce(n.spent_total, 0) as spent, coalesce(r.charge, 0) as charged, coalesce(n.open_requests, 0) as open,
          coalesce(h.n, 0) as holds, coalesce(n.window_spent, 0) as window_spent, coalesce(n.window_held, 0) as window_held,
          coalesce(h.held, 0) as held
        from keys k left join key_counters n on n.key_id = k.id left join r on r.key_id = k.id left join h on h.key_id = k.id)
      select (select count(*) from c) as checked,
        (select jsonb_build_object('key_id', id, 'spent_total', spent::text, 'charged', charged::text, 'open_requests', open, 'holds', holds,
            'window_spent', window_spent::text, 'window_held', window_held::text)
          from c where spent <> charged or open <> holds or window_spent < 0 or window_held < 0 or window_held > held
            or window_spent > spent
          order by id limit 1) as first_bad`,
  },
  {
    name: "keys_belong_to_accounts",
    description: "Each request and each open hold was made with a key of its own account.",
    statement: sql`
      with c as (
        select id, account_id, key_id from requests where key_id is not null
        union all select id, account_id, key_id from holds where key_id is not null)
      select (select count(*) from c) as checked,
        (select jsonb_build_object('request_id', c.id, 'account_id', c.account_id, 'key_id', c.key_id, 'key_account_id', k.account_id)
          from c left join keys k on k.id = c.key_id where k.account_id is distinct from c.account_id order by c.id limit 1) as first_bad`,
  },
  {
    name: "idempotency_keys_have_one_result",
    description:
      "No request stands behind two idempotency keys, and each stored result is that of a request that has ended or runs in the background.",
    statement: sql`
      with i as (
        select i.scope, i.key, i.request_id, i.status, r.id as ended, r.account_id,
          exists (select 1 from responses p where p.request_id = i.request_id and p.state = 'running') as is_running,
          count(*) over (partition by i.scope, i.request_id) as n
        from idempotency i left join requests r on r.id = i.request_id
        where i.scope <> 'admin')
      select (select count(*) from i) as checked,
        (select jsonb_build_object('account_id', scope, 'key', key, 'request_id', request_id, 'request_account_id', account_id)
          from i where n > 1 or (status is not null and ended is null and not is_running) or account_id <> scope order by scope, key limit 1) as first_bad`,
  },
];
