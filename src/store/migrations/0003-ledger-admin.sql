-- Money moves that people make: grants, voids, expiry, refunds. Rare, so one function call each.
-- Every function locks the account's balance row first, as ledger_apply does.

-- Adds a customer entry and its counterpart, and moves the balance. The caller holds the account's lock.
create function post_pair(p_tx text, p_kind text, p_account text, p_grant text, p_amount numeric, p_against text, p_corrects text)
  returns void language plpgsql as $$
declare
  v_seq bigint; v_posted numeric; v_now timestamptz := clock_timestamp();
begin
  update balances b set posted = b.posted + p_amount, seq = b.seq + 1 where b.account_id = p_account
    returning b.seq, b.posted into v_seq, v_posted;
  insert into entries (tx_id, kind, ledger_account, account_id, grant_id, amount, seq, balance_after, corrects, created_at) values
    (p_tx, p_kind, 'customer', p_account, p_grant, p_amount, v_seq, v_posted, p_corrects, v_now),
    (p_tx, p_kind, p_against, p_account, null, -p_amount, null, null, p_corrects, v_now);
end $$;

-- Grants credit. With a `reference` that the account has used before, the first grant is returned and nothing moves.
create function ledger_grant(p_grant json) returns table (id text, is_new boolean) language plpgsql as $$
#variable_conflict use_column
declare
  g record; v_existing text;
begin
  select * into g from json_to_record(p_grant) as x (id text, account_id text, kind text, priority int, amount numeric,
    reference text, expires_at timestamptz, metadata jsonb);
  perform 1 from balances b where b.account_id = g.account_id for update;
  if not found then
    raise exception 'Cannot grant: there is no account %', g.account_id using errcode = 'TG404';
  end if;
  select x.id into v_existing from grants x where x.account_id = g.account_id and x.reference = g.reference;
  if v_existing is null then
    select x.id into v_existing from grants x where x.id = g.id;
  end if;
  if v_existing is not null then
    return query select v_existing, false;
    return;
  end if;
  insert into grants (id, account_id, kind, priority, amount, remaining, reference, expires_at, metadata)
    values (g.id, g.account_id, g.kind, coalesce(g.priority, 50), g.amount, g.amount, g.reference, g.expires_at, coalesce(g.metadata, '{}'));
  perform post_pair(g.id, 'grant', g.account_id, g.id, g.amount, case when g.kind = 'promotional' then 'promotional' else 'cash' end, null);
  return query select g.id, true;
end $$;

-- Takes back what is left of a grant and not reserved. Voiding again moves only what has come back since.
create function ledger_void(p_tx text, p_grant text) returns table (account_id text, amount text) language plpgsql as $$
#variable_conflict use_column
declare
  v_account text; g record; v_left numeric;
begin
  select x.account_id into v_account from grants x where x.id = p_grant;
  if v_account is null then
    raise exception 'Cannot void: there is no grant %', p_grant using errcode = 'TG404';
  end if;
  perform 1 from balances b where b.account_id = v_account for update;
  select * into g from grants x where x.id = p_grant;
  v_left := g.remaining - g.reserved;
  update grants x set voided_at = coalesce(x.voided_at, clock_timestamp()), remaining = x.remaining - v_left where x.id = p_grant;
  if v_left > 0 then
    perform post_pair(p_tx, 'void', v_account, p_grant, -v_left, case when g.kind = 'promotional' then 'promotional' else 'cash' end, p_grant);
  end if;
  return query select v_account, v_left::text;
end $$;

-- Books the unreserved rest of expired or voided grants: breakage for expired ones. `p_account` null = all accounts, bounded.
create function ledger_expire(p_account text, p_limit int) returns int language plpgsql as $$
#variable_conflict use_column
declare
  r record; g record; v_left numeric; v_seq bigint; v_count int := 0;
begin
  for r in
    select distinct x.account_id from grants x
    where x.remaining > x.reserved and (x.expires_at <= clock_timestamp() or x.voided_at is not null)
      and (p_account is null or x.account_id = p_account)
    order by x.account_id limit p_limit
  loop
    perform 1 from balances b where b.account_id = r.account_id for update;
    for g in
      select * from grants x where x.account_id = r.account_id and x.remaining > x.reserved
        and (x.expires_at <= clock_timestamp() or x.voided_at is not null) order by x.id
    loop
      v_left := g.remaining - g.reserved;
      -- A grant may expire in parts, as its reservations come back: the account's next number makes each its own transaction.
      select b.seq + 1 into v_seq from balances b where b.account_id = g.account_id;
      update grants x set remaining = x.remaining - v_left, is_expired = x.voided_at is null where x.id = g.id;
      if g.voided_at is null then
        perform post_pair('exp_' || g.id || '_' || v_seq::text, 'expiry', g.account_id, g.id, -v_left, 'breakage', g.id);
      else
        perform post_pair('void_' || g.id || '_' || v_seq::text, 'void', g.account_id, g.id, -v_left,
          case when g.kind = 'promotional' then 'promotional' else 'cash' end, g.id);
      end if;
      v_count := v_count + 1;
    end loop;
  end loop;
  return v_count;
end $$;

-- Gives back part or all of a charge, to the grants it came from, last burned first. A grant that has expired meanwhile
-- is replaced by a `refund` grant that lives `p_life`. Refunds of one request never exceed its charge.
create function ledger_refund(p_tx text, p_request text, p_amount numeric, p_life interval)
  returns table (code text, account_id text, amount text, refundable text) language plpgsql as $$
#variable_conflict use_column
declare
  q record; v_refunded numeric; v_rest numeric; v_take numeric; v_done numeric; g record; v_grant text;
begin
  select * into q from requests x where x.id = p_request;
  if q.id is null or q.state <> 'settled' then
    return query select 'not_settled'::text, q.account_id::text, null::text, null::text;
    return;
  end if;
  perform 1 from balances b where b.account_id = q.account_id for update;
  if exists (select 1 from entries e where e.tx_id = p_tx) then
    return query select 'done'::text, q.account_id::text, sum(e.amount)::text, null::text
      from entries e where e.tx_id = p_tx and e.ledger_account = 'customer';
    return;
  end if;
  select coalesce(sum(e.amount), 0) into v_refunded from entries e
    where e.account_id = q.account_id and e.corrects = p_request and e.ledger_account = 'customer' and e.kind = 'refund' and e.seq is not null;
  v_rest := coalesce(p_amount, q.charge - v_refunded);
  if v_rest <= 0 or v_rest > q.charge - v_refunded then
    return query select 'exceeds_charge'::text, q.account_id::text, null::text, (q.charge - v_refunded)::text;
    return;
  end if;
  for i in reverse coalesce(array_length(q.grant_ids, 1), 0) .. 1 loop
    exit when v_rest = 0;
    -- What this slice has been given back before.
    select coalesce(sum(e.amount), 0) into v_done from entries e
      where e.account_id = q.account_id and e.corrects = p_request and e.kind = 'refund' and e.seq is not null
        and (e.grant_id = q.grant_ids[i] or e.grant_id in (select x.id from grants x where x.metadata ->> 'refund_of' = q.grant_ids[i]
             and x.metadata ->> 'request' = p_request));
    v_take := least(v_rest, q.grant_amounts[i] - v_done);
    continue when v_take <= 0;
    select * into g from grants x where x.id = q.grant_ids[i];
    if g.voided_at is null and (g.expires_at is null or g.expires_at > clock_timestamp()) then
      v_grant := g.id;
      update grants x set remaining = x.remaining + v_take where x.id = g.id;
    else
      v_grant := 'grt_' || p_tx || '_' || i;
      insert into grants (id, account_id, kind, priority, amount, remaining, expires_at, metadata)
        values (v_grant, q.account_id, case when g.kind = 'promotional' then 'promotional' else 'refund' end, g.priority, v_take, v_take,
          clock_timestamp() + p_life, jsonb_build_object('refund_of', g.id, 'request', p_request));
    end if;
    perform post_pair(p_tx, 'refund', q.account_id, v_grant, v_take, 'earnings', p_request);
    v_rest := v_rest - v_take;
  end loop;
  return query select 'done'::text, q.account_id::text, coalesce(p_amount, q.charge - v_refunded)::text, null::text;
end $$;
create index entries_corrects on entries (corrects) where corrects is not null;
