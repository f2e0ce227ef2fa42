-- The three statements that move money for requests: hold, settle, checkpoint. One call applies one batch.
-- Why in SQL: accounts are locked once per batch, decided in order, and written set-wise; a refusal is a result, not an error.
-- Every join here is from the batch to a table by index, however small or large the table is: the functions run with
-- all other scans and joins switched off, so that a plan made on an empty database stays right on a full one.

-- Start of the spend window that holds `at`, in UTC.
create function window_start(spend_window text, at timestamptz) returns timestamptz language sql immutable as $$
  select case spend_window when 'total' then '-infinity'::timestamptz
    else date_trunc(spend_window, at at time zone 'UTC') at time zone 'UTC' end
$$;

-- What a hold took of each grant, in burn order.
create type slices as (grant_ids text[], grant_amounts numeric[]);

-- The part of `amounts`, in their order, that `charge` uses up. Only for holds of several slices: of one it is the charge.
create function burn(amounts numeric[], charge numeric) returns numeric[] language plpgsql immutable as $$
declare
  v_rest numeric := charge; v_taken numeric[] := '{}'; v_take numeric;
begin
  for i in 1 .. coalesce(array_length(amounts, 1), 0) loop
    exit when v_rest = 0;
    v_take := least(v_rest, amounts[i]);
    v_taken := v_taken || v_take;
    v_rest := v_rest - v_take;
  end loop;
  return v_taken;
end $$;

-- Settles or releases open holds, each of its id once. The caller has locked the accounts. A hold that is gone was ended
-- before: the answer is then `already`, and nothing moves. A charge above its hold breaks a check and fails the batch.
create function ledger_settle(p_accounts text[], p_ops json, p_records text) returns table (ord int, code text, amount text, detail jsonb)
  language plpgsql as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_records text[] := string_to_array(p_records, chr(30));
  v_done int[]; v_scopes text[]; v_keys text[]; v_late timestamptz[];
begin
  with s as materialized (
    -- Gone from here on: whoever deletes the row of a hold is the one who ends it.
    delete from holds h using json_to_recordset(p_ops) as o (ord int, id text, acc text, state text, outcome text, model_requested text,
      model_served text, endpoint text, source text, stream boolean, charge numeric, cost numeric, loss numeric, input bigint,
      cached_input bigint, cache_write bigint, output bigint, reasoning bigint, total bigint)
    where h.id = o.id and h.account_id = o.acc
    returning o.*, h.key_id as key, h.amount as hold, h.grant_ids, h.grant_amounts, h.reserved_tokens,
      h.created_at as at, h.request ->> 'idempotency_key' as idem,
      case when o.charge = 0 then '{}' when cardinality(h.grant_ids) = 1 then array[o.charge]
        else burn(h.grant_amounts, o.charge) end as burned
  ), slices as materialized (
    select s.id, s.acc, u.grant_id, u.amount, row_number() over w as n, sum(u.amount) over w as total
    from s cross join lateral unnest(s.burned, s.grant_ids) with ordinality as u (amount, grant_id, i)
    where u.amount is not null
    window w as (partition by s.acc order by s.id, u.i rows unbounded preceding)
  ), set_balances as (
    update balances b set posted = b.posted - d.charge, held = b.held - d.hold, seq = b.seq + d.slices
    from (select s.acc, sum(s.charge) as charge, sum(s.hold) as hold, sum(cardinality(s.burned)) as slices from s group by s.acc) d
    where b.account_id = d.acc
  ), set_grants as (
    update grants g set remaining = g.remaining - d.burned, reserved = g.reserved - d.reserved
    from (select u.grant_id, coalesce(sum(u.burned), 0) as burned, sum(u.reserved) as reserved
            from s cross join lateral unnest(s.grant_ids, s.grant_amounts, s.burned) as u (grant_id, reserved, burned)
            group by u.grant_id) d
    where g.id = d.grant_id
  ), set_counters as (
    -- A hold made in an earlier spend window has left that window's counters already.
    update key_counters c set
      window_held = greatest(c.window_held - d.held_now, 0), window_spent = c.window_spent + d.charge_now,
      spent_total = c.spent_total + d.charge, token_level = c.token_level + d.tokens_back,
      open_requests = greatest(c.open_requests - d.n, 0)
    from (
      select s.key, count(*)::int as n, sum(s.charge) as charge, sum(s.reserved_tokens - coalesce(s.total, 0)) as tokens_back,
        coalesce(sum(s.hold) filter (where k.window_start is null or s.at >= k.window_start), 0) as held_now,
        coalesce(sum(s.charge) filter (where k.window_start is null or s.at >= k.window_start), 0) as charge_now
      from s join key_counters k on k.key_id = s.key group by s.key
    ) d where c.key_id = d.key
  ), add_requests as (
    insert into requests (id, account_id, key_id, state, outcome, model_requested, model_served, endpoint, source, stream,
      hold, charge, vendor_cost, loss, input, cached_input, cache_write, output, reasoning, total,
      grant_ids, grant_amounts, record, created_at, settled_at)
    select s.id, s.acc, s.key, s.state, s.outcome, s.model_requested, s.model_served, s.endpoint, s.source, s.stream,
      s.hold, s.charge, s.cost, s.loss, s.input, s.cached_input, s.cache_write, s.output, s.reasoning, s.total,
      s.grant_ids[1 : cardinality(s.burned)], s.burned, v_records[s.ord]::json, s.at, v_now
    from s
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
  ), add_entries as (
    insert into entries (tx_id, kind, ledger_account, account_id, grant_id, amount, seq, balance_after, created_at)
    select l.id, 'settlement', 'customer', l.acc, l.grant_id, -l.amount, b.seq + l.n, b.posted - l.total, v_now
      from slices l join balances b on b.account_id = l.acc
    union all
    select s.id, 'settlement', x.name, s.acc, null, x.amount, null, null, v_now
      from s cross join lateral (values ('earnings', s.charge + s.loss), ('loss', -s.loss),
        ('vendor_cost', -s.cost), ('vendor_payable', s.cost)) as x (name, amount)
      where x.amount <> 0
  )
  select array_agg(s.ord), array_agg(s.acc) filter (where s.outcome = 'refused' and s.idem is not null),
      array_agg(s.idem) filter (where s.outcome = 'refused' and s.idem is not null),
      array_agg(date_trunc('hour', s.at)) filter (where s.at < v_now - interval '2 hours')
    into v_done, v_scopes, v_keys, v_late from s;

  -- Rare: reports may have summed the hour by now (usage_sum_hours).
  if v_late is not null then perform usage_unsum(v_late); end if;

  if v_keys is not null then
    -- Given up before it ran: the same Idempotency-Key may run again.
    delete from idempotency i using unnest(v_scopes, v_keys) as k (scope, key)
      where i.scope = k.scope and i.key = k.key and i.status is null;
  end if;
  return query select d, 'done', null::text, null::jsonb from unnest(v_done) as d;
  if coalesce(cardinality(v_done), 0) < json_array_length(p_ops) then
    return query select * from ledger_settle_missing(p_accounts, p_ops, p_records, coalesce(v_done, '{}'));
  end if;
end $$;

-- Answers settlements that found no hold: what stands of those ended before, `lost` where nothing is known. The release of
-- a hold that never was leaves a row, so that a hold of this id that is still on its way cannot come into being after it.
create function ledger_settle_missing(p_accounts text[], p_ops json, p_records text, p_done int[])
  returns table (ord int, code text, amount text, detail jsonb) language plpgsql as $$
#variable_conflict use_column
declare
  r record; q record;
  v_records text[] := string_to_array(p_records, chr(30));
begin
  for r in
    select o.* from json_to_recordset(p_ops) as o (ord int, id text, acc text, key text, state text, outcome text,
      model_requested text, stream boolean)
    where o.ord <> all (p_done) order by o.ord
  loop
    select x.charge, x.outcome into q from requests x where x.id = r.id and x.account_id = r.acc;
    if found then
      return query select r.ord, 'already', q.charge::text, jsonb_build_object('outcome', q.outcome);
    elsif r.state = 'released' then
      insert into requests (id, account_id, key_id, state, outcome, model_requested, source, stream, hold, charge, vendor_cost, loss,
          grant_ids, grant_amounts, record, created_at, settled_at)
        select r.id, r.acc, r.key, 'released', r.outcome, r.model_requested, 'none', r.stream, 0, 0, 0, 0, '{}', '{}',
          v_records[r.ord]::json, clock_timestamp(), clock_timestamp()
        where exists (select 1 from accounts a where a.id = r.acc)
        on conflict (id) do nothing;
      return query select r.ord, 'already', '0', jsonb_build_object('outcome', 'unknown');
    else
      return query select r.ord, 'lost', null::text, null::jsonb;
    end if;
  end loop;
end $$;

-- Admits requests against their accounts, in order, each with the slices of the grants it reserves. The caller has locked
-- the accounts. Keys of an account are taken in the order of their ids, requests of a key in the order of arrival.
-- `p_idempotent` says whether any request carries an Idempotency-Key.
create function ledger_hold(p_instance text, p_accounts text[], p_ops json, p_requests text, p_idempotent boolean)
  returns table (ord int, code text, amount text, detail jsonb) language plpgsql as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_json text[] := string_to_array(p_requests, chr(30));
  r record;
  v_account text := ''; v_key text := ''; v_is_own_key boolean; v_at int := 0;
  v_available numeric := 0; v_held numeric := 0;
  v_ids text[]; v_avail numeric[]; v_first int;
  v_rest numeric; v_take numeric; v_need numeric; v_limit numeric; v_taken slices;
  v_spent numeric; v_kheld numeric; v_open int; v_requests numeric; v_tokens numeric; v_window timestamptz; v_refill numeric;
  v_code text; v_detail jsonb;
  -- What each account that has credit may still burn, by account.
  l_accounts text[]; l_slices slices[];
  -- What the pass decides, as parallel arrays: per account, key, hold, and refusals to write down or to free.
  a_ids text[] := '{}'; a_held numeric[] := '{}';
  k_ids text[] := '{}'; k_window timestamptz[] := '{}'; k_spent numeric[] := '{}'; k_held numeric[] := '{}';
  k_open int[] := '{}'; k_requests numeric[] := '{}'; k_tokens numeric[] := '{}';
  h_ord int[] := '{}'; h_id text[] := '{}'; h_acc text[] := '{}'; h_key text[] := '{}'; h_amount numeric[] := '{}';
  h_tokens bigint[] := '{}'; h_slices slices[] := '{}';
  x_ord int[] := '{}'; x_code text[] := '{}'; f_ord int[] := '{}';
begin
  if not exists (select 1 from instances i where i.id = p_instance and i.lease_until > v_now) then
    return query select o.ord, 'lease_lost', null::text, null::jsonb from json_to_recordset(p_ops) as o (ord int);
    return;
  end if;
  if p_idempotent then
    -- Reserve the keys first; expired ones are free again. The loser of two in one batch sees the winner's row.
    delete from idempotency i using json_to_recordset(p_ops) as o (acc text, idem text)
      where i.scope = o.acc and i.key = o.idem and i.expires_at <= v_now;
    insert into idempotency (scope, key, fingerprint, request_id, created_at, expires_at)
      select o.acc, o.idem, o.fingerprint, o.id, v_now, v_now + interval '24 hours'
      from json_to_recordset(p_ops) as o (ord int, id text, acc text, idem text, fingerprint text)
      where o.idem is not null and o.acc = any (p_accounts) order by o.ord
      on conflict do nothing;
  end if;

  -- In burn order: priority, earliest expiry, promotional first, oldest.
  select coalesce(array_agg(t.acc order by t.acc), '{}'), array_agg(row (t.ids, t.avail)::slices order by t.acc)
    into l_accounts, l_slices
  from (
    select g.account_id as acc,
      array_agg(g.id order by g.priority, g.expires_at nulls last, g.kind <> 'promotional', g.created_at, g.id) as ids,
      array_agg(g.remaining - g.reserved order by g.priority, g.expires_at nulls last, g.kind <> 'promotional', g.created_at, g.id) as avail
    from grants g
    where g.account_id = any (p_accounts) and not g.is_spent and g.remaining > g.reserved
      and g.voided_at is null and (g.expires_at is null or g.expires_at > v_now)
    group by g.account_id
  ) t;

  for r in
    select o.*, a.status, k.account_id as key_account,
      k.revoked_at, k.expires_at as key_expires, k.spend_limit, k.spend_window, k.rpm, k.tpm, k.max_concurrent,
      c.key_id as counted, c.window_start, c.window_spent, c.window_held, c.open_requests, c.request_level, c.token_level, c.levels_at,
      i.request_id as idem_request, i.fingerprint as idem_fingerprint, i.status as idem_status,
      h.amount as held_amount, q.state as ended, q.outcome, q.record ->> 'refusal' as refusal,
      -- Nothing but the balance decides.
      h.id is null and q.id is null and a.status = 'active' and (o.key is null or (k.account_id = o.acc and k.revoked_at is null
        and (k.expires_at is null or k.expires_at > v_now) and k.spend_limit is null and k.rpm is null and k.tpm is null
        and k.max_concurrent is null)) and (o.idem is null or i.request_id = o.id) as is_plain
    from json_to_recordset(p_ops) as o (ord int, id text, acc text, key text, amount numeric, least numeric, step numeric,
      tokens bigint, final boolean, idem text, fingerprint text)
    left join accounts a on a.id = o.acc
    left join keys k on k.id = o.key
    left join key_counters c on c.key_id = k.id
    left join holds h on h.id = o.id
    left join requests q on q.account_id = o.acc and q.id = o.id
    left join idempotency i on o.idem is not null and i.scope = o.acc and i.key = o.idem
    order by o.acc, o.key, o.ord
  loop
    if r.acc <> v_account then
      if v_held > 0 then a_ids := a_ids || v_account; a_held := a_held || v_held; end if;
      v_account := r.acc; v_held := 0; v_first := 1; v_available := 0;
      while v_at < cardinality(l_accounts) and l_accounts[v_at + 1] < v_account loop v_at := v_at + 1; end loop;
      if l_accounts[v_at + 1] = v_account then
        v_taken := l_slices[v_at + 1]; v_ids := v_taken.grant_ids; v_avail := v_taken.grant_amounts;
        for i in 1 .. cardinality(v_avail) loop v_available := v_available + v_avail[i]; end loop;
      end if;
    end if;
    v_is_own_key := coalesce(r.key_account = r.acc, false);
    if v_is_own_key and r.key <> v_key then
      if v_key <> '' then
        k_ids := k_ids || v_key; k_window := k_window || v_window; k_spent := k_spent || v_spent; k_held := k_held || v_kheld;
        k_open := k_open || v_open; k_requests := k_requests || v_requests; k_tokens := k_tokens || v_tokens;
      end if;
      v_key := r.key;
      v_window := case when r.spend_window is null then null else window_start(r.spend_window, v_now) end;
      if r.counted is not null and (v_window is null or r.window_start is not distinct from v_window) then
        v_spent := r.window_spent; v_kheld := r.window_held;
      else
        v_spent := 0; v_kheld := 0;
      end if;
      v_open := coalesce(r.open_requests, 0);
      v_requests := null; v_tokens := null;
      if r.rpm is not null or r.tpm is not null then
        v_refill := coalesce(extract(epoch from v_now - r.levels_at), 0) / 60;
        if r.rpm is not null then v_requests := least(r.rpm, coalesce(r.request_level + v_refill * r.rpm, r.rpm)); end if;
        if r.tpm is not null then v_tokens := least(r.tpm, coalesce(r.token_level + v_refill * r.tpm, r.tpm)); end if;
      end if;
    end if;

    v_code := null; v_detail := null; v_need := r.amount;
    if r.is_plain and v_need <= v_available then null;
    elsif r.held_amount is not null then -- the same operation again, after a lost answer
      ord := r.ord; code := 'held'; amount := r.held_amount; detail := null;
      return next;
      continue;
    elsif r.ended is not null then
      -- An id that was given up before it was held keeps no idempotency key either.
      if r.ended = 'released' and r.outcome = 'refused' then f_ord := f_ord || r.ord; end if;
      ord := r.ord; code := coalesce(r.refusal, 'ended'); amount := null; detail := null;
      return next;
      continue;
    elsif r.status is null then v_code := 'account_not_found';
    elsif r.key is not null and (not v_is_own_key or r.revoked_at is not null or r.key_expires <= v_now) then v_code := 'invalid_api_key';
    elsif r.status = 'frozen' then v_code := 'account_frozen';
    elsif r.idem is not null and r.idem_request <> r.id then
      v_code := case when r.idem_fingerprint <> r.fingerprint then 'idempotency_key_reused'
                     when r.idem_status is null then 'idempotency_in_progress' else 'replay' end;
      v_detail := jsonb_build_object('request_id', r.idem_request);
    elsif r.max_concurrent is not null and v_open >= r.max_concurrent then
      v_code := 'concurrency_limit'; v_detail := jsonb_build_object('limit', r.max_concurrent);
    elsif r.rpm is not null and v_requests < 1 then
      v_code := 'request_rate_limit';
      v_detail := jsonb_build_object('limit', r.rpm, 'remaining', 0, 'retry_after_ms', ceil((1 - v_requests) * 60000 / r.rpm));
    elsif r.tpm is not null and v_tokens < least(r.tokens, r.tpm) then
      v_code := 'token_rate_limit';
      v_detail := jsonb_build_object('limit', r.tpm, 'remaining', greatest(floor(v_tokens), 0),
        'retry_after_ms', ceil((least(r.tokens, r.tpm) - v_tokens) * 60000 / r.tpm));
    else
      v_limit := case when r.spend_limit is null then v_available else least(v_available, r.spend_limit - v_spent - v_kheld) end;
      if v_need > v_limit and r.least <= v_limit then
        -- An elastic hold shrinks in whole steps to what is there, never below its least.
        v_need := case when r.step > 0 then r.least + floor((v_limit - r.least) / r.step) * r.step else r.least end;
      end if;
      if r.spend_limit is not null and v_spent + v_kheld + v_need > r.spend_limit then
        v_code := 'key_spend_limit';
        v_detail := jsonb_build_object('available', greatest(r.spend_limit - v_spent - v_kheld, 0)::text, 'window', r.spend_window,
          'limit', r.spend_limit::text);
      elsif v_need > v_available then
        v_code := 'insufficient_funds'; v_detail := jsonb_build_object('available', v_available::text);
      end if;
    end if;

    if v_code is not null then
      f_ord := f_ord || r.ord;
      if r.final then x_ord := x_ord || r.ord; x_code := x_code || v_code; end if;
      ord := r.ord; code := v_code; amount := null; detail := v_detail;
      return next;
      continue;
    end if;
    v_rest := v_need;
    if v_rest > 0 and v_rest < v_avail[v_first] then
      v_taken := row (array[v_ids[v_first]], array[v_rest]);
      v_avail[v_first] := v_avail[v_first] - v_rest; v_rest := 0;
    else
      v_taken := row ('{}'::text[], '{}'::numeric[]);
    end if;
    while v_rest > 0 loop
      v_take := least(v_rest, v_avail[v_first]);
      if v_take > 0 then
        v_taken.grant_ids := v_taken.grant_ids || v_ids[v_first]; v_taken.grant_amounts := v_taken.grant_amounts || v_take;
        v_avail[v_first] := v_avail[v_first] - v_take; v_rest := v_rest - v_take;
      end if;
      if v_rest > 0 then v_first := v_first + 1; end if;
    end loop;
    v_available := v_available - v_need; v_held := v_held + v_need;
    if v_is_own_key then
      v_kheld := v_kheld + v_need; v_open := v_open + 1; v_requests := v_requests - 1; v_tokens := v_tokens - r.tokens;
    end if;
    h_ord := h_ord || r.ord; h_id := h_id || r.id; h_acc := h_acc || r.acc; h_key := h_key || r.key; h_amount := h_amount || v_need;
    h_tokens := h_tokens || r.tokens; h_slices := h_slices || v_taken;
    if r.rpm is not null or r.tpm is not null then
      v_detail := jsonb_build_object('rpm', r.rpm, 'requests_left', floor(v_requests),
        'tpm', r.tpm, 'tokens_left', greatest(floor(v_tokens), 0));
    end if;
    ord := r.ord; code := 'held'; amount := v_need; detail := v_detail;
    return next;
  end loop;
  if v_held > 0 then a_ids := a_ids || v_account; a_held := a_held || v_held; end if;
  if v_key <> '' then
    k_ids := k_ids || v_key; k_window := k_window || v_window; k_spent := k_spent || v_spent; k_held := k_held || v_kheld;
    k_open := k_open || v_open; k_requests := k_requests || v_requests; k_tokens := k_tokens || v_tokens;
  end if;

  if h_ord <> '{}' then
    with set_balances as (
      update balances b set held = b.held + a.held from unnest(a_ids, a_held) as a (id, held) where b.account_id = a.id
    ), set_grants as (
      update grants g set reserved = g.reserved + d.amount
      from (select u.id, sum(u.amount) as amount
              from unnest(h_slices) as s cross join lateral unnest(s.grant_ids, s.grant_amounts) as u (id, amount) group by u.id) d
      where g.id = d.id
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
    select u.id, u.acc, u.key, p_instance, u.amount, u.grant_ids, u.grant_amounts, u.tokens, v_json[u.ord]::json, v_now
    from unnest(h_ord, h_id, h_acc, h_key, h_amount, h_tokens, h_slices)
      as u (ord, id, acc, key, amount, tokens, grant_ids, grant_amounts);
  end if;
  if p_idempotent and f_ord <> '{}' then -- what was refused has not run
    delete from idempotency i using json_to_recordset(p_ops) as o (ord int, id text, acc text, idem text)
      where o.ord = any (f_ord) and i.scope = o.acc and i.key = o.idem and i.request_id = o.id and i.status is null;
  end if;
  if x_ord <> '{}' then -- written down when its story is worth telling
    insert into requests (id, account_id, key_id, state, outcome, model_requested, stream, hold, charge, vendor_cost, loss,
        grant_ids, grant_amounts, record, created_at, settled_at)
      select o.id, o.acc, o.key, 'refused', 'refused', v_json[o.ord]::jsonb ->> 'model_requested',
        (v_json[o.ord]::jsonb ->> 'stream')::boolean, 0, 0, 0, 0, '{}', '{}',
        (v_json[o.ord]::jsonb || jsonb_build_object('refusal', x.code, 'required', o.amount::text))::json, v_now, v_now
      from unnest(x_ord, x_code) as x (ord, code)
      join json_to_recordset(p_ops) as o (ord int, id text, acc text, key text, amount numeric) on o.ord = x.ord
      where x.code in ('insufficient_funds', 'key_spend_limit', 'request_rate_limit', 'token_rate_limit', 'concurrency_limit', 'account_frozen')
      on conflict (id) do nothing;
  end if;
end $$;

-- Applies one batch: settlements first (they free credit), then holds, then progress. Accounts are locked once, in id order,
-- so that two batches cannot deadlock; everything of an account happens under its lock. `p_records` and `p_requests` are the
-- JSON texts of the operations in their order, parted by U+001E, which no JSON text contains.
create function ledger_apply(p_instance text, p_accounts text[], p_settles json, p_records text, p_holds json, p_requests text,
    p_idempotent boolean, p_progress json)
  returns table (part text, ord int, code text, amount text, detail jsonb) language plpgsql
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set enable_bitmapscan = off
  set plan_cache_mode = force_generic_plan set jit = off
as $$
#variable_conflict use_column
begin
  perform 1 from balances b where b.account_id = any (p_accounts) order by b.account_id for update;
  if p_settles is not null then
    return query select 'settle', s.ord, s.code, s.amount, s.detail from ledger_settle(p_accounts, p_settles, p_records) s;
  end if;
  if p_holds is not null then
    return query select 'hold', h.ord, h.code, h.amount, h.detail
      from ledger_hold(p_instance, p_accounts, p_holds, p_requests, p_idempotent) h;
  end if;
  if p_progress is not null then
    update holds h set progress = p.progress, progress_at = clock_timestamp()
      from json_to_recordset(p_progress) as p (id text, progress jsonb) where h.id = p.id;
  end if;
end $$;
