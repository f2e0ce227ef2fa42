import Type from "typebox";
import { account } from "./accounts.ts";
import { key } from "./keys.ts";
import {
  amount,
  count,
  filter,
  id,
  nullableNumber,
  nullableText,
  oneOf,
  orNull,
  strict,
  text,
  time,
  tokens,
  usd,
} from "./shared.ts";
import { usageTotals } from "./usage.ts";

const inclusive = Type.String({ format: "date-time", maxLength: 40, description: "Inclusive." });
const exclusive = Type.String({ format: "date-time", maxLength: 40, description: "Exclusive." });
const zone = Type.Optional(
  Type.String({ minLength: 1, maxLength: 100, description: "IANA time zone; `UTC` unless given." }),
);

export const accountReport = Type.Object(
  {
    ...account.properties,
    live_keys: tokens,
    spent_24h: amount,
    spent_7d: amount,
    spent_30d: amount,
    hours_left: orNull(
      Type.Integer({
        description: "Available ÷ what was spent per hour in the last 7 days; null when nothing was.",
      }),
    ),
  },
  { ...strict, title: "AccountReport" },
);
export const accountReportQuery = {
  status: Type.Optional(oneOf(["active", "frozen"])),
  search: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: "Part of the name or external id." }),
  ),
};

export const trafficQuery = {
  from: inclusive,
  to: exclusive,
  bucket: Type.Optional(oneOf(["hour", "day"])),
  tz: zone,
};
export const traffic = Type.Object(
  {
    bucket: Type.String({ format: "date-time", description: "Start of the bucket, in UTC." }),
    looked: Type.Integer({ description: "Requests that were looked at." }),
    is_sample: Type.Boolean({ description: "There were more; the newest were looked at." }),
    outcomes: Type.Record(text, tokens),
    ttft_p50_ms: nullableNumber,
    ttft_p95_ms: nullableNumber,
    duration_p50_ms: nullableNumber,
    duration_p95_ms: nullableNumber,
  },
  { ...strict, title: "Traffic" },
);

const sums = Type.Object(
  {
    ...usageTotals.properties,
    charge_usd: usd,
    margin_usd: Type.String({ description: "Charge less vendor cost, USD, exact decimal." }),
  },
  strict,
);
const top = Type.Object(
  { id: text, name: text, requests: tokens, charge: amount, vendor_cost_usd: usd },
  strict,
);
export const overviewQuery = Type.Object({ from: inclusive, to: exclusive }, strict);
export const overview = Type.Object(
  {
    as_of: time,
    period: Type.Object({ from: time, to: time }, strict),
    current: sums,
    previous: sums,
    integrity: Type.Object(
      {
        check: orNull(
          Type.Object(
            {
              checked_at: time,
              imbalance_usd: Type.String({ description: "The sum of all entries; 0 in sound books." }),
              drift_usd: Type.String({
                description: "Customer entries less posted balances; 0 in sound books.",
              }),
            },
            strict,
          ),
        ),
        open_holds: tokens,
        held: amount,
        oldest_hold: orNull(Type.Object({ request_id: id("req"), amount, created_at: time }, strict)),
        recovery_ms: Type.Integer({ description: "Holds of dead processes are settled within this time." }),
      },
      strict,
    ),
    top_accounts: Type.Array(top),
    top_models: Type.Array(top),
    lowest_balances: Type.Array(accountReport),
  },
  { ...strict, title: "Overview" },
);

export const servedModel = Type.Object(
  {
    name: text,
    markup: Type.String({
      description: "Sell price = list price × markup, rounded up to a pico-dollar once.",
    }),
    deployments: Type.Array(
      Type.Object(
        {
          endpoint: text,
          deployment: text,
          model: text,
          provider: text,
          price_row: nullableText,
          origin: nullableText,
          from: orNull(time),
          prices: Type.Array(Type.Object({ kind: text, list_price_usd: usd, unit_price_usd: usd }, strict)),
        },
        strict,
      ),
    ),
  },
  { ...strict, title: "ServedModel" },
);
export const unpricedModel = Type.Object(
  {
    model: text,
    endpoint: text,
    requests: tokens,
    last_at: time,
    charged_as: Type.Array(text, {
      description: "The deployments' models, whose price was charged instead.",
    }),
  },
  { ...strict, title: "UnpricedModel" },
);

export const probePlan = Type.Object(
  {
    calls: tokens,
    largest_cost_usd: orNull({ ...usd, description: "Null when no price is known." }),
  },
  { ...strict, title: "ProbePlan" },
);

export const settings = Type.Object(
  {
    version: text,
    node: text,
    store: oneOf(["postgres", "pglite"]),
    file: nullableText,
    values: Type.Array(Type.Object({ path: text, value: Type.Unknown(), origin: text }, strict)),
  },
  { ...strict, title: "Settings" },
);

export const listedKey = Type.Object(
  { ...key.properties, account_name: text },
  { ...strict, title: "ListedKey" },
);
export const keyListQuery = {
  account: Type.Optional(filter),
  status: Type.Optional(oneOf(["live", "ended"], "`ended`: revoked or expired.")),
  search: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: "Part of a name, or the last 4 characters." }),
  ),
};
export const loginLink = Type.Object(
  { path: text, expires_in_seconds: Type.Integer() },
  { ...strict, title: "LoginLink" },
);
export const portalCreate = Type.Object(
  { expires_in_seconds: Type.Optional(count("How long it works, at most a day; an hour unless given.")) },
  { ...strict, title: "PortalTokenCreate" },
);
export const portalMade = Type.Object(
  { token: text, path: text, expires_at: time },
  { ...strict, title: "PortalTokenMade" },
);
