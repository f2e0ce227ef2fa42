/** Clocks: a gateway whose machine lives in another day, and clients that say what time it is. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { addGrant } from "../../src/billing/grants.ts";
import { until } from "./support/gate.ts";
import type { GatewayProcess } from "./support/gateway-process.ts";
import { pause } from "./support/raw-client.ts";
import { evilChat, openWorld, verdict, type World } from "./support/world.ts";

const dayMs = 86_400_000;
let world: World;
let home: string;
let behind: GatewayProcess;
let ahead: GatewayProcess;

/** Loaded before the gateway: its `Date` is off by so many days. */
const skewed = (days: number): string => `
const real = Date;
const now = () => real.now() + ${days} * ${dayMs};
globalThis.Date = class extends real {
  constructor(...given) { if (given.length === 0) super(now()); else super(...given); }
  static now() { return now(); }
};`;

beforeAll(async () => {
  world = await openWorld({
    models: `
  tomorrow: { deployments: [{ endpoint: evil, deployment: tomorrow }] }
  yesterday: { deployments: [{ endpoint: evil, deployment: yesterday }] }`,
  });
  home = mkdtempSync(join(tmpdir(), "tollgate-clock-"));
  const spawnSkewed = async (days: number): Promise<GatewayProcess> => {
    const file = join(home, `skew${days}.mjs`);
    writeFileSync(file, skewed(days));
    return world.spawn({ NODE_OPTIONS: `--import ${pathToFileURL(file).href}` });
  };
  ahead = await spawnSkewed(3);
  behind = await spawnSkewed(-3);
});
afterAll(async () => {
  await world.close();
  rmSync(home, { recursive: true, force: true });
});

const path = "/v1/chat/completions";
const everywhere = (key: string, model = "evil"): Promise<string[]> =>
  Promise.all(
    [...world.gateways].map(async ({ url }) =>
      verdict(await world.post(path, key, evilChat("none", { model }), { url })),
    ),
  );
const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString();

test("row 48: the gateways really live in different days", async () => {
  const { key } = await world.customer("10");
  await everywhere(key);
  for (const [gateway, days] of [
    [ahead, 3],
    [behind, -3],
  ] as const) {
    await until(() => gateway.output().includes('"time":'), "the request was logged");
    const logged = [...gateway.output().matchAll(/"time":"([^"]+)"/g)].at(-1)?.[1] ?? "";
    expect(Math.round((Date.parse(logged) - Date.now()) / dayMs)).toBe(days);
  }
});

test("row 48: keys and credit expire by the database's clock, in every process", async () => {
  const good = await world.customer("10", { expiresAt: inMs(dayMs) });
  expect(await everywhere(good.key)).toEqual(["200", "200", "200"]);
  const short = await world.customer("10", { expiresAt: inMs(600) });
  const poor = await world.customer("0");
  const grant = {
    accountId: poor.accountId,
    amount: "10",
    kind: "paid",
    priority: 50,
    reference: null,
  } as const;
  expect((await addGrant(world.desk, { ...grant, expiresAt: inMs(600) })).ok).toBe(true);
  await pause(700);
  expect(await everywhere(short.key)).toEqual(Array.from({ length: 3 }, () => "401 invalid_api_key"));
  expect(await everywhere(poor.key)).toEqual(Array.from({ length: 3 }, () => "402 credit_balance_exhausted"));
  expect((await addGrant(world.desk, { ...grant, expiresAt: inMs(dayMs) })).ok).toBe(true);
  expect(await everywhere(poor.key)).toEqual(["200", "200", "200"]);
});

test("row 48: a price of tomorrow is in force in no process, a price of yesterday in all", async () => {
  const { key } = await world.customer("10");
  const price = { input: "1.00", output: "2.00", context_window: 1_000, max_output_tokens: 100 };
  const publish = async (model: string, from: string): Promise<number> =>
    (await world.admin("POST", "/prices", { ...price, model, from })).status;
  expect([await publish("tomorrow", inMs(dayMs)), await publish("yesterday", inMs(-dayMs))]).toEqual([
    201, 201,
  ]);
  await pause(5_300); // the other processes read it within 5 s
  expect(await everywhere(key, "tomorrow")).toEqual(Array.from({ length: 3 }, () => "400 model_not_priced"));
  expect(await everywhere(key, "yesterday")).toEqual(["200", "200", "200"]);
});

test("row 48: what a skewed gateway writes carries the database's time", async () => {
  const { key, accountId } = await world.customer("10");
  expect(await everywhere(key)).toEqual(["200", "200", "200"]);
  const rows = await world.db.query<{ off: number; id: string }>(
    "select abs(extract(epoch from clock_timestamp() - created_at))::float8 as off, id from requests where account_id = $1 order by created_at",
    [accountId],
  );
  expect(rows.filter((row) => row.off > 60)).toEqual([]);
  // The first letters of an id are its time, in steps of 17 minutes.
  expect(new Set(rows.map((row) => row.id.slice(0, "req_".length + 6))).size).toBeLessThanOrEqual(2);
  for (const { url } of world.gateways) {
    const usage = (await (
      await fetch(`${url}/v1/key`, { headers: { authorization: `Bearer ${key}` } })
    ).json()) as { data: { usage_daily: string } };
    expect(usage.data.usage_daily).not.toBe("0");
  }
});

test("row 48: what time a client says it is does not matter", async () => {
  const { key } = await world.customer("10", { expiresAt: inMs(dayMs) });
  const headers = {
    date: "Thu, 01 Jan 2099 00:00:00 GMT",
    "x-request-start": "t=4070908800",
    "if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT",
    "x-amz-date": "20990101T000000Z",
  };
  expect(await verdict(await world.post(path, key, evilChat("none"), { headers }))).toBe("200");
});
