/** Prompts and keys stay where they belong: not in logs, metrics, errors, records, start-up output or crash reports. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { auditWorld } from "./support/audit.ts";
import { findCanaries, oddKeyCanary, promptCanary, vendorKeyCanary } from "./support/canary.ts";
import { chunk, event, streamHead, wholeAnswer } from "./support/evil-vendor.ts";
import { runTollgate, spawnGateway } from "./support/gateway-process.ts";
import { pause } from "./support/raw-client.ts";
import {
  type Customer,
  chat,
  evilChat,
  openWorld,
  secretCanaries,
  verdict,
  type World,
  withPassword,
} from "./support/world.ts";

let world: World;
let customer: Customer;
beforeAll(async () => {
  world = await openWorld();
  customer = await world.customer("1000");
});
afterAll(() => world.close());

const path = "/v1/chat/completions";
const statuses = [400, 401, 403, 404, 408, 413, 422, 429, 500, 503];

/** What a vendor may make of a text that it should have kept to itself. */
function leaks(secret: string, status: number): Record<string, string> {
  const message = `Cannot do it with ${secret}, said the vendor`;
  const line = `${status} No`;
  const inner = {
    message,
    code: message,
    innererror: { detail: { deeper: message } },
    type: `t ${secret}`,
    param: secret,
  };
  return {
    json: wholeAnswer(
      { error: inner, detail: message },
      { "x-request-id": `id-${secret}`, "www-authenticate": message },
      line,
    ),
    top: wholeAnswer({ message, code: secret }, {}, line),
    text: wholeAnswer(`"${message}"`, { "content-type": "text/plain" }, line),
    html: wholeAnswer(`<html><body><h1>${message}</h1></body></html>`, { "content-type": "text/html" }, line),
    escaped: wholeAnswer(
      `{"error":{"message":${JSON.stringify(message).replaceAll("-", "\\u002d")}}}`,
      {},
      line,
    ),
  };
}

test.each([
  ["in a known form", "evil", vendorKeyCanary],
  ["in any form", "odd", oddKeyCanary],
])("row 43: the operator's key %s is taken out of every error", async (_, model, secret) => {
  const shown: string[] = [];
  for (const status of statuses) {
    for (const [form, answer] of Object.entries(leaks(secret, status))) {
      world.evil.scripts.set("leak", (socket) => void socket.write(answer));
      const got = await world.post(path, customer.key, evilChat("leak", { model }));
      const seen = `${await got.text()} ${JSON.stringify([...got.headers])}`;
      if (findCanaries([{ place: form, text: seen }], [secret]).length > 0)
        shown.push(`${status} ${form}: ${seen.slice(0, 300)}`);
    }
  }
  const broken = { error: { message: `no ${secret}`, code: secret, param: null, type: "server_error" } };
  for (const [name, answer, stream] of [
    ["stream", streamHead() + event(chunk({ content: "Hi" })) + event(broken), true],
    ["first event", streamHead() + event(broken), true],
    ["error in a 200", wholeAnswer(broken), false],
  ] as const) {
    world.evil.scripts.set("leak", (socket) => void (stream ? socket.end(answer) : socket.write(answer)));
    const text = await (await world.post(path, customer.key, evilChat("leak", { model, stream }))).text();
    if (findCanaries([{ place: name, text }], [secret]).length > 0)
      shown.push(`${name}: ${text.slice(0, 300)}`);
  }
  expect(shown).toEqual([]);
});

test("row 42: requests that fail in every way leave no prompt and no key behind", async () => {
  // The vendor quotes the prompt in its errors, in a stream, and in a protocol error.
  for (const status of statuses) {
    for (const answer of Object.values(leaks(`${promptCanary} and ${customer.key}`, status))) {
      world.evil.scripts.set("quote", (socket) => void socket.write(answer));
      await (await world.post(path, customer.key, evilChat("quote"))).text();
    }
  }
  const quoting = { error: { message: `I will not: ${promptCanary}`, code: null } };
  for (const bytes of [
    streamHead() + event(quoting),
    `HTTP/1.1 ${promptCanary}\r\n\r\n`,
    `${promptCanary}\r\n`,
    streamHead() + promptCanary,
    "",
  ]) {
    world.evil.scripts.set("quote", (socket) => void socket.end(bytes));
    await (await world.post(path, customer.key, evilChat("quote", { stream: true })))
      .text()
      .catch(() => undefined);
  }
  // The client makes mistakes with its prompt and its key.
  const mistakes = [
    `{"model":"evil","messages":[{"role":"user","content":"${promptCanary}"`,
    `${promptCanary}`,
    `{"model":"${promptCanary}","messages":[]}`,
    `{"model":"${customer.key}","messages":[]}`,
    JSON.stringify(chat("", { n: promptCanary, service_tier: promptCanary })),
    `{"${promptCanary}":1,"${promptCanary}":2}`,
    JSON.stringify(chat("", { model: "unpriced" })),
    JSON.stringify(chat("", { tools: [{ type: promptCanary }] })),
    `{"seed":1e999,"a":"${promptCanary}"}`,
  ];
  for (const body of mistakes) {
    await (
      await world.post(`${path}?api-key=${customer.key}&prompt=${promptCanary}`, customer.key, body)
    ).text();
    await (await world.post(`/v1/${promptCanary}/${customer.key}`, customer.key, body)).text();
    await (await world.post(path, `${customer.key}x`, body)).text();
  }
  await world.admin("POST", `/accounts/${promptCanary}/grants`, `{"amount":"${customer.key}"`, customer.key);
  await (
    await fetch(`${world.url}/v1/generation?id=${customer.key}`, {
      headers: { authorization: `Bearer ${customer.key}` },
    })
  ).text();
  // A client that leaves in the middle, and a vendor that hangs.
  const leaving = new AbortController();
  world.evil.scripts.set("hang", () => undefined);
  const hanging = world
    .post(path, customer.key, evilChat("hang"), { signal: leaving.signal })
    .catch(() => undefined);
  await pause(100);
  leaving.abort();
  await hanging;
  expect(await verdict(await world.post(path, customer.key, chat("[[sim:fault=500]]")))).toMatch(/^5/);
  await auditWorld(world, secretCanaries);
});

test("row 42: a crash prints no prompt and no key", async () => {
  const doomed = await world.spawn();
  world.evil.scripts.set("hang", () => undefined);
  const running = world
    .post(path, customer.key, evilChat("hang"), { url: doomed.url })
    .catch(() => undefined);
  await pause(200);
  process.kill(doomed.pid, "SIGABRT");
  await running;
  await pause(200);
  expect(
    findCanaries([{ place: "crash", text: doomed.output() }], [...secretCanaries, ...world.secrets]),
  ).toEqual([]);
});

test("row 57: no command and no start shows a secret of the configuration", async () => {
  const home = mkdtempSync(join(tmpdir(), "tollgate-show-"));
  const options = { home, yaml: world.yaml, env: world.env };
  for (const args of [
    ["config", "show"],
    ["config", "show", "--json"],
    ["config", "show", "--origin"],
    ["config", "check"],
    ["config", "check", "--json"],
    ["doctor"],
    ["doctor", "--json"],
  ]) {
    const { output } = await runTollgate(options, args);
    expect(output.length).toBeGreaterThan(0);
    expect(findCanaries([{ place: args.join(" "), text: output }], secretCanaries)).toEqual([]);
  }
  // Mistakes in the file are shown with their place, not with the secret that stands there.
  const broken = [
    world.yaml.replace("kind: openai", "kind: opnai"),
    world.yaml.replace('api_key: "${VENDOR_KEY}"', 'api_kee: "${VENDOR_KEY}"'),
    world.yaml.replace('api_key: "${VENDOR_KEY}"', 'api_key: ["${VENDOR_KEY}"]'),
    world.yaml.replace('base_url: "', 'base_url: "${VENDOR_KEY}'),
    world.yaml.replace("port: 0", 'port: "${ADMIN_TOKEN}"'),
    world.yaml.replace('"${DATABASE_URL_SECRET}"', '"${DATABASE_URL_SECRET}x?bad=%zz"'),
  ];
  for (const yaml of broken) {
    const { code, output } = await runTollgate({ ...options, yaml }, ["config", "check"]);
    expect(code).not.toBeNull();
    expect(findCanaries([{ place: yaml.slice(0, 60), text: output }], secretCanaries)).toEqual([]);
  }
  rmSync(home, { recursive: true });
});

test("row 57: a database that refuses is reported without its password; health answers show none", async () => {
  const home = mkdtempSync(join(tmpdir(), "tollgate-down-"));
  const gone = new URL(world.databaseUrl);
  gone.port = "1";
  const missing = new URL(world.databaseUrl);
  missing.pathname = "/no_such_database";
  for (const url of [
    gone.href,
    missing.href,
    withPassword(world.databaseUrl.replace("postgres://", "postgres://nobody:"), "x").replace(
      ":x@",
      `:${secretCanaries[3]}@`,
    ),
  ]) {
    const started = await spawnGateway({
      home,
      yaml: world.yaml,
      env: { ...world.env, DATABASE_URL_SECRET: url },
    }).then(
      async (gateway) => {
        await gateway.stop();
        return gateway.output();
      },
      (error: Error) => error.message,
    );
    expect(findCanaries([{ place: "start", text: started }], secretCanaries)).toEqual([]);
  }
  for (const route of [
    "/healthz",
    "/readyz",
    "/metrics",
    "/admin/v1/openapi.json",
    "/console/session",
    "/",
  ]) {
    const answer = await fetch(`${world.url}${route}`, { redirect: "manual" });
    expect(
      findCanaries(
        [{ place: route, text: `${await answer.text()} ${JSON.stringify([...answer.headers])}` }],
        secretCanaries,
      ),
    ).toEqual([]);
  }
  rmSync(home, { recursive: true });
});
