import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { UsageQuery } from "../../src/ports-reports.ts";
import type { Db } from "../../src/store/db.ts";
import { createUsageReports } from "../../src/store/usage.ts";
import { createVerification } from "../../src/store/verify.ts";
import { type Books, openBooks } from "../support/books.ts";
import { databaseKinds, newDatabase } from "../support/databases.ts";

const everything: UsageQuery = {
  ...{ from: null, to: null, bucket: "hour", tz: "UTC", groupBy: [] },
  ...{ accountId: null, keyId: null, model: null, endpoint: null },
};

describe.each(databaseKinds)("sums of whole hours, on %s", (kind) => {
  let db: Db;
  let books: Books;
  beforeAll(async () => {
    db = await newDatabase(kind);
    books = await openBooks(db);
    await books.account("acc_a", [{ id: "grt_a", usd: "10" }]);
    await books.account("acc_b", [{ id: "grt_b", usd: "10" }]);
    // All admitted in one hour, the day before yesterday.
    for (const [id, account] of [
      ["req_1", "acc_a"],
      ["req_2", "acc_a"],
      ["req_3", "acc_b"],
    ] as const)
      await books.hold(id, account, "1");
    await db.query(
      "update holds set created_at = date_trunc('day', clock_timestamp(), 'UTC') - interval '30 hours'",
    );
    await books.settle("req_1", "acc_a", "0.3");
  });
  afterAll(() => db.close());

  const readings = async (): Promise<unknown> => {
    const reports = createUsageReports(db);
    const all = { after: null, limit: 100 };
    const models = await reports.buckets({ ...everything, groupBy: ["model"] }, all);
    const accounts = await reports.buckets({ ...everything, groupBy: ["account"] }, all);
    const keys = await reports.buckets({ ...everything, groupBy: ["key"] }, all);
    const total = await reports.totals(everything);
    return {
      models: models.map((row) => row.charge),
      accounts: accounts.map((row) => `${row.account} ${row.charge}`),
      keys: keys.reduce((sum, row) => sum + row.charge, 0n),
      total: [total.requests, total.charge],
    };
  };
  const summedHours = async (): Promise<number> =>
    Number((await db.query<{ n: number }>("select count(*)::int as n from usage_summed"))[0]?.n);

  test("are made when a report is read, and give what the requests give", async () => {
    const once = {
      models: [300_000_000_000n],
      accounts: ["acc_a 300000000000"],
      keys: 300_000_000_000n,
      total: [1, 300_000_000_000n],
    };
    expect([await readings(), await readings()]).toEqual([once, once]);
    expect(await summedHours()).toBeGreaterThan(0);
  });

  test("follow a request of the hour that is settled long after it", async () => {
    const before = await summedHours();
    await books.settle("req_2", "acc_a", "0.2");
    expect(await summedHours()).toBe(before - 1);
    await readings();
    await books.settle("req_3", "acc_b", "0.000000000001");
    const now = {
      models: [500_000_000_001n],
      accounts: ["acc_a 500000000000", "acc_b 1"],
      keys: 500_000_000_001n,
      total: [3, 500_000_000_001n],
    };
    // Before and after the hour is summed again.
    const fromRollups = await readings();
    expect([fromRollups, await readings()]).toEqual([now, now]);
    expect(await summedHours()).toBe(before);
    const checks = await createVerification(db).verify({ recoveryMs: 60_000 });
    expect(checks.find(({ name }) => name === "hour_sums_equal_rollups")).toMatchObject({ ok: true });
  });
});
