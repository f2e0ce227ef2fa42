import type { Reporter, TestCase, TestModule, Vitest } from "vitest/node";
import { type HostileRow, isApplicable, prefixOf, rows } from "../rows.ts";

/** What became of the rows in one run, by the results of the tests that are named after them. */
export interface RowResults {
  /** At least one test ran, and every one of them passed. */
  readonly held: readonly HostileRow[];
  /** A test failed. */
  readonly broken: readonly HostileRow[];
  /** Its tests, or some of them, were not in this run. */
  readonly untried: readonly HostileRow[];
}

export interface TestResult {
  readonly name: string;
  readonly state: "passed" | "failed" | "left out";
}

export function resultsOf(tests: readonly TestResult[]): RowResults {
  const applicable = rows.filter(isApplicable);
  const ofRow = (row: HostileRow): readonly TestResult[] =>
    tests.filter((one) => one.name.startsWith(prefixOf(row)));
  const held = applicable.filter(
    (row) => ofRow(row).length > 0 && ofRow(row).every((one) => one.state === "passed"),
  );
  const broken = applicable.filter((row) => ofRow(row).some((one) => one.state === "failed"));
  return { held, broken, untried: applicable.filter((row) => !held.includes(row) && !broken.includes(row)) };
}

/** One line, and what is behind every row that did not hold. */
export function summaryOf({ held, broken, untried }: RowResults): string {
  const notYet = rows.filter((row) => !isApplicable(row)).map((row) => row.number);
  const numbers = (some: readonly HostileRow[]): string => some.map((row) => row.number).join(", ");
  return [
    `Hostile rows held / applicable: ${held.length} / ${held.length + broken.length + untried.length}`,
    ...(broken.length === 0 ? [] : [`broken: ${numbers(broken)}`]),
    ...(untried.length === 0 ? [] : [`not whole in this run: ${numbers(untried)}`]),
    ...(notYet.length === 0 ? [] : [`not applicable yet: ${notYet.join(", ")}`]),
  ].join("; ");
}

/** Prints, after a run with hostile tests in it, how many rows of docs/security.md held. */
// biome-ignore lint/style/noDefaultExport: vitest takes a reporter's class as the default export of its file.
export default class RowsReporter implements Reporter {
  #print: (line: string) => void = () => undefined;

  onInit(vitest: Vitest): void {
    this.#print = (line) => vitest.logger.log(line);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules
      .filter((one) => /\/test\/hostile\/[^/]+$/.test(one.moduleId))
      .flatMap((one) => [...one.children.allTests()]);
    if (tests.length > 0) this.#print(`\n${summaryOf(resultsOf(tests.map(toResult)))}\n`);
  }
}

function toResult(test: TestCase): TestResult {
  const { state } = test.result();
  return { name: test.name, state: state === "passed" || state === "failed" ? state : "left out" };
}
