import type { UsageBucket, UsageQuery, UsageReports, UsageSums } from "../ports-reports.ts";
import { type Queryable, sql } from "./db.ts";
import { amountFromText, instant } from "./rows.ts";

/**
 * Whether the zone's hours are not UTC's somewhere in the period (India, Nepal, Lord Howe in winter): sums per UTC hour
 * cannot be cut into such hours or days, so the requests themselves are summed. An offset holds for weeks, so looking
 * twice a day sees each.
 */
const selectHasOddOffset = sql`
  select exists (
    select 1 from (
      select generate_series(greatest($1::timestamptz, min(bucket)), least($2::timestamptz, max(bucket) + interval '1 hour'),
        interval '12 hours') as at from usage_rollups) h
    where extract(minute from h.at at time zone $3::text) <> extract(minute from h.at at time zone 'UTC')) as has_odd_offset`;

/**
 * Sums of whole hours come from the rollups; the requests fill in the parts of hours at both ends of the period, or all
 * of it when $9 says so. $20 names the coarser sums that are enough, '' for none: hours that are not summed yet are read from
 * the rollups, in the same snapshot. What is not grouped by is '', so that rows have one total order.
 */
const selectBuckets = sql`
  with source as (
    select bucket as at, account_id, key_id, model, endpoint, source, requests, input, cached_input, cache_write, output, reasoning,
      charge::numeric as charge, vendor_cost::numeric as vendor_cost, loss::numeric as loss
    from usage_rollups
    where not $9::boolean and $20::text = ''
      and ($1::timestamptz is null or bucket >= date_trunc('hour', $1::timestamptz - interval '1 microsecond') + interval '1 hour')
      and ($2::timestamptz is null or bucket < date_trunc('hour', $2::timestamptz))
    union all
    select bucket, account_id, key_id, model, endpoint, source, requests, input, cached_input, cache_write, output, reasoning,
      charge::numeric, vendor_cost::numeric, loss::numeric
    from usage_rollups
    where not $9::boolean and $20::text <> '' and bucket = any (array(
      select h.at from generate_series(
        greatest(date_trunc('hour', $1::timestamptz - interval '1 microsecond') + interval '1 hour', (select min(bucket) from usage_rollups)),
        least(date_trunc('hour', $2::timestamptz) - interval '1 hour', (select max(bucket) from usage_rollups)), interval '1 hour') as h (at)
      where not exists (select 1 from usage_summed d where d.bucket = h.at)))
    union all
    select bucket, account_id, '', model, endpoint, source, requests, input, cached_input, cache_write, output, reasoning,
      charge::numeric, vendor_cost::numeric, loss::numeric
    from usage_sums
    where not $9::boolean and grain = $20::text
      and ($1::timestamptz is null or bucket >= date_trunc('hour', $1::timestamptz - interval '1 microsecond') + interval '1 hour')
      and ($2::timestamptz is null or bucket < date_trunc('hour', $2::timestamptz))
    union all
    select created_at, account_id, coalesce(key_id, ''), coalesce(model_served, model_requested), coalesce(endpoint, ''), source, 1,
      coalesce(input, 0), coalesce(cached_input, 0), coalesce(cache_write, 0), coalesce(output, 0), coalesce(reasoning, 0),
      charge, vendor_cost, loss
    from requests
    where state = 'settled' and ($1::timestamptz is null or created_at >= $1) and ($2::timestamptz is null or created_at < $2)
      and ($9::boolean or created_at < date_trunc('hour', $1::timestamptz - interval '1 microsecond') + interval '1 hour'
        or created_at >= date_trunc('hour', $2::timestamptz))
  ), sums as (
    select date_trunc($3, at, $4::text) as bucket,
      case when $10::boolean then account_id else '' end as account, case when $11::boolean then model else '' end as model,
      case when $12::boolean then endpoint else '' end as endpoint, case when $13::boolean then key_id else '' end as key,
      sum(requests)::bigint as requests,
      coalesce(sum(requests) filter (where source = 'vendor'), 0)::bigint as vendor,
      coalesce(sum(requests) filter (where source = 'estimated'), 0)::bigint as estimated,
      coalesce(sum(requests) filter (where source = 'none'), 0)::bigint as none,
      sum(input)::bigint as input, sum(cached_input)::bigint as cached_input, sum(cache_write)::bigint as cache_write,
      sum(output)::bigint as output, sum(reasoning)::bigint as reasoning,
      sum(charge)::text as charge, sum(vendor_cost)::text as vendor_cost, sum(loss)::text as loss
    from source
    where ($5::text is null or account_id = $5)
      and ($6::text is null or (key_id = $6 and account_id = (select k.account_id from keys k where k.id = $6))) and ($7::text is null or model = $7)
      and ($8::text is null or endpoint = $8)
    group by 1, 2, 3, 4, 5)
  select * from sums
  where $14::timestamptz is null or (bucket, account, model, endpoint, key) > ($14, $15::text, $16::text, $17::text, $18::text)
  order by bucket, account, model, endpoint, key limit $19`;

/** Hours of which a read makes sums, when they are missing: two days, under half a second where a thousand keys are busy. */
const summedMost = 48;
const sumHours = sql`select usage_sum_hours($1) as hours`;
/** While nothing is missing, this long passes between looks, ms. */
const lookMs = 60_000;

interface BucketRow {
  readonly bucket: Date;
  readonly account: string;
  readonly model: string;
  readonly endpoint: string;
  readonly key: string;
  readonly requests: number;
  readonly vendor: number;
  readonly estimated: number;
  readonly none: number;
  readonly input: number;
  readonly cached_input: number;
  readonly cache_write: number;
  readonly output: number;
  readonly reasoning: number;
  readonly charge: string;
  readonly vendor_cost: string;
  readonly loss: string;
}

export function createUsageReports(db: Queryable): UsageReports {
  const keepSummed = createSumKeeper(db);
  const hasOddOffset = async (query: UsageQuery): Promise<boolean> => {
    const [row] = await db.query<{ has_odd_offset: boolean }>(selectHasOddOffset, [
      query.from,
      query.to,
      query.tz,
    ]);
    return row?.has_odd_offset === true;
  };
  const parameters = (query: UsageQuery, fromRequests: boolean): unknown[] => [
    query.from,
    query.to,
    // All years that can be are one millennium.
    query.bucket === "all" ? "millennium" : query.bucket,
    query.tz,
    query.accountId,
    query.keyId,
    query.model,
    query.endpoint,
    fromRequests,
    ...(["account", "model", "endpoint", "key"] as const).map((group) => query.groupBy.includes(group)),
  ];
  return {
    async buckets(query, { after, limit }) {
      const grain = grainOf(query);
      if (grain !== "") await keepSummed();
      const cursor = [after?.bucket, after?.account, after?.model, after?.endpoint, after?.key];
      const values = [
        ...parameters(query, await hasOddOffset(query)),
        ...cursor.map((one, i) => cursorValue(one, i, after)),
        limit,
        grain,
      ];
      return (await db.query<BucketRow>(selectBuckets, values)).map((row) => fromRow(row, query));
    },
    async totals(query) {
      // One bucket over everything: the sums of a report do not depend on how it is cut.
      const whole: UsageQuery = { ...query, bucket: "day", tz: "UTC", groupBy: [] };
      const grain = grainOf(whole);
      if (grain !== "") await keepSummed();
      const rows = await db.query<BucketRow>(selectBuckets, [
        ...parameters(whole, false),
        ...[null, null, null, null, null],
        null,
        grain,
      ]);
      return rows.map((row) => fromRow(row, whole)).reduce(addSums, noSums);
    },
  };
}

/** Sums the hours that are over, a few at a time, before they are read; one look for all who ask meanwhile. */
function createSumKeeper(db: Queryable): () => Promise<void> {
  let running: Promise<void> | null = null;
  let isDoneUntil = 0;
  const sum = async (): Promise<void> => {
    try {
      const [row] = await db.query<{ hours: number }>(sumHours, [summedMost]);
      if (row !== undefined && row.hours < summedMost) isDoneUntil = performance.now() + lookMs;
    } finally {
      running = null;
    }
  };
  return async () => {
    if (performance.now() < isDoneUntil) return;
    running ??= sum();
    await running;
  };
}

/** The coarsest sums that can answer: none where keys are asked for, or one account's models. */
function grainOf({ accountId, keyId, model, endpoint, groupBy }: UsageQuery): "" | "model" | "account" {
  if (keyId !== null || accountId !== null || groupBy.includes("key")) return "";
  const isByModel =
    model !== null || endpoint !== null || groupBy.includes("model") || groupBy.includes("endpoint");
  if (!groupBy.includes("account")) return "model";
  return isByModel ? "" : "account";
}

/** A group that the report does not have is '' in the statement's order. */
const cursorValue = (value: string | null | undefined, index: number, after: unknown): string | null => {
  if (after === null) return null;
  return index === 0 ? (value ?? null) : (value ?? "");
};

const noSums: UsageSums = {
  requests: 0,
  bySource: { vendor: 0, estimated: 0, none: 0 },
  input: 0,
  cachedInput: 0,
  cacheWrite: 0,
  output: 0,
  reasoning: 0,
  charge: amountFromText("0"),
  vendorCost: amountFromText("0"),
  loss: amountFromText("0"),
};

const addSums = (a: UsageSums, b: UsageSums): UsageSums => ({
  requests: a.requests + b.requests,
  bySource: {
    vendor: a.bySource.vendor + b.bySource.vendor,
    estimated: a.bySource.estimated + b.bySource.estimated,
    none: a.bySource.none + b.bySource.none,
  },
  input: a.input + b.input,
  cachedInput: a.cachedInput + b.cachedInput,
  cacheWrite: a.cacheWrite + b.cacheWrite,
  output: a.output + b.output,
  reasoning: a.reasoning + b.reasoning,
  charge: (a.charge + b.charge) as UsageSums["charge"],
  vendorCost: (a.vendorCost + b.vendorCost) as UsageSums["vendorCost"],
  loss: (a.loss + b.loss) as UsageSums["loss"],
});

const fromRow = (row: BucketRow, { groupBy }: UsageQuery): UsageBucket => ({
  bucket: instant(row.bucket),
  account: groupBy.includes("account") ? row.account : null,
  model: groupBy.includes("model") ? row.model : null,
  endpoint: groupBy.includes("endpoint") ? row.endpoint : null,
  key: groupBy.includes("key") ? row.key : null,
  requests: row.requests,
  bySource: { vendor: row.vendor, estimated: row.estimated, none: row.none },
  input: row.input,
  cachedInput: row.cached_input,
  cacheWrite: row.cache_write,
  output: row.output,
  reasoning: row.reasoning,
  charge: amountFromText(row.charge),
  vendorCost: amountFromText(row.vendor_cost),
  loss: amountFromText(row.loss),
});
