/** Connections to PostgreSQL that break: what was asked fails, the process lives, and the next question is answered. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Db } from "../../src/store/db.ts";
import { openPostgres } from "../../src/store/postgres.ts";
import { newPostgresUrl } from "../support/databases.ts";

let db: Db;
let other: Db;
beforeAll(async () => {
  const url = await newPostgresUrl();
  db = openPostgres({ url, poolSize: 1, statementTimeoutMs: 30_000 });
  other = openPostgres({ url, poolSize: 1, statementTimeoutMs: 30_000 });
});
afterAll(async () => {
  await db.close();
  await other.close();
});

const pid = "select pg_backend_pid() as pid";
const alive = "select 1 as one from pg_stat_activity where pid = $1";

/** Ends a server process, and resolves when its connection is gone. */
async function cut(backend: number | undefined): Promise<void> {
  await other.query("select pg_terminate_backend($1)", [backend]);
  while ((await other.query(alive, [backend])).length > 0)
    await new Promise((resolve) => setTimeout(resolve, 5));
  // The news is on its way to this process.
  await new Promise((resolve) => setTimeout(resolve, 50));
}

test("a connection that breaks between two statements of a transaction fails the transaction", async () => {
  const broken = db.transaction(async (tx) => {
    const [row] = await tx.query<{ pid: number }>(pid);
    await cut(row?.pid);
    return tx.query("select 1");
  });
  await expect(broken).rejects.toThrow(/not queryable|terminat/);
  expect(await db.query("select 1 as one")).toEqual([{ one: 1 }]);
});

test("a connection that breaks while nobody uses it is replaced", async () => {
  const [row] = await db.query<{ pid: number }>(pid);
  await cut(row?.pid);
  expect(await db.query("select 1 as one")).toEqual([{ one: 1 }]);
});
