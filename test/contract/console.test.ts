import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSessions, type Sessions } from "../../src/console/sessions.ts";
import type { SessionReading } from "../../src/ports-console.ts";
import { createConsoleLogins } from "../../src/store/console.ts";
import type { Db } from "../../src/store/db.ts";
import { type AdminClient, openAdmin } from "../support/admin.ts";
import { type Books, openBooks } from "../support/books.ts";
import { databaseKinds, newDatabase } from "../support/databases.ts";
import { sumOf } from "../support/sums.ts";

const own = { "x-tollgate-console": "1", "sec-fetch-site": "same-origin" };

describe.each(databaseKinds)("what the console asks, on %s", (kind) => {
  let db: Db;
  let admin: AdminClient;
  let books: Books;
  let sessions: Sessions;
  const ids = Array.from({ length: 6 }, (_, index) => `req_${timeId(Date.now() - 1_000 + index)}`);
  const hourAhead = new Date(Date.now() + 3_600_000).toISOString();
  const dayAgo = new Date(Date.now() - 86_400_000).toISOString();
  const period = `from=${dayAgo}&to=${hourAhead}`;

  beforeAll(async () => {
    db = await newDatabase(kind);
    books = await openBooks(db);
    sessions = createSessions({
      logins: createConsoleLogins(db),
      random: randomBytes,
      epoch: "one",
      cookieName: "tollgate_t",
    });
    admin = openAdmin(db, { readSession: (request) => sessions.read(request) });
    await books.account("acc_a", [{ id: "grt_a", usd: "10" }]);
    await books.account("acc_b", [{ id: "grt_b", usd: "1" }]);
    await books.key("key_a", "acc_a", { name: "laptop", display: "sk-tg-test-…Ab12" });
    await books.key("key_b", "acc_b", { name: "server", display: "sk-tg-test-…Cd34" });
    const [one = "", two = "", three = "", four = "", five = ""] = ids;
    for (const id of [one, two, three]) await books.hold(id, "acc_a", "1", { keyId: "key_a" });
    await books.hold(four, "acc_b", "0.5", { keyId: "key_b" });
    await books.hold(five, "acc_b", "0.25", { keyId: "key_b" });
    await books.settle(one, "acc_a", "0.3", {
      keyId: "key_a",
      record: { ttft_ms: 100, duration_ms: 900, price_lines: [] },
    });
    await books.settle(two, "acc_a", "0.000000000001", {
      keyId: "key_a",
      outcome: "client_left",
      source: "estimated",
      record: { ttft_ms: 300, duration_ms: 1_100, price_lines: [] },
    });
    await books.release(three, "acc_a");
    await books.settle(four, "acc_b", "0.2", { keyId: "key_b", vendorCost: 100_000_000_000n as never });
  });
  afterAll(async () => {
    await admin.app.close();
    await db.close();
  });

  test("the overview's sums are those of the usage report, the requests and the ledger, to the last digit", async () => {
    const { json } = await admin.call("GET", `/overview?${period}`);
    expect(json.current).toMatchObject({
      requests: 3,
      by_source: { vendor: 2, estimated: 1, none: 0 },
      charge: "50.0000000001",
      charge_usd: "0.500000000001",
      vendor_cost_usd: "0.400000000001",
      margin_usd: "0.1",
    });
    const usage = await admin.call("GET", `/usage?${period}`);
    const requests = await admin.call("GET", `/requests?${period}&limit=100`);
    const entries = await admin.call("GET", `/ledger/entries?${period}&ledger_account=customer&limit=100`);
    const settled = entries.json.data.filter((entry: { kind: string }) => entry.kind !== "grant");
    expect([
      usage.json.totals.charge,
      sumOf(requests.json.data.map((row: { charge: string | null }) => row.charge ?? "0")),
      sumOf(settled.map((entry: { amount: string }) => entry.amount)),
    ]).toEqual(["50.0000000001", "50.0000000001", "-50.0000000001"]);
  });

  test("the overview says how the books stand and what is open", async () => {
    const { json } = await admin.call("GET", `/overview?${period}`);
    expect(json.integrity).toMatchObject({
      check: { imbalance_usd: "0", drift_usd: "0" },
      open_holds: 1,
      held: "25",
      oldest_hold: { request_id: ids[4], amount: "25" },
    });
    expect(json.top_accounts.map((row: { id: string; charge: string }) => [row.id, row.charge])).toEqual([
      ["acc_a", "30.0000000001"],
      ["acc_b", "20"],
    ]);
    expect(
      json.lowest_balances.map((row: { id: string; hours_left: number }) => [row.id, row.hours_left]),
    ).toEqual([
      ["acc_b", 462],
      ["acc_a", 5431],
    ]);
    expect(json.previous).toMatchObject({ requests: 0, charge: "0" });
  });

  test("books that do not balance are seen", async () => {
    const broken = await newDatabase("pglite");
    const other = openAdmin(broken);
    await broken.query(
      "insert into entries (tx_id, kind, ledger_account, account_id, amount, created_at) values ('x', 'settle', 'earnings', 'acc_x', 7, clock_timestamp())",
    );
    const { json } = await other.call("GET", `/overview?${period}`);
    expect(json.integrity.check).toMatchObject({ imbalance_usd: "0.000000000007" });
    await other.app.close();
    await broken.close();
  });

  test("an account report has balance, recent spend, live keys and hours left", async () => {
    const { json } = await admin.call("GET", "/reports/accounts/acc_b");
    expect(json).toMatchObject({
      balance: { posted: "80", held: "25", available: "55" },
      spent_24h: "20",
      spent_30d: "20",
      live_keys: 1,
      hours_left: 462,
    });
    const found = await admin.call("GET", "/reports/accounts?search=CC_A");
    expect(found.json.data.map((row: { id: string }) => row.id)).toEqual(["acc_a"]);
    expect((await admin.call("GET", "/reports/accounts/acc_x")).status).toBe(404);
  });

  test("traffic tells how requests ended and how long they took, in hours and days of a zone", async () => {
    const { json } = await admin.call("GET", `/reports/traffic?${period}&bucket=hour`);
    const seen = json.data.filter((row: { looked: number }) => row.looked > 0);
    const outcomes = seen.map((row: { outcomes: object }) => row.outcomes);
    expect(seen.map((row: { looked: number }) => row.looked).reduce((a: number, b: number) => a + b, 0)).toBe(
      4,
    );
    expect(outcomes.at(-1)).toMatchObject({ complete: expect.any(Number) });
    expect(seen.at(-1)).toMatchObject({
      is_sample: false,
      ttft_p50_ms: 100,
      ttft_p95_ms: 300,
      duration_p95_ms: 1_100,
    });
    const month =
      "from=2026-10-01T00:00:00%2B02:00&to=2026-11-01T00:00:00%2B01:00&bucket=day&tz=Europe/Berlin";
    const days = (await admin.call("GET", `/reports/traffic?${month}`)).json.data.map(
      (row: { bucket: string }) => row.bucket,
    );
    expect([days.length, days[0], days[24], days[25], days[30]]).toEqual([
      31,
      "2026-09-30T22:00:00.000Z",
      "2026-10-24T22:00:00.000Z",
      "2026-10-25T23:00:00.000Z",
      "2026-10-30T23:00:00.000Z",
    ]);
    expect((await admin.call("GET", `/reports/traffic?from=${hourAhead}&to=${dayAgo}`)).status).toBe(400);
  });

  test("estimates are compared with the vendor's counts, by deployment and kind", async () => {
    const at = "2026-01-02T00:00:00Z";
    for (const [id, output, estimated] of [
      ["req_s1", 100, 100],
      ["req_s2", 200, 180],
      ["req_s3", 1_000, 100],
    ] as const) {
      await db.query(
        `insert into usage_samples (request_id, endpoint, deployment, model, kind, input, output, reasoning, estimated_input,
           estimated_output, input_characters, output_characters, input_price, output_price, created_at)
         values ($1, 'east', 'mini', 'gpt-5-mini', 'reasoning', 10, $2, 0, 11, $3, 41, 397, 300000, 2400000, $4)`,
        [id, output, estimated, at],
      );
    }
    const span = "from=2026-01-01T00:00:00Z&to=2026-01-03T00:00:00Z";
    const { json } = await admin.call("GET", `/reports/estimation?${span}`);
    expect(json.data).toMatchObject([
      {
        ...{ endpoint: "east", deployment: "mini", model: "gpt-5-mini", kind: "reasoning", requests: 3 },
        vendor: { input: 30, output: 1_300 },
        tokenizer: {
          output: { tokens: 380, exact: 1, error_p50_percent: 10, error_p95_percent: 90 },
          input: { exact: 0 },
        },
        characters: { input: { tokens: 33 }, output: { tokens: 300, exact: 1 } },
      },
    ]);
    const leak = await admin.call("GET", `/reports/leak?${span}`);
    expect(leak.json.data).toMatchObject([
      {
        billed_usd: "0.003129",
        tokenizer_usd: "0.0009219",
        tokenizer_missing_usd: "0.0022071",
        characters_usd: "0.0007299",
        characters_missing_usd: "0.0023991",
        characters_167_usd: "0.0017361",
        characters_167_missing_usd: "0.0013929",
        ...{
          billed_tokens: 1_330,
          tokenizer_tokens: 413,
          characters_tokens: 333,
          characters_167_tokens: 789,
        },
      },
    ]);
    const first = await admin.call("GET", `/reports/estimation/samples?${span}&limit=2`);
    const rest = await admin.call(
      "GET",
      `/reports/estimation/samples?${span}&limit=2&cursor=${first.json.next_cursor}`,
    );
    const ids = [...first.json.data, ...rest.json.data].map((row: { request_id: string }) => row.request_id);
    expect([ids, rest.json.next_cursor]).toEqual([["req_s3", "req_s2", "req_s1"], null]);
    expect((await admin.call("GET", `/reports/leak?${span}&endpoint=west`)).json.data).toEqual([]);
  });

  test("keys of all accounts are found by name, by account and by the end of their secret", async () => {
    const names = async (query: string) =>
      (await admin.call("GET", `/keys?${query}`)).json.data.map((row: { name: string }) => row.name);
    expect([
      await names(""),
      await names("search=cd34"),
      await names("search=Cd34"),
      await names("account=acc_a"),
      await names("status=ended"),
    ]).toEqual([["server", "laptop"], [], ["server"], ["laptop"], []]);
  });

  test("a session reads; it writes only from the console itself, and only what its role may", async () => {
    const cookie = `tollgate_t=${await sessions.open({ name: "tok_1", role: "operator", tokenId: null })}`;
    const call = (method: "GET" | "POST", path: string, headers: Record<string, string>) =>
      admin.call(method, path, {
        token: null,
        headers: { cookie, ...headers },
        ...(method === "POST" ? { body: { name: "new" } } : {}),
      });
    expect((await call("GET", "/me", {})).json).toMatchObject({ actor: "tok_1", role: "operator" });
    expect((await call("GET", "/me", { "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await call("POST", "/accounts", {})).status).toBe(403);
    expect((await call("POST", "/accounts", { ...own, "sec-fetch-site": "same-site" })).status).toBe(403);
    expect((await call("POST", "/accounts", own)).status).toBe(201);
    expect((await call("POST", "/grants/grt_a/void", own)).json.error.code).toBe("insufficient_role");
    const gone = { cookie: `tollgate_t=${"A".repeat(43)}` };
    expect((await admin.call("GET", "/me", { token: null, headers: gone })).json.error.code).toBe(
      "invalid_session",
    );
  });

  test("a token in the header counts, whatever cookie comes with it", async () => {
    const headers = { cookie: `tollgate_t=${"A".repeat(43)}` };
    expect((await admin.call("GET", "/me", { headers })).json).toMatchObject({ actor: "owner" });
  });

  test("a portal token opens one account for an hour, and its secret is not stored", async () => {
    const made = await admin.call("POST", "/accounts/acc_a/portal-tokens", { body: {} });
    expect([made.status, made.json.path]).toEqual([201, `/portal/#token=${made.json.token}`]);
    expect(Date.parse(made.json.expires_at) - Date.now()).toBeGreaterThan(3_500_000);
    expect(
      JSON.stringify(await db.query("select encode(hash, 'escape') as h, account_id from portal_tokens")),
    ).not.toContain(made.json.token);
    expect(
      (await admin.call("POST", "/accounts/acc_a/portal-tokens", { body: { expires_in_seconds: 86_401 } }))
        .status,
    ).toBe(400);
    expect((await admin.call("POST", "/accounts/acc_x/portal-tokens", { body: {} })).status).toBe(404);
  });

  test("the live tail tells of requests as they begin and end, each once", async () => {
    const seen: string[] = [];
    const news = (await import("../../src/admin/tail.ts")).createTail({
      source: (await import("../../src/store/request-tail.ts")).createRequestTailSource(db),
      clock: { now: Date.now, elapsed: () => performance.now() },
      observe: () => undefined,
    });
    const wait = async (count: number) => {
      for (let turn = 0; turn < 100 && seen.length < count; turn += 1)
        await new Promise((done) => setTimeout(done, 50));
    };
    const stop = news.listen(({ requests }) =>
      seen.push(...requests.map((row) => `${row.id.slice(-4)} ${row.state}`)),
    );
    await wait(1);
    const id = `req_${timeId(Date.now() + 1)}`;
    await books.hold(id, "acc_a", "0.1", { keyId: "key_a" });
    await wait(2);
    await books.settle(id, "acc_a", "0.05", { keyId: "key_a" });
    await wait(3);
    stop();
    news.close();
    expect(seen).toEqual([`${ids[4]?.slice(-4)} open`, `${id.slice(-4)} open`, `${id.slice(-4)} settled`]);
  });
});

test("a reading without a cookie leaves the door to tokens", async () => {
  const reading: SessionReading = await createSessions({
    logins: {} as never,
    random: randomBytes,
    epoch: "",
    cookieName: "tollgate_t",
  }).read({ method: "GET", headers: {} });
  expect(reading).toEqual({ state: "absent" });
});

function timeId(ms: number): string {
  const digits = "0123456789abcdefghjkmnpqrstvwxyz";
  let text = "";
  for (let rest = Math.floor(ms); text.length < 10; rest = Math.floor(rest / 32))
    text = `${digits[rest % 32]}${text}`;
  return `${text}${randomBytes(8).toString("hex")}`;
}
