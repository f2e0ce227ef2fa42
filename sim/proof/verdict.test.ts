/** The proof's judge must be able to say no: each thing that may never happen is done here, and has to be found. */
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { pico } from "../../src/core/money.ts";
import type { SettleOperation } from "../../src/ports.ts";
import type { BillLine } from "../../src/simulator/bill.ts";
import type { Db } from "../../src/store/db.ts";
import { type Books, openBooks, settleOf } from "../../test/support/books.ts";
import { newDatabase } from "../../test/support/databases.ts";
import type { Seen } from "./clients.ts";
import { judge, type Verdict } from "./verdict.ts";

const tokens = { input: 75, cached_input: 0, cache_write: 0, output: 43, reasoning: 0 };
/** 75 × $0.15 and 43 × $0.60 per million, times 5/4, in pUSD. */
const worth = 46_312_500n;

let db: Db;
let books: Books;
let number = 0;
let account = "";
let id = "";
beforeAll(async () => {
  db = await newDatabase("postgres");
  books = await openBooks(db);
});
afterAll(async () => {
  await books.ledger.close();
  await db.close();
});
// Each test has books of its own. Entries are for ever; only who may change the table itself can get past that.
beforeEach(async () => {
  await db.execute(`alter table entries disable trigger all;
    truncate entries, requests, holds, usage_rollups, key_counters, grants, balances, accounts cascade;
    alter table entries enable trigger all`);
  number += 1;
  account = `acc_${number}`;
  id = `req_${number}`;
  await books.account(account, [{ id: `grant_${number}`, usd: "1" }]);
});

const line = (more: Partial<BillLine> = {}): BillLine => ({
  ...tokens,
  id: "chatcmpl-1",
  request_id: "v1",
  at: "2026-01-01T00:00:00Z",
  path: "/v1/chat/completions",
  model: "gpt-4o-mini",
  served_model: "gpt-4o-mini-2024-07-18",
  deployment: null,
  service_tier: null,
  stream: true,
  total: 118,
  billed: true,
  reason: "complete",
  status: 200,
  fault: null,
  client_request_id: id,
  aborted: false,
  ...more,
});
const seen = (more: Partial<Seen> = {}): Seen => ({
  number: 1,
  requestId: id,
  status: 200,
  isWhole: true,
  idempotencyKey: null,
  hungAt: null,
  ...more,
});
const read = { usage: { ...tokens, source: "vendor" }, paid_by: "customer", reason: null };

/** A request that was held for and charged, by default as it should be. */
async function charge(
  more: Partial<SettleOperation> = {},
  record: Record<string, unknown> = {},
): Promise<void> {
  const name = more.id ?? id;
  await books.hold(name, account, "0.001");
  await books.ledger.settle(
    settleOf(name, account, pico(worth), {
      ...more,
      record: { attempts: [read], price_lines: [], ...record },
    }),
  );
}

/** The verdict without its figures: only what was found, with ids as they are told. */
async function found(bill: BillLine[], clients: Seen[] = []): Promise<Partial<Verdict>> {
  const { lost, double, overspent, stuck } = await judge(db, { bill, seen: clients });
  return Object.fromEntries(
    Object.entries({ lost, double, overspent, stuck }).filter(([, findings]) => findings.length > 0),
  );
}

test("a request that is charged as it was billed is clean", async () => {
  await charge();
  expect(await found([line()], [seen()])).toEqual({});
});

test("a billed request without a row, and a bill for nobody's request, are lost", async () => {
  expect(await found([line()])).toEqual({
    lost: [`${id}: billed 75/0/0/43/0 complete, not in the ledger`],
  });
  expect(await found([line({ client_request_id: null })])).toEqual({
    lost: ["vendor's v1: billed 75/0/0/43/0 complete, not in the ledger"],
  });
});

test("a charge below what the vendor billed is lost, unless its hold was all there was", async () => {
  await charge({ charge: pico(worth - 1n) });
  expect(await found([line()])).toEqual({ lost: [`${id}: charged 46312499, worth 46312500`] });
});

test("an estimate where a whole answer was to be read is lost money", async () => {
  const estimate = { ...read, usage: { ...tokens, source: "estimated" } };
  await charge({ source: "estimated" }, { attempts: [estimate] });
  expect(await found([line()])).toEqual({
    lost: [`${id}: billed 75/0/0/43/0 complete, ledger settled estimated complete`],
  });
  expect(await found([line({ reason: "fault", fault: "cut_mid_text" })])).toEqual({});
});

test("a release of what the vendor billed is lost, unless the vendor itself said that it failed", async () => {
  const release = { state: "released", source: "none", charge: pico(0n), vendorCost: pico(0n) } as const;
  await charge({ ...release, outcome: "recovered" }, { attempts: [] });
  const faulty = line({ reason: "fault", fault: "drop" });
  expect(await found([faulty])).toEqual({
    lost: [`${id}: billed 75/0/0/43/0 fault, ledger released none recovered`],
  });
  id = `${id}_b`;
  const failed = { usage: null, paid_by: null, reason: "The server had an error." };
  await charge({ ...release, outcome: "vendor_error" }, { attempts: [failed] });
  expect(await found([{ ...faulty, client_request_id: id }])).toEqual({});
});

test("a whole answer at the client without a charge of its own is lost", async () => {
  expect(await found([], [seen()])).toEqual({
    lost: [`${id}: its client has the whole answer, the ledger says nothing`],
  });
  await charge({ outcome: "recovered", source: "estimated" }, { attempts: [] });
  expect(await found([line()], [seen()])).toEqual({
    lost: [`${id}: its client has the whole answer, the ledger says settled recovered, []`],
  });
  expect(await found([line()], [seen({ isWhole: false })])).toEqual({});
});

test("a charge by usage that was never billed, beyond its worth, or twice, is double", async () => {
  await charge({ charge: pico(worth + 1n) });
  expect(await found([])).toEqual({ double: [`${id}: charged by usage that no vendor billed`] });
  expect(await found([line({ billed: false })])).toEqual({
    double: [`${id}: charged by usage that no vendor billed`],
  });
  expect(await found([line()])).toEqual({ double: [`${id}: charged 46312501, worth 46312500`] });
  expect((await found([line({ output: 42 })])).double).toContain(
    `${id}: read 75/0/0/43/0, billed 75/0/0/42/0 complete`,
  );
});

test("two charges under one Idempotency-Key are double", async () => {
  const again = `${id}_again`;
  await charge({}, { idempotency_key: "k" });
  await charge({ id: again }, { idempotency_key: "k" });
  expect(await found([line(), line({ client_request_id: again })])).toEqual({
    double: [`${account} k: charged as ${id} and ${again}`],
  });
});

test("a balance that was below zero, or holds more than there is, is overspent", async () => {
  await charge();
  const [check] = await db.query<{ name: string }>(
    "select conname as name from pg_constraint where conrelid = 'balances'::regclass and contype = 'c'",
  );
  await db.query(`alter table balances drop constraint ${check?.name}`);
  await db.query("update balances set held = posted + 1 where account_id = $1", [account]);
  const { overspent } = await found([line()]);
  expect(overspent).toContain(`nothing is held beyond what is posted: ${account}`);
  await db.query("update balances set held = 0, posted = -1 where account_id = $1", [account]);
  expect((await found([line()])).overspent).toContain(
    `posted is the sum of the account's entries: ${account}: -1 against ${10n ** 12n - worth}`,
  );
});

test("a hold that nobody ended is stuck", async () => {
  await books.hold(id, account, "0.001");
  expect(await found([])).toEqual({ stuck: [id] });
});

test("estimates are compared with what the vendors billed for the same requests", async () => {
  await charge({ outcome: "recovered", source: "estimated", charge: pico(5n) }, { attempts: [] });
  const { estimates } = await judge(db, { bill: [line({ aborted: true })], seen: [] });
  expect(estimates).toEqual({ charged: 5n, worth, unbilled: 0 });
  expect((await judge(db, { bill: [], seen: [] })).estimates).toEqual({
    charged: 5n,
    worth: 0n,
    unbilled: 1,
  });
});
