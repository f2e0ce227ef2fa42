/** `tollgate migrate --to`: the embedded database goes to PostgreSQL whole and proven, or not at all. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBooks } from "../../test/support/books.ts";
import { billed, makeBusy } from "../../test/support/busy.ts";
import { type Ran, runCommand } from "../../test/support/cli.ts";
import { newPostgresUrl } from "../../test/support/databases.ts";
import type { Db } from "../store/db.ts";
import { lockDirectory } from "../store/directory-lock.ts";
import { migrate, pendingMigrations } from "../store/migrate.ts";
import { type EmbeddedDb, openPglite } from "../store/pglite.ts";
import { openPostgres } from "../store/postgres.ts";
import { createVerification } from "../store/verify.ts";

let home = "";
const directory = (): string => join(home, "tollgate-data");
const move = (to: string, more = "", env: Record<string, string> = {}): Promise<Ran> =>
  runCommand(["migrate", "--to", to, ...more.split(" ").filter((word) => word !== "")], { cwd: home, env });
const onSource = async <T>(work: (db: EmbeddedDb) => Promise<T>): Promise<T> => {
  const db = await openPglite(directory());
  try {
    return await work(db);
  } finally {
    await db.close();
  }
};
const onTarget = async <T>(url: string, work: (db: Db) => Promise<T>): Promise<T> => {
  const db = openPostgres({ url, poolSize: 2, statementTimeoutMs: 30_000 });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
};
const relations = (url: string): Promise<unknown[]> =>
  onTarget(url, (db) =>
    db.query(
      "select relname from pg_class where relnamespace = 'public'::regnamespace union all select proname from pg_proc where pronamespace = 'public'::regnamespace",
    ),
  );

/** Values that a careless copy would change: odd texts, bytes, arrays, times to the microsecond, nulls. */
async function addOddRows(db: Db): Promise<void> {
  const odd = `"quotes", \\back\\slash, {curly}, NULL, 'x', tab\t line\n 🚪 é`;
  await db.query(
    "insert into accounts (id, name, external_id, metadata, created_at) values ('acc_odd', $1, $1, $2, '2026-02-03T04:05:06.789012Z')",
    [odd, JSON.stringify({ odd, deep: [1, null, { "": "" }] })],
  );
  await db.query("insert into balances (account_id) values ('acc_odd')");
  await db.query(
    "insert into keys (id, account_id, name, display, models, spend_limit, spend_window) values ('key_odd', 'acc_odd', $1, 'd', $2, 123456789012345678901234567, 'total')",
    [odd, ["a,b", odd, ""]],
  );
  await db.query("insert into key_secrets (hash, key_id) values ('\\x00ff5c22'::bytea, 'key_odd')");
  await db.query("insert into meta (key, value) values ('empty', '')");
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "tollgate-move-"));
  await onSource(async (db) => {
    await migrate(db);
    const books = await makeBusy(db);
    await addOddRows(db);
    await books.ledger.close();
  });
});
afterAll(() => rmSync(home, { recursive: true }));

describe("what cannot be moved is left as it was, and nothing is left in the target:", () => {
  test("a target that has anything in it", async () => {
    const url = await newPostgresUrl();
    await onTarget(url, (db) => db.query("create table mine (x int)"));
    expect(await move(url.replace(/:[^:@/]*@/, "@"), "", { PGPASSWORD: "tollgate" })).toMatchObject({
      exitCode: 1,
      out: "",
      err: expect.stringContaining(
        "the target is not empty, it has mine; name an empty database. Nothing was changed.",
      ),
    });
    expect(await relations(url)).toEqual([{ relname: "mine" }]);
  });

  test("a database that a gateway has open", async () => {
    const url = await newPostgresUrl();
    const lock = await lockDirectory(directory());
    expect(await move("env:TARGET", "", { TARGET: url })).toMatchObject({
      exitCode: 1,
      out: "",
      err: expect.stringContaining("another Tollgate process is using it"),
    });
    await lock.release();
    expect(await relations(url)).toEqual([]);
  });

  test("books that do not verify: exit code 3, with the check and the row", async () => {
    const url = await newPostgresUrl();
    await onSource((db) => db.query("update requests set vendor_cost = vendor_cost + 1 where id = 'req_04'"));
    const { exitCode, out, err } = await move("env:TARGET", "", { TARGET: url });
    expect({ exitCode, out }).toEqual({ exitCode: 3, out: "" });
    expect(err).toContain("both break requests_equal_entries");
    expect(err).toContain("req_04");
    expect(await relations(url)).toEqual([]);
    await onSource((db) => db.query("update requests set vendor_cost = vendor_cost - 1 where id = 'req_04'"));
  });

  test("a target whose user may not make tables, and one that is not there", async () => {
    const url = new URL(await newPostgresUrl());
    await onTarget(url.href, (db) => db.query(`create role ${`mover_${url.pathname.slice(1)}`} login`));
    const other = new URL(url);
    other.username = `mover_${url.pathname.slice(1)}`;
    expect(await move("env:TARGET", "", { TARGET: other.href })).toMatchObject({
      exitCode: 1,
      err: expect.stringMatching(/Cannot move .*permission denied for schema public/),
    });
    expect(await relations(url.href)).toEqual([]);
    expect(await move("postgres://nobody@127.0.0.1:1/none")).toMatchObject({
      exitCode: 5,
      err: expect.stringContaining("Cannot reach PostgreSQL"),
    });
  });

  test.each([
    ["a password in the flag", "postgres://u:hunter2@db/x", {}, 2, "Cannot take a password from a flag"],
    ["another scheme", "mysql://db/x", {}, 2, "--to is no URL of PostgreSQL"],
    ["a variable that is not set", "env:NOTHING", {}, 2, "the variable NOTHING is not set"],
    [
      "a store that is PostgreSQL already",
      "env:X",
      { DATABASE_URL: "postgres://db/x" },
      2,
      "it is PostgreSQL already",
    ],
  ])("%s", async (_what, to, env, exitCode, message) => {
    const ran = await move(to, "", env);
    expect(ran).toMatchObject({ exitCode, out: "", err: expect.stringContaining(message) });
    expect(ran.err).not.toContain("hunter2");
  });

  test("a directory without a database", async () => {
    const empty = mkdtempSync(join(tmpdir(), "tollgate-move-"));
    const ran = await runCommand(["migrate", "--to", "postgres://db/x"], { cwd: empty });
    expect(ran).toMatchObject({ exitCode: 1, err: expect.stringContaining("there is no database in it") });
    expect(existsSync(join(empty, "tollgate-data"))).toBe(false);
    rmSync(empty, { recursive: true });
  });
});

test("the whole database moves, is proven to be the same, and goes on where it was", async () => {
  const url = await newPostgresUrl();
  const before = await onSource(picture);
  const { exitCode, out, err } = await move("env:TARGET", "--json", { TARGET: url });
  expect({ exitCode, err }).toMatchObject({ exitCode: 0 });
  const result = JSON.parse(out) as { rows: number; accounts: number; checks: number; tables: number };
  expect(result).toMatchObject({ accounts: 4, kept: join(directory(), "db") });
  expect(result.checks).toBeGreaterThan(20);
  expect(err).toContain("Copied entries: ");
  expect(err).toContain("Comparing every row");

  await onTarget(url, async (db) => {
    expect(await picture(db)).toEqual(before);
    expect(await pendingMigrations(db)).toEqual([]);
    // The next entry takes the next number, and the guards hold here too.
    const books = await openBooks(db);
    const last = await newestEntry(db);
    await books.hold("req_after", "acc_a", "0.1");
    expect(await books.settle("req_after", "acc_a", "0", billed(3))).toEqual({ code: "done" });
    expect(await newestEntry(db)).toBeGreaterThan(last);
    await expect(db.query("delete from entries")).rejects.toThrow(/immutable/);
    const checks = await createVerification(db).verify({ recoveryMs: 60_000 });
    expect(checks.filter((one) => !one.ok)).toEqual([]);
    await books.ledger.close();
  });

  // Two that go on from the same books would spend the same credit twice.
  const closed = {
    exitCode: 1,
    out: "",
    err: expect.stringContaining("its data was moved to PostgreSQL, 127.0.0.1"),
  };
  expect(
    await runCommand(["serve"], { cwd: home, env: { OPENAI_API_KEY: "sk-x", PORT: "0" } }),
  ).toMatchObject(closed);
  expect(await runCommand(["backup"], { cwd: home })).toMatchObject(closed);
  expect(await move("env:TARGET", "", { TARGET: await newPostgresUrl() })).toMatchObject(closed);
});

/** Every row of every table, as text. */
async function picture(db: Db): Promise<Record<string, unknown>> {
  const tables = await db.query<{ name: string }>(
    "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> 'schema_migrations' order by 1",
  );
  const all: Record<string, unknown> = {};
  for (const { name } of tables)
    all[name] = await db.query(`select x::text as row from ${name} x order by x::text collate "C"`);
  return all;
}

async function newestEntry(db: Db): Promise<number> {
  const [row] = await db.query<{ id: number }>("select max(id) as id from entries");
  return row?.id ?? Number.NaN;
}
