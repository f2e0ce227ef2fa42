-- Sums of whole hours by model and by account, made from usage_rollups when a report is asked for and the hour is over.
-- Why: rollups have a row for each key and model of an hour, half a million in a month; the pages that everybody opens ask
-- for neither. Not written where money moves, so that no two gateways wait for one row. Locks: none, the tables are new.

create table usage_sums (
  -- 'model': account_id is ''. 'account': model and endpoint are ''.
  grain text not null check (grain in ('model', 'account')),
  bucket timestamptz not null,
  account_id text not null,
  model text not null,
  endpoint text not null,
  source text not null,
  requests bigint not null,
  input bigint not null,
  cached_input bigint not null,
  cache_write bigint not null,
  output bigint not null,
  reasoning bigint not null,
  charge pusd not null,
  vendor_cost pusd not null,
  loss pusd not null,
  primary key (grain, bucket, account_id, model, endpoint, source)
);
-- The hours whose sums are in usage_sums: of any other hour the rollups are read.
create table usage_summed (bucket timestamptz primary key);

-- Sums up to `p_most` hours, the newest first. An hour is over for three hours: settlements of requests that were admitted
-- more than two hours before take its sums away again (usage_unsum), and none of them runs for an hour.
create function usage_sum_hours(p_most int) returns int language plpgsql as $$
declare
  v_hours timestamptz[];
begin
  -- Waits for settlements that take sums away, and lets none begin; whatever they wrote is seen below.
  lock table usage_summed in share row exclusive mode;
  select array_agg(x.at) into v_hours from (
    select h.at from generate_series((select min(bucket) from usage_rollups),
      date_trunc('hour', clock_timestamp(), 'UTC') - interval '4 hours', interval '1 hour') as h (at)
    where not exists (select 1 from usage_summed d where d.bucket = h.at)
    order by h.at desc limit p_most) x;
  if v_hours is null then return 0; end if;
  insert into usage_sums
    select g.grain, u.bucket, case g.grain when 'account' then u.account_id else '' end,
      case g.grain when 'model' then u.model else '' end, case g.grain when 'model' then u.endpoint else '' end, u.source,
      sum(u.requests), sum(u.input), sum(u.cached_input), sum(u.cache_write), sum(u.output), sum(u.reasoning),
      sum(u.charge), sum(u.vendor_cost), sum(u.loss)
    from usage_rollups u cross join (values ('model'), ('account')) as g (grain)
    where u.bucket = any (v_hours) group by 1, 2, 3, 4, 5, 6;
  insert into usage_summed select unnest(v_hours);
  return cardinality(v_hours);
end $$;

-- Takes the sums of hours away whose rollups have just changed.
create function usage_unsum(p_hours timestamptz[]) returns void language plpgsql as $$
begin
  lock table usage_summed in row exclusive mode;
  delete from usage_sums where grain in ('model', 'account') and bucket = any (p_hours);
  delete from usage_summed where bucket = any (p_hours);
end $$;
