/** The page on vendor dialects says what is so: it is made from the tables of the code, and each row names a test that is run. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { dialectRows } from "./support/dialect-rows.ts";
import { dialectsPage } from "./support/dialects-page.ts";

const root = new URL("../", import.meta.url);
const page = new URL("docs/reference/dialects.md", root);

const rows = Object.entries(dialectRows).flatMap(([section, all]) =>
  all.map((row) => [`${section}: ${row.fact}`, row] as const),
);

/** Texts between quotes: titles of tests, and the names in their tables. */
const texts = (source: string): string[] =>
  [...source.matchAll(/"((?:[^"\\\n]|\\.)*)"|`([^`]*)`/g)].map((found) => found[1] ?? found[2] ?? "");

test.each(rows)("%s", (_name, { stand, proof }) => {
  expect(proof === null).toBe(stand === "not applicable");
  if (proof === null) return;
  const [file, title] = proof;
  // The pattern of vitest.config.ts: a file of another name is never run.
  expect(file).toMatch(/^(src|test)\/.+\.test\.ts$/);
  expect(existsSync(new URL(file, root))).toBe(true);
  const source = readFileSync(new URL(file, root), "utf8");
  expect(texts(source).filter((text) => text.includes(title))).not.toEqual([]);
  expect(source).not.toMatch(/\.(skip|todo|only|fails|skipIf|runIf)\b/);
});

test("no fact stands there twice", () => {
  expect(new Set(rows.map(([name]) => name)).size).toBe(rows.length);
});

test("docs/reference/dialects.md is fresh (UPDATE_DOCS=1 writes it)", () => {
  const text = dialectsPage();
  if (process.env["UPDATE_DOCS"] === "1") writeFileSync(page, text);
  expect(readFileSync(page, "utf8")).toBe(text);
});
