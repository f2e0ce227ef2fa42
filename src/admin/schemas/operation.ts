import Type from "typebox";
import { roles } from "../../ports-admin.ts";
import {
  filter,
  id,
  line,
  nullableText,
  oneOf,
  orNull,
  period,
  secret,
  strict,
  text,
  time,
  timeIn,
  usd,
} from "./shared.ts";

export const endpoint = Type.Object(
  {
    name: text,
    kind: oneOf(["azure", "openai"]),
    base_url: text,
    api_version: nullableText,
    state: oneOf(["healthy", "cooling", "unused"]),
    until: orNull(time),
    last_error: nullableText,
    deployments: Type.Array(
      Type.Object(
        { deployment: text, model: text, served_as: Type.Array(text), quirks: Type.Array(Type.Unknown()) },
        strict,
      ),
    ),
  },
  { ...strict, title: "Endpoint" },
);
export const auditRecord = Type.Object(
  {
    id: text,
    at: time,
    actor: text,
    action: text,
    target: text,
    before: Type.Unknown(),
    after: Type.Unknown(),
  },
  { ...strict, title: "AuditRecord" },
);
export const auditQuery = { target: Type.Optional(filter), actor: Type.Optional(filter), ...period };
export const me = Type.Object(
  {
    actor: text,
    role: oneOf([...roles]),
    token_id: nullableText,
    credit: Type.Object({ name: text, usd }, strict),
  },
  { ...strict, title: "Me" },
);
const tokenFields = {
  id: id("tok"),
  name: text,
  role: oneOf([...roles]),
  display: text,
  created_by: text,
  expires_at: orNull(time),
  revoked_at: orNull(time),
  created_at: time,
};
export const token = Type.Object(tokenFields, { ...strict, title: "AdminToken" });
export const tokenMade = Type.Object({ ...tokenFields, secret }, { ...strict, title: "AdminTokenMade" });
export const tokenCreate = Type.Object(
  { name: line(200, "Whose it is."), role: oneOf([...roles]), expires_at: Type.Optional(orNull(timeIn)) },
  { ...strict, title: "AdminTokenCreate" },
);
