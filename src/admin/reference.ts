import type { TSchema } from "typebox";
import { type RefusalCode, refusals } from "../billing/refusals.ts";
import { refusalStatuses } from "./errors.ts";
import { exampleOf } from "./examples.ts";
import { openApiOf } from "./openapi.ts";
import { type AdminRoute, takesBody } from "./route.ts";
import { adminRoutes } from "./routes/all.ts";
import { probeRefusals } from "./routes/probe.ts";

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
}
interface Document {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/** docs/reference/admin-api.md: the OpenAPI document of the routes as a page for people. */
export function adminApiPage(routes: readonly AdminRoute[] = adminRoutes): string {
  const { components } = openApiOf(routes, "") as unknown as Document;
  const tags = [...new Set(routes.map((route) => route.tag))];
  return [
    head,
    refusalTable(),
    ...tags.flatMap((tag) => [
      `## ${tag}\n`,
      ...routes.filter((route) => route.tag === tag).map(routeSection),
    ]),
    "## Objects\n",
    ...Object.entries(components.schemas).map(([name, schema]) => objectSection(name, schema)),
  ].join("\n");
}

const head = `# Admin API

Under \`/admin/v1\`, with \`Authorization: Bearer <admin token>\`: the configured token (its holder is the owner), or one made with
\`POST /tokens\`. The OpenAPI 3.1 document is at \`/admin/v1/openapi.json\`; it, this page and the checks of every request come from
the same schemas.

- **Amounts** are exact decimal text, never numbers: in credits, or in USD where the name ends in \`_usd\`. What is unknown is null.
- **Times** are RFC 3339, in UTC. \`from\` is inclusive, \`to\` exclusive.
- **Strict**: an unknown field, a wrong type or a number for text is a 400 that names the field in \`param\`. Nothing is converted.
- **Lists** take \`limit\` and \`cursor\` and give \`{"data": […], "next_cursor": …}\`, newest first; \`next_cursor\` is null on the last page.
  With \`Accept: text/csv\` or \`?format=csv\` the same list comes as CSV with every row, streamed; text that a spreadsheet would run as a
  formula has an apostrophe before it. Nested fields are joined by \`_\`, lists inside a row are JSON.
- **Repeats**: every POST takes an \`Idempotency-Key\`. For 24 hours the same key and request give the first answer again, with the
  header \`idempotent-replayed: true\`; with another body, route or token 422; while the first one runs 409. The key is reserved in the
  transaction of the change, so that a crash cannot make it twice, and a refusal leaves it free. A probe takes seconds and runs outside
  a transaction: if the process dies in the middle, its key stays reserved for ten minutes. An answer that holds a secret is kept
  encrypted with the token that asked for it.
- **Roles**: *viewer* reads; *operator* also runs accounts and keys; *finance* also handles grants, refunds and prices; *owner* may all.
  Operator and finance are side by side. Each route names the least role that may.
- **Audit**: every change writes who, what, before and after, in its own transaction; see \`GET /audit\`.
`;

function refusalTable(): string {
  const own: Array<readonly [number, string, string]> = [
    [
      400,
      "unknown_field, missing_field, invalid_field, invalid_body, invalid_json",
      "The request is not as its schema says; `param` names the field.",
    ],
    [400, "invalid_cursor, invalid_idempotency_key", "Not a cursor of this list; not a usable key."],
    [401, "invalid_admin_token", "No token, or one that is unknown, revoked or expired."],
    [403, "insufficient_role", "The token's role may not use this route."],
    [404, "not_found", "There is no such route."],
    [404, "endpoint_not_found", "There is no endpoint of this name."],
    [409, "idempotency_in_progress", "The first request with this key is still running."],
    [413, "body_too_large", "The body is longer than 128 KiB."],
    [415, "unsupported_media_type", "The body is not `application/json`."],
    [422, "idempotency_key_reused", "The key was used for another request."],
    [503, "overloaded", "As many streams or probes are open in this process as it allows; try again later."],
    [503, "ledger_unavailable", "The database cannot be reached; `retry-after` says when to try again."],
  ];
  for (const [code, { status, meaning }] of Object.entries(probeRefusals)) own.push([status, code, meaning]);
  const codes = Object.keys(refusals) as RefusalCode[];
  const rows = [...own, ...codes.map((code) => [refusalStatuses[code], code, refusals[code]] as const)].sort(
    (a, b) => a[0] - b[0],
  );
  const lines = rows.map(
    ([status, code, meaning]) => `| ${status} | ${code.split(", ").map(quoted).join(", ")} | ${meaning} |`,
  );
  return `## Errors

\`{"error": {"message", "type", "param", "code"}}\`, as OpenAI writes them.

| status | code | means |
| --- | --- | --- |
${lines.join("\n")}
`;
}

const quoted = (text: string): string => `\`${text}\``;

function routeSection(route: AdminRoute): string {
  const query = takesBody(route) ? null : (route.query as Schema);
  const parameters = Object.entries(query?.properties ?? {}).filter(
    ([name]) => !["limit", "cursor", "format"].includes(name),
  );
  const limits =
    route.kind === "list" ? ` \`limit\` 1–${route.limits.most}, ${route.limits.usual} unless given.` : "";
  const example = exampleOf(route);
  return [
    `### \`${route.method} ${route.path}\`\n`,
    `${route.summary} Role: *${route.role}*.${limits}\n`,
    ...(parameters.length === 0 ? [] : [`${table("parameter", parameters, new Set())}\n`]),
    `${bodyOf(route)}${answerOf(route)}\n`,
    ...(example === null ? [] : [`${example}\n`]),
  ].join("\n");
}

const bodyOf = (route: AdminRoute): string =>
  takesBody(route) && route.body !== null ? `Takes ${linkOf(route.body)}; gives ` : "Gives ";

function answerOf(route: AdminRoute): string {
  if (route.kind === "stream") return `server-sent events of ${linkOf(route.event)}.`;
  if (route.kind !== "list") return `${linkOf(route.answer)}.`;
  const more = Object.entries((route.extra as Schema | null)?.properties ?? {});
  return `a list of ${linkOf(route.item)}${more.map(([name, schema]) => `, and \`${name}\`: ${linkOf(schema as TSchema)}`).join("")}.`;
}

function linkOf(schema: TSchema): string {
  const { title } = schema as { title?: string };
  return title === undefined ? "an object" : `[${title}](#${title.toLowerCase()})`;
}

function objectSection(name: string, schema: Schema): string {
  const fields = Object.entries(schema.properties ?? {});
  return `### ${name}\n\n${table("field", fields, new Set(schema.required ?? []))}\n`;
}

function table(
  what: string,
  fields: ReadonlyArray<readonly [string, Schema]>,
  required: ReadonlySet<string>,
): string {
  const lines = fields.map(([name, schema]) => {
    const mark = what === "field" && !required.has(name) ? " (optional)" : "";
    return `| \`${name}\`${mark} | ${typeOf(schema)} | ${noteOf(schema)} |`;
  });
  return `| ${what} | type | |\n| --- | --- | --- |\n${lines.join("\n")}`;
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1) ?? "";
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(" or ");
  if (schema.enum !== undefined) return schema.enum.map((value) => quoted(String(value))).join(", ");
  if (schema.type === "array")
    return `list of ${schema.items === undefined ? "anything" : typeOf(schema.items)}`;
  if (schema.properties !== undefined) return `{ ${Object.keys(schema.properties).map(quoted).join(", ")} }`;
  if (schema.patternProperties !== undefined) return "labels";
  if (schema.type === "string") return schema.format === "date-time" ? "time" : "text";
  return schema.type ?? "anything";
}

/** A description, its own or that of the part which is not null, and the bounds of numbers. */
function noteOf(schema: Schema): string {
  const text =
    schema.description ?? schema.anyOf?.find((one) => one.description !== undefined)?.description ?? "";
  const range = schema.anyOf?.find((one) => one.minimum !== undefined) ?? schema;
  const bounds =
    range.maximum === undefined || range.minimum === undefined
      ? ""
      : ` ${range.minimum} to ${range.maximum}.`;
  return `${text}${text.includes(" to ") ? "" : bounds}`.trim();
}
