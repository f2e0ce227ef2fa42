import { idFloor } from "../lib/ids.ts";
import type { ConsoleReports, TrafficBucket } from "../ports-console.ts";
import { type Queryable, sql } from "./db.ts";
import { amountFromText, instant } from "./rows.ts";

const selectOpenHolds = sql`
  select (select count(*) from holds) as count, (select coalesce(sum(amount), 0)::text from holds) as held,
    h.id, h.amount::text as amount, h.created_at
  from (select 1) one left join (select id, amount, created_at from holds order by created_at, id limit 1) h on true`;
const selectImbalance = sql`
  select coalesce(sum(amount), 0)::text as entries,
    (coalesce(sum(amount) filter (where ledger_account = 'customer'), 0) - (select coalesce(sum(posted), 0) from balances))::text
      as balances
  from entries`;
const selectSeenModels = sql`
  select model, endpoint, sum(requests)::bigint as requests, max(bucket) as last_at
  from usage_rollups where bucket >= $1 group by model, endpoint order by sum(requests) desc, model, endpoint limit 1000`;
/** Starts of the zone's days or hours, and their ends. A day may have 23 or 25 hours. */
const selectSpans = sql`
  with starts as (
    select case when $3 = 'hour' then s.at else s.at at time zone 'UTC' at time zone $4 end as at
    from (
      select at from generate_series(date_trunc('hour', $1::timestamptz, $4), $2::timestamptz - interval '1 microsecond',
        interval '1 hour') at where $3 = 'hour'
      union all
      select local at time zone 'UTC' from generate_series(date_trunc('day', $1::timestamptz at time zone $4),
        $2::timestamptz at time zone $4 - interval '1 microsecond', interval '1 day') local where $3 = 'day'
    ) s
  )
  select at as start_at, coalesce(lead(at) over (order by at), $2::timestamptz) as end_at from starts order by at`;
/**
 * The newest requests of each span, by the primary key: ids sort by time. Gateways' clocks may differ from the database's
 * by minutes, hence the bounds on both. No index on the hot table is needed, and a span costs the same however many it had:
 * the bounds on time are written so that the index on time cannot be chosen, which would read all requests of the span.
 */
const selectTraffic = sql`
  select span.start_at, span.end_at, count(r.id)::int as looked,
    percentile_disc(0.5) within group (order by r.ttft) as ttft_p50,
    percentile_disc(0.95) within group (order by r.ttft) as ttft_p95,
    percentile_disc(0.5) within group (order by r.duration) as duration_p50,
    percentile_disc(0.95) within group (order by r.duration) as duration_p95,
    array_remove(array_agg(r.outcome), null) as outcomes
  from unnest($1::timestamptz[], $2::timestamptz[], $3::text[], $4::text[]) as span (start_at, end_at, from_id, to_id)
    left join lateral (
      select r.id, r.outcome, (r.record ->> 'ttft_ms')::float8 as ttft, (r.record ->> 'duration_ms')::float8 as duration
      from requests r
      where r.id >= span.from_id and r.id < span.to_id
        and r.created_at + interval '0 s' >= span.start_at and r.created_at + interval '0 s' < span.end_at
      order by r.id desc limit $5
    ) r on true
  group by span.start_at, span.end_at order by span.start_at`;

/** Requests of one span that are looked at. Percentiles of this many are good to a few percent of rank. */
const sampleMax = 300;
/** Spans of one report: three days of hours, or five years of days. */
const spansMax = 2_000;
const clockSkewMs = 5 * 60_000;

interface TrafficRow {
  readonly start_at: Date;
  readonly looked: number;
  readonly outcomes: readonly string[] | null;
  readonly ttft_p50: number | null;
  readonly ttft_p95: number | null;
  readonly duration_p50: number | null;
  readonly duration_p95: number | null;
}
interface OpenRow {
  readonly count: number;
  readonly held: string;
  readonly id: string | null;
  readonly amount: string | null;
  readonly created_at: Date | null;
}

type TrafficReports = Pick<ConsoleReports, "openHolds" | "imbalance" | "traffic" | "seenModels">;

export function createTrafficReports(db: Queryable): TrafficReports {
  return {
    async openHolds() {
      const [row] = await db.query<OpenRow>(selectOpenHolds);
      if (row === undefined) throw new Error("Bug: the sum of open holds has no row");
      const { id, amount, created_at } = row;
      const oldest =
        id === null || amount === null || created_at === null
          ? null
          : { requestId: id, amount: amountFromText(amount), createdAt: instant(created_at) };
      return { count: row.count, held: amountFromText(row.held), oldest };
    },
    async imbalance() {
      const [row] = await db.query<{ entries: string; balances: string }>(selectImbalance);
      if (row === undefined) throw new Error("Bug: the sum of entries has no row");
      return { entries: amountFromText(row.entries), balances: amountFromText(row.balances) };
    },
    async traffic({ from, to, bucket, tz }) {
      const all = await db.query<{ start_at: Date; end_at: Date }>(selectSpans, [from, to, bucket, tz]);
      const spans = all.slice(-spansMax);
      const rows = await db.query<TrafficRow>(selectTraffic, [
        spans.map((span) => instant(span.start_at)),
        spans.map((span) => instant(span.end_at)),
        spans.map((span) => idFloor("req", span.start_at.getTime() - clockSkewMs)),
        spans.map((span) => idFloor("req", span.end_at.getTime() + clockSkewMs)),
        sampleMax,
      ]);
      return rows.map(trafficFromRow);
    },
    async seenModels(from) {
      const rows = await db.query<{ model: string; endpoint: string; requests: number; last_at: Date }>(
        selectSeenModels,
        [from],
      );
      return rows.map(({ model, endpoint, requests, last_at }) => ({
        ...{ model, endpoint, requests },
        lastAt: instant(last_at),
      }));
    },
  };
}

function trafficFromRow(row: TrafficRow): TrafficBucket {
  const outcomes: Record<string, number> = {};
  for (const outcome of row.outcomes ?? []) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  return {
    bucket: instant(row.start_at),
    looked: row.looked,
    isSample: row.looked === sampleMax,
    outcomes,
    ttftP50: row.ttft_p50,
    ttftP95: row.ttft_p95,
    durationP50: row.duration_p50,
    durationP95: row.duration_p95,
  };
}
