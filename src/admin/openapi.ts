import Type, { type TSchema } from "typebox";
import { type AdminRoute, takesBody } from "./route.ts";
import { error } from "./schemas/shared.ts";

/** OpenAPI 3.1 of the routes, from the schemas that check them. Titled schemas become components. */
export function openApiOf(routes: readonly AdminRoute[], version: string): Record<string, unknown> {
  const components = new Map<string, unknown>();
  const refer = (schema: unknown): unknown => referTo(schema, components);
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const operations = paths[route.path] ?? {};
    operations[route.method.toLowerCase()] = operationOf(route, refer);
    paths[route.path] = operations;
  }
  refer(error);
  return {
    openapi: "3.1.0",
    info: {
      title: "Tollgate admin API",
      version,
      description:
        "Accounts, credit, keys, requests and the ledger. Amounts are exact decimal text: credits, or USD where the name ends in `_usd`.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/admin/v1" }],
    security: [{ adminToken: [] }],
    paths,
    components: {
      securitySchemes: {
        adminToken: {
          type: "http",
          scheme: "bearer",
          description: "The configured admin token, or one made with POST /tokens.",
        },
      },
      schemas: Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))),
    },
  };
}

type Refer = (schema: unknown) => unknown;
type SchemaObject = { readonly properties?: Record<string, TSchema>; readonly required?: readonly string[] };

function operationOf(route: AdminRoute, refer: Refer): Record<string, unknown> {
  const parameters = [
    ...parametersOf(route.params, "path", refer),
    ...(takesBody(route) ? [] : parametersOf(route.query, "query", refer)),
    ...(route.method === "POST" ? [idempotencyKey] : []),
  ];
  return {
    operationId: operationId(route),
    tags: [route.tag],
    summary: route.summary,
    "x-role": route.role,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(takesBody(route) && route.body !== null
      ? {
          requestBody: {
            required: isBodyRequired(route.body),
            content: { "application/json": { schema: refer(route.body) } },
          },
        }
      : {}),
    responses: {
      ...answersOf(route, refer),
      default: { description: "A refusal or fault.", content: jsonOf(refer(error)) },
    },
  };
}

function answersOf(route: AdminRoute, refer: Refer): Record<string, unknown> {
  if (route.kind === "read" || route.kind === "action")
    return { 200: { description: "OK", content: jsonOf(refer(route.answer)) } };
  if (route.kind === "stream") {
    const description = "Server-sent events, each with this as its data, until you leave.";
    return { 200: { description, content: { "text/event-stream": { schema: refer(route.event) } } } };
  }
  if (route.kind === "write") {
    const answer = { description: "OK", content: jsonOf(refer(route.answer)) };
    // Two statuses where a POST may find that its thing is there already.
    return route.method === "POST"
      ? { 200: answer, 201: { ...answer, description: "Created" } }
      : { 200: answer };
  }
  const { extra } = route;
  const page = Type.Object({
    data: Type.Array(route.item),
    next_cursor: Type.Union([Type.String(), Type.Null()]),
    ...((extra as SchemaObject | null)?.properties ?? {}),
  });
  const csv = { "text/csv": { schema: { type: "string" } } };
  return {
    200: { description: "A page as JSON, or every row as CSV.", content: { ...jsonOf(refer(page)), ...csv } },
  };
}

const jsonOf = (schema: unknown): Record<string, unknown> => ({ "application/json": { schema } });
const isBodyRequired = (schema: TSchema): boolean => ((schema as SchemaObject).required ?? []).length > 0;

/** "POST /accounts/{id}/grants" → "postAccountsGrants". */
const operationId = ({ method, path }: AdminRoute): string =>
  method.toLowerCase() +
  path
    .split("/")
    .filter((part) => part !== "")
    .map((part) => (part.startsWith("{") ? "One" : part.charAt(0).toUpperCase() + part.slice(1)))
    .join("");

function parametersOf(schema: TSchema | null, place: "path" | "query", refer: Refer): unknown[] {
  const { properties = {}, required = [] } = (schema ?? {}) as SchemaObject;
  return Object.entries(properties).map(([name, part]) => {
    const { description, ...rest } = part as { description?: string };
    return {
      name,
      in: place,
      required: required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: refer(rest),
    };
  });
}

const idempotencyKey = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description:
    "Up to 255 printable characters. For 24 hours the same key and request give the first answer again, with `idempotent-replayed: true`; with another request 422; while the first one runs 409.",
  schema: { type: "string", maxLength: 255 },
};

/** Replaces each titled schema by a reference to it, at any depth. */
function referTo(schema: unknown, components: Map<string, unknown>): unknown {
  if (Array.isArray(schema)) return schema.map((part) => referTo(part, components));
  if (typeof schema !== "object" || schema === null) return schema;
  const parts = Object.fromEntries(
    Object.entries(schema).map(([name, part]) => [name, referTo(part, components)]),
  );
  const { title, ...rest } = parts;
  if (typeof title !== "string") return parts;
  components.set(title, rest);
  return { $ref: `#/components/schemas/${title}` };
}
