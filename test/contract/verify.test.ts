import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { VerificationCheck } from "../../src/ports-reports.ts";
import type { Db } from "../../src/store/db.ts";
import { createVerification, ledgerChecks, runChecks } from "../../src/store/verify.ts";
import type { Books } from "../support/books.ts";
import { billed, makeBusy } from "../support/busy.ts";
import { databaseKinds, newDatabase } from "../support/databases.ts";

const recoveryMs = 60_000;
const failing = (checks: readonly VerificationCheck[]): string[] =>
  checks.filter((one) => !one.ok).map((one) => one.name);

/** What was tampered with, how, and every check that must see it. */
const corruptions: ReadonlyArray<readonly [what: string, statement: string, seenBy: readonly string[]]> = [
  [
    "a balance is raised",
    "update balances set posted = posted + 1 where account_id = 'acc_a'",
    ["posted_equals_entries", "grants_sum_to_posted"],
  ],
  [
    "a hold is forgotten by the balance",
    "update balances set held = 0 where account_id = 'acc_b'",
    ["held_equals_holds"],
  ],
  [
    "more is held than is posted",
    "alter table balances drop constraint balances_check; update balances set held = posted + 1 where account_id = 'acc_a'",
    ["held_equals_holds", "never_below_zero"],
  ],
  [
    "an entry is deleted",
    "delete from entries where account_id = 'acc_b' and seq = 2",
    [
      "posted_equals_entries",
      "entries_numbered_without_gaps",
      "balance_after_follows",
      "transactions_sum_to_zero",
      "grants_equal_entries",
    ],
  ],
  [
    "an entry of the operator is deleted",
    "delete from entries where tx_id = 'req_01' and ledger_account = 'earnings'",
    ["transactions_sum_to_zero", "requests_equal_entries"],
  ],
  [
    "an amount is changed",
    "update entries set amount = amount - 1 where tx_id = 'req_04' and ledger_account = 'customer'",
    [
      "posted_equals_entries",
      "balance_after_follows",
      "transactions_sum_to_zero",
      "grants_equal_entries",
      "requests_equal_entries",
      "slices_equal_entries",
    ],
  ],
  [
    "both sides of a transaction are changed",
    "update entries set amount = amount * 2 where tx_id = 'req_04' and ledger_account in ('customer', 'earnings')",
    [
      "posted_equals_entries",
      "balance_after_follows",
      "grants_equal_entries",
      "requests_equal_entries",
      "slices_equal_entries",
    ],
  ],
  [
    "a running balance is changed",
    "update entries set balance_after = balance_after + 1 where account_id = 'acc_a' and seq = 2",
    ["balance_after_follows"],
  ],
  [
    "two entries swap their numbers",
    "drop index entries_account_seq; update entries set seq = 5 - seq where account_id = 'acc_b' and seq in (2, 3)",
    ["balance_after_follows"],
  ],
  [
    "a number is used twice",
    "drop index entries_account_seq; update entries set seq = 2 where account_id = 'acc_b' and seq = 3",
    ["entries_numbered_without_gaps"],
  ],
  [
    "an account was below zero once",
    "update entries set amount = amount - 100000000000000 where account_id = 'acc_b' and seq = 2; update entries set amount = amount + 100000000000000 where account_id = 'acc_b' and seq = 3",
    [
      "balance_after_follows",
      "never_below_zero",
      "transactions_sum_to_zero",
      "transactions_are_of_one_kind",
      "grants_equal_entries",
      "requests_equal_entries",
      "slices_equal_entries",
    ],
  ],
  [
    "a settlement is copied to another account",
    "update entries set account_id = 'acc_c' where tx_id = 'req_05' and ledger_account = 'earnings'",
    ["transactions_are_of_one_kind"],
  ],
  [
    "a settlement is booked as a grant",
    "update entries set kind = 'grant' where tx_id = 'req_05'",
    ["transactions_are_of_one_kind", "requests_equal_entries", "slices_equal_entries"],
  ],
  [
    "a settlement has no request",
    "delete from requests where id = 'req_05'",
    ["requests_equal_entries", "slices_equal_entries", "rollups_equal_requests", "vendor_cost_agrees"],
  ],
  [
    "a request is there twice, open and settled",
    "insert into holds (id, account_id, instance_id, amount, grant_ids, grant_amounts, reserved_tokens, request, created_at) select 'req_05', 'acc_b', instance_id, 0, '{}', '{}', 0, '{}', clock_timestamp() from holds limit 1",
    ["holds_end_once"],
  ],
  [
    "a charge is lowered",
    "update requests set charge = charge - 1000 where id = 'req_01'",
    ["requests_equal_entries", "charge_equals_price_lines", "rollups_equal_requests", "key_counters_agree"],
  ],
  [
    "a charge exceeds its hold",
    "alter table requests drop constraint requests_check; update requests set hold = 1 where id = 'req_01'",
    ["charge_is_within_hold"],
  ],
  [
    "a price line is made cheaper",
    "update requests set record = jsonb_set(record::jsonb, '{price_lines,0,unit_price_pusd}', '\"1\"')::json where id = 'req_01'",
    ["charge_equals_price_lines"],
  ],
  [
    "a price line has no amount",
    "update requests set record = (record::jsonb #- '{price_lines,0,amount_pusd}')::json where id = 'req_01'",
    ["charge_equals_price_lines"],
  ],
  [
    "the price lines are gone",
    "update requests set record = (record::jsonb - 'price_lines')::json where id = 'req_01'",
    ["charge_equals_price_lines"],
  ],
  [
    "a price line is not an object",
    "update requests set record = jsonb_set(record::jsonb, '{price_lines,0}', '7')::json where id = 'req_01'",
    ["charge_equals_price_lines"],
  ],
  [
    "the usage of a request is gone",
    "update requests set output = null, total = null where id = 'req_04'",
    ["settled_requests_have_usage", "rollups_equal_requests"],
  ],
  [
    "a vendor's answer is charged to two requests",
    "update requests set record = jsonb_set(record::jsonb, '{attempts}', (select record::jsonb -> 'attempts' from requests where id = 'req_04'))::json where id = 'req_05'",
    ["attempts_settle_once"],
  ],
  [
    "a vendor cost is understated",
    "update requests set vendor_cost = 0 where id = 'req_02'",
    ["requests_equal_entries", "rollups_equal_requests", "vendor_cost_agrees"],
  ],
  [
    "what a grant has left is raised",
    "update grants set remaining = remaining + 1 where id = 'grt_b1'",
    ["grants_sum_to_posted", "grants_equal_entries"],
  ],
  [
    "credit moves between grants",
    "update grants set remaining = remaining - 5 where id = 'grt_a2'; update grants set remaining = remaining + 5 where id = 'grt_a1'",
    ["grants_equal_entries"],
  ],
  ["a reservation is lost", "update grants set reserved = 0 where id = 'grt_b1'", ["reserved_equals_slices"]],
  [
    "a slice of a hold is lost",
    "update holds set grant_amounts = array_append(grant_amounts[2:], 1::numeric) where id = 'req_09'",
    ["hold_slices_sum_to_hold", "reserved_equals_slices"],
  ],
  [
    "a hold reserves another account's grant",
    "update holds set grant_ids = '{grt_b1}', grant_amounts = array[amount] where id = 'req_09'",
    ["hold_slices_sum_to_hold", "reserved_equals_slices"],
  ],
  [
    "credit that has not expired became breakage",
    "update grants set expires_at = '2100-01-01' where id = 'grt_a3'",
    ["only_expired_credit_is_breakage"],
  ],
  [
    "the payer of a request is changed",
    "update requests set grant_ids = '{grt_b2}' where id = 'req_04'",
    ["slices_equal_entries"],
  ],
  [
    "a refund is larger than the charge",
    "update entries set amount = amount * 20 where kind = 'refund'",
    ["posted_equals_entries", "balance_after_follows", "grants_equal_entries", "refunds_are_within_charges"],
  ],
  [
    "a refund names a request that was released",
    "update entries set corrects = 'req_06' where kind = 'refund'",
    ["refunds_are_within_charges"],
  ],
  [
    "a report is edited",
    "update usage_rollups set charge = charge + 1 where model = 'gpt-4o'",
    ["rollups_equal_requests"],
  ],
  [
    "a report loses an hour",
    "delete from usage_rollups where model = 'gpt-4o'",
    ["rollups_equal_requests", "vendor_cost_agrees"],
  ],
  [
    "an hour has a sum that no rollup has",
    "insert into usage_sums values ('model', '2026-01-01', '', 'gpt-4o', 'openai', 'vendor', 1, 1, 0, 0, 1, 0, 5, 0, 0)",
    ["hour_sums_equal_rollups"],
  ],
  [
    "a probe's cost is halved",
    "update entries set amount = amount / 2 where kind = 'probe'",
    ["probe_costs_agree"],
  ],
  [
    "a probe is booked to a customer",
    "update entries set account_id = 'acc_a' where kind = 'probe'",
    ["probe_costs_agree"],
  ],
  [
    "the record of a probe is gone",
    "alter table audit_log disable trigger user; delete from audit_log where action = 'endpoint.probe'",
    ["probe_costs_agree"],
  ],
  [
    "a settlement is booked as a probe",
    "update entries set kind = 'probe' where tx_id = 'req_05'",
    [
      "transactions_are_of_one_kind",
      "requests_equal_entries",
      "slices_equal_entries",
      "vendor_cost_agrees",
      "probe_costs_agree",
    ],
  ],
  [
    "a key's total is reset",
    "update key_counters set spent_total = 0, window_spent = 0 where key_id = 'key_a'",
    ["key_counters_agree"],
  ],
  [
    "a key's counter is below zero",
    "update key_counters set window_held = -1 where key_id = 'key_a'",
    ["key_counters_agree"],
  ],
  [
    "a key's open requests are miscounted",
    "update key_counters set open_requests = 7 where key_id = 'key_a'",
    ["key_counters_agree"],
  ],
  [
    "a request was made with another account's key",
    "update requests set key_id = 'key_b' where id = 'req_01'",
    ["rollups_equal_requests", "key_counters_agree", "keys_belong_to_accounts"],
  ],
  [
    "two idempotency keys share a request",
    "insert into idempotency (scope, key, fingerprint, request_id, expires_at) values ('acc_b', 'other', 'f', 'req_08', now() + interval '1 hour')",
    ["idempotency_keys_have_one_result"],
  ],
  [
    "a stored result has no request",
    "update idempotency set request_id = 'req_none'",
    ["idempotency_keys_have_one_result"],
  ],
  [
    "a dead process's hold stays open",
    "update instances set lease_until = now() - interval '1 hour'; update holds set created_at = now() - interval '1 hour' where id = 'req_10'",
    ["no_hold_is_forgotten"],
  ],
];

describe.each(databaseKinds)("ledger verification on %s", (kind) => {
  let db: Db;
  let books: Books;
  beforeAll(async () => {
    db = await newDatabase(kind);
    books = await makeBusy(db);
  });
  afterAll(async () => {
    await books.ledger.close();
    await db.close();
  });

  test("books on which everything has happened are in order", async () => {
    const checks = await createVerification(db).verify({ recoveryMs });
    expect(checks.filter((one) => !one.ok)).toEqual([]);
    expect(checks.filter((one) => one.checked === 0).map((one) => one.name)).toEqual([]);
  });

  test("verification sees a moment of busy books, and stops nobody", async () => {
    const traffic = Array.from({ length: 60 }, async (_, index) => {
      const id = `req_busy_${kind}_${index}`;
      await books.hold(id, "acc_a", "0.01");
      return books.settle(id, "acc_a", "0", billed(index % 7));
    });
    const verification = createVerification(db);
    const results = await Promise.all([
      verification.verify({ recoveryMs }),
      verification.verify({ recoveryMs }),
    ]);
    expect((await Promise.all(traffic)).map((one) => one.code)).toEqual(traffic.map(() => "done"));
    expect(results.map(failing)).toEqual([[], []]);
    expect(failing(await verification.verify({ recoveryMs }))).toEqual([]);
  });

  test("when the guards of the entries are off, a check says so", async () => {
    await db.query("alter table entries disable trigger entries_immutable");
    const checks = await createVerification(db).verify({ recoveryMs });
    await db.query("alter table entries enable trigger entries_immutable");
    expect(failing(checks)).toEqual(["guards_are_on"]);
  });

  test("every check is broken by some corruption", () => {
    const seen = new Set(corruptions.flatMap(([, , seenBy]) => seenBy)).add("guards_are_on");
    expect(ledgerChecks.map((check) => check.name).filter((name) => !seen.has(name))).toEqual([]);
  });

  test.each(corruptions)("when %s, the right checks say so", async (_what, statement, seenBy) => {
    let found: readonly VerificationCheck[] = [];
    const undo = new Error("undo");
    const tampered = db.transaction(async (tx) => {
      for (const table of ["entries", "balances", "grants"])
        await tx.query(`alter table ${table} disable trigger user`);
      for (const one of statement.split(";")) await tx.query(one);
      found = await runChecks(tx, recoveryMs);
      throw undo;
    });
    await expect(tampered).rejects.toBe(undo);
    expect(failing(found).filter((name) => name !== "guards_are_on")).toEqual(seenBy);
    for (const check of found.filter((one) => !one.ok)) expect(check.firstBad).not.toBeNull();
  });
});
