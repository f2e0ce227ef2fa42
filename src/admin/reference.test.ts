import type { TSchema } from "typebox";
import Type from "typebox";
import { Compile } from "typebox/compile";
import { expect, test } from "vitest";
import { parseApiKey } from "../core/api-key.ts";
import { examples } from "./examples.ts";
import { openApiOf } from "./openapi.ts";
import { adminApiPage } from "./reference.ts";
import { type AdminRoute, takesBody } from "./route.ts";
import { adminRoutes } from "./routes/all.ts";

const routeOf = (name: string): AdminRoute => {
  const found = adminRoutes.find((route) => `${route.method} ${route.path}` === name);
  if (found === undefined) throw new Error(`There is no route ${name}`);
  return found;
};

const answerOf = (route: AdminRoute): TSchema => {
  if (route.kind === "stream") return route.event;
  if (route.kind !== "list") return route.answer;
  const more = (route.extra as { properties?: Record<string, TSchema> } | null)?.properties ?? {};
  return Type.Object({
    data: Type.Array(route.item),
    next_cursor: Type.Union([Type.String(), Type.Null()]),
    ...more,
  });
};

test.each(Object.entries(examples))("the example of %s is as its schemas say", (name, { body, answer }) => {
  const route = routeOf(name);
  expect(Compile(answerOf(route)).Errors(answer)).toEqual([]);
  if (takesBody(route) && route.body !== null) expect(Compile(route.body).Errors(body)).toEqual([]);
});

test("no example has a key that would work", () => {
  for (const text of JSON.stringify(examples).match(/sk-tg-[\w-]+/g) ?? [])
    expect(parseApiKey(text)).toBeNull();
});

test("the OpenAPI document refers to nothing that it lacks, and names each operation once", () => {
  const document = openApiOf(adminRoutes, "1.2.3") as {
    paths: Record<string, Record<string, { operationId: string }>>;
    components: { schemas: object };
  };
  const text = JSON.stringify(document);
  const referred = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map((match) => match[1]);
  for (const name of referred) expect(Object.keys(document.components.schemas)).toContain(name);
  const operations = Object.values(document.paths).flatMap((path) =>
    Object.values(path).map((one) => one.operationId),
  );
  expect(operations).toHaveLength(adminRoutes.length);
  expect(new Set(operations).size).toBe(operations.length);
});

test("the page has every route, and every link on it leads somewhere", () => {
  const page = adminApiPage();
  for (const route of adminRoutes) expect(page).toContain(`### \`${route.method} ${route.path}\``);
  const headings = new Set(
    [...page.matchAll(/^### (\w+)$/gm)].map((match) => `#${(match[1] ?? "").toLowerCase()}`),
  );
  for (const [, link] of page.matchAll(/\]\((#\w+)\)/g)) expect(headings).toContain(link);
});
