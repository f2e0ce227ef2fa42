/** Whose holds are a dead process's: who may say so, and when. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { Db } from "../../src/store/db.ts";
import { createLeases, type StoreLeases } from "../../src/store/leases.ts";
import { type Books, openBooks } from "../support/books.ts";
import { databaseKinds, newDatabase } from "../support/databases.ts";

const leaseMs = 30_000;

describe.each(databaseKinds)("leases on %s", (kind) => {
  let books: Books;
  let isAway = false;
  let number = 0;
  /** The same database, as a process sees it that cannot always reach it. */
  let seen: Db;
  beforeAll(async () => {
    books = await openBooks(await newDatabase(kind));
    seen = {
      ...books.db,
      query: (sql, parameters) =>
        isAway ? Promise.reject(new Error("connect ECONNREFUSED")) : books.db.query(sql, parameters),
    };
  });
  afterAll(() => books.db.close());
  // The stopwatch by which a process waits; leases themselves are on the database's clock.
  beforeEach(() => vi.useFakeTimers({ toFake: ["performance"] }));
  afterEach(() => vi.useRealTimers());

  const pass = (ms: number): void => void vi.advanceTimersByTime(ms);
  const open = (): StoreLeases => createLeases(seen, () => `gw_${++number}`, {});
  async function heldByAnother(): Promise<string> {
    const account = `acc_${++number}`;
    const id = `req_${number}`;
    await books.account(account, [{ id: `grant_${number}`, usd: "1" }]);
    await books.hold(id, account, "0.1");
    return id;
  }
  const lapseAll = (): Promise<unknown> =>
    books.db.query("update instances set lease_until = clock_timestamp() - interval '1 second'");
  const orphansOf = async (leases: StoreLeases): Promise<string[]> =>
    (await leases.findOrphans(100)).map((one) => one.id);
  /** Renewals as they come by the clock of a process that lives. */
  const live = async (leases: StoreLeases, forMs: number): Promise<void> => {
    for (let ms = 0; ms < forMs; ms += leaseMs / 3) {
      pass(leaseMs / 3);
      await leases.renew(leaseMs);
    }
  };

  test("a process that has watched for the time of a lease takes up the holds of those whose lease lapsed", async () => {
    const leases = open();
    await leases.register(leaseMs);
    const id = await heldByAnother();
    await live(leases, leaseMs);
    expect(await orphansOf(leases)).not.toContain(id);
    await lapseAll();
    expect(await orphansOf(leases)).toContain(id);
    await books.release(id, id.replace("req", "acc"));
  });

  test("a process that has just begun knows nothing of the time before, but where nobody else can live", async () => {
    const id = await heldByAnother();
    await lapseAll();
    const leases = open();
    await leases.register(leaseMs);
    if (kind === "pglite") expect(await orphansOf(leases)).toContain(id);
    else {
      expect(await orphansOf(leases)).not.toContain(id);
      await live(leases, leaseMs);
      expect(await orphansOf(leases)).toContain(id);
    }
    await books.release(id, id.replace("req", "acc"));
  });

  test("what a process hands over itself is taken up at once", async () => {
    const id = await heldByAnother();
    await books.db.query("update holds set instance_id = 'abandoned' where id = $1", [id]);
    const leases = open();
    await leases.register(leaseMs);
    expect(await orphansOf(leases)).toContain(id);
    await books.release(id, id.replace("req", "acc"));
  });

  if (kind === "pglite") return; // a library in the process: it cannot be away

  test("leases that lapsed while the database was away are given time to come back, and then taken up", async () => {
    const leases = open();
    await leases.register(leaseMs);
    await live(leases, leaseMs);
    const id = await heldByAnother();
    for (const outageMs of [leaseMs / 10, leaseMs * 5]) {
      isAway = true;
      await expect(leases.renew(leaseMs)).rejects.toThrow();
      pass(outageMs);
      isAway = false;
      await lapseAll();
      expect(await orphansOf(leases)).not.toContain(id);
      await leases.register(leaseMs);
      await live(leases, leaseMs * 0.9);
      expect(await orphansOf(leases)).toContain(id);
    }
    await books.release(id, id.replace("req", "acc"));
  });

  test("an answer that came late is an outage too", async () => {
    const leases = open();
    await leases.register(leaseMs);
    await live(leases, leaseMs);
    const id = await heldByAnother();
    await lapseAll();
    pass(leaseMs * 0.6);
    expect(await orphansOf(leases)).not.toContain(id);
    await live(leases, leaseMs);
    expect(await orphansOf(leases)).toContain(id);
    await books.release(id, id.replace("req", "acc"));
  });
});
