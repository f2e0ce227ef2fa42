import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parseApiKey } from "../../src/core/api-key.ts";
import { sha256 } from "../../src/lib/sha256.ts";
import type { Db } from "../../src/store/db.ts";
import { createKeys } from "../../src/store/keys.ts";
import { type AdminClient, openAdmin } from "../support/admin.ts";
import { refusalOf, rowCounts, strictly } from "../support/admin-answers.ts";
import { databaseKinds, newDatabase } from "../support/databases.ts";

const future = "2100-01-01T00:00:00.000Z";

describe.each(databaseKinds)("administration on %s", (kind) => {
  let db: Db;
  let admin: AdminClient;
  let call: AdminClient["call"];
  let acme: string;
  beforeAll(async () => {
    db = await newDatabase(kind);
    admin = openAdmin(db);
    call = strictly(admin);
  });
  afterAll(async () => {
    await admin.app.close();
    await db.close();
  });
  beforeEach(async () => {
    acme = (await call("POST", "/accounts", { body: { name: "Acme" } })).json.id;
  });

  describe("accounts", () => {
    test("one is opened with a name, an id of the operator's own and labels, and found by them", async () => {
      const body = { name: "Zoë & Sons", external_id: `crm-${acme}`, metadata: { plan: "pro" } };
      const made = await call("POST", "/accounts", { body });
      const balance = { posted: "0", held: "0", available: "0" };
      expect([made.status, made.json]).toMatchObject([
        201,
        { ...body, status: "active", is_demo: false, balance },
      ]);
      expect((await call("GET", `/accounts/${made.json.id}`)).json).toEqual(made.json);
      expect((await call("GET", `/accounts?external_id=crm-${acme}`)).json.data).toEqual([made.json]);
    });

    test("an external id leads to one account", async () => {
      await call("POST", "/accounts", { body: { name: "a", external_id: `x-${acme}` } });
      const again = await call("POST", "/accounts", { body: { name: "b", external_id: `x-${acme}` } });
      expect(refusalOf(again)).toBe("409 external_id_taken external_id");
      const moved = await call("PATCH", `/accounts/${acme}`, { body: { external_id: `x-${acme}` } });
      expect(refusalOf(moved)).toBe("409 external_id_taken external_id");
    });

    test("PATCH changes what it names and nothing else; null takes the external id away", async () => {
      await call("PATCH", `/accounts/${acme}`, { body: { external_id: `p-${acme}`, metadata: { a: "b" } } });
      const frozen = await call("PATCH", `/accounts/${acme}`, { body: { status: "frozen" } });
      expect(frozen.json).toMatchObject({
        name: "Acme",
        external_id: `p-${acme}`,
        metadata: { a: "b" },
        status: "frozen",
      });
      expect((await call("GET", "/accounts?status=frozen")).json.data).toContainEqual(frozen.json);
      const thawed = await call("PATCH", `/accounts/${acme}`, {
        body: { status: "active", external_id: null, name: "Acme 2" },
      });
      expect(thawed.json).toMatchObject({ name: "Acme 2", external_id: null, status: "active" });
    });
  });

  describe("grants", () => {
    test("credit is granted exactly, to the last pico-dollar", async () => {
      const grant = await call("POST", `/accounts/${acme}/grants`, { body: { amount: "0.0000000001" } });
      expect([grant.status, grant.json]).toMatchObject([
        201,
        {
          amount: "0.0000000001",
          remaining: "0.0000000001",
          kind: "paid",
          priority: 50,
          status: "active",
          expires_at: null,
        },
      ]);
      const balance = { posted: "0.0000000001", held: "0", available: "0.0000000001" };
      expect((await call("GET", `/accounts/${acme}`)).json.balance).toEqual(balance);
      const entries = await call("GET", `/ledger/entries?transaction=${grant.json.id}`);
      expect(
        entries.json.data.map(
          (entry: { ledger_account: string; amount_usd: string }) =>
            `${entry.ledger_account} ${entry.amount_usd}`,
        ),
      ).toEqual(["cash -0.000000000001", "customer 0.000000000001"]);
    });

    test("a reference is credited once, and again with other terms it is a conflict", async () => {
      const body = { amount: "10", reference: "inv-1", kind: "promotional", priority: 3, expires_at: future };
      const first = await call("POST", `/accounts/${acme}/grants`, { body });
      const second = await call("POST", `/accounts/${acme}/grants`, { body });
      expect([first.status, second.status, second.json]).toEqual([201, 200, first.json]);
      for (const change of [{ amount: "11" }, { kind: "paid" }, { priority: 4 }, { expires_at: null }]) {
        const other = await call("POST", `/accounts/${acme}/grants`, { body: { ...body, ...change } });
        expect(refusalOf(other)).toBe("409 reference_conflict reference");
      }
      expect((await call("GET", `/accounts/${acme}`)).json.balance.posted).toBe("10");
    });

    test("of 100 grants at once with one reference there is one", async () => {
      const body = { amount: "7", reference: "payment-77" };
      const answers = await Promise.all(
        Array.from({ length: 100 }, () => call("POST", `/accounts/${acme}/grants`, { body })),
      );
      expect(answers.map((one) => one.status).sort()).toEqual([...Array(99).fill(200), 201]);
      expect(new Set(answers.map((one) => one.json.id)).size).toBe(1);
      expect((await call("GET", `/accounts/${acme}`)).json.balance.posted).toBe("7");
    });

    test("a void takes back what is left, says why, and moves nothing the second time", async () => {
      const grant = await call("POST", `/accounts/${acme}/grants`, { body: { amount: "4" } });
      const voided = await call("POST", `/grants/${grant.json.id}/void`, { body: { reason: "chargeback" } });
      expect(voided.json).toMatchObject({ amount: "4", grant: { status: "voided", remaining: "0" } });
      const again = await call("POST", `/grants/${grant.json.id}/void`);
      expect(again.json).toMatchObject({ amount: "0", transaction_id: null });
      expect((await call("GET", `/accounts/${acme}`)).json.balance.posted).toBe("0");
    });

    test("credit that expired is not in the balance, nor in the list of accounts", async () => {
      await call("POST", `/accounts/${acme}/grants`, { body: { amount: "4", expires_at: future } });
      await db.query(
        "update grants set expires_at = clock_timestamp() - interval '1 second' where account_id = $1",
        [acme],
      );
      const [listed] = (await call("GET", "/accounts?limit=1")).json.data;
      expect([listed.id, listed.balance.available]).toEqual([acme, "0"]);
      const [grant] = (await call("GET", `/accounts/${acme}/grants`)).json.data;
      expect(grant).toMatchObject({ status: "expired", remaining: "0" });
    });
  });

  describe("keys", () => {
    const find = (secret: string) => createKeys(db).find(sha256(secret));

    test("a key is made with limits, works, and shows its secret once", async () => {
      const body = {
        name: "laptop",
        models: ["gpt-5-mini"],
        spend_limit: "2.5",
        spend_window: "day",
        rpm: 60,
        tpm: 100_000,
        max_concurrent: 4,
        expires_at: future,
        settings: { usage_cost: true },
      };
      const made = await call("POST", `/accounts/${acme}/keys`, { body });
      expect(made.json).toMatchObject({
        ...body,
        prefix: "sk-tg-live-",
        settings: { usage_cost: true, idempotency: true },
      });
      const { secret, ...shown } = made.json;
      expect(parseApiKey(secret)).toEqual({ kind: "live" });
      expect(secret.startsWith(made.json.prefix)).toBe(true);
      expect((await call("GET", `/keys/${made.json.id}`)).json).toEqual(shown);
      expect((await call("GET", `/accounts/${acme}/keys`)).json.data).toEqual([shown]);
      expect(await find(secret)).toEqual({
        keyId: made.json.id,
        accountId: acme,
        accountName: "Acme",
        models: ["gpt-5-mini"],
        settings: { usageCost: true, idempotency: true },
        isDemo: false,
      });
      const everything = await db.query<{ text: string }>(
        "select k::text || s::text as text from keys k join key_secrets s on s.key_id = k.id",
      );
      expect(everything.some(({ text }) => text.includes(secret))).toBe(false);
    });

    test("PATCH lifts and changes limits, and leaves what it does not name", async () => {
      const made = await call("POST", `/accounts/${acme}/keys`, {
        body: { name: "k", rpm: 5, spend_limit: "1", spend_window: "total" },
      });
      const path = `/keys/${made.json.id}`;
      const changed = await call("PATCH", path, {
        body: { rpm: null, spend_limit: "3", settings: { idempotency: false } },
      });
      const settings = { usage_cost: false, idempotency: false };
      expect(changed.json).toMatchObject({
        name: "k",
        rpm: null,
        spend_limit: "3",
        spend_window: "total",
        settings,
      });
      expect(
        (await call("PATCH", path, { body: { spend_limit: null, spend_window: null } })).json,
      ).toMatchObject({ spend_limit: null });
      expect(refusalOf(await call("PATCH", path, { body: { spend_limit: "1" } }))).toBe(
        "400 invalid_spend_limit spend_window",
      );
    });

    test("a rotated key has two secrets for the overlap, and one without", async () => {
      const made = await call("POST", `/accounts/${acme}/keys`, { body: { name: "k" } });
      const path = `/keys/${made.json.id}/rotate`;
      const second = await call("POST", path, { body: { overlap_seconds: 600 } });
      expect(second.json.overlap_ends_at).not.toBeNull();
      expect([await find(made.json.secret), await find(second.json.secret)].map((one) => one?.keyId)).toEqual(
        [made.json.id, made.json.id],
      );
      const third = await call("POST", path);
      expect(third.json).toMatchObject({ overlap_ends_at: null });
      const live = await Promise.all([made, second, third].map(({ json }) => find(json.secret)));
      expect(live.map((one) => one !== null)).toEqual([false, false, true]);
    });

    test("a revoked key is dead for good", async () => {
      const made = await call("POST", `/accounts/${acme}/keys`, { body: { name: "k" } });
      const path = `/keys/${made.json.id}`;
      const revoked = await call("DELETE", path);
      expect(revoked.json.revoked_at).not.toBeNull();
      expect(await find(made.json.secret)).toBeNull();
      expect((await call("DELETE", path)).json).toEqual(revoked.json);
      expect(refusalOf(await call("POST", `${path}/rotate`))).toBe("409 key_revoked id");
      expect(refusalOf(await call("PATCH", path, { body: { name: "x" } }))).toBe("409 key_revoked id");
    });

    test("an expired key is not found", async () => {
      const made = await call("POST", `/accounts/${acme}/keys`, { body: { name: "k", expires_at: future } });
      await db.query("update keys set expires_at = clock_timestamp() where id = $1", [made.json.id]);
      expect(await find(made.json.secret)).toBeNull();
      expect((await call("PATCH", `/keys/${made.json.id}`, { body: { name: "still" } })).json.name).toBe(
        "still",
      );
    });
  });

  describe("prices", () => {
    test("a published price is exact, listed, in the book, and never edited", async () => {
      const model = `my-${acme}`;
      const body = {
        ...{
          model,
          from: "2026-01-01T00:00:00Z",
          input: "0.25",
          cached_input: "0.025",
          output: "2.00",
          context_window: 400_000,
        },
        tiers: [{ above_input_tokens: 200_000, input: "0.5", cached_input: "0.05", output: "3" }],
        fees: { web_search: "0.01" },
      };
      const made = await call("POST", "/prices", { body });
      expect([made.status, made.json]).toMatchObject([
        201,
        {
          ...{
            provider: "operator",
            model,
            from: "2026-01-01T00:00:00.000Z",
            origin: "admin",
            fees: { web_search: "0.01" },
          },
          prices: { input: "0.25", cached_input: "0.025", output: "2" },
          tiers: [{ above_input_tokens: 200_000, prices: { input: "0.5" } }],
        },
      ]);
      expect((await call("GET", `/prices?model=${model}`)).json.data).toEqual([made.json]);
      expect(refusalOf(await call("POST", "/prices", { body: { ...body, input: "0.3" } }))).toBe(
        "409 price_exists from",
      );
      const now = await call("POST", "/prices", { body: { model, input: "1" } });
      expect(Math.abs(Date.parse(now.json.from) - Date.now())).toBeLessThan(60_000);
    });

    test("built-in prices are in the list, page by page", async () => {
      const { json } = await call("GET", "/prices?provider=openai&limit=1");
      expect(json.data[0]).toMatchObject({ model: "gpt-5-mini", prices: { input: "0.25", output: "2" } });
    });
  });

  /** Method, path ({acc}, {grt}, {key} stand for real ids), body, and the refusal that names the field. */
  const bad: ReadonlyArray<readonly ["POST" | "PATCH" | "GET" | "DELETE", string, unknown, string]> = [
    ["POST", "/accounts", {}, "400 missing_field name"],
    ["POST", "/accounts", { name: "" }, "400 invalid_field name"],
    ["POST", "/accounts", { name: 5 }, "400 invalid_field name"],
    ["POST", "/accounts", { name: null }, "400 invalid_field name"],
    ["POST", "/accounts", { name: "a\u0000b" }, "400 invalid_field name"],
    ["POST", "/accounts", { name: "a\nb" }, "400 invalid_field name"],
    ["POST", "/accounts", { name: "half \ud800" }, "400 invalid_field name"],
    ["POST", "/accounts", { name: "x".repeat(201) }, "400 invalid_field name"],
    ["POST", "/accounts", { name: "x", balance: "5" }, "400 unknown_field balance"],
    ["POST", "/accounts", { name: "x", status: "frozen" }, "400 unknown_field status"],
    ["POST", "/accounts", { name: "x", is_demo: true }, "400 unknown_field is_demo"],
    ["POST", "/accounts", { name: "x", metadata: { a: 1 } }, "400 invalid_field metadata.a"],
    ["POST", "/accounts", { name: "x", metadata: "y" }, "400 invalid_field metadata"],
    ["POST", "/accounts", [], "400 invalid_body -"],
    ["POST", "/accounts", "text", "400 invalid_json -"],
    ["PATCH", "/accounts/{acc}", {}, "400 invalid_body -"],
    ["PATCH", "/accounts/{acc}", { status: "closed" }, "400 invalid_field status"],
    ["PATCH", "/accounts/acc_none", { name: "x" }, "404 account_not_found account_id"],
    ["GET", "/accounts/acc_none", undefined, "404 account_not_found account_id"],
    ["GET", "/accounts/%00", undefined, "400 invalid_field id"],
    ["GET", "/accounts?limit=0", undefined, "400 invalid_field limit"],
    ["GET", "/accounts?limit=501", undefined, "400 invalid_field limit"],
    ["GET", "/accounts?limit=ten", undefined, "400 invalid_field limit"],
    ["GET", "/accounts?limit=1&limit=2", undefined, "400 invalid_field limit"],
    ["GET", "/accounts?cursor=a*b", undefined, "400 invalid_cursor cursor"],
    ["GET", "/accounts?offset=5", undefined, "400 unknown_field offset"],
    ["GET", "/accounts?status=gone", undefined, "400 invalid_field status"],
    ["POST", "/accounts/{acc}/grants", {}, "400 missing_field amount"],
    ["POST", "/accounts/{acc}/grants", { amount: 5 }, "400 invalid_field amount"],
    ["POST", "/accounts/{acc}/grants", { amount: "-5" }, "400 invalid_amount amount"],
    ["POST", "/accounts/{acc}/grants", { amount: "0" }, "400 invalid_amount amount"],
    ["POST", "/accounts/{acc}/grants", { amount: "-0" }, "400 invalid_amount amount"],
    ["POST", "/accounts/{acc}/grants", { amount: "1e3" }, "400 invalid_amount amount"],
    ["POST", "/accounts/{acc}/grants", { amount: "1,000" }, "400 invalid_amount amount"],
    ["POST", "/accounts/{acc}/grants", { amount: " 1" }, "400 invalid_amount amount"],
    ["POST", "/accounts/{acc}/grants", { amount: "01" }, "400 invalid_amount amount"],
    ["POST", "/accounts/{acc}/grants", { amount: "NaN" }, "400 invalid_amount amount"],
    ["POST", "/accounts/{acc}/grants", { amount: "0.00000000001" }, "400 invalid_amount amount"],
    ["POST", "/accounts/{acc}/grants", { amount: "0.1234567890123" }, "400 invalid_amount amount"],
    ["POST", "/accounts/{acc}/grants", { amount: "100000000000.1" }, "400 invalid_amount amount"],
    ["POST", "/accounts/{acc}/grants", { amount: "9".repeat(40) }, "400 invalid_amount amount"],
    ["POST", "/accounts/{acc}/grants", { amount: "9".repeat(200) }, "400 invalid_field amount"],
    ["POST", "/accounts/{acc}/grants", { amount: "5", kind: "refund" }, "400 invalid_field kind"],
    ["POST", "/accounts/{acc}/grants", { amount: "5", priority: 101 }, "400 invalid_field priority"],
    ["POST", "/accounts/{acc}/grants", { amount: "5", priority: -1 }, "400 invalid_field priority"],
    ["POST", "/accounts/{acc}/grants", { amount: "5", priority: 1.5 }, "400 invalid_field priority"],
    ["POST", "/accounts/{acc}/grants", { amount: "5", priority: "1" }, "400 invalid_field priority"],
    [
      "POST",
      "/accounts/{acc}/grants",
      { amount: "5", expires_at: "2020-01-01T00:00:00Z" },
      "400 invalid_time expires_at",
    ],
    [
      "POST",
      "/accounts/{acc}/grants",
      { amount: "5", expires_at: "tomorrow" },
      "400 invalid_field expires_at",
    ],
    [
      "POST",
      "/accounts/{acc}/grants",
      { amount: "5", expires_at: 1893456000 },
      "400 invalid_field expires_at",
    ],
    ["POST", "/accounts/{acc}/grants", { amount: "5", reference: "" }, "400 invalid_field reference"],
    ["POST", "/accounts/{acc}/grants", { amount: "5", currency: "EUR" }, "400 unknown_field currency"],
    ["POST", "/accounts/acc_none/grants", { amount: "5" }, "404 account_not_found account_id"],
    ["GET", "/accounts/acc_none/grants", undefined, "404 account_not_found account_id"],
    ["POST", "/grants/grt_none/void", {}, "404 grant_not_found id"],
    ["POST", "/accounts/{acc}/keys", {}, "400 missing_field name"],
    ["POST", "/accounts/{acc}/keys", { name: "k", models: [] }, "400 invalid_field models"],
    ["POST", "/accounts/{acc}/keys", { name: "k", models: "gpt" }, "400 invalid_field models"],
    ["POST", "/accounts/{acc}/keys", { name: "k", models: ["a", 5] }, "400 invalid_field models.1"],
    ["POST", "/accounts/{acc}/keys", { name: "k", spend_limit: "5" }, "400 invalid_spend_limit spend_window"],
    [
      "POST",
      "/accounts/{acc}/keys",
      { name: "k", spend_window: "day" },
      "400 invalid_spend_limit spend_limit",
    ],
    [
      "POST",
      "/accounts/{acc}/keys",
      { name: "k", spend_limit: "-1", spend_window: "day" },
      "400 invalid_amount spend_limit",
    ],
    [
      "POST",
      "/accounts/{acc}/keys",
      { name: "k", spend_limit: 1, spend_window: "day" },
      "400 invalid_field spend_limit",
    ],
    [
      "POST",
      "/accounts/{acc}/keys",
      { name: "k", spend_limit: "1", spend_window: "year" },
      "400 invalid_field spend_window",
    ],
    ["POST", "/accounts/{acc}/keys", { name: "k", rpm: 0 }, "400 invalid_field rpm"],
    ["POST", "/accounts/{acc}/keys", { name: "k", tpm: 3e9 }, "400 invalid_field tpm"],
    ["POST", "/accounts/{acc}/keys", { name: "k", max_concurrent: 1.5 }, "400 invalid_field max_concurrent"],
    [
      "POST",
      "/accounts/{acc}/keys",
      { name: "k", expires_at: "2020-01-01T00:00:00Z" },
      "400 invalid_time expires_at",
    ],
    ["POST", "/accounts/{acc}/keys", { name: "k", secret: "sk-mine" }, "400 unknown_field secret"],
    ["POST", "/accounts/{acc}/keys", { name: "k", account_id: "acc_x" }, "400 unknown_field account_id"],
    [
      "POST",
      "/accounts/{acc}/keys",
      { name: "k", settings: { admin: true } },
      "400 unknown_field settings.admin",
    ],
    ["POST", "/accounts/acc_none/keys", { name: "k" }, "404 account_not_found account_id"],
    ["GET", "/accounts/acc_none/keys", undefined, "404 account_not_found account_id"],
    ["GET", "/keys/key_none", undefined, "404 key_not_found id"],
    ["PATCH", "/keys/key_none", { name: "x" }, "404 key_not_found id"],
    ["POST", "/keys/key_none/rotate", {}, "404 key_not_found id"],
    ["POST", "/keys/key_none/rotate", { overlap_seconds: -1 }, "400 invalid_field overlap_seconds"],
    ["POST", "/keys/key_none/rotate", { overlap_seconds: 2_592_001 }, "400 invalid_field overlap_seconds"],
    ["DELETE", "/keys/key_none", undefined, "404 key_not_found id"],
    ["GET", "/requests?status=odd", undefined, "400 invalid_field status"],
    ["GET", "/requests?from=yesterday", undefined, "400 invalid_field from"],
    ["GET", "/requests?account=", undefined, "400 invalid_field account"],
    ["GET", "/requests/req_none", undefined, "404 request_not_found id"],
    ["POST", "/requests/req_none/refunds", { reason: "r" }, "404 request_not_found id"],
    ["POST", "/requests/req_none/refunds", {}, "400 missing_field reason"],
    ["POST", "/requests/req_none/refunds", { reason: "r", amount: "-1" }, "400 invalid_amount amount"],
    ["POST", "/requests/req_none/refunds", { reason: "r", amount: "0" }, "400 invalid_amount amount"],
    ["GET", "/usage?tz=Mars/Olympus", undefined, "400 invalid_query tz"],
    ["GET", "/usage?tz=%2B05:30", undefined, "400 invalid_query tz"],
    ["GET", "/usage?bucket=minute", undefined, "400 invalid_field bucket"],
    ["GET", "/usage?group_by=colour", undefined, "400 invalid_field group_by"],
    ["GET", "/usage?cursor=WzFd", undefined, "400 invalid_cursor cursor"],
    ["GET", "/ledger/entries?cursor=YWJj", undefined, "400 invalid_cursor cursor"],
    ["GET", "/audit?cursor=YWJj", undefined, "400 invalid_cursor cursor"],
    ["POST", "/prices", { model: "m" }, "400 missing_field input"],
    ["POST", "/prices", { model: "m", input: 0.25 }, "400 invalid_field input"],
    ["POST", "/prices", { model: "m", input: "-1" }, "400 invalid_price input"],
    ["POST", "/prices", { model: "m", input: "0.1234567" }, "400 invalid_price input"],
    [
      "POST",
      "/prices",
      { model: "m", input: "1", tiers: [{ above_input_tokens: 5, input: "1", output: "2" }] },
      "400 invalid_price tiers.0.output",
    ],
    ["POST", "/prices", { model: "m", input: "1", provider: "openai" }, "400 unknown_field provider"],
    ["POST", "/prices", { model: "m", input: "1", context_window: 0 }, "400 invalid_field context_window"],
    ["POST", "/tokens", { name: "t", role: "god" }, "400 invalid_field role"],
    ["DELETE", "/tokens/tok_none", undefined, "404 token_not_found id"],
    ["GET", "/nothing", undefined, "404 not_found -"],
    ["POST", "/ledger/entries", {}, "404 not_found -"],
  ];
  test.each(bad)("%s %s %j is refused by name and writes nothing", async (method, path, body, refusal) => {
    const before = await rowCounts(db);
    const isText = typeof body === "string";
    const answer = await call(method, path.replace("{acc}", acme), {
      ...(body === undefined ? {} : { body }),
      ...(isText ? { headers: { "content-type": "application/json" } } : {}),
    });
    expect(refusalOf(answer)).toBe(refusal);
    expect(answer.json.error.message).toMatch(/^Cannot .+[:,] .+/);
    expect(await rowCounts(db)).toEqual(before);
    expect(admin.observations).toEqual([]);
  });

  test("bodies that are too large or of another type are refused", async () => {
    const headers = { "content-type": "application/json" };
    const large = await call("POST", "/accounts", {
      body: JSON.stringify({ name: "x".repeat(200_000) }),
      headers,
    });
    expect(refusalOf(large)).toBe("413 body_too_large -");
    const form = await call("POST", "/accounts", {
      body: "name=x",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    expect(refusalOf(form)).toBe("415 unsupported_media_type -");
    const proto = await call("POST", "/accounts", {
      body: '{"name":"x","__proto__":{"role":"owner"}}',
      headers,
    });
    expect(refusalOf(proto)).toBe("400 unknown_field __proto__");
  });
});
