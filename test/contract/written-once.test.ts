/** What is written once stays: by privilege, by trigger, and because nothing of ours ever tries. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Db } from "../../src/store/db.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openPostgres } from "../../src/store/postgres.ts";
import { type Books, openBooks } from "../support/books.ts";
import { makeBusy } from "../support/busy.ts";
import { databaseKinds, newDatabase, newPostgresUrl } from "../support/databases.ts";

const tables = ["entries", "audit_log", "transaction_notes", "price_rows"];
const attempts = tables.flatMap((table) => [
  [
    table,
    `update ${table} set ${table === "price_rows" ? "id = id" : table === "transaction_notes" ? "reason = ''" : "id = default"}`,
  ] as const,
  [table, `delete from ${table}`] as const,
  [table, `truncate ${table} cascade`] as const,
]);

describe("on PostgreSQL, as a role that owns the tables and is no superuser", () => {
  let owner: Db;
  let books: Books;
  beforeAll(async () => {
    const url = new URL(await newPostgresUrl());
    const role = `owner_${url.pathname.slice(1)}`;
    const superuser = openPostgres({ url: url.href, poolSize: 1, statementTimeoutMs: 30_000 });
    await superuser.query(`create role ${role} login`);
    await superuser.query(`alter database ${url.pathname.slice(1)} owner to ${role}`);
    await superuser.query(`grant all on schema public to ${role}`);
    await superuser.close();
    url.username = role;
    owner = openPostgres({ url: url.href, poolSize: 4, statementTimeoutMs: 30_000 });
    await migrate(owner);
    books = await makeBusy(owner);
    await owner.query("insert into price_rows (id, row) values ('p', '{}')");
  });
  afterAll(async () => {
    await books.ledger.close();
    await owner.close();
  });

  test.each(attempts)("the role has no right to change %s: %s", async (table, statement) => {
    const before = await owner.query(`select * from ${table} order by 1`);
    await expect(owner.query(statement)).rejects.toMatchObject({
      code: "42501",
      message: `permission denied for table ${table}`,
    });
    expect(await owner.query(`select * from ${table} order by 1`)).toEqual(before);
  });

  test("no entry was ever locked, changed or deleted by what the ledger does", async () => {
    expect(await owner.query("select id from entries where xmax <> '0'::xid")).toEqual([]);
    expect(
      await owner.query(
        "select distinct table_name from information_schema.columns where column_name = 'ledger_account'",
      ),
    ).toEqual([{ table_name: "entries" }]);
    expect(
      await owner.query("select account_id from balances where account_id not in (select id from accounts)"),
    ).toEqual([]);
  });

  test("an owner who takes the right back meets the trigger", async () => {
    await owner.query("grant update, delete, truncate on entries to current_user");
    for (const statement of ["update entries set amount = 0", "delete from entries", "truncate entries"])
      await expect(owner.query(statement)).rejects.toThrow(/ledger entries are immutable/);
    await owner.query("revoke update, delete, truncate on entries from current_user");
  });

  test("settlements of one account never wait for another's: the operator's places are only added to", async () => {
    await books.hold("req_free", "acc_a", "0.1");
    const tx = owner.transaction(async (open) => {
      // Everything of acc_b is locked until this ends, and its entries on the operator's places are not committed.
      await open.query("select ledger_probe('probe_open', 5)");
      await open.query("select 1 from balances where account_id = 'acc_b' for update");
      await open.query("select ledger_void('tx_open', 'grt_b1')");
      return books.settle("req_free", "acc_a", "0.05");
    });
    expect(await tx).toEqual({ code: "done" });
  });
});

describe.each(databaseKinds)("on %s, even a superuser meets the trigger", (kind) => {
  let db: Db;
  beforeAll(async () => {
    db = await newDatabase(kind);
    const books = await openBooks(db);
    await books.account("acc_1", [{ id: "grt_1", usd: "1" }]);
    await books.ledger.close();
  });
  afterAll(() => db.close());

  test.each(["customer", "cash"])("for the entries of %s", async (place) => {
    for (const statement of [
      `update entries set amount = amount + 1 where ledger_account = '${place}'`,
      `update entries set corrects = 'x' where ledger_account = '${place}'`,
      `delete from entries where ledger_account = '${place}'`,
      "truncate entries",
    ])
      await expect(db.query(statement)).rejects.toThrow(
        /ledger entries are immutable; correct them with a new entry/,
      );
    expect(await db.query("select count(*) as n from entries")).toEqual([{ n: 2 }]);
  });
});
