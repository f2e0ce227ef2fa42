import { presentKey } from "../../billing/present.ts";
import { accountNotFound } from "../../billing/refusals.ts";
import { readUsageQuery } from "../../billing/usage-query.ts";
import type { TrafficBucket } from "../../ports-console.ts";
import { accepted, invalid } from "../errors.ts";
import { type AdminRoute, byId, list, read } from "../route.ts";
import {
  accountReport,
  accountReportQuery,
  keyListQuery,
  listedKey,
  traffic,
  trafficQuery,
} from "../schemas/reports.ts";
import { idParams } from "../schemas/shared.ts";
import { presentReport } from "./present-report.ts";

const tag = "Reports";

export const reportRoutes: readonly AdminRoute[] = [
  list(
    {
      ...{ path: "/reports/accounts", tag, role: "viewer" },
      summary: "Accounts with what they spent lately and how long their credit lasts, newest first.",
      ...{ params: null, query: accountReportQuery, item: accountReport },
    },
    async ({ query, desk, ports }, page) => {
      const filter = { status: query.status ?? null, search: query.search ?? null };
      const rows = await ports.reports.accounts(filter, page);
      return byId(rows.map((row) => presentReport(row, desk.credit)));
    },
  ),
  read(
    {
      ...{ path: "/reports/accounts/{id}", tag, role: "viewer" },
      summary: "One account with what it spent lately and how long its credit lasts.",
      ...{ params: idParams, answer: accountReport },
    },
    async ({ params, desk, ports }) => {
      await desk.tables.grants.expire([params.id]);
      const found = await ports.reports.account(params.id);
      return presentReport(found ?? accepted(accountNotFound("show the account", params.id)), desk.credit);
    },
  ),
  list(
    {
      ...{ path: "/reports/traffic", tag, role: "viewer" },
      summary:
        "How requests ended and how long they took, in buckets of time; of a sample where there are very many.",
      ...{ params: null, query: trafficQuery, item: traffic, limits: { usual: 2_000, most: 2_000 } },
    },
    async ({ query, ports }, { after }) => {
      const { from, to, bucket, tz } = accepted(readUsageQuery(query, []));
      if (from === null || to === null || bucket === "all" || from >= to)
        throw invalid("invalid_query", "Cannot report on this period: `to` must be later than `from`.", "to");
      const rows = await ports.reports.traffic({ from, to, bucket, tz });
      return rows
        .filter((row) => after === null || row.bucket > after)
        .map((row) => ({ value: presentTraffic(row), cursor: row.bucket }));
    },
  ),
  list(
    {
      ...{ path: "/keys", tag: "Keys", role: "viewer" },
      summary: "Keys of all accounts, newest first.",
      ...{ params: null, query: keyListQuery, item: listedKey },
    },
    async ({ query, desk, ports }, page) => {
      const filter = {
        accountId: query.account ?? null,
        status: query.status ?? null,
        search: query.search ?? null,
      };
      const rows = await ports.reports.keys(filter, page);
      return byId(rows.map((row) => ({ ...presentKey(row, desk.credit), account_name: row.accountName })));
    },
  ),
];

const presentTraffic = (row: TrafficBucket) => ({
  bucket: row.bucket,
  looked: row.looked,
  is_sample: row.isSample,
  outcomes: row.outcomes,
  ttft_p50_ms: row.ttftP50,
  ttft_p95_ms: row.ttftP95,
  duration_p50_ms: row.durationP50,
  duration_p95_ms: row.durationP95,
});
