/** Several deployments for one model: order, weight, failover, cool-down, and who pays for what failed. */

import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createVerification } from "../../src/store/verify.ts";
import { type RequestRow, startTestGateway, type TestGateway } from "../support/gateway.ts";
import {
  chatAnswer,
  type ScriptedAnswer,
  type ScriptedVendor,
  startScripted,
} from "../support/scripted-vendor.ts";

type Script = (index: number) => ScriptedAnswer | "hang" | "reset";
const fine: Script = () => ({ body: chatAnswer() });
let first: ScriptedVendor;
let second: ScriptedVendor;
const scripts: { first: Script; second: Script } = { first: fine, second: fine };
let gateway: TestGateway;
let names = 0;

const chunk = (more: object): object => ({
  id: "c",
  object: "chat.completion.chunk",
  created: 1,
  model: "gpt-4.1-nano",
  ...more,
});
const streamed = [
  chunk({
    choices: [{ index: 0, delta: { role: "assistant", content: "fine" }, finish_reason: null }],
    usage: null,
  }),
  chunk({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage: null }),
  chunk({ choices: [], usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 } }),
  "[DONE]",
];

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeAll(async () => {
  first = await startScripted((_call, index) => scripts.first(index));
  second = await startScripted((_call, index) => scripts.second(index));
  // Cool-downs are kept by deployment: each test has deployments of its own.
  const models = Array.from({ length: 30 }, (_, index) => [
    `  m${index}: { deployments: [{ endpoint: first, deployment: d${index}, model: gpt-4.1-nano }, { endpoint: second, deployment: d${index}, model: gpt-4.1-nano }] }`,
    `  w${index}: { deployments: [{ endpoint: first, deployment: e${index}, model: gpt-4.1-nano, weight: 1 }, { endpoint: second, deployment: e${index}, model: gpt-4.1-nano, weight: 1 }] }`,
  ]).flat();
  gateway = await startTestGateway({
    yaml: `
estimates: { sample_rate: 0 }
endpoints:
  first: { kind: openai, base_url: "${first.url}/v1", api_key: k, first_byte_timeout_ms: 1000, idle_timeout_ms: 300 }
  second: { kind: openai, base_url: "${second.url}/v1", api_key: k }
  closed: { kind: openai, base_url: "http://127.0.0.1:${await closedPort()}/v1", api_key: k }
models:
${models.join("\n")}
  closed: { deployments: [{ endpoint: closed, deployment: d, model: gpt-4.1-nano }, { endpoint: second, deployment: d, model: gpt-4.1-nano }] }
`,
  });
});
afterAll(async () => {
  const checks = await createVerification(gateway.db).verify({ recoveryMs: 60_000 });
  expect(checks.filter((check) => !check.ok)).toEqual([]);
  await gateway.close(1_000);
  await first.close();
  await second.close();
});
beforeEach(() => {
  scripts.first = fine;
  scripts.second = fine;
  first.calls.length = 0;
  second.calls.length = 0;
});

const nextModel = (): string => `m${names++}`;
async function ask(
  model: string,
  more: object = {},
): Promise<{ answer: Response; text: string; row: RequestRow }> {
  const { accountId, key } = await gateway.customer("1000");
  const sent = { model, messages: [{ role: "user", content: "Hi" }], max_tokens: 100, ...more };
  const answer = await gateway.post("/v1/chat/completions", key, sent);
  const text = await answer.text();
  const [row] = await gateway.records(accountId);
  if (row === undefined) throw new Error("no record");
  return { answer, text, row };
}
const attempts = (row: RequestRow): string[] =>
  row.record.attempts.map(
    (one: {
      endpoint: string;
      status: number | null;
      paid_by: string | null;
      usage: { input: number; output: number; source: string } | null;
    }) =>
      [
        one.endpoint,
        one.status,
        one.usage === null ? "-" : `${one.usage.input}/${one.usage.output} ${one.usage.source}`,
        one.paid_by,
      ].join(" "),
  );

describe("another deployment is tried", () => {
  test.each<[string, Script, string]>([
    ["a 429", () => ({ status: 429, body: { error: { message: "slow down" } } }), "first 429 - "],
    ["a 500", () => ({ status: 500, body: { error: { message: "oh" } } }), "first 500 - "],
    ["a 503 page", () => ({ status: 503, body: "<html>down</html>" }), "first 503 - "],
    ["a redirect", () => ({ status: 302, headers: { location: "/" } }), "first 302 - "],
    [
      "a deployment that is gone",
      () => ({ status: 404, body: { error: { code: "DeploymentNotFound", message: "no" } } }),
      "first 404 - ",
    ],
    ["a refused key", () => ({ status: 401, body: { error: { message: "no" } } }), "first 401 - "],
    [
      "an account without credit",
      () => ({ status: 402, body: { error: { message: "no" } } }),
      "first 402 - ",
    ],
    // From here on the vendor may bill the input: the operator pays it.
    ["a reset", () => "reset", "first  8/0 estimated operator"],
    ["silence", () => "hang", "first  8/0 estimated operator"],
    [
      "an answer that breaks off",
      () => ({ body: chatAnswer(), isCut: true }),
      "first 200 8/0 estimated operator",
    ],
    [
      "an answer that is no JSON",
      () => ({ body: "<html>200 but not</html>" }),
      "first 200 8/0 estimated operator",
    ],
  ])("after %s", async (_what, script, failed) => {
    scripts.first = script;
    const { answer, text, row } = await ask(nextModel());
    expect([answer.status, JSON.parse(text).choices[0].message.content]).toEqual([200, "fine"]);
    expect(answer.headers.get("x-tollgate-endpoint")).toBe("second");
    expect(attempts(row)).toEqual([failed, "second 200 10/2 vendor customer"]);
    expect([row.outcome, row.source, row.input, row.output]).toEqual(["complete", "vendor", 10, 2]);
    const lost = BigInt(row.record.attempts[0].vendor_cost_pusd ?? 0);
    expect([BigInt(row.loss), lost > 0n]).toEqual([lost, failed.includes("operator")]);
    expect(BigInt(row.vendor_cost)).toBe(lost + BigInt(row.record.attempts[1].vendor_cost_pusd));
  });

  test("after a connection that is refused: nothing was sent, nothing was lost", async () => {
    const { row } = await ask("closed");
    expect(attempts(row)).toEqual(["closed  - ", "second 200 10/2 vendor customer"]);
    expect(row.loss).toBe("0");
  });

  test.each<[string, Script, string]>([
    [
      "a stream that breaks off before its first event",
      () => ({ events: [], isCut: true }),
      "first 200 8/0 estimated operator",
    ],
    [
      "a stream that begins with an error",
      () => ({ events: [{ error: { message: "overloaded", type: "server_error" } }] }),
      "first 200 - ",
    ],
  ])("after %s", async (_what, script, failed) => {
    scripts.first = script;
    scripts.second = () => ({ events: streamed });
    const { text, row } = await ask(nextModel(), { stream: true });
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(attempts(row)).toEqual([failed, "second 200 10/2 vendor customer"]);
  });
});

describe("no other deployment is tried", () => {
  test.each<[string, Script, object, number]>([
    [
      "a 400 about the request",
      () => ({
        status: 400,
        body: { error: { message: "bad input", type: "invalid_request_error", param: "messages" } },
      }),
      {},
      400,
    ],
    ["a stream that has begun", () => ({ events: streamed.slice(0, 1), isCut: true }), { stream: true }, 200],
    [
      "a stream refused for its content",
      () => ({ events: [{ error: { message: "no", code: "content_filter" } }] }),
      { stream: true },
      200,
    ],
  ])("after %s", async (_what, script, more, status) => {
    scripts.first = script;
    const { answer, row } = await ask(nextModel(), more);
    expect([answer.status, row.record.attempts.length, second.calls.length]).toEqual([status, 1, 0]);
  });
});

test("when all fail the client gets the last failure, and nothing is charged", async () => {
  scripts.first = () => "reset";
  scripts.second = () => ({
    status: 429,
    headers: { "retry-after-ms": "250" },
    body: { error: { message: "slow down", type: "tokens", code: "rate_limit_exceeded" } },
  });
  const { answer, text, row } = await ask(nextModel());
  expect([answer.status, JSON.parse(text).error.code, answer.headers.get("retry-after")]).toEqual([
    429,
    "rate_limit_exceeded",
    "1",
  ]);
  expect(attempts(row)).toEqual(["first  8/0 estimated operator", "second 429 - "]);
  expect([row.state, row.outcome, row.charge, row.loss === "0"]).toEqual([
    "settled",
    "vendor_error",
    "0",
    false,
  ]);
});

test("a deployment that failed is left alone for as long as it asked", async () => {
  const model = nextModel();
  scripts.first = (index) =>
    index === 0
      ? { status: 429, headers: { "retry-after-ms": "400" }, body: { error: { message: "slow" } } }
      : { body: chatAnswer() };
  await ask(model);
  expect(attempts((await ask(model)).row)).toEqual(["second 200 10/2 vendor customer"]);
  await new Promise((resolve) => setTimeout(resolve, 450));
  expect(attempts((await ask(model)).row)).toEqual(["first 200 10/2 vendor customer"]);
});

test("deployments of the same weight share the requests, and one that fails gives way", async () => {
  const count = 40;
  for (let i = 0; i < count; i += 1) await ask("w0");
  expect(first.calls.length + second.calls.length).toBe(count);
  expect(first.calls.length).toBeGreaterThan(count / 5);
  expect(second.calls.length).toBeGreaterThan(count / 5);
  scripts.first = () => ({ status: 500 });
  const before = first.calls.length;
  for (let i = 0; i < 10; i += 1) expect((await ask("w0")).answer.status).toBe(200);
  expect(first.calls.length - before).toBeLessThan(3);
});

test("a lesson learned from one deployment is no failure: the same one is asked again", async () => {
  scripts.first = (index) =>
    index === 0
      ? {
          status: 400,
          body: {
            error: {
              message:
                "Unsupported value: 'temperature' does not support 0.5 with this model. Only the default (1) value is supported.",
              param: "temperature",
              code: "unsupported_value",
            },
          },
        }
      : { body: chatAnswer() };
  const model = nextModel();
  const { answer, row } = await ask(model, { temperature: 0.5 });
  expect(attempts(row)).toEqual(["first 400 - ", "first 200 10/2 vendor customer"]);
  expect(answer.headers.get("x-tollgate-rewrites")).toBe("-temperature");
  expect(first.calls.map((call) => call.body.temperature)).toEqual([0.5, undefined]);
  expect(attempts((await ask(model, { temperature: 0.5 })).row)).toHaveLength(1);
  expect(attempts((await ask(model, { temperature: 0.5, reasoning_effort: "none" })).row)).toHaveLength(1);
  // What was learned holds for the effort at which it was learned.
  expect(first.calls.at(-1)?.body.temperature).toBe(0.5);
});
