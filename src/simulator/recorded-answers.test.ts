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
