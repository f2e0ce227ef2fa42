-- The three statements that move money for requests: hold, settle, checkpoint. One call applies one batch.
-- Why in SQL: accounts are locked once per batch, decided in order, and written set-wise; a refusal is a result, not an error.

-- Start of the spend window that holds `at`, in UTC.
create function window_start(spend_window text, at timestamptz) returns timestamptz language sql immutable as $$
  select case spend_window when 'total' then '-infinity'::timestamptz
    else date_trunc(spend_window, at at time zone 'UTC') at time zone 'UTC' end
$$;

-- Settles or releases open holds. A hold that is gone was ended before: the answer is then `already`, and nothing moves.
create function ledger_settle(p_ops json, p_records json) returns table (ord int, code text, detail jsonb) language plpgsql as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  r record;
  v_account text := '';
  v_last text := '';
  v_posted numeric; v_held numeric; v_seq bigint;
  v_rest numeric; v_take numeric;
  -- Results of the pass, as parallel arrays.
  a_ids text[] := '{}'; a_posted numeric[] := '{}'; a_held numeric[] := '{}'; a_seq bigint[] := '{}';
  s_ord int[] := '{}'; s_hold numeric[] := '{}'; s_at timestamptz[] := '{}';
  g_ord int[] := '{}'; g_ids text[] := '{}'; g_taken numeric[] := '{}'; g_freed numeric[] := '{}';
  e_ord int[] := '{}'; e_grant text[] := '{}'; e_amount numeric[] := '{}'; e_seq bigint[] := '{}'; e_after numeric[] := '{}';
begin
  for r in
    select o.ord, o.id, o.acc, o.charge, h.id as hold_id, h.amount, h.grant_ids, h.grant_amounts, h.created_at,
           b.posted, b.held, b.seq
    from json_to_recordset(p_ops) as o (ord int, id text, acc text, charge numeric)
    join balances b on b.account_id = o.acc
    left join holds h on h.id = o.id and h.account_id = o.acc
    order by o.acc, o.id, o.ord
  loop
    if r.hold_id is null or r.id = v_last then
      continue; -- answered below, from the first result
    end if;
    v_last := r.id;
    if r.charge < 0 or r.charge > r.amount then
      ord := r.ord; code := 'exceeds_hold'; detail := jsonb_build_object('hold', r.amount::text);
      return next;
      continue;
    end if;
    if r.acc <> v_account then
      if v_account <> '' then
        a_ids := a_ids || v_account; a_posted := a_posted || v_posted; a_held := a_held || v_held; a_seq := a_seq || v_seq;
      end if;
      v_account := r.acc; v_posted := r.posted; v_held := r.held; v_seq := r.seq;
    end if;
    v_rest := r.charge;
    for i in 1 .. coalesce(array_length(r.grant_ids, 1), 0) loop
      v_take := least(v_rest, r.grant_amounts[i]);
      v_rest := v_rest - v_take;
      g_ord := g_ord || r.ord; g_ids := g_ids || r.grant_ids[i]; g_taken := g_taken || v_take;
      g_freed := g_freed || r.grant_amounts[i];
      if v_take > 0 then
        v_posted := v_posted - v_take; v_seq := v_seq + 1;
        e_ord := e_ord || r.ord; e_grant := e_grant || r.grant_ids[i]; e_amount := e_amount || -v_take;
        e_seq := e_seq || v_seq; e_after := e_after || v_posted;
      end if;
    end loop;
    v_held := v_held - r.amount;
    s_ord := s_ord || r.ord; s_hold := s_hold || r.amount::numeric; s_at := s_at || r.created_at;
  end loop;
  if v_account <> '' then
    a_ids := a_ids || v_account; a_posted := a_posted || v_posted; a_held := a_held || v_held; a_seq := a_seq || v_seq;
  end if;

  if s_ord <> '{}' then
    with s as materialized (
      select u.hold, u.at, o.*
      from unnest(s_ord, s_hold, s_at) as u (ord, hold, at)
      join json_to_recordset(p_ops) as o (ord int, id text, acc text, key text, state text, outcome text,
        model_requested text, model_served text, endpoint text, source text, stream boolean,
        charge numeric, cost numeric, loss numeric, input bigint, cached_input bigint, cache_write bigint,
        output bigint, reasoning bigint, total bigint) using (ord)
    ), slices as materialized (
      select u.ord, u.grant_id, u.amount, u.seq, u.after
      from unnest(e_ord, e_grant, e_amount, e_seq, e_after) as u (ord, grant_id, amount, seq, after)
    ), set_balances as (
      update balances b set posted = a.posted, held = a.held, seq = a.seq
      from unnest(a_ids, a_posted, a_held, a_seq) as a (id, posted, held, seq) where b.account_id = a.id
    ), set_grants as (
      update grants g set remaining = g.remaining - d.taken, reserved = g.reserved - d.freed
      from (select u.id, sum(u.taken) as taken, sum(u.freed) as freed
              from unnest(g_ids, g_taken, g_freed) as u (id, taken, freed) group by u.id) d
      where g.id = d.id
    ), set_counters as (
      -- A hold made in an earlier spend window has left that window's counters already.
      update key_counters c set
        window_held = greatest(c.window_held - d.held_now, 0), window_spent = c.window_spent + d.charge_now,
        spent_total = c.spent_total + d.charge, token_level = c.token_level + d.tokens_back,
        open_requests = greatest(c.open_requests - d.n, 0)
      from (
        select h.key_id, count(*)::int as n, sum(s.charge) as charge, sum(h.reserved_tokens - coalesce(s.total, 0)) as tokens_back,
          coalesce(sum(s.hold) filter (where k.window_start is null or s.at >= k.window_start), 0) as held_now,
          coalesce(sum(s.charge) filter (where k.window_start is null or s.at >= k.window_start), 0) as charge_now
        from s join holds h on h.id = s.id join key_counters k on k.key_id = h.key_id group by h.key_id
      ) d where c.key_id = d.key_id
    ), end_holds as (
      delete from holds h using s where h.id = s.id
    ), add_requests as (
      insert into requests (id, account_id, key_id, state, outcome, model_requested, model_served, endpoint, source, stream,
        hold, charge, vendor_cost, loss, input, cached_input, cache_write, output, reasoning, total,
        grant_ids, grant_amounts, record, created_at, settled_at)
      select s.id, s.acc, s.key, s.state, s.outcome, s.model_requested, s.model_served, s.endpoint, s.source, s.stream,
        s.hold, s.charge, s.cost, s.loss, s.input, s.cached_input, s.cache_write, s.output, s.reasoning, s.total,
        coalesce(e.ids, '{}'), coalesce(e.amounts, '{}'), r.record::jsonb, s.at, v_now
      from s join json_array_elements(p_records) with ordinality as r (record, n) on r.n = s.ord
      left join (select l.ord, array_agg(l.grant_id order by l.seq) as ids, array_agg(-l.amount order by l.seq) as amounts
                   from slices l group by l.ord) e on e.ord = s.ord
    ), add_rollups as (
      insert into usage_rollups as t (bucket, account_id, key_id, model, endpoint, source, requests, input, cached_input,
        cache_write, output, reasoning, charge, vendor_cost, loss)
      select date_trunc('hour', s.at), s.acc, coalesce(s.key, ''), coalesce(s.model_served, s.model_requested),
        coalesce(s.endpoint, ''), s.source, count(*), coalesce(sum(s.input), 0), coalesce(sum(s.cached_input), 0),
        coalesce(sum(s.cache_write), 0), coalesce(sum(s.output), 0), coalesce(sum(s.reasoning), 0),
        sum(s.charge), sum(s.cost), sum(s.loss)
      from s where s.state = 'settled' group by 1, 2, 3, 4, 5, 6
      on conflict (bucket, account_id, key_id, model, endpoint, source) do update set
        requests = t.requests + excluded.requests, input = t.input + excluded.input,
        cached_input = t.cached_input + excluded.cached_input, cache_write = t.cache_write + excluded.cache_write,
        output = t.output + excluded.output, reasoning = t.reasoning + excluded.reasoning, charge = t.charge + excluded.charge,
        vendor_cost = t.vendor_cost + excluded.vendor_cost, loss = t.loss + excluded.loss
    )
    insert into entries (tx_id, kind, ledger_account, account_id, grant_id, amount, seq, balance_after, created_at)
    select s.id, 'settlement', 'customer', s.acc, l.grant_id, l.amount, l.seq, l.after, v_now from slices l join s using (ord)
    union all
    select s.id, 'settlement', 'earnings', s.acc, null, s.charge + s.loss, null, null, v_now from s where s.charge + s.loss > 0
    union all
    select s.id, 'settlement', 'loss', s.acc, null, -s.loss, null, null, v_now from s where s.loss > 0
    union all
    select s.id, 'settlement', 'vendor_cost', s.acc, null, -s.cost, null, null, v_now from s where s.cost > 0
    union all
    select s.id, 'settlement', 'vendor_payable', s.acc, null, s.cost, null, null, v_now from s where s.cost > 0;
  end if;

  return query
    select s.o, 'done', null::jsonb from unnest(s_ord) as s (o)
    union all
    select o.ord, case when q.id is null then 'unknown' else 'already' end,
      case when q.id is null then null else jsonb_build_object('state', q.state, 'charge', q.charge::text, 'outcome', q.outcome) end
    from json_to_recordset(p_ops) as o (ord int, id text, acc text, charge numeric)
    left join requests q on q.id = o.id and q.account_id = o.acc
    where not (o.ord = any (s_ord))
      and not exists (select 1 from holds h where h.id = o.id and h.account_id = o.acc);
end $$;

-- Admits requests against their accounts, in order, each with the slices of the grants it reserves.
create function ledger_hold(p_instance text, p_ops json, p_requests json) returns table (ord int, code text, detail jsonb) language plpgsql as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  r record;
  v_account text := ''; v_key text := '';
  v_available numeric; v_held numeric;
  v_ids text[]; v_avail numeric[]; v_first int;
  v_rest numeric; v_take numeric; v_need numeric; v_limit numeric;
  v_spent numeric; v_kheld numeric; v_open int; v_requests numeric; v_tokens numeric; v_window timestamptz; v_refill numeric;
  v_code text; v_detail jsonb;
  a_ids text[] := '{}'; a_held numeric[] := '{}';
  k_ids text[] := '{}'; k_window timestamptz[] := '{}'; k_spent numeric[] := '{}'; k_held numeric[] := '{}';
  k_open int[] := '{}'; k_requests numeric[] := '{}'; k_tokens numeric[] := '{}';
  h_ord int[] := '{}'; h_amount numeric[] := '{}';
  g_ord int[] := '{}'; g_ids text[] := '{}'; g_amount numeric[] := '{}';
  x_ord int[] := '{}'; x_code text[] := '{}'; x_detail jsonb[] := '{}';
begin
  if not exists (select 1 from instances i where i.id = p_instance and i.lease_until > v_now) then
    return query select o.ord, 'lease_lost', null::jsonb from json_to_recordset(p_ops) as o (ord int);
    return;
  end if;
  -- Reserve idempotency keys first; expired ones are free again. The loser of two in one batch sees the winner's row.
  delete from idempotency i using json_to_recordset(p_ops) as o (acc text, idem text)
    where i.scope = o.acc and i.key = o.idem and i.expires_at <= v_now;
  insert into idempotency (scope, key, fingerprint, request_id, created_at, expires_at)
    select o.acc, o.idem, o.fingerprint, o.id, v_now, v_now + interval '24 hours'
    from json_to_recordset(p_ops) as o (ord int, id text, acc text, idem text, fingerprint text)
    join accounts a on a.id = o.acc
    where o.idem is not null order by o.ord
    on conflict do nothing;

  for r in
    with o as materialized (
      select * from json_to_recordset(p_ops) as o (ord int, id text, acc text, key text, amount numeric, least numeric, step numeric,
        tokens bigint, idem text, fingerprint text)
    ), live as (
      select g.account_id, array_agg(g.id order by g.priority, g.expires_at nulls last, g.kind <> 'promotional', g.created_at, g.id) as ids,
        array_agg(g.remaining - g.reserved order by g.priority, g.expires_at nulls last, g.kind <> 'promotional', g.created_at, g.id) as avail
      from grants g
      where g.account_id in (select distinct acc from o) and g.remaining > 0 and g.remaining > g.reserved
        and g.voided_at is null and (g.expires_at is null or g.expires_at > v_now)
      group by g.account_id
    )
    select o.*, a.status, b.held, live.ids, live.avail, k.id as found_key, k.account_id as key_account,
      k.revoked_at, k.expires_at as key_expires, k.spend_limit, k.spend_window, k.rpm, k.tpm, k.max_concurrent,
      c.key_id as counted, c.window_start, c.window_spent, c.window_held, c.open_requests, c.request_level, c.token_level, c.levels_at,
      i.request_id as idem_request, i.fingerprint as idem_fingerprint, i.status as idem_status,
      h.id is not null as is_held, h.amount as held_amount, q.state as ended, q.record ->> 'refusal' as refusal
    from o
    left join accounts a on a.id = o.acc
    left join balances b on b.account_id = o.acc
    left join live on live.account_id = o.acc
    left join keys k on k.id = o.key
    left join key_counters c on c.key_id = o.key
    left join holds h on h.id = o.id
    left join requests q on q.id = o.id
    left join idempotency i on o.idem is not null and i.scope = o.acc and i.key = o.idem
    order by o.acc, o.key, o.ord
  loop
    if r.acc <> v_account then
      if v_account <> '' then a_ids := a_ids || v_account; a_held := a_held || v_held; end if;
      v_account := r.acc; v_held := r.held; v_ids := coalesce(r.ids, '{}'); v_avail := coalesce(r.avail, '{}'); v_first := 1;
      v_available := 0;
      for i in 1 .. coalesce(array_length(v_avail, 1), 0) loop v_available := v_available + v_avail[i]; end loop;
    end if;
    if coalesce(r.key, '') <> v_key then
      if v_key <> '' then
        k_ids := k_ids || v_key; k_window := k_window || v_window; k_spent := k_spent || v_spent; k_held := k_held || v_kheld;
        k_open := k_open || v_open; k_requests := k_requests || v_requests; k_tokens := k_tokens || v_tokens;
      end if;
      v_key := coalesce(r.found_key, '');
      v_window := case when r.spend_window is null then null else window_start(r.spend_window, v_now) end;
      if r.counted is not null and (v_window is null or r.window_start is not distinct from v_window) then
        v_spent := r.window_spent; v_kheld := r.window_held;
      else
        v_spent := 0; v_kheld := 0;
      end if;
      v_open := coalesce(r.open_requests, 0);
      v_refill := coalesce(extract(epoch from v_now - r.levels_at), 0) / 60;
      v_requests := case when r.rpm is null then null else least(r.rpm, coalesce(r.request_level + v_refill * r.rpm, r.rpm)) end;
      v_tokens := case when r.tpm is null then null else least(r.tpm, coalesce(r.token_level + v_refill * r.tpm, r.tpm)) end;
    end if;

    -- An elastic hold shrinks in whole steps to what is there, never below its least.
    v_need := r.amount;
    v_limit := case when r.spend_limit is null then v_available else least(v_available, r.spend_limit - v_spent - v_kheld) end;
    if v_need > v_limit and r.least <= v_limit then
      v_need := case when r.step > 0 then r.least + floor((v_limit - r.least) / r.step) * r.step else r.least end;
    end if;
    v_code := null; v_detail := null;
    if r.is_held then -- the same operation again, after a lost answer
      v_code := 'held'; v_detail := jsonb_build_object('amount', r.held_amount::text);
    elsif r.ended is not null then v_code := coalesce(r.refusal, 'ended');
    elsif r.status is null then v_code := 'account_not_found';
    elsif r.key is not null and (r.found_key is null or r.key_account <> r.acc or r.revoked_at is not null or r.key_expires <= v_now)
      then v_code := 'invalid_api_key';
    elsif r.status = 'frozen' then v_code := 'account_frozen';
    elsif r.idem is not null and r.idem_request <> r.id then
      v_code := case when r.idem_fingerprint <> r.fingerprint then 'idempotency_key_reused'
                     when r.idem_status is null then 'idempotency_in_progress' else 'replay' end;
      v_detail := jsonb_build_object('request_id', r.idem_request);
    elsif r.max_concurrent is not null and v_open >= r.max_concurrent then
      v_code := 'concurrency_limit'; v_detail := jsonb_build_object('limit', r.max_concurrent);
    elsif v_requests is not null and v_requests < 1 then
      v_code := 'request_rate_limit';
      v_detail := jsonb_build_object('limit', r.rpm, 'remaining', 0, 'retry_after_ms', ceil((1 - v_requests) * 60000 / r.rpm));
    elsif v_tokens is not null and v_tokens < least(r.tokens, r.tpm) then
      v_code := 'token_rate_limit';
      v_detail := jsonb_build_object('limit', r.tpm, 'remaining', greatest(floor(v_tokens), 0),
        'retry_after_ms', ceil((least(r.tokens, r.tpm) - v_tokens) * 60000 / r.tpm));
    elsif r.spend_limit is not null and v_spent + v_kheld + v_need > r.spend_limit then
      v_code := 'key_spend_limit';
      v_detail := jsonb_build_object('available', greatest(r.spend_limit - v_spent - v_kheld, 0)::text, 'window', r.spend_window,
        'limit', r.spend_limit::text);
    elsif v_need > v_available then
      v_code := 'insufficient_funds'; v_detail := jsonb_build_object('available', v_available::text);
    end if;

    if v_code is not null then
      x_ord := x_ord || r.ord; x_code := x_code || v_code; x_detail := x_detail || v_detail;
      continue;
    end if;
    v_rest := v_need;
    while v_rest > 0 loop
      v_take := least(v_rest, v_avail[v_first]);
      if v_take > 0 then
        g_ord := g_ord || r.ord; g_ids := g_ids || v_ids[v_first]; g_amount := g_amount || v_take;
        v_avail[v_first] := v_avail[v_first] - v_take; v_rest := v_rest - v_take;
      end if;
      if v_avail[v_first] = 0 and v_rest > 0 then v_first := v_first + 1; end if;
    end loop;
    v_available := v_available - v_need; v_held := v_held + v_need;
    v_kheld := v_kheld + v_need; v_open := v_open + 1;
    v_requests := v_requests - 1; v_tokens := v_tokens - r.tokens;
    h_ord := h_ord || r.ord; h_amount := h_amount || v_need;
    x_ord := x_ord || r.ord; x_code := x_code || 'held'::text;
    x_detail := x_detail || jsonb_build_object('amount', v_need::text, 'rpm', r.rpm, 'requests_left', floor(v_requests),
      'tpm', r.tpm, 'tokens_left', greatest(floor(v_tokens), 0));
  end loop;
  if v_account <> '' then a_ids := a_ids || v_account; a_held := a_held || v_held; end if;
  if v_key <> '' then
    k_ids := k_ids || v_key; k_window := k_window || v_window; k_spent := k_spent || v_spent; k_held := k_held || v_kheld;
    k_open := k_open || v_open; k_requests := k_requests || v_requests; k_tokens := k_tokens || v_tokens;
  end if;

  if h_ord <> '{}' then
    with set_balances as (
      update balances b set held = a.held from unnest(a_ids, a_held) as a (id, held) where b.account_id = a.id
    ), set_grants as (
      update grants g set reserved = g.reserved + d.amount
      from (select u.id, sum(u.amount) as amount from unnest(g_ids, g_amount) as u (id, amount) group by u.id) d where g.id = d.id
    ), set_counters as (
      insert into key_counters as c (key_id, window_start, window_spent, window_held, open_requests, request_level, token_level,
        levels_at, last_used_at)
      select k.id, k.w, k.spent, k.held, k.open, k.req, k.tok, v_now, v_now
      from unnest(k_ids, k_window, k_spent, k_held, k_open, k_requests, k_tokens) as k (id, w, spent, held, open, req, tok)
      on conflict (key_id) do update set window_start = excluded.window_start, window_spent = excluded.window_spent,
        window_held = excluded.window_held, open_requests = excluded.open_requests, request_level = excluded.request_level,
        token_level = excluded.token_level, levels_at = excluded.levels_at, last_used_at = excluded.last_used_at
    )
    insert into holds (id, account_id, key_id, instance_id, amount, grant_ids, grant_amounts, reserved_tokens, request, created_at)
    select o.id, o.acc, o.key, p_instance, s.amount, coalesce(g.ids, '{}'), coalesce(g.amounts, '{}'), o.tokens, r.request::jsonb, v_now
    from unnest(h_ord, h_amount) as s (ord, amount)
    join json_to_recordset(p_ops) as o (ord int, id text, acc text, key text, tokens bigint) using (ord)
    join json_array_elements(p_requests) with ordinality as r (request, n) on r.n = s.ord
    left join (select u.ord, array_agg(u.id order by u.n) as ids, array_agg(u.amount order by u.n) as amounts
                 from unnest(g_ord, g_ids, g_amount) with ordinality as u (ord, id, amount, n) group by u.ord) g on g.ord = s.ord;
  end if;
  -- A refused request keeps no idempotency key (nothing ran) but is written down when its story is worth telling.
  delete from idempotency i using json_to_recordset(p_ops) as o (ord int, id text, acc text, idem text)
    where o.idem is not null and i.scope = o.acc and i.key = o.idem and i.request_id = o.id and not (o.ord = any (h_ord))
      and not exists (select 1 from holds h where h.id = o.id);
  insert into requests (id, account_id, key_id, state, outcome, model_requested, stream, hold, charge, vendor_cost, loss,
      grant_ids, grant_amounts, record, created_at, settled_at)
    select o.id, o.acc, o.key, 'refused', 'refused', r.request ->> 'model_requested', (r.request ->> 'stream')::boolean, 0, 0, 0, 0,
      '{}', '{}', r.request::jsonb || jsonb_build_object('refusal', x.code, 'required', o.amount::text), v_now, v_now
    from unnest(x_ord, x_code) as x (ord, code)
    join json_to_recordset(p_ops) as o (ord int, id text, acc text, key text, amount numeric, final boolean) on o.ord = x.ord
    join json_array_elements(p_requests) with ordinality as r (request, n) on r.n = x.ord
    where o.final and x.code in ('insufficient_funds', 'key_spend_limit', 'request_rate_limit', 'token_rate_limit', 'concurrency_limit', 'account_frozen')
    on conflict (id) do nothing;
  return query select u.o, u.c, u.d from unnest(x_ord, x_code, x_detail) as u (o, c, d);
end $$;

-- Applies one batch: settlements first (they free credit), then holds, then progress. Accounts are locked once, in id order,
-- so that two batches cannot deadlock; everything of an account happens under its lock.
create function ledger_apply(p_instance text, p_settles json, p_records json, p_holds json, p_requests json, p_progress json)
  returns table (part text, ord int, code text, detail jsonb) language plpgsql as $$
#variable_conflict use_column
begin
  perform 1 from balances b where b.account_id in (
      select x.acc from json_to_recordset(coalesce(p_settles, '[]')) as x (acc text)
      union select y.acc from json_to_recordset(coalesce(p_holds, '[]')) as y (acc text))
    order by b.account_id for update;
  if p_settles is not null then
    return query select 'settle', s.ord, s.code, s.detail from ledger_settle(p_settles, p_records) s;
  end if;
  if p_holds is not null then
    return query select 'hold', h.ord, h.code, h.detail from ledger_hold(p_instance, p_holds, p_requests) h;
  end if;
  if p_progress is not null then
    update holds h set progress = p.progress, progress_at = clock_timestamp()
      from json_to_recordset(p_progress) as p (id text, progress jsonb) where h.id = p.id;
  end if;
end $$;
