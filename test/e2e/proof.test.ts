/**
 * Short proof runs (docs/proof.md): real gateway processes, a vendor that keeps its own bill, kills, answers of the database
 * that never arrive, wrong clocks, a full disk; and afterwards the books against the bill.
 */
import { describe, expect, test } from "vitest";
import { defaults, type ProofOptions } from "../../sim/proof/options.ts";
import { renderReport } from "../../sim/proof/report.ts";
import { type ProofResult, runProof } from "../../sim/proof/run.ts";

const timeoutMs = 180_000;

async function prove(options: Partial<ProofOptions>): Promise<ProofResult> {
  const result = await runProof({ ...defaults, ...options }, () => undefined);
  const { lost, double, overspent, stuck, verify, exits } = result;
  expect({ lost, double, overspent, stuck, verify, exits }, renderReport(result)).toEqual({
    lost: [],
    double: [],
    overspent: [],
    stuck: [],
    verify: [],
    exits: [],
  });
  // Most of it must have been real traffic: charged to the token, with estimates where crashes left nothing else.
  expect(result.settled.vendor).toBeGreaterThan(result.options.requests / 4);
  return result;
}

const killsOf = (result: ProofResult): number =>
  Object.entries(result.kills).reduce((sum, [what, count]) => (what === "disk full" ? sum : sum + count), 0);

describe("the proof run", () => {
  test(
    "on PostgreSQL: kills of gateways and of PostgreSQL, lost replies, clocks a day behind and ahead",
    async () => {
      const result = await prove({ requests: 300, kills: 8, lostReplies: 0.1, isSkewed: true, seed: 1 });
      expect(killsOf(result)).toBeGreaterThanOrEqual(8);
      expect(result.kills["postgres"]).toBeGreaterThan(0);
      expect(result.lostReplies).toBeGreaterThan(0);
      expect(result.recovered).toBeGreaterThan(0);
    },
    timeoutMs,
  );

  test(
    "on the embedded database: kills of its only process",
    async () => {
      const result = await prove({ requests: 150, kills: 3, store: "pglite", processes: 1, seed: 1 });
      expect(killsOf(result)).toBeGreaterThanOrEqual(3);
      expect(result.recovered).toBeGreaterThan(0);
    },
    timeoutMs,
  );

  test.each(["postgres", "pglite"] as const)(
    "on %s: a disk that is full",
    async (store) => {
      const processes = store === "pglite" ? 1 : 2;
      const result = await prove({ requests: 250, kills: 1, store, processes, diskFull: 2, seed: 1 });
      expect(result.kills["disk full"]).toBe(2);
      expect(result.diskFaults).toBeGreaterThan(0);
    },
    timeoutMs,
  );
});
