/** The page on vendor dialects says what is so: it is made from the tables of the code, and each row names a test that is there. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dialectRows } from "./support/dialect-rows.ts";
import { dialectsPage } from "./support/dialects-page.ts";

const root = new URL("../", import.meta.url);
const page = new URL("docs/reference/dialects.md", root);

const rows = Object.entries(dialectRows).flatMap(([section, all]) =>
  all.map((row) => [`${section}: ${row.fact}`, row] as const),
);

test.each(rows)("%s", (_name, { stand, proof }) => {
  expect(proof === null).toBe(stand === "not applicable");
  if (proof === null) return;
  const [file, title] = proof;
  expect(existsSync(new URL(file, root))).toBe(true);
  expect(readFileSync(new URL(file, root), "utf8")).toContain(title);
});

test("docs/reference/dialects.md is fresh (UPDATE_DOCS=1 writes it)", () => {
  const text = dialectsPage();
  if (process.env["UPDATE_DOCS"] === "1") writeFileSync(page, text);
  expect(readFileSync(page, "utf8")).toBe(text);
});
