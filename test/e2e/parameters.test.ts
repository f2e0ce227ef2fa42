import OpenAI from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/server.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";

let simulator: Simulator;
let gateway: TestGateway;
beforeAll(async () => {
  simulator = await startSimulator({
    profile: "azure",
    apiKeys: ["vendor-key"],
    deployments: { "prod-blue": "gpt-5-mini", "prod-red": "gpt-5-mini" },
  });
  const azure = `{ kind: azure, base_url: ${simulator.url}, api_key: vendor-key, api_version: 2024-12-01-preview }`;
  gateway = await startTestGateway({
    yaml: `
endpoints: { azure: ${azure} }
models:
  gpt-5-mini: { deployments: [{ endpoint: azure, deployment: gpt-5-mini }] }
  blue: { deployments: [{ endpoint: azure, deployment: prod-blue }] }
  strict: { strict_parameters: true, deployments: [{ endpoint: azure, deployment: prod-red }] }
prices:
  - { model: blue, input: "0.25", cached_input: "0.025", output: "2.00", context_window: 400000, max_output_tokens: 128000 }
  - { model: strict, input: "0.25", output: "2.00", context_window: 400000, max_output_tokens: 128000 }
`,
  });
});
afterAll(async () => {
  await gateway.close(1_000);
  await simulator.close();
});

const body = (model: string) => ({
  model,
  messages: [{ role: "user" as const, content: 'Say "Hi" and nothing else.' }],
  max_tokens: 2_000,
  temperature: 0.7,
});
const attemptsOf = async (accountId: string): Promise<number[]> =>
  (await gateway.records(accountId)).map((row) => row.record.attempts.length as number).reverse();

test("gpt-5-mini answers a client that sends max_tokens and temperature, in one call", async () => {
  const { accountId, key } = await gateway.customer("10");
  const client = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  const { data, response } = await client.chat.completions.create(body("gpt-5-mini")).withResponse();
  expect(data.choices[0]?.message.content).toBe("Hi");
  expect(response.headers.get("x-tollgate-rewrites")).toBe("max_tokens->max_completion_tokens, -temperature");
  expect(await attemptsOf(accountId)).toEqual([1]);
});

test("a deployment of which nothing is known is learned from its 400s; the second request needs one call", async () => {
  const { accountId, key } = await gateway.customer("10");
  const client = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  const before = simulator.requests().length;
  expect((await client.chat.completions.create(body("blue"))).choices[0]?.message.content).toBe("Hi");
  expect(simulator.requests().length - before).toBe(3); // max_tokens, temperature, and the answer
  expect((await client.chat.completions.create(body("blue"))).choices[0]?.message.content).toBe("Hi");
  expect(simulator.requests().length - before).toBe(4);
  expect(await attemptsOf(accountId)).toEqual([3, 1]);
  const [second] = await gateway.records(accountId);
  expect(
    second?.record.rewrites.map(
      (one: { parameter: string; action: string }) => `${one.parameter} ${one.action}`,
    ),
  ).toEqual(["max_tokens renamed", "temperature dropped"]);
  // Another process reads the lesson from the store.
  const stored = await gateway.db.query<{ lesson: string }>(
    "select lesson from lessons where deployment = 'prod-blue' order by lesson",
  );
  expect(stored.map((row) => row.lesson)).toEqual([
    "parameter max_tokens",
    "parameter temperature at effort unsaid",
  ]);
});

test("strict_parameters passes the vendor's 400 on, and nothing is charged", async () => {
  const { accountId, key } = await gateway.customer("10");
  const answer = await gateway.post("/v1/chat/completions", key, body("strict"));
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({
    error: {
      message:
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      type: "invalid_request_error",
      param: "max_tokens",
      code: "unsupported_parameter",
    },
  });
  const [row] = await gateway.records(accountId);
  expect([row?.state, row?.charge, row?.source]).toEqual(["released", "0", "none"]);
  expect(await gateway.balance(accountId)).toMatchObject({ held: "0" });
});

test("a cap that the client did not send is sent, held for, and told", async () => {
  const { key } = await gateway.customer("0.01");
  const { max_tokens: _cap, ...open } = body("gpt-5-mini");
  const answer = await gateway.post("/v1/chat/completions", key, open);
  expect(answer.status).toBe(200);
  const cap = Number(answer.headers.get("x-tollgate-output-cap"));
  expect(cap).toBeGreaterThan(1_000);
  expect(cap).toBeLessThan(128_000);
  const sent = JSON.parse(Buffer.from(simulator.requests().at(-1)?.body ?? []).toString());
  expect(sent.max_completion_tokens).toBe(cap);
  // The most the balance covers: one more token would exceed it.
  expect(Number(answer.headers.get("x-tollgate-hold"))).toBeLessThanOrEqual(0.01);
  expect(Number(answer.headers.get("x-tollgate-hold"))).toBeGreaterThan(0.0099);
});

test("nothing of the client's credentials or headers reaches the vendor", async () => {
  const { key } = await gateway.customer("10");
  await gateway.post("/v1/chat/completions", key, body("gpt-5-mini"), {
    headers: { "api-key": key, "openai-project": "p", "x-forwarded-for": "1.2.3.4" },
  });
  const { headers } = simulator.requests().at(-1) ?? { headers: {} };
  expect(Object.keys(headers).sort()).toEqual([
    "accept",
    "accept-encoding",
    "api-key",
    "connection",
    "content-length",
    "content-type",
    "host",
    "user-agent",
    "x-client-request-id",
  ]);
  expect(JSON.stringify(headers)).not.toContain("sk-tg");
});
