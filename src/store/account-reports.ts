import type { AccountReport, ConsoleReports } from "../ports-console.ts";
import { type AccountRow, fromRow } from "./accounts.ts";
import { type Queryable, sql } from "./db.ts";
import { amountFromText } from "./rows.ts";

/**
 * Whole hours, as the sums are kept by the hour. The account's own index finds its month: the statement's time is one value,
 * which an index can be searched for; the clock's would be read for every row.
 */
const selectReports = sql`
  select a.id, a.name, a.external_id, a.metadata, a.status, a.is_demo, a.created_at, a.posted::text as posted,
    a.held::text as held, (a.posted - a.held)::text as available, s.day::text as day, s.week::text as week,
    s.month::text as month, k.live_keys,
    case when s.week > 0 then least(floor((a.posted - a.held) * 168 / s.week), 1000000000)::bigint end as hours_left
  from (
    select a.*, b.posted, b.held from accounts a join balances b on b.account_id = a.id
    where ($1::text is null or a.status = $1)
      and ($2::text is null or strpos(lower(a.name), lower($2)) > 0 or strpos(lower(coalesce(a.external_id, '')), lower($2)) > 0
        or a.id = $2)
      and ($3::text is null or a.id < $3) and ($4::text is null or a.id = $4)
    order by a.id desc limit $5
  ) a cross join lateral (
    select coalesce(sum(u.charge) filter (where u.bucket >= statement_timestamp() - interval '24 hours'), 0) as day,
      coalesce(sum(u.charge) filter (where u.bucket >= statement_timestamp() - interval '7 days'), 0) as week,
      coalesce(sum(u.charge), 0) as month
    from usage_rollups u where u.account_id = a.id and u.bucket >= statement_timestamp() - interval '30 days'
  ) s cross join lateral (
    select count(*) as live_keys from keys k
    where k.account_id = a.id and k.revoked_at is null and (k.expires_at is null or k.expires_at > statement_timestamp())
  ) k
  order by a.id desc`;
/** Only who spends can run out. */
const selectLowest = sql`
  select b.account_id as id
  from (select account_id, sum(charge) as week from usage_rollups
      where bucket >= statement_timestamp() - interval '7 days' group by account_id) s
    join balances b on b.account_id = s.account_id
  where s.week > 0 order by (b.posted - b.held) / s.week, b.account_id limit $1`;
const selectNames = sql`select id, name from accounts where id = any($1::text[])`;

interface ReportRow extends AccountRow {
  readonly day: string;
  readonly week: string;
  readonly month: string;
  readonly live_keys: number;
  readonly hours_left: number | null;
}

type AccountReports = Pick<ConsoleReports, "accounts" | "account" | "lowestBalances" | "accountNames">;

export function createAccountReports(db: Queryable): AccountReports {
  const find = async (id: string): Promise<AccountReport | null> => {
    const [row] = await db.query<ReportRow>(selectReports, [null, null, null, id, 1]);
    return row === undefined ? null : reportFromRow(row);
  };
  return {
    account: find,
    async accounts({ status, search }, { after, limit }) {
      return (await db.query<ReportRow>(selectReports, [status, search, after, null, limit])).map(
        reportFromRow,
      );
    },
    async lowestBalances(limit) {
      const rows = await db.query<{ id: string }>(selectLowest, [limit]);
      const found = await Promise.all(rows.map((row) => find(row.id)));
      return found.filter((report) => report !== null);
    },
    async accountNames(ids) {
      const rows = await db.query<{ id: string; name: string }>(selectNames, [ids]);
      return new Map(rows.map((row) => [row.id, row.name]));
    },
  };
}

const reportFromRow = (row: ReportRow): AccountReport => ({
  ...fromRow(row),
  spent24h: amountFromText(row.day),
  spent7d: amountFromText(row.week),
  spent30d: amountFromText(row.month),
  liveKeys: row.live_keys,
  hoursLeft: row.hours_left,
});
