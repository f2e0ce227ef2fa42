/** Holds every answer of the admin API against the schema that documents it. */

import Type, { type TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { expect } from "vitest";
import type { AdminRoute } from "../../src/admin/route.ts";
import { adminRoutes } from "../../src/admin/routes/all.ts";
import { error } from "../../src/admin/schemas/shared.ts";
import type { Db } from "../../src/store/db.ts";
import type { AdminClient, Answer } from "./admin.ts";

const strict = { additionalProperties: false };

function answerSchema(route: AdminRoute): TSchema | null {
  if (route.kind === "stream") return null;
  if (route.kind !== "list") return route.answer;
  const more = (route.extra as { properties?: Record<string, TSchema> } | null)?.properties ?? {};
  return Type.Object(
    { data: Type.Array(route.item), next_cursor: Type.Union([Type.String(), Type.Null()]), ...more },
    strict,
  );
}

const known = adminRoutes.map((route) => ({
  route,
  form: new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
  schema: answerSchema(route),
}));

export const routeOf = (method: string, path: string): AdminRoute | null =>
  known.find(({ route, form }) => route.method === method && form.test(path.split("?", 1)[0] ?? ""))?.route ??
  null;

/** The client, with each answer checked: as documented when it went well, OpenAI's error envelope when not. */
export function strictly(admin: AdminClient): AdminClient["call"] {
  return async (method, path, options) => {
    const answer = await admin.call(method, path, options);
    if (answer.json === null) return answer;
    const found = known.find(
      ({ route, form }) => route.method === method && form.test(path.split("?", 1)[0] ?? ""),
    );
    const schema = answer.status < 300 ? found?.schema : error;
    if (schema === null || schema === undefined) return answer;
    expect({ path, errors: Compile(schema).Errors(answer.json) }).toEqual({ path, errors: [] });
    return answer;
  };
}

/** "400 unknown_field amount": the whole of a refusal that clients act on. */
export const refusalOf = ({ status, json }: Answer): string =>
  `${status} ${json?.error?.code} ${json?.error?.param ?? "-"}`;

/** How many rows every table has that the admin API writes: what did not change wrote nothing. */
export async function rowCounts(db: Db): Promise<unknown> {
  const [row] = await db.query(`select
    (select count(*) from accounts) as accounts, (select count(*) from grants) as grants, (select count(*) from keys) as keys,
    (select count(*) from key_secrets) as secrets, (select count(*) from entries) as entries, (select count(*) from audit_log) as audit,
    (select count(*) from idempotency) as idempotency, (select count(*) from price_rows) as prices,
    (select count(*) from admin_tokens) as tokens, (select count(*) from transaction_notes) as notes,
    (select coalesce(sum(posted), 0)::text from balances) as posted`);
  return row;
}
