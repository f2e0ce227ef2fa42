import Type from "typebox";
import { amount, amountIn, id, line, oneOf, orNull, strict, time, timeIn } from "./shared.ts";

export const grant = Type.Object(
  {
    id: id("grt"),
    account_id: id("acc"),
    kind: oneOf(["paid", "promotional", "refund"]),
    status: oneOf(["active", "used", "expired", "voided"]),
    priority: Type.Integer(),
    amount,
    remaining: amount,
    reserved: amount,
    reference: orNull(Type.String()),
    expires_at: orNull(time),
    voided_at: orNull(time),
    created_at: time,
  },
  { ...strict, title: "Grant" },
);
export const grantCreate = Type.Object(
  {
    amount: amountIn,
    kind: Type.Optional(oneOf(["paid", "promotional"], "`paid` unless given.")),
    priority: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 100, description: "0 burns first, 100 last; 50 unless given." }),
    ),
    expires_at: Type.Optional(orNull(timeIn)),
    reference: Type.Optional(
      line(
        200,
        "The payment it stands for; unique per account, so that one payment is credited once. Repeated, it gives the first grant.",
      ),
    ),
  },
  { ...strict, title: "GrantCreate" },
);
export const grantVoid = Type.Object(
  { reason: Type.Optional(line(1_000, "Kept in the books.")) },
  { ...strict, title: "GrantVoid" },
);
