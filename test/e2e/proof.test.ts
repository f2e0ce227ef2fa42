/**
 * Short proof runs (docs/proof.md): real gateway processes, a vendor that keeps its own bill, kills, answers of the database
 * that never arrive, wrong clocks, a full disk; and afterwards the books against the bill.
 */
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
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
  expect(await leftovers()).toEqual({ files: [], children: 0 });
  // Most of it must have been real traffic: charged to the token, with estimates where crashes left nothing else.
  expect(result.settled.vendor).toBeGreaterThan(result.options.requests / 4);
  return result;
}

const killsOf = (result: ProofResult): number =>
  Object.entries(result.kills).reduce((sum, [what, count]) => (what === "disk full" ? sum : sum + count), 0);

/** Temporary files of this test alone, so that what a run leaves behind is seen. */
let place: string;
const outer = process.env["TMPDIR"];
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "tollgate-short-proof-"));
  chmodSync(place, 0o755); // PostgreSQL runs as another user when this one is root
  process.env["TMPDIR"] = place;
});
afterEach(() => {
  if (outer === undefined) delete process.env["TMPDIR"];
  else process.env["TMPDIR"] = outer;
  rmSync(place, { recursive: true, force: true });
});

const countChildren = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === "ProcessWrap").length;

/** What a run left. The handle of a process goes some turns of the event loop after the process. */
async function leftovers(): Promise<{ files: string[]; children: number }> {
  for (let turn = 0; turn < 200 && countChildren() > 0; turn += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  return { files: readdirSync(place), children: countChildren() };
}

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

  // The log cannot be written either: the embedded database ends itself with a PANIC, and has to be started again.
  test(
    "on pglite: no file can be written, the database's log neither",
    async () => {
      const result = await prove({
        requests: 120,
        kills: 0,
        store: "pglite",
        processes: 1,
        diskFull: 1,
        isDiskLimited: true,
        seed: 1,
      });
      expect(result.diskFaults).toBeGreaterThan(0);
    },
    timeoutMs,
  );

  test(
    "that is interrupted leaves no process behind, and of its files the gateways' logs",
    async () => {
      const interruption = new AbortController();
      const told: string[] = [];
      const running = runProof(
        { ...defaults, requests: 100_000, kills: 1_000 },
        (text) => {
          told.push(text);
          if (/starting/.test(text)) setTimeout(() => interruption.abort(), 6_000);
        },
        interruption.signal,
      );
      await expect(running).rejects.toThrow("Cannot finish the proof: it was interrupted");
      const { files, children } = await leftovers();
      expect(children).toBe(0);
      expect(files).toHaveLength(1);
      const [folder] = files;
      const kept = readdirSync(join(place, folder ?? ""));
      expect(kept).toContain("gateway-1.log");
      expect(kept.filter((name) => !name.endsWith(".log"))).toEqual([]);
      expect(told.at(-1)).toBe(`the gateways' logs are in ${join(place, folder ?? "")}`);
    },
    timeoutMs,
  );

  test("that cannot begin says why", async () => {
    const running = runProof({ ...defaults, diskFull: 1, home: "/" }, () => undefined);
    await expect(running).rejects.toThrow(/Cannot fill the disk: \/ lies on a file system of more than/);
  });
});
