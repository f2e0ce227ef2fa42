import Type from "typebox";
import { amount, id, line, metadata, oneOf, orNull, strict, time } from "./shared.ts";

export const account = Type.Object(
  {
    id: id("acc"),
    name: Type.String(),
    external_id: orNull(Type.String()),
    metadata,
    status: oneOf(["active", "frozen"]),
    is_demo: Type.Boolean(),
    balance: Type.Object({ posted: amount, held: amount, available: amount }, strict),
    created_at: time,
  },
  { ...strict, title: "Account" },
);
export const accountCreate = Type.Object(
  {
    name: line(200, "How people call it."),
    external_id: Type.Optional(line(200, "Your own id of the customer; unique.")),
    metadata: Type.Optional(metadata),
  },
  { ...strict, title: "AccountCreate" },
);
export const accountChange = Type.Object(
  {
    name: Type.Optional(line(200, "How people call it.")),
    external_id: Type.Optional(orNull(line(200, "Your own id of the customer; unique."))),
    metadata: Type.Optional(metadata),
    status: Type.Optional(
      oneOf(["active", "frozen"], "A frozen account keeps its credit and may not use it."),
    ),
  },
  { ...strict, minProperties: 1, title: "AccountChange" },
);
export const accountQuery = {
  status: Type.Optional(oneOf(["active", "frozen"])),
  external_id: Type.Optional(line(200, "Exactly this one.")),
};
