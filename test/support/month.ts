/** A month of made-up requests, written straight into the tables so that time can be anything: consistent to the last entry. */
import { type Db, sql } from "../../src/store/db.ts";

export interface MonthOptions {
  /** First instant, RFC 3339. */
  readonly from: string;
  readonly days: number;
  readonly requests: number;
  readonly accounts: number;
}

/** Fills an empty, migrated database. The same options give the same month. */
export async function fillMonth(db: Db, { from, days, requests, accounts }: MonthOptions): Promise<void> {
  await db.query(insertAccounts, [accounts, from]);
  await db.query(insertKeys, [accounts, from]);
  const step = 50_000;
  for (let first = 0; first < requests; first += step) {
    const count = Math.min(step, requests - first);
    await db.query(insertRequests, [first, first + count - 1, requests, from, days, accounts]);
  }
  await db.query(insertGrants, [from]);
  for (const statement of [
    insertGrantEntries,
    insertSettlements,
    insertBalances,
    insertCounters,
    insertRollups,
    insertSamples,
  ])
    await db.query(statement);
  await db.query("analyze");
}

/** Spread evenly by a hash, the same on every machine: `u(n, k)` from 0 to 1. */
const insertAccounts = sql`
  insert into accounts (id, name, external_id, created_at)
  select 'acc_' || lpad(n::text, 6, '0'),
    coalesce((array['Acme Robotics', 'Bluefin Travel', 'Cobalt Health', 'Dune Analytics', 'Ember Studios', 'Fjord Logistics',
      'Granite Legal', 'Harbor Schools'])[n + 1], 'Customer ' || n), 'crm-' || n, $2::timestamptz - interval '1 day'
  from generate_series(0, $1::int - 1) n`;
const insertKeys = sql`
  insert into keys (id, account_id, name, display, spend_limit, spend_window, rpm, created_at)
  select 'key_' || lpad(n::text, 6, '0') || '_' || k, 'acc_' || lpad(n::text, 6, '0'),
    case k when 1 then 'production' else 'staging' end, 'sk-tg-live-…' || substr(md5(n::text || k), 1, 4),
    case k when 2 then 50000000000000 end, case k when 2 then 'month' end, case k when 2 then 600 end,
    $2::timestamptz - interval '1 day'
  from generate_series(0, $1::int - 1) n, generate_series(1, 2) k`;

/**
 * Models with their list prices in pUSD per token, a markup in hundredths, and how requests end. Charge = Σ tokens × sell price,
 * never above the hold; a few vendors bill more than the hold foresaw.
 */
const insertRequests = sql`
  with seeds as (
    select n, (hashint8extended(n, 1) & 1048575) / 1048576.0::float8 as u1, (hashint8extended(n, 2) & 1048575) / 1048576.0::float8 as u2,
      (hashint8extended(n, 3) & 1048575) / 1048576.0::float8 as u3, (hashint8extended(n, 4) & 1048575) / 1048576.0::float8 as u4,
      (hashint8extended(n, 5) & 1048575) / 1048576.0::float8 as u5
    from generate_series($1::bigint, $2::bigint) n
  ), timed as (
    -- Nights are quiet: within each day the clock runs slower around noon.
    select s.*, ($4::timestamptz + (floor(x.day) + (x.day - floor(x.day)) - 0.13 * sin(2 * pi() * (x.day - floor(x.day)))) * interval '1 day')
        as at
    from seeds s cross join lateral (select s.n::float8 / $3::float8 * $5::float8 as day) x
  ), modelled as (
    select t.*, m.*, floor($6::int * power(t.u1, 1.6))::int as a,
      case when t.u3 < 0.935 then 'complete' when t.u3 < 0.968 then 'client_left' when t.u3 < 0.978 then 'vendor_cut'
        when t.u3 < 0.992 then 'vendor_error' else 'refused' end as outcome
    from timed t cross join lateral (
      select * from (values
        (0.00, 0.42, 'gpt-5-mini', 'gpt-5-mini-2025-08-07', 'azure-east', 250000, 25000, 2000000, 125, true),
        (0.42, 0.60, 'gpt-5', 'gpt-5-2025-08-07', 'azure-east', 1250000, 125000, 10000000, 120, true),
        (0.60, 0.76, 'gpt-4.1-nano', 'gpt-4.1-nano-2025-04-14', 'openai', 100000, 25000, 400000, 120, false),
        (0.76, 0.92, 'gpt-4o-mini', 'gpt-4o-mini-2024-07-18', 'openai', 150000, 75000, 600000, 120, false),
        (0.92, 1.01, 'gpt-5-chat', 'gpt-5-chat-2025-10-03', 'azure-west', 1250000, 125000, 10000000, 120, false)
      ) as v (low, high, model, served, endpoint, list_in, list_cached, list_out, markup, thinks) where t.u2 >= v.low and t.u2 < v.high
    ) m
  ), counted as (
    select m.*, case when outcome in ('vendor_error', 'refused') then null else (30 + power(m.u4, 3) * 6000)::bigint end as input,
      case when outcome in ('vendor_error', 'refused') then null else (8 + power(m.u5, 2) * 900)::bigint end as visible,
      case when thinks then (power(m.u4, 2) * 1200)::bigint else 0 end as reasoning,
      case when outcome = 'vendor_cut' or (outcome = 'client_left' and m.u5 < 0.2) then 'estimated' else 'vendor' end as source,
      (120 + 900 * power(m.u4, 4))::int as ttft, (300 + 6000 * m.u5)::int as duration
    from modelled m
  ), priced as (
    select c.*, case when c.u1 < 0.35 then c.input * 3 / 5 else 0 end as cached, c.visible + c.reasoning as output,
      (c.list_in::bigint * c.markup + 99) / 100 as sell_in, (c.list_cached::bigint * c.markup + 99) / 100 as sell_cached,
      (c.list_out::bigint * c.markup + 99) / 100 as sell_out
    from counted c
  ), billed as (
    select p.*, coalesce((p.input - p.cached) * p.sell_in + p.cached * p.sell_cached + p.output * p.sell_out, 0)::numeric as rated,
      coalesce((p.input - p.cached) * p.list_in + p.cached * p.list_cached + p.output * p.list_out, 0)::numeric as cost
    from priced p
  ), held as (
    select b.*, case when b.outcome = 'refused' then 0 when b.u5 > 0.9997 and b.input is not null then floor(b.rated * 0.9)
      else b.rated * 4 + 7000000000 end as hold from billed b
  ), ended as (
    select h.*, least(h.rated, h.hold) as charge, case when h.input is null then 0 else h.rated - least(h.rated, h.hold) end as loss,
      case h.outcome when 'refused' then 'refused' when 'vendor_error' then 'released' else 'settled' end as state,
      'acc_' || lpad(h.a::text, 6, '0') as acc, (extract(epoch from h.at) * 1000)::bigint as ms
    from held h
  )
  insert into requests (id, account_id, key_id, state, outcome, model_requested, model_served, endpoint, source, stream, hold, charge,
    vendor_cost, loss, input, cached_input, cache_write, output, reasoning, total, grant_ids, grant_amounts, record, created_at, settled_at)
  select 'req_' || (select string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', ((e.ms >> (45 - 5 * i)) & 31)::int + 1, 1), '' order by i)
      from generate_series(0, 9) i) || substr(md5(e.n::text), 1, 16),
    e.acc, 'key_' || lpad(e.a::text, 6, '0') || case when e.u4 < 0.8 then '_1' else '_2' end, e.state, e.outcome, e.model,
    case when e.input is not null then e.served end, case when e.outcome <> 'refused' then e.endpoint end,
    case when e.outcome = 'refused' then null when e.input is null then 'none' else e.source end, e.u2 < 0.8 or e.thinks,
    e.hold, case when e.input is null then 0 else e.charge end, case when e.input is null then 0 else e.cost end, e.loss,
    e.input, e.cached * (e.input is not null)::int, 0 * e.input, e.output, e.reasoning * (e.input is not null)::int, e.input + e.output,
    case when e.input is not null and e.charge > 0 then array['grt_' || substr(e.acc, 5)] else '{}' end,
    case when e.input is not null and e.charge > 0 then array[e.charge] else '{}' end,
    jsonb_build_object('operation', 'chat', 'deployment', e.model, 'priced_as', e.served, 'price_row', 'test/' || e.model, 'service_tier', 'default',
      'attempts', case when e.outcome = 'refused' then '[]'::jsonb else jsonb_build_array(jsonb_build_object('endpoint', e.endpoint,
        'deployment', e.model, 'status', case e.outcome when 'vendor_error' then 503 else 200 end, 'vendor_request_id', 'vrq-' || e.n,
        'reason', case e.outcome when 'vendor_error' then 'The engine is currently overloaded, please try again later.' end,
        'started_at', to_char(e.at at time zone 'UTC' + interval '4 milliseconds', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'ended_at', to_char(e.at at time zone 'UTC' + e.duration * interval '1 millisecond', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))) end,
      'usage', jsonb_build_object('source', e.source, 'method', case e.source when 'estimated' then 'tokenizer' end,
        'bound', case e.source when 'estimated' then 'lower_bound' end, 'reason', case e.source when 'estimated' then e.outcome end),
      'estimate', case when e.source = 'vendor' and e.input is not null and e.u3 < 0.1 then
        jsonb_build_object('input', e.input + (e.n % 3), 'output', greatest(e.visible - (e.n % 2), 1)) end,
      'price_lines', case when e.input is null then '[]'::jsonb else jsonb_build_array(
          jsonb_build_object('kind', 'input', 'quantity', e.input - e.cached, 'unit_price_pusd', e.sell_in::text,
            'list_price_pusd', e.list_in::text, 'amount_pusd', ((e.input - e.cached) * e.sell_in)::text),
          jsonb_build_object('kind', 'output', 'quantity', e.output, 'unit_price_pusd', e.sell_out::text, 'list_price_pusd', e.list_out::text,
            'amount_pusd', (e.output * e.sell_out)::text))
        || case when e.cached > 0 then jsonb_build_array(jsonb_build_object('kind', 'cached_input', 'quantity', e.cached, 'unit_price_pusd',
            e.sell_cached::text, 'list_price_pusd', e.list_cached::text, 'amount_pusd', (e.cached * e.sell_cached)::text)) else '[]'::jsonb end
        || case when e.loss > 0 then jsonb_build_array(jsonb_build_object('kind', 'beyond_hold', 'quantity', 1, 'unit_price_pusd', (-e.loss)::text,
            'list_price_pusd', '0', 'amount_pusd', (-e.loss)::text)) else '[]'::jsonb end end,
      'refusal', case e.outcome when 'refused' then 'insufficient_funds' end, 'required', case e.outcome when 'refused' then '8000000000' end,
      'output_cap', 4096, 'rewrites', case when e.thinks then jsonb_build_array(jsonb_build_object('parameter', 'max_tokens', 'action', 'renamed',
        'to', 'max_completion_tokens', 'reason', 'this model takes no max_tokens')) else '[]'::jsonb end,
      'ttft_ms', case when e.input is not null then e.ttft end, 'duration_ms', e.duration, 'overhead_ms', 4.2),
    e.at, e.at + e.duration * interval '1 millisecond'
  from ended e`;

const insertGrants = sql`
  insert into grants (id, account_id, kind, amount, remaining, reference, created_at)
  select 'grt_' || substr(a.id, 5), a.id, 'paid', s.amount, s.amount - s.charged, 'invoice ' || substr(a.id, 5), $1::timestamptz - interval '1 hour'
  from accounts a cross join lateral (
    select coalesce(sum(r.charge), 0) as charged, trunc(coalesce(sum(r.charge), 0) * 1.15) + 10000000000000 as amount
    from requests r where r.account_id = a.id) s`;
const insertGrantEntries = sql`
  insert into entries (tx_id, kind, ledger_account, account_id, grant_id, amount, seq, balance_after, created_at)
  select g.id, 'grant', x.name, g.account_id, x.grant_id, x.amount, x.seq, x.after, g.created_at
  from grants g cross join lateral (values ('customer', g.id, g.amount, 1, g.amount), ('cash', null, -g.amount, null, null))
    as x (name, grant_id, amount, seq, after)`;
const insertSettlements = sql`
  insert into entries (tx_id, kind, ledger_account, account_id, grant_id, amount, seq, balance_after, created_at)
  select r.id, 'settlement', x.name, r.account_id, x.grant_id, x.amount, x.seq, x.after, r.settled_at
  from (
    select r.*, g.id as grant_id, g.amount as granted,
      1 + count(*) filter (where r.charge > 0) over w as seq, sum(r.charge) over w as spent
    from requests r join grants g on g.account_id = r.account_id where r.state = 'settled'
    window w as (partition by r.account_id order by r.settled_at, r.id)
  ) r cross join lateral (values
    ('customer', r.grant_id, -r.charge, r.seq, r.granted - r.spent), ('earnings', null, r.charge + r.loss, null, null),
    ('loss', null, -r.loss, null, null), ('vendor_cost', null, -r.vendor_cost, null, null), ('vendor_payable', null, r.vendor_cost, null, null)
  ) as x (name, grant_id, amount, seq, after)
  where x.amount <> 0 order by r.settled_at, r.id`;
const insertBalances = sql`
  insert into balances (account_id, posted, held, seq)
  select a.id, coalesce(e.posted, 0), 0, coalesce(e.seq, 0) from accounts a left join lateral (
    select sum(amount) as posted, max(seq) as seq from entries where account_id = a.id and ledger_account = 'customer') e on true`;
const insertCounters = sql`
  insert into key_counters (key_id, window_start, spent_total, last_used_at)
  select k.id, case when k.spend_window is not null then date_trunc('month', clock_timestamp() at time zone 'UTC') at time zone 'UTC' end,
    coalesce(sum(r.charge), 0), max(r.created_at)
  from keys k left join requests r on r.key_id = k.id group by k.id`;
const insertRollups = sql`
  insert into usage_rollups (bucket, account_id, key_id, model, endpoint, source, requests, input, cached_input, cache_write, output,
    reasoning, charge, vendor_cost, loss)
  select date_trunc('hour', created_at), account_id, coalesce(key_id, ''), coalesce(model_served, model_requested), coalesce(endpoint, ''), source,
    count(*), sum(input), sum(cached_input), sum(cache_write), sum(output), sum(reasoning), sum(charge), sum(vendor_cost), sum(loss)
  from requests where state = 'settled' group by 1, 2, 3, 4, 5, 6`;
/** The tokenizer counts what is visible; hidden reasoning it cannot see. */
const insertSamples = sql`
  insert into usage_samples (request_id, endpoint, deployment, model, kind, input, output, reasoning, estimated_input, estimated_output,
    input_characters, output_characters, input_price, output_price, created_at)
  select id, endpoint, model_requested, model_served, case when reasoning > 0 then 'reasoning' else 'plain' end, input, output, reasoning,
    (record -> 'estimate' ->> 'input')::bigint, (record -> 'estimate' ->> 'output')::bigint,
    input * 4 + input * (length(id) % 7) / 5 + ascii(substr(id, 20)) % 40, (output - reasoning) * 9 / 2 + ascii(substr(id, 21)) % 30,
    (record -> 'price_lines' -> 0 ->> 'unit_price_pusd')::numeric, (record -> 'price_lines' -> 1 ->> 'unit_price_pusd')::numeric, settled_at
  from requests where (record -> 'estimate')::text like '{%'`;
