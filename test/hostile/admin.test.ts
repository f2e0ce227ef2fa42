/** The admin API and the database behind it: roles, foreign fields, odd amounts, SQL, and the trail that is left. */
import type { TObject, TSchema } from "typebox";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isAllowed } from "../../src/admin/roles.ts";
import type { AdminRoute, WriteRoute } from "../../src/admin/route.ts";
import { adminRoutes } from "../../src/admin/routes/all.ts";
import { createToken } from "../../src/billing/tokens.ts";
import { formatApiKey } from "../../src/core/api-key.ts";
import { type Role, roles } from "../../src/ports-admin.ts";
import { createVerification } from "../../src/store/verify.ts";
import { openBooks } from "../support/books.ts";
import { newDatabase } from "../support/databases.ts";
import { readSourceFiles } from "../support/source-files.ts";
import { adminTokenCanary } from "./support/canary.ts";
import { type Customer, evilChat, openWorld, verdict, type World } from "./support/world.ts";

let world: World;
let customer: Customer;
let grantId: string;
let requestId: string;
const tokens = new Map<Role, string>();
beforeAll(async () => {
  world = await openWorld();
  customer = await world.customer("100");
  expect(await verdict(await world.post("/v1/chat/completions", customer.key, evilChat("none")))).toBe("200");
  requestId = (await world.records(customer.accountId))[0]?.id ?? "";
  grantId = (await world.admin("GET", `/accounts/${customer.accountId}/grants`)).json.data[0].id;
  for (const role of roles) {
    const made = await createToken(world.desk, { name: role, role, expiresAt: null });
    if (!made.ok) throw new Error("The test's own set-up was refused");
    tokens.set(role, made.value.secret);
  }
});
afterAll(() => world.close());

/** A route's path with ids that exist where there are any. */
function pathOf(route: AdminRoute): string {
  const ids: Record<string, string> = {
    accounts: customer.accountId,
    grants: grantId,
    keys: customer.keyId,
    requests: requestId,
    "reports/accounts": customer.accountId,
  };
  return route.path
    .replace(/^\/(.*?)\/\{id\}/, (_, kind: string) => `/${kind}/${ids[kind] ?? "none"}`)
    .replace("{name}", "evil");
}
const bodyOf = (route: AdminRoute): object | undefined => (route.method === "GET" ? undefined : {});

test("row 25: no admin route opens to customers, strangers, old tokens or tokens in the wrong place", async () => {
  const unknown = formatApiKey("admin", new Uint8Array(32).fill(7));
  const credentials = [
    customer.key,
    "",
    "x",
    adminTokenCanary.slice(0, -1),
    adminTokenCanary.toUpperCase(),
    unknown,
    `Basic ${adminTokenCanary}`,
  ];
  const wrong: string[] = [];
  await Promise.all(
    adminRoutes.flatMap((route) =>
      credentials.map(async (credential) => {
        const { status } = await world.admin(route.method, pathOf(route), bodyOf(route), credential);
        if (status !== 401)
          wrong.push(`${status} ← ${route.method} ${route.path} with ${credential.slice(0, 12)}`);
      }),
    ),
  );
  const elsewhere = [
    [`/accounts?token=${adminTokenCanary}`, {}],
    [`/accounts?access_token=${adminTokenCanary}`, {}],
    ["/accounts", { cookie: `token=${adminTokenCanary}; tollgate=${adminTokenCanary}` }],
    [
      "/accounts",
      {
        "x-admin-token": adminTokenCanary,
        "api-key": adminTokenCanary,
        "proxy-authorization": `Bearer ${adminTokenCanary}`,
      },
    ],
  ] as const;
  for (const [path, headers] of elsewhere) {
    const { status } = await fetch(`${world.url}/admin/v1${path}`, { headers });
    if (status !== 401) wrong.push(`${status} ← ${path.slice(0, 20)} ${Object.keys(headers)}`);
  }
  expect(wrong).toEqual([]);
});

test("row 25: each role may what is its own, and a role too small is refused before anything is read", async () => {
  const wrong: string[] = [];
  for (const route of adminRoutes) {
    for (const [role, token] of tokens) {
      if (isAllowed(role, route.role)) continue;
      const { status, json } = await world.admin(route.method, pathOf(route), bodyOf(route), token);
      if (status !== 403 || json?.error.code !== "insufficient_role")
        wrong.push(`${status} ← ${role}: ${route.method} ${route.path}`);
    }
  }
  expect(wrong).toEqual([]);
  // A session is no more than the token it was opened with.
  const link = await world.admin("POST", "/login-links", undefined, tokens.get("viewer"));
  expect(JSON.stringify(link.json)).toContain("link");
  const secret = /link=([\w-]+)/.exec(link.text)?.[1];
  const headers = {
    "content-type": "application/json",
    "x-tollgate-console": "1",
    "sec-fetch-site": "same-origin",
  };
  const login = await fetch(`${world.url}/console/login`, {
    method: "POST",
    headers,
    body: JSON.stringify({ link: secret }),
  });
  const cookie = login.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect(login.status).toBe(204);
  const asViewer = (method: string, path: string): Promise<Response> =>
    fetch(`${world.url}/admin/v1${path}`, {
      method,
      headers: { ...headers, cookie },
      ...(method === "GET" ? {} : { body: "{}" }),
    });
  expect([
    (await asViewer("GET", "/me")).status,
    (await asViewer("GET", "/tokens")).status,
    (await asViewer("POST", `/accounts/${customer.accountId}/grants`)).status,
  ]).toEqual([200, 403, 403]);
});

const writes = adminRoutes.filter((route): route is WriteRoute => route.kind === "write");
const fieldsOf = (schema: TSchema | null): readonly string[] =>
  Object.keys((schema as TObject | null)?.properties ?? {});

test("row 26: a field that is not the caller's to set is refused by name, on every write", async () => {
  const foreign = [
    "id",
    "account_id",
    "tenant_id",
    "role",
    "balance",
    "posted",
    "held",
    "status",
    "is_demo",
    "secret",
    "hash",
    "price",
    "markup",
    "charge",
    "created_at",
    "revoked_at",
    "remaining",
    "constructor",
    "__proto__",
  ];
  const wrong: string[] = [];
  for (const route of writes.filter((one) => one.body !== null)) {
    for (const field of foreign.filter((one) => !fieldsOf(route.body).includes(one))) {
      const { status, json } = await world.admin(route.method, pathOf(route), `{"${field}":"x"}`);
      if (status !== 400 || json.error.code !== "unknown_field")
        wrong.push(`${status} ${json?.error.code} ← ${route.method} ${route.path} ${field}`);
    }
  }
  const nested = await world.admin("PATCH", `/keys/${customer.keyId}`, {
    settings: { usage_cost: true, idempotency: true, is_admin: true },
  });
  expect([nested.status, nested.json.error.code]).toEqual([400, "unknown_field"]);
  for (const query of ["role=owner", "account_id=x", "limit=1&is_admin=1"]) {
    const { status, json } = await world.admin("GET", `/accounts?${query}`);
    if (status !== 400 || json.error.code !== "unknown_field") wrong.push(`${status} ← ?${query}`);
  }
  expect(wrong).toEqual([]);
});

test("row 23: an amount is a plain decimal, not negative, not too fine, not too large", async () => {
  const odd = [
    '"-1"',
    '"-0.0000000001"',
    '"1e5"',
    '"1E-2"',
    '"0x10"',
    '"1,5"',
    '" 1"',
    '"1 "',
    '"+1"',
    '"1."',
    '".5"',
    '"01"',
    '""',
    '"NaN"',
    '"Infinity"',
    '"1_000"',
    '"١"',
    '"1\\u0000"',
    '"0.00000000001"',
    `"${"9".repeat(30)}"`,
    `"0.${"0".repeat(90)}1"`,
    "1",
    "-1",
    "1.5",
    "1e400",
    "true",
    "[]",
    "{}",
    '["1"]',
  ];
  const places: [string, string, (amount: string) => string][] = [
    ["POST", `/accounts/${customer.accountId}/grants`, (amount) => `{"amount":${amount}}`],
    [
      "POST",
      `/accounts/${customer.accountId}/grants`,
      (amount) => `{"amount":${amount},"kind":"promotional"}`,
    ],
    ["POST", `/requests/${requestId}/refunds`, (amount) => `{"reason":"x","amount":${amount}}`],
    [
      "POST",
      `/accounts/${customer.accountId}/keys`,
      (amount) => `{"name":"x","spend_window":"day","spend_limit":${amount}}`,
    ],
    ["PATCH", `/keys/${customer.keyId}`, (amount) => `{"spend_window":"day","spend_limit":${amount}}`],
    ["POST", "/prices", (amount) => `{"model":"odd-price","input":${amount},"output":"1"}`],
    [
      "POST",
      "/prices",
      (amount) =>
        `{"model":"odd-price","input":"1","output":"1","tiers":[{"above_input_tokens":9,"input":${amount},"output":"1"}]}`,
    ],
  ];
  const before = await world.balance(customer.accountId);
  const wrong: string[] = [];
  await Promise.all(
    places.flatMap(([method, path, body]) =>
      odd.map(async (amount) => {
        const { status } = await world.admin(method, path, body(amount));
        if (status !== 400)
          wrong.push(`${status} ← ${method} ${path.replace(/\w+_\w{20,}/, "ID")} ${amount}`);
      }),
    ),
  );
  for (const amount of ['"0"', '"0.0"']) {
    expect(
      (await world.admin("POST", `/accounts/${customer.accountId}/grants`, `{"amount":${amount}}`)).status,
    ).toBe(400);
  }
  expect(wrong).toEqual([]);
  expect(await world.balance(customer.accountId)).toEqual(before);
  expect((await world.admin("GET", "/prices?model=odd-price")).json.data).toEqual([]);
});

const injections = [
  "'",
  "''",
  "' or '1'='1",
  "'; drop table accounts;--",
  '"; drop table keys;--',
  "\\'; select pg_sleep(9);--",
  "1) or (1=1",
  "$1",
  "$$",
  "%s",
  "{{7*7}}",
  "${7*7}",
  "'||(select hash from key_secrets limit 1)||'",
  "x' union select secret from keys --",
  "\u0000",
  "\ud800",
  "𝕏'",
  "-- -",
  "/*",
  "E'\\x27'",
  "`id`",
  "$(id)",
  "|id",
];

test("row 28: SQL and shell in headers, queries, paths and bodies are text", async () => {
  const count = async (): Promise<unknown> =>
    world.db.query(
      "select (select count(*)::int from accounts) as a, (select count(*)::int from keys) as k, (select count(*)::int from entries) as e",
    );
  const before = await count();
  const wrong: string[] = [];
  const slow = performance.now();
  for (const text of injections) {
    const query = encodeURIComponent(text.replace("\ud800", "\ufffd"));
    const lists = adminRoutes
      .filter((route) => route.kind === "list")
      .flatMap((route) =>
        [...fieldsOf(route.query), "cursor"].map(
          (name) => ["GET", `${pathOf(route)}?${name}=${query}`] as const,
        ),
      );
    const paths = adminRoutes
      .filter((route) => route.path.includes("{id}"))
      .map((route) => [route.method, route.path.replace("{id}", query)] as const);
    await Promise.all(
      [...lists, ...paths].map(async ([method, path]) => {
        const { status } = await world.admin(
          method,
          path,
          method === "GET" || method === "DELETE" ? undefined : {},
        );
        if (status >= 500) wrong.push(`${status} ← ${method} ${path}`);
      }),
    );
    const safe = text.replaceAll(/[^\x20-\x7e]/g, "?");
    const headers = {
      "idempotency-key": safe,
      "x-client-request-id": safe,
      "api-key": safe,
      "x-request-id": safe,
      "user-agent": safe,
    };
    for (const key of [customer.key, `${customer.key}${safe}`, safe]) {
      const status = (await world.post("/v1/chat/completions", key, evilChat(text), { headers })).status;
      if (status >= 500) wrong.push(`${status} ← header ${text}`);
    }
    for (const path of ["generation?id=", "usage?model=", "usage?tz=", "usage?from=", "models/"]) {
      const { status } = await fetch(`${world.url}/v1/${path}${query}`, {
        headers: { authorization: `Bearer ${customer.key}` },
      });
      if (status >= 500) wrong.push(`${status} ← ${path}${text}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(performance.now() - slow).toBeLessThan(30_000);
  expect(await count()).toEqual(before);
});

test("row 28: what is written comes back letter by letter", async () => {
  for (const name of injections.filter((text) => text !== "\u0000" && text !== "\ud800")) {
    const made = await world.admin("POST", "/accounts", {
      name,
      external_id: `ext ${name}`,
      metadata: { [`k ${name}`]: name },
    });
    expect([made.status, made.json.name, made.json.metadata]).toEqual([201, name, { [`k ${name}`]: name }]);
    const found = await world.admin("GET", `/accounts?external_id=${encodeURIComponent(`ext ${name}`)}`);
    expect(found.json.data.map((one: { id: string }) => one.id)).toEqual([made.json.id]);
  }
});

test("row 28: no statement in the source is put together from values", () => {
  // Moving a database copies every table: names come from the database's own catalogue, quoted; no request reaches it.
  const files = readSourceFiles().filter(({ path }) => path !== "src/store/copy.ts");
  const spliced = files.flatMap(({ path, text }) =>
    [...text.matchAll(/(?:\b(?:query|execute)(?:<[^>(]*>)?\(\s*|\bsql)`[^`]*\$\{/g)].map(
      (match) => `${path}: ${match[0].slice(0, 60)}`,
    ),
  );
  expect(spliced).toEqual([]);
});

test("row 29: wildcards and bombs in filters are literal, and answered in no time", async () => {
  await world.admin("POST", "/accounts", { name: "wild", external_id: "100%_sure" });
  const filters = [
    "%",
    "_",
    "%%%%%%%%%%%%%%%%%%%%%%%%%",
    "100%",
    "100_%sure",
    "\\",
    "(a+)+$",
    `${"a".repeat(180)}!`,
    "(?:(?:a*)*)*b",
    "[[:alpha:]]",
    ".*",
    "^",
  ];
  for (const filter of filters) {
    const started = performance.now();
    const found = await world.admin("GET", `/accounts?external_id=${encodeURIComponent(filter)}`);
    expect([found.status, found.json.data]).toEqual([200, []]);
    for (const name of ["model", "endpoint", "key", "account"]) {
      const { status, json } = await world.admin("GET", `/requests?${name}=${encodeURIComponent(filter)}`);
      expect([status, json.data ?? []]).toEqual([status === 400 ? 400 : 200, []]);
    }
    expect(performance.now() - started).toBeLessThan(2_000);
  }
  expect((await world.admin("GET", "/accounts?external_id=100%25_sure")).json.data).toHaveLength(1);
  expect((await world.admin("GET", `/accounts?external_id=${"x".repeat(5_000)}`)).status).toBe(400);
});

test("row 52: the database refuses to change its past, and the proof finds it when it is forced", async () => {
  const noted = await world.admin("POST", `/requests/${requestId}/refunds`, {
    reason: "noted",
    amount: "0.0000000001",
  });
  const written = await world.admin("POST", "/prices", { model: "written", input: "1", output: "2" });
  expect([noted.status, written.status]).toEqual([201, 201]);
  for (const table of ["entries", "audit_log", "transaction_notes", "price_rows"]) {
    for (const statement of [
      `delete from ${table}`,
      ...(table === "entries" || table === "audit_log" ? [`truncate ${table}`] : []),
      `update ${table} set created_at = created_at`,
      `update ${table} set at = at`,
    ]) {
      const done = await world.db.query(statement).then(
        () => "done",
        (error: Error) => error.message,
      );
      expect([statement, done]).toEqual([statement, expect.stringMatching(/Cannot|does not exist/)]);
    }
  }
  const db = await newDatabase("postgres");
  try {
    const books = await openBooks(db);
    await books.account("acme", [{ id: "g1", usd: "1.00" }]);
    await books.hold("r1", "acme", "0.50");
    const line = {
      kind: "input",
      quantity: 10,
      unit_price_pusd: "20000000000",
      list_price_pusd: "20000000000",
      amount_pusd: "200000000000",
    };
    await books.settle("r1", "acme", "0.20", { record: { price_lines: [line] } });
    const proof = async (): Promise<readonly string[]> =>
      (await createVerification(db).verify({ recoveryMs: 60_000 }))
        .filter((check) => !check.ok)
        .map((check) => check.name);
    expect(await proof()).toEqual([]);
    const forced = [
      "update entries set amount = amount + 1 where id = (select min(id) from entries)",
      "delete from entries where id = (select max(id) from entries)",
      "update balances set posted = posted + 1",
      "update requests set charge = charge - 1",
      "update grants set remaining = remaining + 1, amount = amount + 1",
    ];
    for (const statement of forced) {
      await expect(
        db.transaction(async (tx) => {
          await tx.query("set local session_replication_role = replica");
          await tx.query(statement);
          const checks = await createVerification({
            ...db,
            // Inside this transaction there is a snapshot already; the check must not ask for one of its own.
            kind: "pglite",
            transaction: (work) => work(tx),
            query: tx.query,
          }).verify({ recoveryMs: 60_000 });
          expect(
            checks.some((check) => !check.ok),
            statement,
          ).toBe(true);
          throw new Error("undo");
        }),
      ).rejects.toThrow("undo");
    }
  } finally {
    await db.close();
  }
});

test("row 58: every write leaves an audit record with its actor", async () => {
  const other = await world.customer("10");
  const token = await createToken(world.desk, { name: "doomed", role: "viewer", expiresAt: null });
  const grants = await world.admin("GET", `/accounts/${other.accountId}/grants`);
  const bodies: Record<string, [string, object | undefined]> = {
    "POST /accounts": ["/accounts", { name: "new" }],
    "PATCH /accounts/{id}": [`/accounts/${other.accountId}`, { name: "renamed" }],
    "POST /accounts/{id}/grants": [`/accounts/${other.accountId}/grants`, { amount: "1" }],
    "POST /grants/{id}/void": [`/grants/${grants.json.data[0].id}/void`, {}],
    "POST /accounts/{id}/keys": [`/accounts/${other.accountId}/keys`, { name: "second" }],
    "PATCH /keys/{id}": [`/keys/${other.keyId}`, { rpm: 5 }],
    "POST /keys/{id}/rotate": [`/keys/${other.keyId}/rotate`, {}],
    "DELETE /keys/{id}": [`/keys/${other.keyId}`, undefined],
    "POST /requests/{id}/refunds": [`/requests/${requestId}/refunds`, { reason: "kind" }],
    "POST /prices": ["/prices", { model: "audited", input: "1", output: "2" }],
    "POST /tokens": ["/tokens", { name: "t", role: "viewer" }],
    "DELETE /tokens/{id}": [`/tokens/${token.ok ? token.value.token.id : ""}`, undefined],
    "POST /login-links": ["/login-links", undefined],
    "POST /accounts/{id}/portal-tokens": [`/accounts/${other.accountId}/portal-tokens`, {}],
  };
  const silent: string[] = [];
  for (const route of writes) {
    const name = `${route.method} ${route.path}`;
    const [path, body] = bodies[name] ?? [null, undefined];
    if (path === null)
      throw new Error(`There is no example of ${name} here: add one, so that its audit record is proved`);
    const before = await world.db.query<{ n: number }>("select count(*)::int as n from audit_log");
    const answer = await world.admin(route.method, path, body);
    expect([name, answer.status < 300]).toEqual([name, true]);
    const added = await world.db.query<{ actor: string }>(
      "select actor from audit_log order by id desc limit 1",
    );
    const after = await world.db.query<{ n: number }>("select count(*)::int as n from audit_log");
    if (after[0]?.n === before[0]?.n || added[0]?.actor !== "owner") silent.push(name);
  }
  expect(silent).toEqual([]);
});
