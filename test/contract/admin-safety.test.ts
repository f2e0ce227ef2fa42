import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adminRoutes } from "../../src/admin/routes/all.ts";
import { apiKeyRandomBytes, formatApiKey } from "../../src/core/api-key.ts";
import { type Role, roles } from "../../src/ports-admin.ts";
import type { Db } from "../../src/store/db.ts";
import { openPostgres } from "../../src/store/postgres.ts";
import { type AdminClient, openAdmin } from "../support/admin.ts";
import { refusalOf, rowCounts, strictly } from "../support/admin-answers.ts";
import { databaseKinds, newDatabase } from "../support/databases.ts";
import { freePort } from "../support/postgres.ts";

/** Least roles by route: the whole matrix, so that a new route has to be put here by hand. */
const leastRoles: Readonly<Record<string, Role>> = {
  "POST /accounts": "operator",
  "GET /accounts": "viewer",
  "GET /accounts/{id}": "viewer",
  "PATCH /accounts/{id}": "operator",
  "POST /accounts/{id}/grants": "finance",
  "GET /accounts/{id}/grants": "viewer",
  "POST /grants/{id}/void": "finance",
  "POST /accounts/{id}/keys": "operator",
  "GET /accounts/{id}/keys": "viewer",
  "GET /keys/{id}": "viewer",
  "PATCH /keys/{id}": "operator",
  "POST /keys/{id}/rotate": "operator",
  "DELETE /keys/{id}": "operator",
  "GET /requests": "viewer",
  "GET /requests/{id}": "viewer",
  "POST /requests/{id}/refunds": "finance",
  "GET /usage": "viewer",
  "GET /ledger/entries": "viewer",
  "GET /ledger/verify": "viewer",
  "GET /prices": "viewer",
  "POST /prices": "finance",
  "GET /me": "viewer",
  "GET /endpoints": "viewer",
  "POST /endpoints/{name}/probe": "operator",
  "GET /endpoints/{name}/probe/plan": "viewer",
  "GET /audit": "viewer",
  "POST /tokens": "owner",
  "GET /tokens": "owner",
  "DELETE /tokens/{id}": "owner",
  "POST /accounts/{id}/portal-tokens": "operator",
  "GET /keys": "viewer",
  "GET /models": "viewer",
  "GET /models/unpriced": "viewer",
  "GET /settings": "viewer",
  "POST /login-links": "viewer",
  "GET /overview": "viewer",
  "GET /reports/accounts": "viewer",
  "GET /reports/accounts/{id}": "viewer",
  "GET /reports/traffic": "viewer",
  "GET /reports/estimation": "viewer",
  "GET /reports/estimation/samples": "viewer",
  "GET /reports/leak": "viewer",
};
const allowed: Readonly<Record<Role, readonly Role[]>> = {
  owner: roles,
  operator: ["operator", "viewer"],
  finance: ["finance", "viewer"],
  viewer: ["viewer"],
};

describe.each(databaseKinds)("the admin API's guards on %s", (kind) => {
  let db: Db;
  let admin: AdminClient;
  let call: AdminClient["call"];
  let acme: string;
  const tokens = new Map<Role, string>();
  beforeAll(async () => {
    db = await newDatabase(kind);
    admin = openAdmin(db);
    call = strictly(admin);
    acme = (await call("POST", "/accounts", { body: { name: "Acme" } })).json.id;
    for (const role of roles)
      tokens.set(role, (await call("POST", "/tokens", { body: { name: role, role } })).json.secret);
  });
  afterAll(async () => {
    await admin.app.close();
    await db.close();
  });
  const tokenOf = (role: Role): string => tokens.get(role) ?? "";

  describe("who may", () => {
    const routes = adminRoutes
      .filter((route) => route.kind !== "stream")
      .map((route) => `${route.method} ${route.path}`);

    test.each(routes)("%s is open to its least role and above, and to nobody else", async (name) => {
      const least = leastRoles[name];
      expect(least, `${name} is missing in the matrix of this test`).toBeDefined();
      const [method, path] = name.split(" ") as ["GET", string];
      for (const role of roles) {
        const { status, json } = await admin.call(method, path.replace(/\{\w+\}/, "none"), {
          token: tokenOf(role),
        });
        const isIn = least !== undefined && allowed[role].includes(least);
        expect([role, isIn ? status !== 403 && status !== 401 : json.error.code]).toEqual([
          role,
          isIn ? true : "insufficient_role",
        ]);
      }
    });

    test.each([
      ["none", null],
      ["nonsense", "nonsense"],
      ["a customer's key", formatApiKey("live", new Uint8Array(apiKeyRandomBytes).fill(3))],
      [
        "an admin token that does not exist",
        formatApiKey("admin", new Uint8Array(apiKeyRandomBytes).fill(3)),
      ],
    ])("with %s as a token every route is closed, unknown ones too", async (_what, token) => {
      const before = await rowCounts(db);
      for (const name of [...routes, "GET /nothing"]) {
        const [method, path] = name.split(" ") as ["GET", string];
        const answer = await call(method, path.replace(/\{\w+\}/, "none"), { token });
        expect([name, refusalOf(answer), answer.headers["www-authenticate"]]).toEqual([
          name,
          "401 invalid_admin_token -",
          'Bearer realm="tollgate"',
        ]);
      }
      expect(await rowCounts(db)).toEqual(before);
    });

    test("a revoked or expired token is closed at once", async () => {
      const made = await call("POST", "/tokens", {
        body: { name: "temp", role: "viewer", expires_at: "2100-01-01T00:00:00Z" },
      });
      const token = made.json.secret;
      expect((await call("GET", "/me", { token })).json).toEqual({
        ...{ actor: made.json.id, role: "viewer", token_id: made.json.id },
        credit: { name: "credit", usd: "0.01" },
      });
      await db.query("update admin_tokens set expires_at = clock_timestamp() where id = $1", [made.json.id]);
      expect((await call("GET", "/me", { token })).status).toBe(401);
      const other = await call("POST", "/tokens", { body: { name: "temp", role: "viewer" } });
      expect((await call("DELETE", `/tokens/${other.json.id}`)).json.revoked_at).not.toBeNull();
      expect((await call("GET", "/me", { token: other.json.secret })).status).toBe(401);
    });

    test("tokens are listed without their secrets, and no secret is in the database", async () => {
      const { text, json } = await call("GET", "/tokens");
      for (const secret of tokens.values()) expect(text).not.toContain(secret);
      expect(json.data.length).toBeGreaterThanOrEqual(roles.length);
      const rows = await db.query<{ text: string }>(
        "select t::text as text from admin_tokens t union all select a::text from audit_log a union all select i::text from idempotency i",
      );
      for (const secret of tokens.values()) expect(rows.some((row) => row.text.includes(secret))).toBe(false);
    });

    test("only the description of the API is open to all", async () => {
      const answer = await admin.call("GET", "/openapi.json", { token: null });
      expect([answer.status, answer.json.openapi, Object.keys(answer.json.paths).length > 15]).toEqual([
        200,
        "3.1.0",
        true,
      ]);
    });
  });

  describe("an Idempotency-Key", () => {
    const grants = `/accounts/{acc}/grants`;
    const post = (path: string, key: string, body: unknown, token?: string) =>
      call("POST", path.replace("{acc}", acme), {
        body,
        headers: { "idempotency-key": key },
        ...(token === undefined ? {} : { token }),
      });
    const posted = async (): Promise<string> => (await call("GET", `/accounts/${acme}`)).json.balance.posted;

    test("gives the first answer again and moves nothing twice", async () => {
      const before = Number(await posted());
      const first = await post(grants, "g1", { amount: "5", kind: "paid" });
      const second = await post(grants, "g1", { kind: "paid", amount: "5" });
      expect([first.status, first.headers["idempotent-replayed"]]).toEqual([201, undefined]);
      expect([second.status, second.text, second.headers["idempotent-replayed"]]).toEqual([
        201,
        first.text,
        "true",
      ]);
      expect(Number(await posted())).toBe(before + 5);
    });

    test.each([
      ["another body", grants, { amount: "6" }, undefined],
      ["another route", "/accounts", { name: "x" }, undefined],
      ["another token", grants, { amount: "5" }, "finance"],
    ] as const)("is refused with %s", async (what, path, body, role) => {
      const key = `reuse ${what}`.replaceAll(" ", "-");
      await post(grants, key, { amount: "5" });
      const before = await rowCounts(db);
      const again = await post(path, key, body, role === undefined ? undefined : tokenOf(role));
      expect([refusalOf(again), again.json.error.type]).toEqual([
        "422 idempotency_key_reused -",
        "idempotency_error",
      ]);
      expect(await rowCounts(db)).toEqual(before);
    });

    test("lets one of many at once through; the others replay it or are told to wait", async () => {
      const before = Number(await posted());
      const answers = await Promise.all(
        Array.from({ length: 30 }, () => post(grants, "race", { amount: "1" })),
      );
      const made = answers.filter((one) => one.status === 201);
      const waiting = answers.filter((one) => one.status === 409);
      expect(made.length + waiting.length).toBe(30);
      expect(made.filter((one) => one.headers["idempotent-replayed"] === undefined)).toHaveLength(1);
      expect(new Set(made.map((one) => one.json.id)).size).toBe(1);
      for (const one of waiting)
        expect([refusalOf(one), one.headers["retry-after"]]).toEqual(["409 idempotency_in_progress -", "1"]);
      expect(Number(await posted())).toBe(before + 1);
    });

    test("is free again after a refusal", async () => {
      expect((await post(grants, "free", { amount: "-1" })).status).toBe(400);
      expect((await post("/accounts/acc_none/grants", "free", { amount: "1" })).status).toBe(404);
      expect((await post(grants, "free", { amount: "1" })).status).toBe(201);
    });

    test("is free again after a crash in the middle, and the change is not there", async () => {
      const before = await rowCounts(db);
      await db.query("alter table audit_log add constraint broken check (actor <> 'owner') not valid");
      const crashed = await post(grants, "crash", { amount: "1" });
      expect(refusalOf(crashed)).toBe("500 internal_error -");
      await db.query("alter table audit_log drop constraint broken");
      expect(await rowCounts(db)).toEqual(before);
      expect((await post(grants, "crash", { amount: "1" })).status).toBe(201);
    });

    test("gives a secret again to the token that made it, and keeps it unreadable", async () => {
      const first = await post("/accounts/{acc}/keys", "secret", { name: "k" });
      const second = await post("/accounts/{acc}/keys", "secret", { name: "k" });
      expect(second.text).toBe(first.text);
      const [row] = await db.query<{ body: Uint8Array }>("select body from idempotency where key = 'secret'");
      expect(Buffer.from(row?.body ?? []).includes(Buffer.from(first.json.secret.slice(11, 30)))).toBe(false);
    });

    test("works for 24 hours", async () => {
      const first = await post(grants, "day", { amount: "1" });
      await db.query("update idempotency set expires_at = clock_timestamp() where key = 'day'");
      const second = await post(grants, "day", { amount: "1" });
      expect(second.json.id).not.toBe(first.json.id);
    });

    test.each(["", "a b", "x".repeat(256), "ü"])("%j is not one", async (key) => {
      expect(refusalOf(await post(grants, key, { amount: "1" }))).toBe(
        "400 invalid_idempotency_key Idempotency-Key",
      );
    });
  });

  describe("the audit log", () => {
    test("says who changed what, with what was before and after", async () => {
      const token = tokenOf("operator");
      const { id } = (await call("POST", "/accounts", { body: { name: "Audited" }, token })).json;
      await call("PATCH", `/accounts/${id}`, { body: { status: "frozen" }, token });
      const { data } = (await call("GET", `/audit?target=${id}`)).json;
      const actor = (await call("GET", "/me", { token })).json.actor;
      expect(data.map((one: { action: string; actor: string }) => [one.action, one.actor])).toEqual([
        ["account.change", actor],
        ["account.create", actor],
      ]);
      expect(data[0]).toMatchObject({ before: { status: "active" }, after: { status: "frozen" } });
    });

    test("has a row for every kind of change", async () => {
      const grant = await call("POST", `/accounts/${acme}/grants`, { body: { amount: "1" } });
      await call("POST", `/grants/${grant.json.id}/void`, { body: { reason: "slip" } });
      const key = (await call("POST", `/accounts/${acme}/keys`, { body: { name: "k" } })).json.id;
      await call("PATCH", `/keys/${key}`, { body: { rpm: 5 } });
      await call("POST", `/keys/${key}/rotate`);
      await call("DELETE", `/keys/${key}`);
      await call("POST", "/prices", { body: { model: "audited", input: "1" } });
      const rows = await db.query<{ action: string }>("select distinct action from audit_log order by 1");
      expect(rows.map((row) => row.action)).toEqual([
        "account.change",
        "account.create",
        "grant.add",
        "grant.void",
        "key.change",
        "key.create",
        "key.revoke",
        "key.rotate",
        "login_link.create",
        "price.publish",
        "token.create",
        "token.revoke",
      ]);
    });

    test("cannot be changed", async () => {
      await expect(db.query("update audit_log set actor = 'nobody'")).rejects.toThrow(/stays/);
      await expect(db.query("delete from audit_log")).rejects.toThrow(/stays/);
      await expect(db.query("delete from price_rows")).rejects.toThrow(/stays/);
    });
  });
});

test("when the database cannot be reached, the API says to try again", async () => {
  const url = `postgres://nobody@127.0.0.1:${await freePort()}/none`;
  const admin = openAdmin(openPostgres({ url, poolSize: 1, statementTimeoutMs: 1_000 }));
  const call = strictly(admin);
  for (const answer of [
    await call("GET", "/accounts"),
    await call("POST", "/accounts", { body: { name: "x" } }),
  ]) {
    expect([refusalOf(answer), answer.headers["retry-after"]]).toEqual(["503 ledger_unavailable -", "1"]);
  }
  await admin.app.close();
});
