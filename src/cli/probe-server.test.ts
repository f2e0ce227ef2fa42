import { afterAll, beforeAll, expect, test } from "vitest";
import { runCommand } from "../../test/support/cli.ts";
import { startTestGateway, type TestGateway, usageOf } from "../../test/support/gateway.ts";
import { formatUsd, parseUsd } from "../core/money.ts";
import { type Simulator, startSimulator } from "../simulator/server.ts";
import { runChecks } from "../store/verify.ts";

const key = "vendor-key-of-this-test-4711";
let azure: Simulator;
let slow: Simulator;
let gateway: TestGateway;
const yaml = (): string => `
endpoints:
  azure-old: { kind: azure, base_url: ${azure.url}, api_key: ${key}, api_version: 2024-07-01-preview }
  azure-east: { kind: azure, base_url: ${azure.url}, api_key: ${key}, api_version: 2024-12-01-preview }
  wrong: { kind: azure, base_url: ${azure.url}, api_key: wrong-key-9876543210, api_version: 2024-12-01-preview }
  dead: { kind: openai, base_url: "http://127.0.0.1:9/v1", api_key: ${key} }
models:
  old: { deployments: [{ endpoint: azure-old, deployment: gpt-4o, model: gpt-4o }] }
  mini: { deployments: [{ endpoint: azure-east, deployment: gpt-5-mini, model: gpt-5-mini }] }
  chat: { deployments: [{ endpoint: azure-east, deployment: gpt-5-chat, model: gpt-5-chat }] }
  closed: { deployments: [{ endpoint: wrong, deployment: gpt-4o, model: gpt-4o }] }
  gone: { deployments: [{ endpoint: dead, deployment: gpt-4o-mini, model: gpt-4o-mini }] }
`;
beforeAll(async () => {
  azure = await startSimulator({ profile: "azure", apiKeys: [key] });
  slow = await startSimulator({ profile: "clean", latencyMs: 250 });
  gateway = await startTestGateway({ store: "pglite", yaml: yaml() });
});
afterAll(async () => {
  await gateway.close(1_000);
  await Promise.all([azure.close(), slow.close()]);
});

const headers = { authorization: "Bearer tg-adm-test-token-of-this-run", "content-type": "application/json" };
const ask = async (path: string, body?: object, idempotencyKey?: string) => {
  const answer = await fetch(`${gateway.url}/admin/v1${path}`, {
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    headers: idempotencyKey === undefined ? headers : { ...headers, "idempotency-key": idempotencyKey },
  });
  const text = await answer.text();
  expect(text).not.toContain(key);
  return { status: answer.status, headers: answer.headers, json: JSON.parse(text) };
};
const entriesOf = (on: TestGateway["db"]) =>
  on.query<{ account_id: string; ledger_account: string; amount: string }>(
    "select account_id, ledger_account, amount::text from entries where kind = 'probe' order by id desc limit 2",
  );

test("a probe through a running gateway reports, teaches, is booked and audited, and happens once", async () => {
  const first = await ask("/endpoints/azure-old/probe", { save: true }, "once");
  expect([first.status, first.json.schema]).toEqual([200, "tollgate.probe/1"]);
  expect(first.json.lessons.map(({ kind }: { kind: string }) => kind)).toEqual([
    "no_stream_options",
    "rename",
    "input_overhead",
  ]);
  // The next request goes by it: one attempt, because nothing had to be refused to be learned.
  const { accountId, key: customer } = await gateway.customer("10");
  const content = 'Say "Hello from Azure OpenAI!" and nothing else.';
  const request = { model: "old", stream: true, messages: [{ role: "user", content }] };
  const before = azure.requests().length;
  await (await gateway.post("/v1/chat/completions", customer, request)).text();
  expect(azure.requests().length - before).toBe(1);
  expect(usageOf((await gateway.records(accountId))[0])).toMatch(/^\d+\/\d+\/\d+ estimated$/);

  const cost = parseUsd(first.json.cost.known_usd);
  expect(cost).toBeGreaterThan(0n);
  expect(await entriesOf(gateway.db)).toEqual([
    { account_id: "operator", ledger_account: "vendor_payable", amount: String(cost) },
    { account_id: "operator", ledger_account: "vendor_cost", amount: String(-cost) },
  ]);
  const audit = (await ask("/audit?target=azure-old")).json.data;
  expect(audit).toMatchObject([
    {
      action: "endpoint.probe",
      after: {
        ...{ deployment: "gpt-4o", known_usd: formatUsd(cost), at_most_usd: first.json.cost.at_most_usd },
        findings: first.json.findings.map(({ id }: { id: string }) => id),
        saved: true,
      },
    },
  ]);

  const asked = azure.requests().length;
  const again = await ask("/endpoints/azure-old/probe", { save: true }, "once");
  expect([again.status, again.headers.get("idempotent-replayed"), again.json]).toEqual([
    ...[200, "true", first.json],
  ]);
  expect(azure.requests().length).toBe(asked);
  expect((await runChecks(gateway.db, 60_000)).filter(({ ok }) => !ok)).toEqual([]);
});

test("what stops a probe is said clearly, without a trace of a key", async () => {
  const said = async (name: string, body: object = {}): Promise<string> => {
    const { status, json } = await ask(`/endpoints/${name}/probe`, body);
    return `${status} ${json.error.code}: ${json.error.message}`;
  };
  expect(await said("nowhere")).toMatch(/^404 endpoint_not_found: Cannot probe "nowhere"/);
  expect(await said("azure-east")).toBe(
    "400 probe_not_possible: Cannot tell which deployment of azure-east to probe; choose one with `deployment`: gpt-5-mini, gpt-5-chat.",
  );
  expect(await said("azure-east", { deployment: "nope" })).toMatch(/^400 probe_not_possible: /);
  expect(await said("azure-old", { max_cost_usd: "0.000001" })).toMatch(
    /^400 probe_not_possible: .*raise `max_cost_usd`\.$/,
  );
  expect(await said("wrong")).toMatch(/^502 endpoint_refuses_key: .*check the configured api_key\.$/);
  expect(await said("dead")).toMatch(/^502 endpoint_unreachable: .*ECONNREFUSED/);
  expect((await runChecks(gateway.db, 60_000)).filter(({ ok }) => !ok)).toEqual([]);
});

test("tollgate probe --save asks the running server when that has the store", async () => {
  const config = gateway.config.file ?? "";
  const line = "probe azure-east --deployment gpt-5-mini --save".split(" ");
  const ran = await runCommand([...line, "--config", config, "--server", gateway.url], {
    env: { TOLLGATE_ADMIN_TOKEN: "tg-adm-test-token-of-this-run" },
  });
  expect([ran.exitCode, ran.out]).toEqual([3, expect.stringContaining("28/50/78")]);
  expect(ran.err).toContain(
    `A server uses the store; asking ${gateway.url} to probe gpt-5-mini at azure-east.`,
  );
  expect(ran.out + ran.err).not.toContain(key);
  expect(gateway.catalog.lessons("azure-east", "gpt-5-mini").map(({ kind }) => kind)).toContain(
    "input_overhead",
  );
  const [audited] = (await ask("/audit?target=azure-east")).json.data;
  expect(audited).toMatchObject({ action: "endpoint.probe", after: { saved: true } });
});

test("a server that stops in the middle of a probe books what it cost until then", async () => {
  const { newPostgresUrl } = await import("../../test/support/databases.ts");
  const { openPostgres } = await import("../store/postgres.ts");
  const url = await newPostgresUrl();
  const short = await startTestGateway({
    yaml: `
endpoints:
  slow: { kind: openai, base_url: ${slow.url}/v1, api_key: ${key} }
models:
  slow: { deployments: [{ endpoint: slow, deployment: gpt-4o-mini, model: gpt-4o-mini }] }
`,
    databaseUrl: url,
  });
  const probing = fetch(`${short.url}/admin/v1/endpoints/slow/probe`, { method: "POST", headers }).catch(
    (error: unknown) => error,
  );
  // The first calls have ended, and others are open.
  while (slow.requests().length < 4) await new Promise((resolve) => setTimeout(resolve, 10));
  await short.close(5_000);
  await probing;
  const db = openPostgres({ url, poolSize: 1, statementTimeoutMs: 10_000 });
  const [payable, cost] = await entriesOf(db);
  expect([payable?.ledger_account, cost?.ledger_account]).toEqual(["vendor_payable", "vendor_cost"]);
  const audited = await db.query<{ after: object }>("select after from audit_log");
  expect(audited).toMatchObject([{ after: { failure: "probe_interrupted", saved: false } }]);
  expect((await runChecks(db, 60_000)).filter(({ ok }) => !ok)).toEqual([]);
  await db.close();
});
