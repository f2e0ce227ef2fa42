import type { Static } from "typebox";
import { presentSums } from "../../billing/present.ts";
import { type CreditUnit, formatCredits, formatUsd, pico } from "../../core/money.ts";
import type { UsageBucket, UsageQuery, UsageReports, UsageSums } from "../../ports-reports.ts";
import { invalid } from "../errors.ts";
import { type AdminRoute, type Call, read } from "../route.ts";
import { overview, overviewQuery } from "../schemas/reports.ts";
import { presentReport } from "./present-report.ts";

/** Rows of each table of the page. */
const rowsMax = 8;
/** Accounts or models that are compared to find the largest. */
const comparedMax = 20_000;

type OverviewCall = Call<unknown, Static<typeof overviewQuery>, unknown>;

export const overviewRoutes: readonly AdminRoute[] = [
  read(
    {
      ...{ path: "/overview", tag: "Reports", role: "viewer" },
      summary:
        "Sums of a period and of the one before, the state of the books, and what is largest or lowest.",
      ...{ params: null, query: overviewQuery, answer: overview },
    },
    async (call) => {
      const { desk, ports } = call;
      const { current, previous } = periodsOf(call.query);
      const { usage } = desk.tables;
      const [now, before, topAccounts, topModels, lowest, integrity] = await Promise.all([
        usage.totals(current),
        usage.totals(previous),
        largest(usage, { ...current, groupBy: ["account"] }),
        largest(usage, { ...current, groupBy: ["model"] }),
        ports.reports.lowestBalances(rowsMax),
        integrityOf(call),
      ]);
      const names = await ports.reports.accountNames(topAccounts.map((row) => row.account ?? ""));
      return {
        as_of: new Date(desk.clock.now()).toISOString(),
        period: { from: current.from, to: current.to },
        current: presentTotals(now, desk.credit),
        previous: presentTotals(before, desk.credit),
        integrity,
        top_accounts: topAccounts.map((row) =>
          presentTop(row, { id: row.account ?? "", names, credit: desk.credit }),
        ),
        top_models: topModels.map((row) =>
          presentTop(row, { id: row.model ?? "", names, credit: desk.credit }),
        ),
        lowest_balances: lowest.map((report) => presentReport(report, desk.credit)),
      };
    },
  ),
];

type WholePeriod = UsageQuery & { readonly from: string; readonly to: string };

/** The period, and the one of the same length before it. */
function periodsOf(query: Static<typeof overviewQuery>): { current: WholePeriod; previous: WholePeriod } {
  const from = Date.parse(query.from);
  const to = Date.parse(query.to);
  if (to <= from)
    throw invalid("invalid_query", "Cannot sum this period: `to` must be later than `from`.", "to");
  const period = (start: number, end: number): WholePeriod => ({
    ...{
      from: new Date(start).toISOString(),
      to: new Date(end).toISOString(),
      bucket: "all",
      tz: "UTC",
      groupBy: [],
    },
    ...{ accountId: null, keyId: null, model: null, endpoint: null },
  });
  return { current: period(from, to), previous: period(from - (to - from), from) };
}

async function largest(usage: UsageReports, query: UsageQuery): Promise<readonly UsageBucket[]> {
  const rows = await usage.buckets(query, { after: null, limit: comparedMax });
  return [...rows].sort((a, b) => (a.charge < b.charge ? 1 : -1)).slice(0, rowsMax);
}

async function integrityOf({ desk, ports }: OverviewCall): Promise<Static<typeof overview>["integrity"]> {
  const [check, open] = await Promise.all([ports.integrity.current(), ports.reports.openHolds()]);
  const { credit } = desk;
  return {
    check:
      check === null
        ? null
        : {
            checked_at: check.checkedAt,
            imbalance_usd: formatUsd(check.entries),
            drift_usd: formatUsd(check.balances),
          },
    open_holds: open.count,
    held: formatCredits(open.held, credit),
    oldest_hold:
      open.oldest === null
        ? null
        : {
            request_id: open.oldest.requestId,
            amount: formatCredits(open.oldest.amount, credit),
            created_at: open.oldest.createdAt,
          },
    recovery_ms: ports.recoveryMs,
  };
}

const presentTotals = (sums: UsageSums, credit: CreditUnit) => ({
  ...presentSums(sums, credit),
  charge_usd: formatUsd(sums.charge),
  vendor_cost_usd: formatUsd(sums.vendorCost),
  margin_usd: formatUsd(pico(sums.charge - sums.vendorCost)),
  loss_usd: formatUsd(sums.loss),
});

const presentTop = (
  row: UsageBucket,
  about: { readonly id: string; readonly names: ReadonlyMap<string, string>; readonly credit: CreditUnit },
) => ({
  id: about.id,
  name: about.names.get(about.id) ?? about.id,
  requests: row.requests,
  charge: formatCredits(row.charge, about.credit),
  vendor_cost_usd: formatUsd(row.vendorCost),
});
