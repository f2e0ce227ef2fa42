/** Who is who: keys at rest and in use, other people's ids, revocation, and what a customer cannot do at all. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { authenticate } from "../../src/admin/auth.ts";
import { apiKeyRandomBytes, formatApiKey, parseApiKey, secretPattern } from "../../src/core/api-key.ts";
import { createAuthenticator } from "../../src/http/authenticate.ts";
import { seeded } from "../support/replay.ts";
import { until } from "./support/gate.ts";
import { pause } from "./support/raw-client.ts";
import { type Customer, chat, evilChat, openWorld, verdict, type World } from "./support/world.ts";

let world: World;
let acme: Customer;
let other: Customer;
beforeAll(async () => {
  world = await openWorld({ processes: 2 });
  acme = await world.customer("100");
  other = await world.customer("100");
});
afterAll(() => world.close());

const path = "/v1/chat/completions";
const get = (route: string, key: string, url = world.url): Promise<Response> =>
  fetch(`${url}${route}`, { headers: { authorization: `Bearer ${key}` } });
const secondUrl = (): string => world.gateways[1]?.url ?? "";

test("row 24: another account's ids are answered exactly as unknown ones", async () => {
  expect(await verdict(await world.post(path, acme.key, evilChat("none")))).toBe("200");
  const [request] = await world.records(acme.accountId);
  const grants = await world.admin("GET", `/accounts/${acme.accountId}/grants`);
  const foreign: readonly string[] = [request?.id ?? "", acme.accountId, acme.keyId, grants.json.data[0].id];
  const unknownOf = (id: string): string => `${id.slice(0, -8)}00000000`;
  const answerTo = async (route: string, id: string): Promise<string> => {
    const answer = await get(route.replace("ID", id), other.key);
    return `${answer.status} ${(await answer.text()).replaceAll(id, "ID").replace(/req_\w+/g, "REQ")}`;
  };
  for (const route of [
    "/v1/generation?id=ID",
    "/v1/responses/ID",
    "/v1/models/ID",
    "/v1/usage?key=ID",
    "/v1/usage?model=ID",
    "/v1/usage?account=ID",
    "/openai/v1/generation?id=ID",
  ]) {
    for (const id of foreign) {
      const [seen, unknown] = [await answerTo(route, id), await answerTo(route, unknownOf(id))];
      expect([route, seen]).toEqual([route, unknown]);
      expect(seen).not.toMatch(/"(charge|requests)":"?[1-9]/);
    }
  }
  expect(await answerTo("/v1/generation?id=ID", request?.id ?? "")).toMatch(/^404 /);
  const own = await get(`/v1/generation?id=${request?.id}`, acme.key);
  expect([own.status, ((await own.json()) as { id: string }).id]).toEqual([200, request?.id]);
});

test("row 24: what a customer reads shows nothing of the operator", async () => {
  const [request] = await world.records(acme.accountId);
  for (const route of [
    "/v1/key",
    "/v1/credits",
    "/v1/usage",
    "/v1/models",
    `/v1/generation?id=${request?.id}`,
  ]) {
    const text = await (await get(route, acme.key)).text();
    expect(text).not.toMatch(/vendor_cost|list_price|loss|markup|base_url|api_key|127\.0\.0\.1/);
  }
});

const table = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

test("row 63: a key has a form that scanners find, and no typo of it is another key", () => {
  const random = seeded(63);
  // The pattern that operators are told to scan for, as it stands in the page.
  expect(readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8")).toContain(secretPattern);
  const published = new RegExp(secretPattern);
  expect("sk-tg-live-x sk-proj-0123456789012345678901234567890123456789 tg-adm-").not.toMatch(published);
  for (let round = 0; round < 50; round += 1) {
    const bytes = Uint8Array.from({ length: apiKeyRandomBytes }, () => Math.floor(random() * 256));
    for (const kind of ["live", "test", "admin", "portal"] as const) {
      const key = formatApiKey(kind, bytes);
      expect(parseApiKey(key)).toEqual({ kind });
      expect(`log line ${key}, end`).toMatch(published);
      const at = key.length - 38 + Math.floor(random() * 38);
      const letter = table.charAt((table.indexOf(key.charAt(at)) + 1 + Math.floor(random() * 61)) % 62);
      const typos = [
        key.slice(0, at) + letter + key.slice(at + 1),
        key.slice(0, -1),
        `${key}0`,
        key.toLowerCase(),
        key.replace("-", "_"),
        ` ${key}`,
        `${key}\n`,
      ];
      if (key.charAt(at) !== key.charAt(at - 1))
        typos.push(key.slice(0, at - 1) + key.charAt(at) + key.charAt(at - 1) + key.slice(at + 1));
      expect(typos.filter((typo) => typo !== key && parseApiKey(typo) !== null)).toEqual([]);
    }
  }
});

test("row 63: the database keeps the SHA-256 of a key and its last four letters, nothing else", async () => {
  const rows = await world.db.query<{ hash: Buffer; display: string }>(
    "select s.hash, k.display from key_secrets s join keys k on k.id = s.key_id where k.id = $1",
    [acme.keyId],
  );
  const digest = await crypto.subtle.digest("SHA-256", Buffer.from(acme.key));
  expect(rows.map((row) => row.hash.toString("hex"))).toEqual([Buffer.from(digest).toString("hex")]);
  expect(rows[0]?.display).toBe(`sk-tg-live-…${acme.key.slice(-4)}`);
  // It is shown once: nothing that lists keys has it.
  for (const route of [
    `/keys/${acme.keyId}`,
    `/accounts/${acme.accountId}/keys`,
    "/keys",
    "/audit?limit=500",
  ]) {
    expect((await world.admin("GET", route)).text).not.toContain(acme.key.slice(12, -4));
  }
});

test("row 27: every key that cannot be used gets the same answer", async () => {
  const revoked = await world.customer("10");
  const expired = await world.customer("10", { expiresAt: new Date(Date.now() + 300).toISOString() });
  await world.admin("DELETE", `/keys/${revoked.keyId}`);
  await pause(400);
  const unknown = formatApiKey("live", new Uint8Array(32).fill(9));
  const answers = await Promise.all(
    [revoked.key, expired.key, unknown].map(async (key) => {
      const answer = await world.post(path, key, chat());
      const { "x-request-id": _id, date: _date, ...headers } = Object.fromEntries(answer.headers);
      return JSON.stringify([answer.status, headers, await answer.text()]);
    }),
  );
  expect(new Set(answers).size).toBe(1);
  expect(answers[0]).toContain("invalid_api_key");
  expect(await verdict(await world.post(path, "", chat()))).toBe("401 invalid_api_key");
  expect(await verdict(await world.post(path, acme.key, chat(), { headers: { "api-key": other.key } }))).toBe(
    "401 invalid_api_key",
  );
});

test("row 27: what is no key never reaches the database; a guess is looked up by its digest, once a second", async () => {
  const asked: Uint8Array[] = [];
  const keys = {
    find: async (hash: Uint8Array) => {
      asked.push(hash);
      return null;
    },
  };
  let now = 0;
  const verify = createAuthenticator(keys, { now: () => now, elapsed: () => now });
  const random = seeded(27);
  const noise = (length: number): string =>
    Array.from({ length }, () => String.fromCharCode(33 + Math.floor(random() * 90))).join("");
  for (let round = 0; round < 2_000; round += 1) {
    const guess =
      [`sk-tg-live-${noise(38)}`, noise(49), `tg-adm-${noise(38)}`, `sk-${noise(48)}`, "x".repeat(9_000)][
        round % 5
      ] ?? "";
    expect((await verify({ authorization: `Bearer ${guess}` })).ok).toBe(false);
    expect((await verify({ "api-key": guess })).ok).toBe(false);
  }
  expect(asked).toHaveLength(0);
  const wellFormed = formatApiKey("live", new Uint8Array(32).fill(3));
  for (let round = 0; round < 50; round += 1) await verify({ authorization: `Bearer ${wellFormed}` });
  expect(asked.map((hash) => hash.length)).toEqual([32]);
  now = 1_001;
  await verify({ authorization: `Bearer ${wellFormed}` });
  expect(asked).toHaveLength(2);
});

test("row 27: the time of a refusal does not tell how much of the admin token was right", async () => {
  const token = `owner-token-${"x".repeat(100)}`;
  const none = { findLive: async () => null } as never;
  const timeOf = async (guess: string): Promise<number> => {
    const started = process.hrtime.bigint();
    await authenticate(guess, token, none).catch(() => undefined);
    return Number(process.hrtime.bigint() - started);
  };
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < 4_000; round += 1) {
    times[0].push(await timeOf(`X${token.slice(1)}`));
    times[1].push(await timeOf(`${token.slice(0, -1)}X`));
  }
  const [early, late] = times.map((list) => list.toSorted((a, b) => a - b)[list.length / 2] ?? 0);
  expect(Math.abs((early ?? 0) / (late ?? 1) - 1)).toBeLessThan(0.25);
});

test("row 47: a revoked key holds nothing at once and reads nothing after a second, in every process", async () => {
  const doomed = await world.customer("10");
  for (const { url } of world.gateways) {
    expect(await verdict(await world.post(path, doomed.key, evilChat("none"), { url }))).toBe("200");
    expect((await get("/v1/credits", doomed.key, url)).status).toBe(200);
  }
  expect((await world.admin("DELETE", `/keys/${doomed.keyId}`)).status).toBe(200);
  const revokedAt = performance.now();
  for (const { url } of world.gateways)
    expect(await verdict(await world.post(path, doomed.key, evilChat("none"), { url }))).toBe(
      "401 invalid_api_key",
    );
  for (const { url } of world.gateways)
    await until(
      async () => (await get("/v1/credits", doomed.key, url)).status === 401,
      "reads were refused",
      2_000,
    );
  expect(performance.now() - revokedAt).toBeLessThan(1_500);
});

test("row 47: expiry, freezing and rotation hold in every process", async () => {
  const expiring = await world.customer("10", { expiresAt: new Date(Date.now() + 700).toISOString() });
  const both = (key: string): Promise<string[]> =>
    Promise.all(
      world.gateways.map(async ({ url }) => verdict(await world.post(path, key, evilChat("none"), { url }))),
    );
  expect(await both(expiring.key)).toEqual(["200", "200"]);
  await pause(750);
  expect(await both(expiring.key)).toEqual(["401 invalid_api_key", "401 invalid_api_key"]);

  const frozen = await world.customer("10");
  expect(await both(frozen.key)).toEqual(["200", "200"]);
  await world.admin("PATCH", `/accounts/${frozen.accountId}`, { status: "frozen" });
  expect(await both(frozen.key)).toEqual(["403 account_frozen", "403 account_frozen"]);
  expect((await get("/v1/credits", frozen.key, secondUrl())).status).toBe(200);
  await world.admin("PATCH", `/accounts/${frozen.accountId}`, { status: "active" });
  expect(await both(frozen.key)).toEqual(["200", "200"]);

  const rotated = await world.customer("10");
  const next = await world.admin("POST", `/keys/${rotated.keyId}/rotate`, { overlap_seconds: 2 });
  expect([await both(rotated.key), await both(next.json.secret)]).toEqual([
    ["200", "200"],
    ["200", "200"],
  ]);
  await pause(3_100);
  expect([await both(rotated.key), await both(next.json.secret)]).toEqual([
    ["401 invalid_api_key", "401 invalid_api_key"],
    ["200", "200"],
  ]);
  const again = await world.admin("POST", `/keys/${rotated.keyId}/rotate`, {});
  await pause(1_050);
  expect([await both(next.json.secret), await both(again.json.secret)]).toEqual([
    ["401 invalid_api_key", "401 invalid_api_key"],
    ["200", "200"],
  ]);
});

test("row 47: a key is good for its models only", async () => {
  const { key } = await world.customer("10", { models: ["evil"] });
  expect(await verdict(await world.post(path, key, evilChat("none")))).toBe("200");
  expect(await verdict(await world.post(path, key, chat()))).toBe("404 model_not_found");
  const models = (await (await get("/v1/models", key)).json()) as { data: { id: string }[] };
  expect(models.data.map((model) => model.id)).toEqual(["evil"]);
  expect((await get("/v1/models/gpt-4.1-nano", key)).status).toBe(404);
});

test("row 49: a customer's key makes no account, no key and no credit, by any route or method", async () => {
  const count = (): Promise<unknown> =>
    world.db.query(
      "select (select count(*)::int from accounts) as a, (select count(*)::int from keys) as k, (select count(*)::int from grants) as g",
    );
  const before = await count();
  const routes = [
    "/v1/key",
    "/v1/keys",
    "/v1/credits",
    "/v1/grants",
    "/v1/accounts",
    "/v1/usage",
    "/v1/generation",
    "/v1/signup",
    "/v1/promotions",
    "/v1/refunds",
    "/admin/v1/accounts",
    `/admin/v1/accounts/${acme.accountId}/grants`,
    "/portal/grants",
    "/console/login",
  ];
  for (const route of routes) {
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      const answer = await fetch(`${world.url}${route}`, {
        method,
        headers: {
          authorization: `Bearer ${acme.key}`,
          "content-type": "application/json",
          "x-tollgate-console": "1",
          "sec-fetch-site": "same-origin",
        },
        body: JSON.stringify({
          amount: "100",
          kind: "promotional",
          name: "free",
          token: acme.key,
          link: acme.key,
        }),
      });
      expect([method, route, answer.status]).toEqual([
        method,
        route,
        expect.toSatisfy((status: number) => [400, 401, 403, 404].includes(status)),
      ]);
    }
  }
  expect(await count()).toEqual(before);
});
