/** The list of attacks, the tests that carry its numbers, the page that shows both, and the line at the end of a run. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { isApplicable, rows } from "./rows.ts";
import { findRowTests } from "./support/row-tests.ts";
import { resultsOf, summaryOf } from "./support/rows-reporter.ts";
import { securityPage } from "./support/security-page.ts";

test("every row that applies has a test of its name in its file, and every such test has its row", () => {
  const tests = findRowTests();
  const without = rows
    .filter(isApplicable)
    .filter((row) => !tests.some((one) => one.row === row.number && one.file === row.test.file));
  expect(without.map((row) => `row ${row.number} has no test in ${row.test.file}`)).toEqual([]);
  const applicable = new Set(rows.filter(isApplicable).map((row) => row.number));
  expect(tests.filter((one) => !applicable.has(one.row))).toEqual([]);
  expect(rows.map((row) => row.number)).toEqual(rows.map((_, index) => index + 1));
});

test("docs/security.md is fresh; if not: npm run docs", () => {
  expect(readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8")).toBe(securityPage());
});

test("a row counts as held only when its tests ran and every one of them passed", () => {
  const results = resultsOf([
    { name: "row 1: a", state: "passed" },
    { name: "row 1: b", state: "passed" },
    { name: "row 2: a", state: "passed" },
    { name: "row 2: b", state: "failed" },
    { name: "row 3: a", state: "passed" },
    { name: "row 3: b", state: "left out" },
    { name: "row 31: a", state: "passed" },
    { name: "rows have a list", state: "passed" },
  ]);
  expect(results.held.map((row) => row.number)).toEqual([1, 31]);
  expect(results.broken.map((row) => row.number)).toEqual([2]);
  expect(summaryOf(results)).toMatch(
    /^Hostile rows held \/ applicable: 2 \/ 61; broken: 2; not whole in this run: 3, 4, .*; not applicable yet: 20, 55$/,
  );
  expect(summaryOf({ held: rows.filter(isApplicable), broken: [], untried: [] })).toBe(
    "Hostile rows held / applicable: 61 / 61; not applicable yet: 20, 55",
  );
});
