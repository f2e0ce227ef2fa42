/** What is charged follows what was served: model, service tier, deployment, size of the input, kind of token, tools. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RequestRow, startTestGateway, type TestGateway } from "../support/gateway.ts";
import {
  chatAnswer,
  type ScriptedAnswer,
  type ScriptedCall,
  type ScriptedVendor,
  startScripted,
} from "../support/scripted-vendor.ts";

let vendor: ScriptedVendor;
let gateway: TestGateway;
const script: { answer: (call: ScriptedCall) => ScriptedAnswer } = { answer: () => ({}) };

beforeAll(async () => {
  vendor = await startScripted((call) => script.answer(call));
  gateway = await startTestGateway({
    yaml: `
markup: "1"
estimates: { sample_rate: 0 }
endpoints:
  openai: { kind: openai, base_url: "${vendor.url}/v1", api_key: k }
  azure: { kind: azure, base_url: "${vendor.url}", api_key: k, api_version: v1 }
models:
  router: { deployments: [{ endpoint: openai, deployment: model-router, model: gpt-5.2 }] }
  long: { deployments: [{ endpoint: openai, deployment: gpt-5.4, model: gpt-5.4 }] }
  writes: { deployments: [{ endpoint: openai, deployment: gpt-5.6-terra, model: gpt-5.6-terra }] }
  tiers: { service_tiers: [auto, default, flex], deployments: [{ endpoint: openai, deployment: gpt-5.2, model: gpt-5.2 }] }
  media: { deployments: [{ endpoint: openai, deployment: my-media, model: my-media }] }
  ptu: { deployments: [{ endpoint: azure, deployment: ptu-blue, model: ptu-4o }] }
  overflow: { deployments: [{ endpoint: azure, deployment: Paid-4o, model: paid-4o }] }
  embed: { deployments: [{ endpoint: openai, deployment: text-embedding-3-small, model: text-embedding-3-small }] }
  search: { deployments: [{ endpoint: openai, deployment: gpt-4o-search-preview, model: gpt-4o-search-preview }] }
  tools: { hosted_tools: [web_search, file_search, code_interpreter], deployments: [{ endpoint: openai, deployment: gpt-5.2, model: gpt-5.2 }] }
  untooled: { hosted_tools: [web_search], deployments: [{ endpoint: openai, deployment: my-media, model: my-media }] }
  small: { deployments: [{ endpoint: openai, deployment: gpt-4, model: gpt-4 }] }
prices:
  - { model: my-media, input: "1", audio_input: "10", image_input: "2", cached_input: "0.5", output: "4", audio_output: "20", context_window: 128000, max_output_tokens: 4096 }
  - { model: ptu-4o, input: "0.1", output: "40", context_window: 128000, max_output_tokens: 4096 }
  - { model: paid-4o, input: "3", output: "12", context_window: 128000, max_output_tokens: 4096 }
`,
  });
});
afterAll(async () => {
  await gateway.close(1_000);
  await vendor.close();
});
beforeEach(() => {
  vendor.calls.length = 0;
});

async function ask(
  model: string,
  answer: ScriptedAnswer | ((call: ScriptedCall) => ScriptedAnswer),
  more: object = {},
  path = "chat/completions",
) {
  script.answer = typeof answer === "function" ? answer : () => answer;
  const { accountId, key } = await gateway.customer("1000");
  const content =
    path === "chat/completions" ? { messages: [{ role: "user", content: "Hi" }], max_tokens: 100 } : {};
  const response = await gateway.post(`/v1/${path}`, key, { model, ...content, ...more });
  const text = await response.text();
  const [row] = await gateway.records(accountId);
  return { response, text, row: row as RequestRow };
}
/** In USD per million, as price lists say it. */
const lines = (row: RequestRow): string[] =>
  row.record.price_lines.map(
    (line: { kind: string; quantity: number; list_price_pusd: string }) =>
      `${line.kind} ${line.quantity} at ${Number(line.list_price_pusd) / 1e6}`,
  );

describe("the model that served", () => {
  test("prices the answer, when it has a price", async () => {
    const { row } = await ask("router", { body: chatAnswer({ model: "gpt-5-nano-2025-08-07" }) });
    expect([row.model_served, row.record.priced_as, lines(row)]).toEqual([
      "gpt-5-nano-2025-08-07",
      "gpt-5-nano",
      ["input 10 at 0.05", "output 2 at 0.4"],
    ]);
  });
  test("without a price falls back to the deployment's, and the record says so", async () => {
    const { row } = await ask("router", { body: chatAnswer({ model: "something-new" }) });
    expect([row.model_served, row.record.priced_as, lines(row)]).toEqual([
      "something-new",
      "gpt-5.2",
      ["input 10 at 1.75", "output 2 at 14"],
    ]);
  });
  test("of an overflow is priced by the deployment that took it (x-ms-deployment-name)", async () => {
    const headers = { "x-ms-deployment-name": "paid-4o", "x-ms-spillover-from-deployment": "ptu-blue" };
    const { row } = await ask("ptu", { headers, body: chatAnswer({ model: "not-listed" }) });
    expect([row.record.deployment, row.record.priced_as, lines(row)]).toEqual([
      "Paid-4o",
      "paid-4o",
      ["input 10 at 3", "output 2 at 12"],
    ]);
    expect(row.record.notes).toContainEqual({ kind: "spillover", asked: "ptu-blue", served: "paid-4o" });
    const usual = await ask("ptu", {
      headers: { "x-ms-deployment-name": "PTU-Blue" },
      body: chatAnswer({ model: "not-listed" }),
    });
    expect([usual.row.record.priced_as, usual.row.record.notes]).toEqual(["ptu-4o", []]);
  });
});

describe("the service tier that served", () => {
  test.each([
    ["flex", "flex", ["input 10 at 0.875", "output 2 at 7"]],
    ["flex", "default", ["input 10 at 1.75", "output 2 at 14"]], // downgraded: the answer decides
    ["auto", "default", ["input 10 at 1.75", "output 2 at 14"]],
    [undefined, "priority", ["input 10 at 3.5", "output 2 at 28"]], // a project's own default
    [undefined, "unheard-of", ["input 10 at 1.75", "output 2 at 14"]],
    [undefined, "constructor", ["input 10 at 1.75", "output 2 at 14"]],
  ])("asked %s, served %s", async (asked, served, want) => {
    const { row } = await ask(
      "tiers",
      { body: chatAnswer({ model: "gpt-5.2", service_tier: served }) },
      asked === undefined ? {} : { service_tier: asked },
    );
    expect([row.record.service_tier, lines(row)]).toEqual([served, want]);
  });
  test.each([
    ["tiers", "priority", /not enabled/],
    ["media", "flex", /no price/],
  ])("%s refuses %s before the vendor is called", async (model, tier, why) => {
    const { response, text } = await ask(model, {}, { service_tier: tier });
    expect([response.status, JSON.parse(text).error.code, JSON.parse(text).error.param]).toEqual([
      400,
      "unsupported_feature",
      "service_tier",
    ]);
    expect(JSON.parse(text).error.message).toMatch(why);
    expect(vendor.calls).toEqual([]);
  });
});

describe("the size and the kinds of tokens", () => {
  test.each([
    [272_000, ["input 272000 at 2.5", "output 2 at 15"]],
    [272_001, ["input 272001 at 5", "output 2 at 22.5"]],
  ])("an input of %i", async (input, want) => {
    const { row } = await ask("long", {
      body: chatAnswer({ model: "gpt-5.4" }, { prompt_tokens: input, total_tokens: input + 2 }),
    });
    // A request this small was not held for so much: what is beyond its hold is another line.
    expect(lines(row).slice(0, 2)).toEqual(want);
  });
  test("cache reads and writes", async () => {
    const usage = {
      prompt_tokens: 1_000,
      total_tokens: 1_002,
      prompt_tokens_details: { cached_tokens: 600, cache_write_tokens: 300 },
    };
    const { row } = await ask("writes", { body: chatAnswer({ model: "gpt-5.6-terra" }, usage) });
    expect(lines(row)).toEqual([
      "input 100 at 2",
      "cached_input 600 at 0.2",
      "cache_write 300 at 2.5",
      "output 2 at 12",
    ]);
  });
  test("audio and images", async () => {
    const usage = {
      prompt_tokens: 100,
      completion_tokens: 30,
      total_tokens: 130,
      prompt_tokens_details: { audio_tokens: 40, image_tokens: 25, text_tokens: 35 },
      completion_tokens_details: { audio_tokens: 20, text_tokens: 10 },
    };
    const { row } = await ask("media", { body: chatAnswer({ model: "my-media" }, usage) });
    expect(lines(row)).toEqual([
      "input 35 at 1",
      "audio_input 40 at 10",
      "image_input 25 at 2",
      "output 10 at 4",
      "audio_output 20 at 20",
    ]);
  });
  test("a total that differs from its parts is recorded as found", async () => {
    const { row } = await ask("media", { body: chatAnswer({ model: "my-media" }, { total_tokens: 99 }) });
    expect([row.total, row.record.notes, lines(row)]).toEqual([
      99,
      [{ kind: "total_differs", stated: 99, parts: 12 }],
      ["input 10 at 1", "output 2 at 4"],
    ]);
  });
  test("usage beyond the hold is charged up to it; the rest is the operator's loss", async () => {
    const { row } = await ask("media", {
      body: chatAnswer({ model: "my-media" }, { completion_tokens: 4_000, total_tokens: 4_010 }),
    });
    expect([row.charge, row.source, row.output]).toEqual([row.hold, "vendor", 4_000]);
    expect(BigInt(row.charge) + BigInt(row.loss)).toBe(10n * 1_000_000n + 4_000n * 4_000_000n);
    expect(lines(row).at(-1)).toMatch(/^beyond_hold 1 at 0$/);
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(Number(/tollgate_usd_total\{kind="loss"\} (\S+)/.exec(metrics)?.[1])).toBeGreaterThan(0);
  });
  test("an embedding model has no price for chat", async () => {
    const { response, text } = await ask("embed", {});
    expect([response.status, JSON.parse(text).error.code]).toEqual([400, "model_not_priced"]);
    const usage = {
      object: "list",
      model: "text-embedding-3-small",
      data: [],
      usage: { prompt_tokens: 8, total_tokens: 8 },
    };
    const { row } = await ask("embed", { body: usage }, { input: ["a", "b"] }, "embeddings");
    expect(lines(row)).toEqual(["input 8 at 0.02"]);
  });
});

describe("hosted tools", () => {
  const response = (output: object[], more: object = {}): ScriptedAnswer => ({
    body: {
      id: `resp_${Math.random()}`,
      object: "response",
      status: "completed",
      model: "gpt-5.2",
      output,
      usage: { input_tokens: 10, output_tokens: 2, total_tokens: 12 },
      ...more,
    },
  });
  test("are counted and charged per call", async () => {
    const calls = [
      { type: "web_search_call", id: "ws_1", action: { type: "search" } },
      { type: "web_search_call", id: "ws_2", action: { type: "open_page" } },
      { type: "file_search_call", id: "fs_1" },
      { type: "code_interpreter_call", id: "ci_1", container_id: "cntr_1" },
    ];
    const tools = [
      { type: "web_search" },
      { type: "file_search", vector_store_ids: ["v"] },
      { type: "code_interpreter", container: { type: "auto" } },
    ];
    const { row } = await ask("tools", response(calls), { input: "x", tools }, "responses");
    expect(lines(row)).toEqual([
      "input 10 at 1.75",
      "output 2 at 14",
      "web_search 1 at 10000",
      "file_search 1 at 2500",
      "code_interpreter 1 at 30000",
    ]);
    expect(vendor.calls[0]?.body.max_tool_calls).toBe(20); // what the hold covers
  });
  test("by the vendor's own count, where it gives one", async () => {
    const { row } = await ask(
      "tools",
      response([], { tool_usage: { web_search: { num_requests: 3 } } }),
      { input: "x", tools: [{ type: "web_search" }] },
      "responses",
    );
    expect(lines(row)).toContain("web_search 3 at 10000");
  });
  test("that nobody asked for and that have no price are noted, not charged", async () => {
    const { row } = await ask(
      "media",
      response([{ type: "web_search_call", id: "ws_1" }], { model: "my-media" }),
      { input: "x" },
      "responses",
    );
    expect([lines(row), row.record.notes]).toEqual([
      ["input 10 at 1", "output 2 at 4"],
      [{ kind: "unpriced", what: "web_search", quantity: 1 }],
    ]);
  });
  test("without a price are refused before the vendor is called", async () => {
    const { response: answer, text } = await ask(
      "untooled",
      {},
      { input: "x", tools: [{ type: "web_search" }] },
      "responses",
    );
    expect([answer.status, JSON.parse(text).error.code, vendor.calls.length]).toEqual([
      400,
      "unsupported_feature",
      0,
    ]);
  });
  test("a chat model that searches for every request is charged for one", async () => {
    const { row } = await ask("search", { body: chatAnswer({ model: "gpt-4o-search-preview" }) });
    expect(lines(row)).toContain("web_search 1 at 25000");
    expect(BigInt(row.hold)).toBeGreaterThan(25_000_000_000n);
  });
});

test("a cap of ours fits beside the input in a window that both share", async () => {
  const words = "word ".repeat(3_000);
  const { response } = await ask(
    "small",
    { body: chatAnswer({ model: "gpt-4" }) },
    { messages: [{ role: "user", content: words }], max_tokens: undefined },
  );
  const cap = Number(response.headers.get("x-tollgate-output-cap"));
  expect(vendor.calls[0]?.body.max_tokens).toBe(cap);
  // 3 000 words are about as many tokens, though they are 15 000 bytes.
  expect(cap).toBeGreaterThan(8_192 - 3_400);
  expect(cap).toBeLessThan(8_192 - 3_000);
});
