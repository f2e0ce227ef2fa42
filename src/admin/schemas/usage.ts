import Type from "typebox";
import { amount, filter, nullableText, oneOf, period, strict, tokens, usd } from "./shared.ts";

const sums = {
  requests: tokens,
  by_source: Type.Object({ vendor: tokens, estimated: tokens, none: tokens }, strict),
  input: tokens,
  cached_input: tokens,
  cache_write: tokens,
  output: tokens,
  reasoning: tokens,
  charge: amount,
  vendor_cost_usd: usd,
  loss_usd: usd,
};
export const usageTotals = Type.Object(sums, { ...strict, title: "UsageTotals" });
export const usageBucket = Type.Object(
  {
    bucket: Type.String({ format: "date-time", description: "Start of the bucket, in UTC." }),
    account_id: nullableText,
    model: nullableText,
    endpoint: nullableText,
    key_id: nullableText,
    ...sums,
  },
  { ...strict, title: "UsageBucket" },
);
export const usageQuery = {
  ...period,
  bucket: Type.Optional(oneOf(["hour", "day"], "`day` unless given.")),
  tz: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 100,
      description: "IANA time zone of the buckets; `UTC` unless given.",
    }),
  ),
  group_by: Type.Optional(
    Type.String({
      pattern: "^(account|model|endpoint|key)(,(account|model|endpoint|key)){0,3}$",
      description: "Any of account, model, endpoint, key, with commas between.",
    }),
  ),
  account: Type.Optional(filter),
  key: Type.Optional(filter),
  model: Type.Optional(filter),
  endpoint: Type.Optional(filter),
};
