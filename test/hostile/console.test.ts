/** The console and what it shows: requests of other sites, frames, scripts in data, sessions. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { adminTokenCanary } from "./support/canary.ts";
import { sendRaw } from "./support/raw-client.ts";
import { type Customer, openWorld, type World } from "./support/world.ts";

let world: World;
let customer: Customer;
beforeAll(async () => {
  world = await openWorld();
  customer = await world.customer("10");
});
afterAll(() => world.close());

const own = {
  "content-type": "application/json",
  "x-tollgate-console": "1",
  "sec-fetch-site": "same-origin",
};
const send = (
  path: string,
  headers: Readonly<Record<string, string>>,
  method = "GET",
  body?: object,
): Promise<Response> =>
  fetch(`${world.url}${path}`, {
    method,
    redirect: "manual",
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
async function logIn(headers: Readonly<Record<string, string>> = {}): Promise<string> {
  const answer = await send("/console/login", { ...own, ...headers }, "POST", { token: adminTokenCanary });
  expect(answer.status).toBe(204);
  return answer.headers.get("set-cookie") ?? "";
}
const cookieOf = (header: string): string => header.split(";")[0] ?? "";

test("row 44: a page of another site can neither read nor write with the operator's session", async () => {
  const cookie = cookieOf(await logIn());
  expect((await send("/admin/v1/me", { ...own, cookie })).status).toBe(200);
  const foreign: Readonly<Record<string, string>>[] = [
    { ...own, cookie, "sec-fetch-site": "cross-site" },
    { ...own, cookie, "sec-fetch-site": "same-site" },
    { ...own, cookie, "sec-fetch-site": "none" },
    { "content-type": "application/json", cookie },
    { "content-type": "application/json", cookie, "sec-fetch-site": "same-origin" },
    { "content-type": "application/json", cookie, "x-tollgate-console": "1", origin: "https://evil.example" },
    { "content-type": "application/json", cookie, "x-tollgate-console": "1", origin: "null" },
    { "content-type": "application/json", cookie, "x-tollgate-console": "1" },
    { "content-type": "text/plain", cookie, origin: "https://evil.example" },
    { "content-type": "application/x-www-form-urlencoded", cookie },
  ];
  const writes: [string, object][] = [
    ["/admin/v1/accounts", { name: "forged" }],
    [`/admin/v1/accounts/${customer.accountId}/grants`, { amount: "100" }],
    ["/console/logout", {}],
  ];
  const before = await world.db.query(
    "select (select count(*) from accounts)::int as a, (select count(*) from grants)::int as g",
  );
  for (const headers of foreign) {
    for (const [path, body] of writes) {
      const { status } = await send(path, headers, "POST", body);
      expect([path, headers, status]).toEqual([
        path,
        headers,
        expect.toSatisfy((one: number) => [400, 401, 403, 415].includes(one)),
      ]);
    }
  }
  expect((await send("/admin/v1/accounts", { cookie, "sec-fetch-site": "cross-site" })).status).toBe(403);
  expect(
    await world.db.query(
      "select (select count(*) from accounts)::int as a, (select count(*) from grants)::int as g",
    ),
  ).toEqual(before);
  expect((await send("/admin/v1/me", { ...own, cookie })).status).toBe(200);
});

test("row 44: no other origin is let in, and no page may be framed", async () => {
  for (const path of [
    "/v1/models",
    "/admin/v1/accounts",
    "/console/session",
    "/console/",
    "/portal/",
    "/healthz",
  ]) {
    for (const method of ["GET", "OPTIONS"]) {
      const answer = await send(
        path,
        {
          origin: "https://evil.example",
          "access-control-request-method": "POST",
          "access-control-request-headers": "authorization",
        },
        method,
      );
      expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual([]);
    }
  }
  for (const path of ["/console/", "/portal/", "/console/assets/none.js", "/console"]) {
    const { headers } = await send(path, {});
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect([
      headers.get("x-frame-options"),
      headers.get("x-content-type-options"),
      headers.get("referrer-policy"),
    ]).toEqual(["DENY", "nosniff", "no-referrer"]);
  }
});

test("row 44: a page that gave its own name to this address has no session, and no link bears that name", async () => {
  await logIn();
  const asPage = (line: string, more: readonly string[] = [], body = ""): Promise<string> => {
    const headers = [
      "Host: evil.example",
      "Origin: http://evil.example",
      "X-Forwarded-Host: evil.example",
      ...more,
    ];
    const text = [line, ...headers, `Content-Length: ${body.length}`, "Connection: close"].join("\r\n");
    return sendRaw(world.port, [`${text}\r\n\r\n${body}`]).then((answer) => answer.text);
  };
  const write = ["Content-Type: application/json", "X-Tollgate-Console: 1", "Sec-Fetch-Site: same-origin"];
  expect(await asPage("GET /console/session HTTP/1.1")).toMatch(/^HTTP\/1\.1 401/);
  expect(await asPage("GET /admin/v1/accounts HTTP/1.1")).toMatch(/^HTTP\/1\.1 401/);
  expect(await asPage("POST /admin/v1/accounts HTTP/1.1", write, '{"name":"forged"}')).toMatch(
    /^HTTP\/1\.1 401/,
  );
  expect(await asPage("POST /console/login HTTP/1.1", write, '{"token":"x"}')).toMatch(/^HTTP\/1\.1 401/);
  for (const line of ["POST /admin/v1/login-links HTTP/1.1", "GET / HTTP/1.1", "GET /console HTTP/1.1"]) {
    const answer = await asPage(line, [`Authorization: Bearer ${adminTokenCanary}`]);
    expect(answer).toMatch(/^HTTP\/1\.1 (20\d|30\d)/);
    expect(answer).not.toContain("evil.example");
  }
});

const scripts = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "javascript:alert(1)",
  "${alert(1)}",
  "{{constructor.constructor('alert(1)')()}}",
  "</title><svg onload=alert(1)>",
  "=cmd|' /C calc'!A0",
  "@SUM(1+1)",
  "+1+1",
  "-1+1",
];

test("row 45: what customers and operators write is data in every answer", async () => {
  for (const name of scripts) {
    const made = await world.admin("POST", "/accounts", {
      name,
      external_id: name,
      metadata: { note: name },
    });
    await world.admin("POST", `/accounts/${made.json.id}/keys`, { name });
    const shown = await send(`/admin/v1/accounts/${made.json.id}`, {
      authorization: `Bearer ${adminTokenCanary}`,
    });
    expect([shown.headers.get("content-type"), ((await shown.json()) as { name: string }).name]).toEqual([
      expect.stringMatching(/^application\/json/),
      name,
    ]);
    for (const path of [
      `/v1/${name}`,
      `/admin/v1/${name}`,
      `/console/${name}`,
      `/portal/${name}`,
      `/${name}`,
      `/v1/models/${encodeURIComponent(name)}`,
    ]) {
      const answer = await send(path, { authorization: `Bearer ${customer.key}` });
      expect([path, answer.headers.get("content-type")]).toEqual([
        path,
        expect.not.stringMatching(/html|javascript|xml/),
      ]);
    }
  }
});

test("row 45: a spreadsheet that opens an export runs nothing of it", async () => {
  const csv = await (
    await send("/admin/v1/accounts?format=csv", { authorization: `Bearer ${adminTokenCanary}` })
  ).text();
  const cells = csv.split(/\r?\n/).flatMap((line) => line.split(","));
  expect(cells.filter((cell) => /^"?[=@+-](?![\d.]+"?$)/.test(cell))).toEqual([]);
});

test("row 45: the pages make no markup out of text and run nothing inline", () => {
  const pages = readdirSync(new URL("../../console/src", import.meta.url), {
    recursive: true,
    encoding: "utf8",
  })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => ({
      path,
      text: readFileSync(new URL(`../../console/src/${path}`, import.meta.url), "utf8"),
    }));
  expect(pages.length).toBeGreaterThan(10);
  const unsafe = pages.flatMap(({ path, text }) =>
    [
      ...text.matchAll(
        /dangerouslySetInnerHTML|\.innerHTML\s*=|insertAdjacentHTML|document\.write|\beval\(|new Function\(/g,
      ),
    ].map((match) => `${path}: ${match[0]}`),
  );
  expect(unsafe).toEqual([]);
  for (const page of ["index.html", "portal.html"]) {
    for (const folder of ["console", "dist/console/web"]) {
      const file = fileURLToPath(new URL(`../../${folder}/${page}`, import.meta.url));
      if (!existsSync(file)) continue;
      expect(readFileSync(file, "utf8")).not.toMatch(
        /<script(?![^>]*\bsrc=)|<[^>]+\son\w+=|<style|\bstyle=|https?:\/\//,
      );
    }
  }
});

test("row 46: each login is a new session, and the one before it ends", async () => {
  const first = await logIn();
  expect(first).toMatch(/; HttpOnly/);
  expect(first).toMatch(/; SameSite=Strict/);
  const second = await logIn({ cookie: cookieOf(first) });
  expect(cookieOf(second)).not.toBe(cookieOf(first));
  const statusOf = async (cookie: string): Promise<number> =>
    (await send("/admin/v1/me", { ...own, cookie: cookieOf(cookie) })).status;
  expect([await statusOf(first), await statusOf(second)]).toEqual([401, 200]);
  // A cookie that somebody planted is not adopted.
  const name = cookieOf(first).split("=")[0] ?? "";
  const planted = `${name}=${"A".repeat(43)}`;
  expect(cookieOf(await logIn({ cookie: planted }))).not.toBe(planted);
  expect(await statusOf(planted)).toBe(401);
  expect(await logIn({ "x-forwarded-proto": "https" })).toMatch(/; Secure/);
});

test("row 46: after a logout a copied cookie is worthless, and a link opens once", async () => {
  const cookie = cookieOf(await logIn());
  expect((await send("/console/logout", { ...own, cookie }, "POST", {})).status).toBe(204);
  expect((await send("/admin/v1/me", { ...own, cookie })).status).toBe(401);
  expect((await send("/admin/v1/accounts", { ...own, cookie }, "POST", { name: "x" })).status).toBe(401);
  const link = /link=([\w-]+)/.exec((await world.admin("POST", "/login-links")).text)?.[1];
  const open = (): Promise<Response> => send("/console/login", own, "POST", { link });
  const statuses = (await Promise.all([open(), open(), open(), open()])).map((answer) => answer.status);
  expect(statuses.toSorted()).toEqual([204, 401, 401, 401]);
});

test("row 46: guessing at the login is slowed down", async () => {
  const guess = (): Promise<Response> => send("/console/login", own, "POST", { token: "tg-adm-guess" });
  const answers: Response[] = [];
  for (let round = 0; round < 15; round += 1) answers.push(await guess());
  const last = answers.at(-1);
  expect([last?.status, Number(last?.headers.get("retry-after")) > 0]).toEqual([429, true]);
  // The token itself still works where programs use it.
  expect((await world.admin("GET", "/me")).status).toBe(200);
});
