/** Azure's own ways: addresses on both sides, both forms of authentication, versions that refuse what others want. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import {
  chatAnswer,
  type ScriptedAnswer,
  type ScriptedCall,
  type ScriptedVendor,
  startScripted,
} from "../support/scripted-vendor.ts";

let vendor: ScriptedVendor;
let gateway: TestGateway;
let customer: { accountId: string; key: string };
const script: { answer: (call: ScriptedCall) => ScriptedAnswer } = { answer: () => ({}) };

beforeAll(async () => {
  vendor = await startScripted((call) => script.answer(call));
  const token = join(mkdtempSync(join(tmpdir(), "tollgate-token-")), "token");
  writeFileSync(token, "entra-token\n");
  gateway = await startTestGateway({
    yaml: `
estimates: { sample_rate: 0 }
endpoints:
  dated: { kind: azure, base_url: "${vendor.url}", api_key: vendor-key, api_version: 2024-12-01-preview }
  v1: { kind: azure, base_url: "${vendor.url}/openai/v1", api_key: vendor-key, api_version: v1 }
  preview: { kind: azure, base_url: "${vendor.url}", api_key: vendor-key, api_version: preview, auth: bearer }
  entra: { kind: azure, base_url: "${vendor.url}", token_file: ${JSON.stringify(token)}, api_version: v1 }
  command: { kind: azure, base_url: "${vendor.url}", token_command: [${JSON.stringify(process.execPath)}, -p, "'token-of-a-command'"], api_version: 2024-12-01-preview }
  doubtful: { kind: azure, base_url: "${vendor.url}", api_key: vendor-key, api_version: 2024-08-01-preview }
  ga: { kind: azure, base_url: "${vendor.url}", api_key: vendor-key, api_version: 2024-10-21 }
models:
${["dated", "v1", "preview", "entra", "command", "doubtful", "ga"].map((name) => `  ${name}: { deployments: [{ endpoint: ${name}, deployment: my-nano, model: gpt-4.1-nano }] }`).join("\n")}
`,
  });
  customer = await gateway.customer("1000");
});
afterAll(async () => {
  await gateway.close(1_000);
  await vendor.close();
});
beforeEach(() => {
  vendor.calls.length = 0;
  script.answer = () => ({ body: chatAnswer() });
});

const chat = (model: string, more: object = {}) => ({
  model,
  messages: [{ role: "user", content: "Hi" }],
  max_tokens: 50,
  ...more,
});
const ask = (path: string, body: object, headers: Record<string, string> = {}) =>
  gateway.post(path, customer.key, body, { headers });

describe("the vendor's side", () => {
  test.each([
    [
      "dated",
      "/openai/deployments/my-nano/chat/completions?api-version=2024-12-01-preview",
      { "api-key": "vendor-key" },
    ],
    ["v1", "/openai/v1/chat/completions", { "api-key": "vendor-key" }],
    ["preview", "/openai/v1/chat/completions?api-version=preview", { authorization: "Bearer vendor-key" }],
    ["entra", "/openai/v1/chat/completions", { authorization: "Bearer entra-token" }],
    [
      "command",
      "/openai/deployments/my-nano/chat/completions?api-version=2024-12-01-preview",
      { authorization: "Bearer token-of-a-command" },
    ],
  ])("%s is reached at its address with its credential alone", async (model, path, credential) => {
    expect((await ask("/v1/chat/completions", chat(model))).status).toBe(200);
    const [call] = vendor.calls;
    const sent = Object.fromEntries(
      ["api-key", "authorization"].flatMap((name) =>
        call?.headers[name] === undefined ? [] : [[name, call.headers[name]]],
      ),
    );
    expect([call?.path, sent, call?.body.model]).toEqual([path, credential, "my-nano"]);
  });

  test("responses of a dated version have no deployment in their path", async () => {
    script.answer = () => ({
      body: {
        id: "resp_1",
        object: "response",
        status: "completed",
        model: "my-nano",
        output: [],
        usage: { input_tokens: 3, output_tokens: 1, total_tokens: 4 },
      },
    });
    expect((await ask("/v1/responses", { model: "dated", input: "Hi", max_output_tokens: 50 })).status).toBe(
      200,
    );
    expect(vendor.calls[0]?.path).toBe("/openai/responses?api-version=2024-12-01-preview");
  });

  test("a version that refuses stream_options is learned: asked once without, and never again with them", async () => {
    const events = [
      {
        id: "c",
        object: "chat.completion.chunk",
        model: "gpt-4.1-nano",
        choices: [{ index: 0, delta: { content: "fine" }, finish_reason: "stop" }],
      },
      "[DONE]",
    ];
    script.answer = (call) =>
      call.body.stream_options === undefined
        ? { events }
        : {
            status: 400,
            body: {
              error: {
                message: "Unknown parameter: 'stream_options'.",
                type: "invalid_request_error",
                param: "stream_options",
                code: "unknown_parameter",
              },
            },
          };
    for (const calls of [2, 3]) {
      const text = await (await ask("/v1/chat/completions", chat("doubtful", { stream: true }))).text();
      expect([text.endsWith("data: [DONE]\n\n"), vendor.calls.length]).toEqual([true, calls]);
    }
    const [row] = await gateway.records(customer.accountId);
    expect([row?.source, row?.record.usage.reason]).toEqual(["estimated", "vendor_sends_none"]);
    const [lesson] = await gateway.db.query<Record<string, unknown>>(
      "select lesson, evidence, learned_at, expires_at from lessons where endpoint = 'doubtful'",
    );
    expect(lesson).toMatchObject({
      lesson: "stream_options",
      evidence: "Unknown parameter: 'stream_options'.",
    });
    // Vendors change: in a month it is tried again.
    const { learned_at, expires_at } = lesson as { learned_at: Date; expires_at: Date };
    expect(expires_at.getTime() - learned_at.getTime()).toBe(30 * 86_400_000);
  });

  test("2024-10-21 knows no max_completion_tokens: it gets max_tokens", async () => {
    const answer = await ask("/v1/chat/completions", {
      model: "ga",
      messages: [{ role: "user", content: "Hi" }],
      max_completion_tokens: 50,
    });
    expect([vendor.calls[0]?.body.max_tokens, vendor.calls[0]?.body.max_completion_tokens]).toEqual([
      50,
      undefined,
    ]);
    expect(answer.headers.get("x-tollgate-rewrites")).toBe("max_completion_tokens->max_tokens");
  });
});

describe("the first chunk, which names no model", () => {
  const first = { id: "", object: "", created: 0, model: "", choices: [], prompt_filter_results: [] };
  const text = {
    id: "c",
    object: "chat.completion.chunk",
    model: "gpt-5-nano-2025-08-07",
    choices: [{ index: 0, delta: { content: "fine" }, finish_reason: "stop" }],
  };
  test("is passed on, and the head tells who serves all the same", async () => {
    script.answer = () => ({ events: [first, text, "[DONE]"] });
    const answer = await ask("/v1/chat/completions", chat("dated", { stream: true }));
    expect(answer.headers.get("x-tollgate-model")).toBe("gpt-5-nano-2025-08-07");
    expect(await answer.text()).toBe(
      `${[first, text].map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")}data: [DONE]\n\n`,
    );
  });
  test("with nothing after it is an answer that broke off before it began", async () => {
    script.answer = () => ({ events: [first], isCut: true });
    const answer = await ask("/v1/chat/completions", chat("dated", { stream: true }));
    expect([answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([
      502,
      "upstream_unavailable",
    ]);
    const [row] = await gateway.records(customer.accountId);
    expect([row?.charge, row?.record.attempts[0].paid_by]).toEqual(["0", "operator"]);
  });
});

describe("the customer's side", () => {
  test.each([
    ["/v1/chat/completions", "dated"],
    ["/openai/v1/chat/completions", "dated"],
    ["/openai/deployments/dated/chat/completions?api-version=2024-06-01", "anything"],
    ["/openai/deployments/dated/chat/completions", "anything"],
  ])("%s is served; the path goes before the body", async (path, model) => {
    const answer = await ask(path, chat(model));
    expect([answer.status, answer.headers.get("x-tollgate-endpoint")]).toEqual([200, "dated"]);
  });

  test.each([
    ["authorization alone", {}, 200],
    ["api-key alone", { authorization: "", "api-key": "KEY" }, 200],
    ["both with the same key, as the plain client sends them to Azure", { "api-key": "KEY" }, 200],
    ["two different keys", { "api-key": "sk-tg-live-other" }, 401],
  ])("%s is answered as it should be", async (_how, headers, status) => {
    const sent = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value === "KEY" ? customer.key : value]),
    );
    expect(
      (await ask("/openai/v1/chat/completions", chat("v1"), sent as Record<string, string>)).status,
    ).toBe(status);
    for (const call of vendor.calls) expect(JSON.stringify(call)).not.toContain(customer.key);
  });

  test.each([
    "/v1/images/generations",
    "/v1/images/edits",
    "/v1/audio/speech",
    "/v1/audio/transcriptions",
    "/v1/files",
    "/v1/batches",
    "/v1/realtime/sessions",
    "/v1/fine_tuning/jobs",
    "/v1/vector_stores",
    "/v1/moderations",
    "/v1/assistants",
    "/v1/threads",
    "/v1/containers",
    "/v1/videos",
    "/v1/conversations",
    "/openai/deployments/dated/images/generations?api-version=2024-12-01-preview",
    "/openai/deployments/dated/audio/speech",
    "/openai/batches?api-version=2024-12-01-preview",
    "/openai/files",
    "/openai/responses/compact",
    "/openai/v1/evals",
  ])("%s is not metered, so it is not there", async (path) => {
    const answer = await ask(path, chat("dated"));
    expect([answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([
      404,
      "unknown_url",
    ]);
    expect(vendor.calls).toEqual([]);
  });
});
