import { formatUsd, pico } from "../../src/core/money.ts";
import type { ProofResult } from "./run.ts";

export const isClean = (result: ProofResult): boolean =>
  [result.lost, result.double, result.overspent, result.stuck, result.verify, result.exits].every(
    (one) => one.length === 0,
  );

/** One row of figures, and below it what they are made of; the first findings by name when there are any. */
export function renderReport(result: ProofResult): string {
  const { options } = result;
  const kills = Object.entries(result.kills).reduce(
    (sum, [what, count]) => (what === "disk full" ? sum : sum + count),
    0,
  );
  const columns: readonly (readonly [string, string | number])[] = [
    ["store", options.store],
    ["requests", options.requests],
    ["kills", kills],
    ["lost", result.lost.length],
    ["double", result.double.length],
    ["overspent", result.overspent.length],
    ["stuck", result.stuck.length],
    ["recovered", result.recovered],
    ["seed", options.seed],
  ];
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
  const table = [
    line(columns.map(([name]) => name)),
    line(columns.map(() => "---")),
    line(columns.map(([, value]) => value)),
  ];
  const killed = Object.entries(result.kills).map(([what, count]) => `${what} ${count}`);
  const details = [
    `killed: ${killed.join(", ") || "nothing"}`,
    `tries of clients ${result.tries}, unanswered ${result.hangs.length}; attempts the vendors billed ${result.attemptsBilled}; answers of the database cut off ${result.lostReplies}, refused for a full disk ${result.diskFaults}`,
    `settled by the vendor's usage ${result.settled.vendor}, by estimate ${result.settled.estimated}; released ${result.released}; refused ${result.refused}`,
    `estimates charged ${formatUsd(pico(result.estimates.charged))} USD for what the vendors' bill is worth ${formatUsd(pico(result.estimates.worth))}; ${result.estimates.unbilled} of them no vendor billed`,
    `ledger verify: ${result.verify.length === 0 ? "clean" : `${result.verify.length} checks failed`}; ${result.seconds.toFixed(0)} s`,
    `commit ${result.ground.commit}; ${result.ground.cores} cores, Node ${result.ground.node}, ${result.ground.database}`,
  ];
  const findings = (["lost", "double", "overspent", "stuck", "verify", "exits", "hangs"] as const).flatMap(
    (name) => result[name].slice(0, 10).map((one) => `${name}: ${one}`),
  );
  return [...table, "", ...details, ...findings, ""].join("\n");
}
