import Type, { type Static, type TObject } from "typebox";
import { presentBucket, presentSums } from "../../billing/present.ts";
import { readUsageQuery } from "../../billing/usage-query.ts";
import { formatUsd } from "../../core/money.ts";
import type { UsageCursor, UsageQuery } from "../../ports-reports.ts";
import { accepted } from "../errors.ts";
import { badCursor } from "../lists.ts";
import { type AdminRoute, list } from "../route.ts";
import { usageBucket, usageQuery, usageTotals } from "../schemas/usage.ts";

type Query = Static<TObject<typeof usageQuery>>;

export const usageRoutes: readonly AdminRoute[] = [
  list(
    {
      ...{ path: "/usage", tag: "Usage", role: "viewer" },
      summary:
        "Settled requests in buckets of time, oldest first, by when they were admitted; `totals` are of the whole period.",
      ...{ params: null, query: usageQuery, item: usageBucket },
      // A month of hours fits one page.
      limits: { usual: 1_000, most: 5_000 },
      extra: {
        schema: Type.Object({ totals: usageTotals }),
        get: async ({ query, desk }) => {
          const totals = await desk.tables.usage.totals(readQuery(query));
          const operator = {
            vendor_cost_usd: formatUsd(totals.vendorCost),
            loss_usd: formatUsd(totals.loss),
          };
          return { totals: { ...presentSums(totals, desk.credit), ...operator } };
        },
      },
    },
    async ({ query, desk }, page) => {
      const after = page.after === null ? null : readUsageCursor(page.after);
      const buckets = await desk.tables.usage.buckets(readQuery(query), { after, limit: page.limit });
      return buckets.map((bucket) => {
        const { account, model, endpoint, key } = bucket;
        const cursor = JSON.stringify([bucket.bucket, account, model, endpoint, key]);
        return { value: presentBucket(bucket, desk.credit), cursor };
      });
    },
  ),
];

const readQuery = (query: Query): UsageQuery => ({
  ...accepted(readUsageQuery(query, ["account", "model", "endpoint", "key"])),
  accountId: query.account ?? null,
  keyId: query.key ?? null,
  model: query.model ?? null,
  endpoint: query.endpoint ?? null,
});

function readUsageCursor(text: string): UsageCursor {
  let parts: unknown;
  try {
    parts = JSON.parse(text);
  } catch {
    throw badCursor();
  }
  if (
    !Array.isArray(parts) ||
    parts.length !== 5 ||
    typeof parts[0] !== "string" ||
    Number.isNaN(Date.parse(parts[0]))
  )
    throw badCursor();
  const groups = parts.slice(1) as unknown[];
  if (!groups.every((part) => part === null || typeof part === "string")) throw badCursor();
  const [account, model, endpoint, key] = groups as (string | null)[];
  return {
    bucket: parts[0],
    account: account ?? null,
    model: model ?? null,
    endpoint: endpoint ?? null,
    key: key ?? null,
  };
}
