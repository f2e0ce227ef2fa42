import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { post, type Reply, withSimulator } from "../../test/support/simulator.ts";
import type { Json, JsonObject } from "./json.ts";
import type { ProfileName } from "./profiles.ts";

const fixtures = new URL("../../test/fixtures/", import.meta.url);

function readFixture(name: string): string {
  return readFileSync(new URL(name, fixtures), "utf8");
}

/** A value without its contents: keys in their order, and the types of what they hold. */
function shapeOf(value: Json | undefined, key = ""): string {
  if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
  if (Array.isArray(value)) return `[${[...new Set(value.map((item) => shapeOf(item, key)))].join("|")}]`;
  const entries = Object.entries(value);
  // Of the closed lists of names, the names matter; of answers, which of them is in force.
  const pairs = entries.map(([name, held]) => `${name}:${named.has(name) ? held : shapeOf(held, name)}`);
  return `{${pairs.join(",")}}`;
}

const named = new Set(["object", "type", "role", "finish_reason", "status"]);

/** The different shapes of a stream's frames, in the order in which each first comes. */
function streamShape(text: string): string[] {
  const frames = text.split("\n\n").filter((frame) => frame !== "");
  return [...new Set(frames.map(frameShape))];
}

function frameShape(frame: string): string {
  return frame
    .split("\n")
    .map((line) =>
      line.startsWith("data: {") ? `data: ${shapeOf(JSON.parse(line.slice("data: ".length)))}` : line,
    )
    .join("\n");
}

const deployed = (name: string, version = "2024-12-01-preview"): string =>
  `/openai/deployments/${name}/chat/completions?api-version=${version}`;
const gate = { messages: [{ role: "user", content: "In one sentence, what does a toll gate do?" }] };
const weather = {
  messages: [{ role: "user", content: "What is the weather in Oslo and in Lima?" }],
  tools: [
    {
      type: "function",
      function: {
        name: "get_weather",
        description: "Current weather for a city",
        parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      },
    },
  ],
};
const asked = { stream: true, stream_options: { include_usage: true } };
const hello = {
  messages: [
    { role: "system", content: "You are a helpful assistant." },
    { role: "user", content: 'Say "Hello from Azure OpenAI!" and nothing else.' },
  ],
};
const chat = "/v1/chat/completions";

type Case = readonly [fixture: string, profile: ProfileName, path: string, body: JsonObject];

const cases: readonly Case[] = [
  ["openai-chat-stream-usage.sse", "openai", chat, { model: "gpt-4.1-nano", ...gate, ...asked }],
  ["openai-chat-stream-no-usage.sse", "openai", chat, { model: "gpt-4.1-nano", ...gate, stream: true }],
  ["openai-chat-stream-tool-calls.sse", "openai", chat, { model: "gpt-4o-mini", ...weather, ...asked }],
  [
    "openai-chat-stream-logprobs.sse",
    "openai",
    chat,
    { model: "gpt-4.1-nano", ...gate, ...asked, logprobs: true, top_logprobs: 1 },
  ],
  ["openai-chat-stream-n2.sse", "openai", chat, { model: "gpt-4.1-nano", ...gate, ...asked, n: 2 }],
  [
    "openai-chat-stream-reasoning-length-empty.sse",
    "openai",
    chat,
    { model: "gpt-5", ...gate, ...asked, max_completion_tokens: 20 },
  ],
  ["openai-chat-stream-cached.sse", "openai", chat, { model: "gpt-4o", ...gate, ...asked }],
  [
    "openai-chat-stream-tier-flex.sse",
    "openai",
    chat,
    { model: "gpt-5.2", ...gate, ...asked, service_tier: "flex" },
  ],
  ["openai-chat.json", "openai", chat, { model: "gpt-4.1-nano", ...gate }],
  ["openai-chat-n2.json", "openai", chat, { model: "gpt-4.1-nano", ...gate, n: 2 }],
  ["openai-chat-tool-calls.json", "openai", chat, { model: "gpt-4o-mini", ...weather }],
  [
    "openai-completions.json",
    "openai",
    "/v1/completions",
    { model: "gpt-3.5-turbo-instruct", prompt: "The gate" },
  ],
  ["openai-embeddings.json", "openai", "/v1/embeddings", { model: "text-embedding-3-small", input: "gate" }],
  [
    "openai-embeddings-base64.json",
    "openai",
    "/v1/embeddings",
    { model: "text-embedding-3-small", input: "gate", encoding_format: "base64" },
  ],
  ["azure-chat-gpt5chat.json", "azure", deployed("gpt-5-chat"), hello],
  [
    "azure-chat-gpt5mini-28-50-78.json",
    "azure",
    deployed("gpt-5-mini"),
    { ...hello, max_completion_tokens: 50 },
  ],
  [
    "azure-chat-stream-gpt5chat-9-chunks-no-usage.sse",
    "azure",
    deployed("gpt-5-chat"),
    { ...hello, stream: true },
  ],
  ["azure-chat-stream-gpt5chat-usage.sse", "azure", deployed("gpt-5-chat"), { ...hello, ...asked }],
  [
    "azure-chat-stream-gpt5mini-3-chunks-no-usage.sse",
    "azure",
    deployed("gpt-5-mini"),
    { ...hello, stream: true, max_completion_tokens: 50 },
  ],
  [
    "azure-chat-stream-gpt5mini-4-chunks-usage.sse",
    "azure",
    deployed("gpt-5-mini"),
    { ...hello, ...asked, max_completion_tokens: 50 },
  ],
  [
    "azure-chat-stream-gpt5mini-9-chunks-no-usage.sse",
    "azure",
    deployed("gpt-5-mini"),
    { ...hello, stream: true },
  ],
  [
    "azure-chat-stream-tool-calls-usage.sse",
    "azure",
    deployed("gpt-4o"),
    { ...weather, ...asked, parallel_tool_calls: false },
  ],
  ["azure-chat-stream-async-filter.sse", "azure-async-filter", deployed("gpt-4o"), { ...gate, ...asked }],
  ["vllm-chat-stream-usage.sse", "vllm", chat, { model: "Qwen/Qwen3-8B", ...gate, ...asked }],
  [
    "vllm-chat-stream-continuous-usage.sse",
    "vllm",
    chat,
    {
      model: "Qwen/Qwen3-8B",
      ...gate,
      stream: true,
      stream_options: { include_usage: true, continuous_usage_stats: true },
    },
  ],
  [
    "groq-chat-stream.sse",
    "groq",
    "/openai/v1/chat/completions",
    { model: "llama-3.3-70b-versatile", ...gate, stream: true },
  ],
  [
    "deepseek-chat-stream-keepalive.sse",
    "deepseek",
    "/chat/completions",
    { model: "deepseek-reasoner", ...gate, stream: true },
  ],
  [
    "deepseek-chat-nonstream-leading-blank-lines.json",
    "deepseek",
    "/chat/completions",
    { model: "deepseek-chat", ...gate },
  ],
  ["mistral-chat-stream.sse", "mistral", chat, { model: "mistral-small-latest", ...gate, stream: true }],
  ["ollama-chat-stream-usage.sse", "ollama", chat, { model: "llama3.2", ...gate, ...asked }],
  ["llamacpp-chat-stream.sse", "llamacpp", chat, { model: "some-model", ...gate, stream: true }],
  [
    "openrouter-chat-stream.sse",
    "openrouter",
    "/api/v1/chat/completions",
    { model: "openai/gpt-4o-mini", ...gate, stream: true },
  ],
  [
    "openai-responses-stream.sse",
    "openai",
    "/v1/responses",
    { model: "gpt-5.2", input: "What does a toll gate do?", stream: true, reasoning: { effort: "none" } },
  ],
  [
    "openai-responses-stream-incomplete.sse",
    "openai",
    "/v1/responses",
    { model: "gpt-4.1-nano", input: "[[sim:tokens=40]]", stream: true, max_output_tokens: 16 },
  ],
  [
    "openai-responses-stream-background.sse",
    "openai",
    "/v1/responses",
    { model: "gpt-5.2", input: "What does a toll gate do?", stream: true, background: true },
  ],
  [
    "azure-responses-stream.sse",
    "azure",
    "/openai/v1/responses",
    { model: "gpt-5.1", input: "What does a toll gate do?", stream: true, reasoning: { effort: "none" } },
  ],
];

describe("answers have the keys of the recorded ones, in their order", () => {
  test.each(cases)("%s", async (fixture, profile, path, body) => {
    const reply = await send(profile, path, body);
    const recorded = readFixture(fixture);
    expect(reply.status).toBe(200);
    if (fixture.endsWith(".sse")) expect(streamShape(reply.text)).toEqual(streamShape(recorded));
    else expect(shapeOf(JSON.parse(reply.text))).toEqual(shapeOf(JSON.parse(recorded)));
  });
});

function send(profile: ProfileName, path: string, body: JsonObject): Promise<Reply> {
  return withSimulator({ profile }, (simulator) => post(simulator, path, body));
}

const unknown = { model: "gpt-9", ...gate };
const mini = { model: "gpt-5-mini", ...gate };

/** What is sent, and the recorded refusal that comes back. */
const refusals: readonly Case[] = [
  ["azure-400-stream-options-unknown.json", "azure", deployed("gpt-4o", "2024-06-01"), { ...gate, ...asked }],
  ["azure-404-deployment.json", "azure", deployed("nope"), gate],
  ["azure-404-resource.json", "azure", "/v1/chat/completions", gate],
  ["azure-404-resource.json", "azure", deployed("gpt-4o", "latest"), gate],
  ["azure-500.json", "azure", deployed("gpt-4o"), fault("500")],
  ["azure-408-timeout.json", "azure", deployed("gpt-4o"), fault("408")],
  ["azure-429-tokens.json", "azure", deployed("gpt-5-mini"), fault("429 retry_after=33")],
  ["azure-429-day.json", "azure", deployed("gpt-5-mini"), fault("429_day")],
  ["azure-429-high-demand.json", "azure", deployed("gpt-4o"), fault("429_capacity retry_after=20")],
  ["azure-400-content-filter-prompt.json", "azure", deployed("gpt-4o"), fault("content_filter")],
  ["openai-404-model.json", "openai", chat, unknown],
  [
    "openai-400-stream-options-without-stream.json",
    "openai",
    chat,
    { ...mini, stream_options: { include_usage: true } },
  ],
  ["openai-400-unknown-parameter.json", "openai", chat, { ...mini, top_k: 4 }],
  ["openai-400-unsupported-parameter-max_tokens.json", "openai", chat, { ...mini, max_tokens: 50 }],
  [
    "openai-400-unsupported-parameter-temperature.json",
    "openai",
    chat,
    { ...gate, model: "o3-mini", temperature: 0.7 },
  ],
  ["openai-400-unsupported-value-temperature.json", "openai", chat, { ...mini, temperature: 0.7 }],
  [
    "openai-400-unsupported-value-reasoning_effort.json",
    "openai",
    chat,
    { ...gate, model: "gpt-5.4-mini", reasoning_effort: "minimal" },
  ],
  ["openai-429-insufficient-quota.json", "openai", chat, { model: "gpt-4.1", ...fault("429_quota") }],
  ["openai-500.json", "openai", chat, { model: "gpt-4.1", ...fault("500") }],
  ["openai-503.json", "openai", chat, { model: "gpt-4.1", ...fault("503 retry_after=5") }],
  [
    "openai-responses-400-min-output.json",
    "openai",
    "/v1/responses",
    { model: "gpt-5.2", input: "Go", max_output_tokens: 5 },
  ],
  [
    "openai-responses-400-previous.json",
    "openai",
    "/v1/responses",
    { model: "gpt-5.2", input: "Go", previous_response_id: "resp_example" },
  ],
  [
    "openai-responses-400-unsupported-parameter-temperature.json",
    "openai",
    "/v1/responses",
    { model: "o3-mini", input: "Go", temperature: 0.7 },
  ],
  ["gateway-html-502.txt", "openai", chat, { model: "gpt-4.1", ...fault("html_502") }],
];

function fault(words: string): JsonObject {
  return { messages: [{ role: "user", content: `[[sim:fault=${words}]]` }] };
}

interface Entry {
  readonly file: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const manifest: { fixtures: Entry[] } = JSON.parse(readFixture("manifest.json"));

describe("refusals and failures have the recorded bodies", () => {
  test.each(refusals)("%s", async (fixture, profile, path, body) => {
    const reply = await send(profile, path, body);
    const entry = manifest.fixtures.find(({ file }) => file === fixture);
    expect(reply.status).toBe(entry?.status);
    expect(reply.headers.get("retry-after")).toBe(entry?.headers?.["retry-after"] ?? null);
    if (fixture.endsWith(".txt")) expect(reply.text).toBe(readFixture(fixture));
    else expect(JSON.stringify(reply.json)).toBe(JSON.stringify(JSON.parse(readFixture(fixture))));
  });

  test("a wrong key is refused in each vendor's words", async () => {
    const refused = async (
      profile: ProfileName,
      path: string,
      headers: Record<string, string>,
    ): Promise<string> =>
      withSimulator(
        { profile, apiKeys: ["right"] },
        async (simulator) => (await post(simulator, path, mini, headers)).text,
      );
    const bare = { "api-key": "", authorization: "" };
    const masked = { authorization: "Bearer sk-exampleexampleexamplee0000" };
    const same = (fixture: string): string => JSON.stringify(JSON.parse(readFixture(fixture)));
    expect(await refused("azure", deployed("gpt-4o"), { "api-key": "wrong" })).toBe(
      same("azure-401-key.json"),
    );
    expect(await refused("openai", chat, bare)).toBe(same("openai-401-missing-key.json"));
    expect(await refused("openai", chat, masked)).toContain("Incorrect API key provided: sk-examp****");
    expect(await refused("openrouter", chat, bare)).toContain('"code":401');
  });

  test("Azure takes a bearer on a dated address for an Entra token, and on v1 for a key", () =>
    withSimulator({ profile: "azure", apiKeys: ["right"] }, async (simulator) => {
      const send = async (path: string, bearer: string): Promise<Response> =>
        fetch(`${simulator.url}${path}`, {
          method: "POST",
          headers: { "content-type": "application/json", authorization: `Bearer ${bearer}` },
          body: JSON.stringify({ model: "gpt-4o", ...gate }),
        });
      const entra = await send(deployed("gpt-4o"), "right");
      expect([entra.status, await entra.json()]).toEqual([
        401,
        JSON.parse(readFixture("azure-401-entra.json")),
      ]);
      expect((await send(deployed("gpt-4o"), "eyJ0.eyJ1.c2ln")).status).toBe(200);
      expect((await send("/openai/v1/chat/completions", "right")).status).toBe(200);
      expect((await send("/openai/v1/chat/completions", "wrong")).status).toBe(401);
    }));
});
