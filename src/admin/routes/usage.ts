import Type, { type Static, type TObject } from "typebox";
import { presentBucket, presentSums } from "../../billing/present.ts";
import { formatUsd } from "../../core/money.ts";
import type { UsageCursor, UsageGroup, UsageQuery } from "../../ports-admin.ts";
import { invalid } from "../errors.ts";
import { badCursor } from "../lists.ts";
import { type AdminRoute, list } from "../route.ts";
import { usageBucket, usageQuery, usageTotals } from "../schemas/usage.ts";
import { periodOf } from "./requests.ts";

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
  ...periodOf(query),
  bucket: query.bucket ?? "day",
  tz: readZone(query.tz ?? "UTC"),
  groupBy: (query.group_by ?? "").split(",").filter((name): name is UsageGroup => name !== ""),
  accountId: query.account ?? null,
  keyId: query.key ?? null,
  model: query.model ?? null,
  endpoint: query.endpoint ?? null,
});

/** An IANA name. Offsets like "+05:30" are refused: databases read their sign the other way round. */
function readZone(name: string): string {
  const unknown = () =>
    invalid(
      "invalid_field",
      `Cannot use ${JSON.stringify(name)} as \`tz\`: write an IANA name like Europe/Berlin.`,
      "tz",
    );
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) throw unknown();
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
  } catch (error) {
    if (error instanceof RangeError) throw unknown();
    throw error;
  }
  return name;
}

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
