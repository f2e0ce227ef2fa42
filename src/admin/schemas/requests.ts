import Type from "typebox";
import { entry } from "./ledger.ts";
import {
  amount,
  filter,
  id,
  line,
  nullableNumber,
  nullableText,
  nullableTokens,
  oneOf,
  orNull,
  period,
  strict,
  text,
  time,
  usd,
} from "./shared.ts";

export const usageOfRequest = Type.Object(
  {
    input: nullableTokens,
    cached_input: nullableTokens,
    cache_write: nullableTokens,
    output: nullableTokens,
    reasoning: nullableTokens,
    total: nullableTokens,
    source: nullableText,
    method: nullableText,
    bound: nullableText,
    reason: nullableText,
  },
  strict,
);
const requestFields = {
  id: id("req"),
  account_id: id("acc"),
  account_name: nullableText,
  key_id: orNull(id("key")),
  key_name: nullableText,
  state: oneOf(["open", "settled", "released", "refused"]),
  outcome: nullableText,
  status: nullableNumber,
  refusal: nullableText,
  required: orNull(amount),
  stream: Type.Boolean(),
  operation: nullableText,
  model_requested: text,
  model_served: nullableText,
  priced_as: nullableText,
  price_row: nullableText,
  service_tier: nullableText,
  endpoint: nullableText,
  deployment: nullableText,
  attempts: Type.Array(Type.Unknown()),
  usage: orNull(usageOfRequest),
  rejected_usage: Type.Unknown(),
  estimate: Type.Unknown(),
  price_lines: Type.Array(
    Type.Object(
      { kind: text, quantity: Type.Integer(), unit_price_usd: usd, list_price_usd: usd, amount },
      strict,
    ),
  ),
  hold: amount,
  charge: orNull(amount),
  vendor_cost_usd: orNull(usd),
  loss_usd: orNull(usd),
  output_cap: nullableNumber,
  rewrites: Type.Array(Type.Unknown()),
  notes: Type.Array(Type.Unknown()),
  ttft_ms: nullableNumber,
  duration_ms: nullableNumber,
  overhead_ms: nullableNumber,
  client_request_id: nullableText,
  idempotency_key: nullableText,
  created_at: time,
  settled_at: orNull(time),
};
export const request = Type.Object(requestFields, { ...strict, title: "Request" });
export const requestDetail = Type.Object(
  {
    ...requestFields,
    refunds: Type.Array(
      Type.Object(
        { id: id("tx"), amount, reason: nullableText, actor: nullableText, created_at: time },
        strict,
      ),
    ),
    entries: Type.Array(entry),
  },
  { ...strict, title: "RequestDetail" },
);
export const requestNews = Type.Object(
  {
    requests: Type.Array(request),
    skipped: Type.Integer({ minimum: 0, description: "How many more there were than one event carries." }),
  },
  { ...strict, title: "RequestNews" },
);
export const refundCreate = Type.Object(
  {
    amount: Type.Optional(
      Type.String({ maxLength: 100, description: "Credits; all that is left of the charge, unless given." }),
    ),
    reason: line(1_000, "Kept in the books."),
  },
  { ...strict, title: "RefundCreate" },
);
export const requestQuery = {
  account: Type.Optional(filter),
  key: Type.Optional(filter),
  model: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Requested or served." })),
  endpoint: Type.Optional(filter),
  status: Type.Optional(
    oneOf(
      [
        "open",
        "settled",
        "released",
        "refused",
        "complete",
        "client_left",
        "vendor_cut",
        "vendor_error",
        "recovered",
      ],
      "A state or an outcome.",
    ),
  ),
  source: Type.Optional(oneOf(["vendor", "estimated", "none"])),
  ...period,
};
