import { readFileSync, writeFileSync } from "node:fs";
import { type Report, rowsOf } from "./report.ts";

/** The ratio that stands, by load: CPU per event (or per request) of Tollgate on PostgreSQL ÷ the bare relay's, least of the rounds. */
export type Budget = Readonly<Record<string, number>>;

/** A run may be this much above the budget before it is a regression. */
const tolerance = 1.25;

/** The least of the rounds: noise of the machine only ever adds. */
export function ratiosOf(report: Report): Budget {
  const rows = rowsOf(report);
  const ratios: Record<string, number> = {};
  for (const row of rows.filter(({ contestant }) => contestant === "Tollgate on PostgreSQL")) {
    const base = rows.find((other) => other.load === row.load && other.contestant === "bare relay");
    const isStream = row.eventsPerSecond.median > 0;
    const own = isStream ? row.cpuUsPerEvent : row.cpuMsPerRequest;
    const other = isStream ? base?.cpuUsPerEvent : base?.cpuMsPerRequest;
    if (own !== null && other !== null && other !== undefined) ratios[row.load] = own.least / other.least;
  }
  return ratios;
}

/** Lines that say what got slower; none when all is within the budget. */
export function findRegressions(report: Report, file: string): string[] {
  const budget = JSON.parse(readFileSync(file, "utf8")) as Budget;
  return Object.entries(ratiosOf(report)).flatMap(([load, ratio]) => {
    const allowed = budget[load];
    if (allowed === undefined || ratio <= allowed * tolerance) return [];
    return [
      `${load}: ${ratio.toFixed(2)} × the bare relay, the budget is ${allowed.toFixed(2)} (and a quarter)`,
    ];
  });
}

export function writeBudget(report: Report, file: string): void {
  const rounded = Object.fromEntries(
    Object.entries(ratiosOf(report)).map(([load, ratio]) => [load, Number(ratio.toFixed(2))]),
  );
  writeFileSync(file, `${JSON.stringify(rounded, null, 2)}\n`);
}
