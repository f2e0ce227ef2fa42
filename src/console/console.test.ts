import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newDatabase } from "../../test/support/databases.ts";
import { creditUnit } from "../core/money.ts";
import { createAdminStore } from "../store/admin-store.ts";
import { createConsoleLogins, createPortalTokens } from "../store/console.ts";
import { createConsoleReports } from "../store/console-reports.ts";
import type { Db } from "../store/db.ts";
import { registerConsole } from "./register.ts";
import { createSessions, type Sessions } from "./sessions.ts";

const owner = { name: "owner", role: "owner", tokenId: null } as const;
const own = { "x-tollgate-console": "1", "sec-fetch-site": "same-origin" };

describe("the console's door", () => {
  let db: Db;
  let app: FastifyInstance;
  let sessions: Sessions;
  let elapsed = 0;

  beforeAll(async () => {
    db = await newDatabase("pglite");
  });
  afterAll(() => db.close());
  beforeEach(() => {
    elapsed += 100_000;
    sessions = sessionsOf(db, "epoch-1");
    app = Fastify();
    registerConsole(app, {
      clock: { now: Date.now, elapsed: () => elapsed },
      sessions,
      authenticate: async (token) => (token === "right" ? owner : null),
      directory: builtFiles(),
      portal: {
        tables: createAdminStore(db),
        portalTokens: createPortalTokens(db),
        reports: createConsoleReports(db),
        clock: { now: Date.now, elapsed: () => elapsed },
        credit: creditUnit("0.01"),
        creditName: "credit",
        timeZone: "Europe/Berlin",
      },
      about: { version: "1", isDemo: false, timeZone: "UTC", credit: { name: "credit", usd: "0.01" } },
    });
  });

  const login = (payload: object, headers: Record<string, string> = own) =>
    app.inject({ method: "POST", url: "/console/login", payload, headers });
  const session = (cookie: string) =>
    app.inject({ method: "GET", url: "/console/session", headers: { cookie } });
  const cookieOf = (answer: { headers: Record<string, unknown> }): string =>
    String(answer.headers["set-cookie"]).split(";")[0] ?? "";

  test("a link logs in once, into a cookie that scripts and other sites cannot use", async () => {
    const link = await sessions.createLink(owner);
    const first = await login({ link });
    expect([first.statusCode, String(first.headers["set-cookie"]).replace(/=[^;]+/, "=…")]).toEqual([
      204,
      "tollgate_t=…; Path=/; HttpOnly; SameSite=Strict",
    ]);
    expect((await session(cookieOf(first))).json()).toMatchObject({
      actor: "owner",
      role: "owner",
      time_zone: "UTC",
    });
    expect((await login({ link })).statusCode).toBe(401);
  });

  test("an admin token logs in, another text does not", async () => {
    expect((await login({ token: "right" })).statusCode).toBe(204);
    expect((await login({ token: "wrong" })).statusCode).toBe(401);
    expect((await login({})).statusCode).toBe(401);
  });

  test.each([
    ["without the console's header", { "sec-fetch-site": "same-origin" }],
    ["from another site", { ...own, "sec-fetch-site": "cross-site" }],
    [
      "from another origin",
      { "x-tollgate-console": "1", origin: "https://evil.example", host: "tollgate.example" },
    ],
    ["without any origin", { "x-tollgate-console": "1" }],
  ])("a login %s is refused and leaves the link alive", async (_, headers) => {
    const link = await sessions.createLink(owner);
    expect((await login({ link }, headers)).statusCode).toBe(403);
    expect((await login({ link })).statusCode).toBe(204);
  });

  test("a browser without Sec-Fetch-Site may log in from its own origin, also behind a proxy", async () => {
    const headers = {
      "x-tollgate-console": "1",
      origin: "https://ops.example",
      host: "10.0.0.1",
      "x-forwarded-host": "ops.example",
    };
    expect((await login({ token: "right" }, headers)).statusCode).toBe(204);
  });

  test("a cookie is marked secure when TLS ends before us", async () => {
    const answer = await login({ token: "right" }, { ...own, "x-forwarded-proto": "https" });
    expect(String(answer.headers["set-cookie"])).toContain("; Secure");
  });

  test("logging out ends the session at once, logging in ends the one before", async () => {
    const first = cookieOf(await login({ token: "right" }));
    const second = cookieOf(await login({ token: "right" }, { ...own, cookie: first }));
    expect([(await session(first)).statusCode, (await session(second)).statusCode]).toEqual([401, 200]);
    await app.inject({ method: "POST", url: "/console/logout", headers: { ...own, cookie: second } });
    expect((await session(second)).statusCode).toBe(401);
  });

  test("another admin token ends every session and link", async () => {
    const link = await sessions.createLink(owner);
    const secret = await sessions.open(owner);
    const later = sessionsOf(db, "epoch-2");
    const cookie = `tollgate_t=${secret}`;
    expect((await later.read({ method: "GET", headers: { cookie } })).state).toBe("refused");
    expect(await later.takeLink(link)).toBeNull();
  });

  test("a session that is an hour old gets a new secret, and the old one works on for a minute", async () => {
    const secret = await sessions.open(owner);
    expect(await sessions.renew(secret, owner)).toBeNull();
    await db.query("update console_sessions set created_at = created_at - interval '2 hours'");
    const renewed = cookieOf(await session(`tollgate_t=${secret}`));
    expect(renewed).not.toContain(secret);
    expect([(await session(renewed)).statusCode, (await session(`tollgate_t=${secret}`)).statusCode]).toEqual(
      [200, 200],
    );
    await db.query("update console_sessions set ends_at = ends_at - interval '2 minutes'");
    expect((await session(`tollgate_t=${secret}`)).statusCode).toBe(401);
  });

  test("a session that nobody used for 12 hours has ended", async () => {
    const cookie = `tollgate_t=${await sessions.open(owner)}`;
    await db.query("update console_sessions set seen_at = seen_at - interval '12 hours 1 second'");
    expect((await session(cookie)).statusCode).toBe(401);
  });

  test("ten failures from one address close the door for the rest of the minute", async () => {
    for (let count = 0; count < 10; count += 1)
      expect((await login({ token: "wrong" })).statusCode).toBe(401);
    const refused = await login({ token: "right" });
    expect([refused.statusCode, refused.headers["retry-after"]]).toEqual([429, "60"]);
    elapsed += 60_000;
    expect((await login({ token: "right" })).statusCode).toBe(204);
  });

  test("only hashes of secrets are stored", async () => {
    const secrets = [await sessions.open(owner), await sessions.createLink(owner)];
    const rows = await db.query(
      "select * from console_sessions s full join console_links l on l.hash = s.hash",
    );
    const stored = JSON.stringify(rows, (_, value) =>
      value?.type === "Buffer" ? Buffer.from(value).toString("base64url") : value,
    );
    expect(secrets.filter((secret) => stored.includes(secret))).toEqual([]);
  });

  test("pages come with a policy that forbids inline script and style, and frames", async () => {
    const page = await app.inject({ url: "/console/" });
    expect(page.headers).toMatchObject({ "x-frame-options": "DENY", "cache-control": "no-cache" });
    expect(page.headers["content-security-policy"]).toContain("script-src 'self'; style-src 'self';");
    expect(page.body).toBe("<p>console</p>");
    expect((await app.inject({ url: "/console" })).headers.location).toBe("console/");
    expect((await app.inject({ url: "/portal/" })).body).toBe("<p>portal</p>");
  });

  test("assets are kept for ever, sent compressed to who takes it, and nothing else is served", async () => {
    const plain = await app.inject({ url: "/console/assets/a-1.js" });
    expect([plain.body, plain.headers["cache-control"]]).toEqual([
      "let a;",
      "public, max-age=31536000, immutable",
    ]);
    const packed = await app.inject({
      url: "/console/assets/a-1.js",
      headers: { "accept-encoding": "gzip, br;q=0" },
    });
    expect([packed.headers["content-encoding"], packed.body]).toEqual(["gzip", "packed"]);
    for (const url of [
      "/console/assets/../index.html",
      "/console/assets/%2e%2e/secret.json",
      "/console/assets/a-1.js.gz",
    ]) {
      expect([url, (await app.inject({ url })).statusCode]).toEqual([url, 404]);
    }
  });
});

const sessionsOf = (db: Db, epoch: string): Sessions =>
  createSessions({ logins: createConsoleLogins(db), random: randomBytes, epoch, cookieName: "tollgate_t" });

function builtFiles(): string {
  const directory = mkdtempSync(join(tmpdir(), "tollgate-console-"));
  mkdirSync(join(directory, "assets"));
  writeFileSync(join(directory, "index.html"), "<p>console</p>");
  writeFileSync(join(directory, "portal.html"), "<p>portal</p>");
  writeFileSync(join(directory, "assets", "a-1.js"), "let a;");
  writeFileSync(join(directory, "assets", "a-1.js.gz"), "packed");
  return directory;
}
