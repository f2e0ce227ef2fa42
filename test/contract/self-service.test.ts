import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Outcome } from "../../src/billing/refusals.ts";
import {
  credits,
  generation,
  keyInfo,
  ownUsage,
  type SelfServicePorts,
} from "../../src/billing/self-service.ts";
import { creditUnit } from "../../src/core/money.ts";
import { createAdminStore } from "../../src/store/admin-store.ts";
import type { Db } from "../../src/store/db.ts";
import type { Books } from "../support/books.ts";
import { makeBusy } from "../support/busy.ts";
import { databaseKinds, newDatabase } from "../support/databases.ts";

const acmeKey = { keyId: "key_a", accountId: "acc_a" };
const otherKey = { keyId: "key_b", accountId: "acc_b" };

const shownBy = async (outcome: Promise<Outcome<object>>): Promise<Record<string, unknown>> => {
  const result = await outcome;
  return result.ok
    ? (result.value as Record<string, unknown>)
    : { refused: result.refusal.code, param: result.refusal.param };
};

describe.each(databaseKinds)("what a customer can read on %s", (kind) => {
  let db: Db;
  let books: Books;
  let ports: SelfServicePorts;
  beforeAll(async () => {
    db = await newDatabase(kind);
    books = await makeBusy(db);
    ports = {
      tables: createAdminStore(db),
      clock: { now: Date.now, elapsed: () => performance.now() },
      credit: creditUnit("0.01"),
      creditName: "credit",
    };
  });
  afterAll(async () => {
    await books.ledger.close();
    await db.close();
  });

  test("credits() accounts for all that was ever granted", async () => {
    const shown = await shownBy(credits(ports, acmeKey));
    // Granted 11 dollars, 1 expired; charged 0.37 + 0.9 + 4.5, refunded 0.3; 0.7 held.
    expect(shown).toEqual({
      ...{ total_granted: "1100", used: "547", expired: "100", voided: "0", held: "70", available: "383" },
      credit: { name: "credit", usd: "0.01" },
      data: { total_credits: "1000", total_usage: "547" },
    });
  });

  test("credits() books what has expired before it says what is available", async () => {
    const before = await shownBy(credits(ports, otherKey));
    await db.query("select ledger_grant($1)", [
      JSON.stringify({
        id: "grt_late",
        account_id: "acc_b",
        kind: "paid",
        amount: "1000000000000",
        expires_at: "2020-01-01T00:00:00Z",
      }),
    ]);
    const after = await shownBy(credits(ports, otherKey));
    expect(after).toMatchObject({ available: before.available, expired: "100" });
  });

  test("keyInfo() tells the key's limits and what is left of them, also in the words of tools for OpenRouter", async () => {
    const shown = await shownBy(keyInfo(ports, acmeKey));
    expect(shown).toMatchObject({
      ...{
        id: "key_a",
        spend_limit: "10000",
        spend_window: "day",
        window_spent: "577",
        window_held: "70",
        spent_total: "577",
      },
      data: {
        ...{ label: "key_a", limit: "10000", limit_remaining: "9353", limit_reset: "daily" },
        ...{ usage: "577", usage_daily: "577", usage_weekly: "577", usage_monthly: "577" },
      },
    });
    expect(await shownBy(keyInfo(ports, otherKey))).toMatchObject({
      data: { limit: null, limit_remaining: null, limit_reset: null },
    });
  });

  test("ownUsage() shows the own account only, by model or key, without the operator's side", async () => {
    const shown = await shownBy(ownUsage(ports, acmeKey, { group_by: "model" }));
    expect(shown.data).toMatchObject([
      { model: "gpt-4o", charge: "450" },
      { model: "gpt-5-mini-2025-08-07", charge: "127" },
    ]);
    expect(shown.totals).toMatchObject({ charge: "577", requests: 3 });
    expect(JSON.stringify(shown)).not.toMatch(/vendor_cost|loss|endpoint/);
  });

  test.each([
    [{ group_by: "account" }, "group_by"],
    [{ group_by: "endpoint" }, "group_by"],
    [{ bucket: "year" }, "bucket"],
    [{ from: "yesterday" }, "from"],
    [{ to: "2026-13-01T00:00:00Z" }, "to"],
    [{ tz: "Nowhere/None" }, "tz"],
  ])("ownUsage() refuses %j", async (query, param) => {
    expect(await shownBy(ownUsage(ports, acmeKey, query))).toEqual({ refused: "invalid_query", param });
  });

  test("generation() is the receipt of an own request, without the operator's side", async () => {
    const receipt = await shownBy(generation(ports, acmeKey, { id: "req_03" }));
    expect(receipt).toMatchObject({
      ...{ id: "req_03", charge: "450", attempts: 1, state: "settled" },
      price_lines: [
        { kind: "output", quantity: 4600, amount: "460" },
        { kind: "beyond_hold", amount: "-10" },
      ],
      data: {
        id: "req_03",
        model: "gpt-4o",
        total_cost: "450",
        tokens_prompt: 9200,
        tokens_completion: 4600,
      },
    });
    expect(JSON.stringify(receipt)).not.toMatch(/vendor_cost|loss_usd|list_price|vendor_request_id/);
    expect(await shownBy(generation(ports, acmeKey, { id: "req_09" }))).toMatchObject({
      state: "open",
      charge: null,
    });
  });

  test("generation() answers for another account's request as for none", async () => {
    const none = await generation(ports, acmeKey, { id: "req_none" });
    const foreign = await generation(ports, acmeKey, { id: "req_04" });
    expect(JSON.stringify(foreign).replaceAll("req_04", "req_none")).toBe(JSON.stringify(none));
    expect(await shownBy(generation(ports, acmeKey, {}))).toEqual({ refused: "invalid_query", param: "id" });
  });
});
