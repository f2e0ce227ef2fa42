import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { audit } from "../../sim/auditor.ts";
import type { Db } from "../../src/store/db.ts";
import { databaseKinds, newDatabase } from "../support/databases.ts";
import { type Comparison, openComparison } from "../support/ledger-comparison.ts";
import { histories } from "../support/ledger-histories.ts";

/** Histories per database; set TOLLGATE_MODEL_RUNS for a long search. */
const runs = Number(process.env["TOLLGATE_MODEL_RUNS"] ?? 40);

describe.each(databaseKinds)("the ledger on %s", (kind) => {
  let db: Db;
  let comparison: Comparison;
  beforeAll(async () => {
    db = await newDatabase(kind);
    comparison = await openComparison(db);
  });
  afterAll(async () => {
    await comparison.close();
    await db.close();
  });

  test("answers and keeps books as the model does, whatever the history", {
    timeout: 3_600_000,
  }, async () => {
    const property = fc.asyncProperty(histories, async (history) => {
      const world = await comparison.newWorld();
      for (const [index, step] of history.entries()) {
        const { answers, expected } = await world.take(step);
        const about = `step ${index + 1}: ${step.kind}`;
        expect({ about, answers }).toEqual({ about, answers: expected });
        const { books, expectedBooks } = await world.compare();
        expect({ about, books }).toEqual({ about, books: expectedBooks });
      }
    });
    await fc.assert(property, { numRuns: kind === "pglite" ? Math.ceil(runs / 4) : runs });
    expect(await audit(db)).toEqual([]);
  });
});
