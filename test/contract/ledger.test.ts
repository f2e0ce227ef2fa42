import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseUsd, pico } from "../../src/core/money.ts";
import { type Books, openBooks, usdOf } from "../support/books.ts";
import { databaseKinds, newDatabase } from "../support/databases.ts";

describe.each(databaseKinds)("ledger on %s", (kind) => {
  let books: Books;
  let next = 0;
  const fresh = (name: string): string => `${name}_${next++}`;
  beforeAll(async () => {
    books = await openBooks(await newDatabase(kind));
  });
  afterAll(async () => {
    await books.ledger.close();
    await books.db.close();
  });
  const account = async (...grants: { usd: string; [field: string]: unknown }[]): Promise<string> => {
    const id = fresh("acc");
    await books.account(
      id,
      grants.map((grant) => ({ id: fresh("grt"), ...grant })),
    );
    return id;
  };

  test("settle() charges the usage and releases the rest", async () => {
    const acme = await account({ usd: "10" });
    const id = fresh("req");
    expect(await books.hold(id, acme, "2")).toMatchObject({ ok: true, amount: parseUsd("2") });
    expect(await books.show(acme)).toBe(`${acme} posted 10 held 2`);
    expect(await books.settle(id, acme, "0.37")).toEqual({ code: "done" });
    expect(await books.show(acme)).toBe(`${acme} posted 9.63 held 0`);
    const entries = await books.db.query<{ ledger_account: string; amount: string }>(
      "select ledger_account, amount::text from entries where tx_id = $1 order by ledger_account",
      [id],
    );
    expect(entries.map((entry) => `${entry.ledger_account} ${usdOf(entry.amount)}`)).toEqual([
      "customer -0.37",
      "earnings 0.37",
      "vendor_cost -0.37",
      "vendor_payable 0.37",
    ]);
  });

  test("release() gives everything back and leaves a record", async () => {
    const acme = await account({ usd: "1" });
    const id = fresh("req");
    await books.hold(id, acme, "0.5");
    expect(await books.release(id, acme)).toEqual({ code: "done" });
    expect(await books.show(acme)).toBe(`${acme} posted 1 held 0`);
    const [row] = await books.db.query<{ state: string }>("select state from requests where id = $1", [id]);
    expect(row?.state).toBe("released");
  });

  test("a hold above what is available is refused and moves nothing", async () => {
    const acme = await account({ usd: "1" });
    const outcome = await books.hold(fresh("req"), acme, "1.000000000001");
    expect(outcome).toMatchObject({
      ok: false,
      refusal: { code: "insufficient_funds", available: parseUsd("1") },
    });
    expect(await books.show(acme)).toBe(`${acme} posted 1 held 0`);
  });

  test("the same hold sent again is the same hold", async () => {
    const acme = await account({ usd: "1" });
    const id = fresh("req");
    expect((await books.hold(id, acme, "0.6")).ok).toBe(true);
    expect((await books.hold(id, acme, "0.6")).ok).toBe(true);
    expect(await books.show(acme)).toBe(`${acme} posted 1 held 0.6`);
  });

  test("a hold is settled once, whatever is sent later", async () => {
    const acme = await account({ usd: "1" });
    const id = fresh("req");
    await books.hold(id, acme, "0.6");
    const results = await Promise.all([
      books.settle(id, acme, "0.1"),
      books.settle(id, acme, "0.2"),
      books.release(id, acme),
    ]);
    expect(results.map((one) => one.code).sort()).toEqual(["already", "already", "done"]);
    expect(await books.settle(id, acme, "0.5")).toMatchObject({ code: "already", charge: parseUsd("0.1") });
    expect(await books.show(acme)).toBe(`${acme} posted 0.9 held 0`);
  });

  test("of many holds at once exactly those that fit are admitted", async () => {
    const acme = await account({ usd: "1" });
    const outcomes = await Promise.all(
      Array.from({ length: 400 }, () => books.hold(fresh("req"), acme, "0.1")),
    );
    expect(outcomes.filter((one) => one.ok)).toHaveLength(10);
    expect(await books.show(acme)).toBe(`${acme} posted 1 held 1`);
  });

  test("an elastic hold shrinks in whole steps to what is there, and is refused below its least", async () => {
    const acme = await account({ usd: "1" });
    const elastic = { least: parseUsd("0.35"), step: parseUsd("0.2") };
    expect(await books.hold(fresh("req"), acme, "5", { elastic })).toMatchObject({
      ok: true,
      amount: parseUsd("0.95"),
    });
    expect(await books.show(acme)).toBe(`${acme} posted 1 held 0.95`);
    expect(await books.hold(fresh("req"), acme, "5", { elastic })).toMatchObject({ ok: false });
  });

  test("a smaller hold is admitted after a larger one was refused", async () => {
    const acme = await account({ usd: "1" });
    const outcomes = await Promise.all(
      ["0.9", "0.5", "0.1"].map((usd) => books.hold(fresh("req"), acme, usd)),
    );
    expect(outcomes.map((one) => one.ok)).toEqual([true, false, true]);
  });

  test("grants burn by priority, then expiry, then promotional first, then age; each request knows its slices", async () => {
    const acme = fresh("acc");
    const later = "2100-01-01T00:00:00Z";
    await books.account(acme, [
      { id: `${acme}_old`, usd: "1" },
      { id: `${acme}_promo`, usd: "1", kind: "promotional" },
      { id: `${acme}_expiring`, usd: "1", expiresAt: later },
      { id: `${acme}_first`, usd: "1", priority: 10 },
    ]);
    const id = fresh("req");
    await books.hold(id, acme, "3.5");
    await books.settle(id, acme, "3.25");
    const [row] = await books.db.query<{ grant_ids: string[]; grant_amounts: string[] }>(
      "select grant_ids, grant_amounts::text[] as grant_amounts from requests where id = $1",
      [id],
    );
    expect(
      row?.grant_ids.map(
        (grant, index) => `${grant.slice(acme.length + 1)} ${usdOf(row.grant_amounts[index] ?? "")}`,
      ),
    ).toEqual(["first 1", "expiring 1", "promo 1", "old 0.25"]);
    const grants = await books.db.query<{ id: string; remaining: string; reserved: string }>(
      "select id, remaining::text, reserved::text from grants where account_id = $1 and remaining > 0",
      [acme],
    );
    expect(grants).toEqual([{ id: `${acme}_old`, remaining: parseUsd("0.75").toString(), reserved: "0" }]);
  });

  test("an expired grant pays for nothing, and its rest becomes breakage", async () => {
    const acme = await account({ usd: "1", expiresAt: "2020-01-01T00:00:00Z" }, { usd: "0.5" });
    expect(await books.hold(fresh("req"), acme, "0.6")).toMatchObject({
      ok: false,
      refusal: { available: parseUsd("0.5") },
    });
    await books.db.query("select ledger_expire($1, 10)", [acme]);
    expect(await books.show(acme)).toBe(`${acme} posted 0.5 held 0`);
  });

  test("a loss is booked beside the capped charge", async () => {
    const acme = await account({ usd: "1" });
    const id = fresh("req");
    await books.hold(id, acme, "0.2");
    await books.settle(id, acme, "0.2", { loss: parseUsd("0.05"), vendorCost: parseUsd("0.21") });
    const entries = await books.db.query<{ line: string }>(
      "select ledger_account || ' ' || amount::text as line from entries where tx_id = $1 order by 1",
      [id],
    );
    expect(entries.map((entry) => entry.line)).toEqual([
      "customer -200000000000",
      "earnings 250000000000",
      "loss -50000000000",
      "vendor_cost -210000000000",
      "vendor_payable 210000000000",
    ]);
  });

  test("a key's spend limit counts open holds and charges of its window", async () => {
    const acme = await account({ usd: "10" });
    const key = fresh("key");
    await books.key(key, acme, { spend_limit: parseUsd("1").toString(), spend_window: "day" });
    const first = fresh("req");
    expect((await books.hold(first, acme, "0.8", { keyId: key })).ok).toBe(true);
    expect(await books.hold(fresh("req"), acme, "0.3", { keyId: key })).toMatchObject({
      ok: false,
      refusal: { code: "key_spend_limit", available: parseUsd("0.2") },
    });
    await books.settle(first, acme, "0.1", { keyId: key });
    expect((await books.hold(fresh("req"), acme, "0.9", { keyId: key })).ok).toBe(true);
    expect((await books.hold(fresh("req"), acme, "0.000000000001", { keyId: key })).ok).toBe(false);
  });

  test("a key's requests per minute are counted by the database, with the time to wait", async () => {
    const acme = await account({ usd: "10" });
    const key = fresh("key");
    await books.key(key, acme, { rpm: 3 });
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, () => books.hold(fresh("req"), acme, "0.1", { keyId: key })),
    );
    expect(outcomes.filter((one) => one.ok)).toHaveLength(3);
    const refused = outcomes.find((one) => !one.ok);
    expect(refused).toMatchObject({ ok: false, refusal: { code: "request_rate_limit", limit: "3" } });
    if (refused?.ok !== false) throw new Error("expected a refusal");
    expect(refused.refusal.retryAfterMs).toBeGreaterThan(10_000);
    expect(refused.refusal.retryAfterMs).toBeLessThanOrEqual(20_000);
  });

  test("revoked keys, frozen accounts and strangers are refused by the database itself", async () => {
    const acme = await account({ usd: "1" });
    const other = await account({ usd: "1" });
    const key = fresh("key");
    await books.key(key, acme);
    expect(await books.hold(fresh("req"), other, "0.1", { keyId: key })).toMatchObject({
      refusal: { code: "invalid_api_key" },
    });
    await books.db.query("update keys set revoked_at = now() where id = $1", [key]);
    expect(await books.hold(fresh("req"), acme, "0.1", { keyId: key })).toMatchObject({
      refusal: { code: "invalid_api_key" },
    });
    await books.db.query("update accounts set status = 'frozen' where id = $1", [acme]);
    expect(await books.hold(fresh("req"), acme, "0.1")).toMatchObject({
      refusal: { code: "account_frozen" },
    });
    expect(await books.hold(fresh("req"), "acc_nobody", "0.1")).toMatchObject({
      refusal: { code: "account_not_found" },
    });
  });

  test("an idempotency key lets one request through and tells the others why not", async () => {
    const acme = await account({ usd: "1" });
    const idempotency = { key: "k1", fingerprint: "body-a" };
    const first = fresh("req");
    const [one, two] = await Promise.all([
      books.hold(first, acme, "0.1", { idempotency }),
      books.hold(fresh("req"), acme, "0.1", { idempotency }),
    ]);
    expect(one.ok).toBe(true);
    expect(two).toMatchObject({ refusal: { code: "idempotency_in_progress", requestId: first } });
    const otherBody = { key: "k1", fingerprint: "body-b" };
    expect(await books.hold(fresh("req"), acme, "0.1", { idempotency: otherBody })).toMatchObject({
      refusal: { code: "idempotency_key_reused" },
    });
    await books.settle(first, acme, "0.05");
    await books.ledger.rememberResult(acme, "k1", {
      status: 200,
      headers: { a: "b" },
      body: new TextEncoder().encode("hi"),
    });
    expect(await books.hold(fresh("req"), acme, "0.1", { idempotency })).toMatchObject({
      refusal: { code: "replay", requestId: first },
    });
    const stored = await books.ledger.findResult(acme, "k1");
    expect({ ...stored, body: new TextDecoder().decode(stored?.body) }).toEqual({
      status: 200,
      headers: { a: "b" },
      body: "hi",
    });
  });

  test("a refused request frees its idempotency key", async () => {
    const acme = await account({ usd: "1" });
    const idempotency = { key: "k2", fingerprint: "x" };
    expect((await books.hold(fresh("req"), acme, "5", { idempotency })).ok).toBe(false);
    expect((await books.hold(fresh("req"), acme, "0.5", { idempotency })).ok).toBe(true);
  });

  test("entries cannot be changed or deleted", async () => {
    await expect(books.db.query("update entries set amount = 0")).rejects.toThrow(/immutable/);
    await expect(books.db.query("delete from entries")).rejects.toThrow(/immutable/);
    await expect(books.db.query("truncate entries")).rejects.toThrow(/immutable/);
  });

  test("a refund returns to the grants it came from, never more than was charged", async () => {
    const acme = fresh("acc");
    await books.account(acme, [
      { id: `${acme}_a`, usd: "1", priority: 1 },
      { id: `${acme}_b`, usd: "1" },
    ]);
    const id = fresh("req");
    await books.hold(id, acme, "1.5");
    await books.settle(id, acme, "1.5");
    const refund = (tx: string, usd: string | null): Promise<{ code: string; amount: string | null }[]> =>
      books.db.query("select code, amount from ledger_refund($1, $2, $3, interval '30 days')", [
        tx,
        id,
        usd === null ? null : parseUsd(usd).toString(),
      ]);
    expect(await refund(fresh("tx"), "0.7")).toEqual([{ code: "done", amount: parseUsd("0.7").toString() }]);
    const remaining = await books.db.query<{ line: string }>(
      "select right(id, 1) || ' ' || remaining::text as line from grants where account_id = $1 order by id",
      [acme],
    );
    expect(remaining.map((row) => row.line)).toEqual([`a ${parseUsd("0.2")}`, `b ${parseUsd("1")}`]);
    expect(await refund(fresh("tx"), "0.9")).toMatchObject([{ code: "exceeds_charge" }]);
    expect(await refund(fresh("tx"), null)).toEqual([{ code: "done", amount: parseUsd("0.8").toString() }]);
    expect(await books.show(acme)).toBe(`${acme} posted 2 held 0`);
  });

  test("a process without a lease takes a new one before it holds again", async () => {
    const acme = await account({ usd: "1" });
    await books.db.query("update instances set lease_until = clock_timestamp() - interval '1 second'");
    expect((await books.hold(fresh("req"), acme, "0.1")).ok).toBe(true);
    expect(
      await books.db.query("select 1 as one from instances where lease_until > clock_timestamp()"),
    ).toHaveLength(1);
  });

  test("a charge above the hold is a bug and moves nothing, nor do its neighbours suffer", async () => {
    const acme = await account({ usd: "1" });
    const good = fresh("req");
    const bad = fresh("req");
    await books.hold(good, acme, "0.1");
    await books.hold(bad, acme, "0.1");
    const results = await Promise.allSettled([
      books.settle(bad, acme, "0.2"),
      books.settle(good, acme, "0.1"),
    ]);
    expect(results.map((one) => one.status)).toEqual(["rejected", "fulfilled"]);
    expect(await books.show(acme)).toBe(`${acme} posted 0.9 held 0.1`);
    expect(pico(0n)).toBe(0n);
  });
});
