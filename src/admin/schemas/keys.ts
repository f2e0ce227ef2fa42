import Type from "typebox";
import { amount, amountIn, count, id, line, oneOf, orNull, secret, strict, time, timeIn } from "./shared.ts";

const spendWindow = oneOf(["hour", "day", "week", "month", "total"], "Calendar windows, in UTC.");
const keySettings = Type.Object({ usage_cost: Type.Boolean(), idempotency: Type.Boolean() }, strict);
const models = Type.Array(line(200, "A model's name."), { minItems: 1, maxItems: 1_000, uniqueItems: true });

const keyFields = {
  id: id("key"),
  account_id: id("acc"),
  name: Type.String(),
  prefix: Type.String(),
  display: Type.String({ description: "Prefix and last 4 characters of the secret." }),
  models: orNull(Type.Array(Type.String())),
  spend_limit: orNull(amount),
  spend_window: orNull(spendWindow),
  window_spent: orNull(amount),
  window_held: orNull(amount),
  window_start: orNull(time),
  spent_total: amount,
  rpm: orNull(Type.Integer()),
  tpm: orNull(Type.Integer()),
  max_concurrent: orNull(Type.Integer()),
  settings: keySettings,
  expires_at: orNull(time),
  revoked_at: orNull(time),
  overlap_ends_at: orNull(time),
  last_used_at: orNull(time),
  created_at: time,
};
export const key = Type.Object(keyFields, { ...strict, title: "Key" });
export const keyMade = Type.Object({ ...keyFields, secret }, { ...strict, title: "KeyMade" });
const limitsIn = {
  models: Type.Optional(orNull(models)),
  spend_limit: Type.Optional(orNull(amountIn)),
  spend_window: Type.Optional(orNull(spendWindow)),
  rpm: Type.Optional(orNull(count("Requests per minute."))),
  tpm: Type.Optional(orNull(count("Tokens per minute."))),
  max_concurrent: Type.Optional(orNull(count("Requests at once."))),
  settings: Type.Optional(
    Type.Object(
      {
        usage_cost: Type.Optional(
          Type.Boolean({ description: "Adds the charge to the `usage` of answers." }),
        ),
        idempotency: Type.Optional(
          Type.Boolean({ description: "Honours `Idempotency-Key` on model requests." }),
        ),
      },
      strict,
    ),
  ),
  expires_at: Type.Optional(orNull(timeIn)),
};
export const keyCreate = Type.Object(
  { name: line(200, "How people call it."), ...limitsIn },
  { ...strict, title: "KeyCreate" },
);
export const keyChange = Type.Object(
  { name: Type.Optional(line(200, "How people call it.")), ...limitsIn },
  { ...strict, minProperties: 1, title: "KeyChange" },
);
export const keyRotate = Type.Object(
  {
    overlap_seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2_592_000,
        description: "How long the old secret works on; 0 unless given, at most 30 days.",
      }),
    ),
  },
  { ...strict, title: "KeyRotate" },
);
