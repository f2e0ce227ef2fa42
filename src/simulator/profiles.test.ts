import { OpenAI } from "openai";
import { describe, expect, test } from "vitest";
import { post, type Reply, withSimulator } from "../../test/support/simulator.ts";
import type { BillLine } from "./bill.ts";
import { isJsonObject, type Json, type JsonObject, readArray } from "./json.ts";
import { type ProfileName, profileNames } from "./profiles.ts";

interface Placement {
  readonly path?: string;
  readonly model: string;
  /** Which chunks state a usage when nobody asked, and when it was asked for. */
  readonly unasked: string;
  readonly asked: string;
}

/** "none", "own" (choices empty), "finish", "choice" (inside it), "every". */
const placements: Record<ProfileName, Placement> = {
  openai: { model: "gpt-4o", unasked: "none", asked: "own" },
  azure: { path: azure("2024-12-01-preview"), model: "gpt-4o", unasked: "none", asked: "own" },
  "azure-async-filter": { path: azure("v1"), model: "gpt-4o", unasked: "none", asked: "own" },
  clean: { model: "anything", unasked: "own", asked: "own" },
  vllm: { model: "Qwen/Qwen3-8B", unasked: "none", asked: "own" },
  groq: { model: "llama-3.3-70b-versatile", unasked: "finish", asked: "finish own" },
  gemini: { model: "gemini-2.0-flash", unasked: "none", asked: "every" },
  deepseek: { model: "deepseek-chat", unasked: "finish", asked: "finish" },
  openrouter: { model: "openai/gpt-4o-mini", unasked: "own", asked: "own" },
  xai: { model: "grok-2", unasked: "none", asked: "own" },
  mistral: { model: "mistral-small-latest", unasked: "finish", asked: "finish" },
  moonshot: { model: "kimi-k2", unasked: "choice", asked: "choice own" },
  perplexity: { model: "sonar", unasked: "every", asked: "every" },
  ollama: { model: "llama3.2", unasked: "none", asked: "own" },
  llamacpp: { model: "local", unasked: "own", asked: "own" },
};

function azure(version: string): string {
  return version === "v1"
    ? "/openai/v1/chat/completions"
    : `/openai/deployments/gpt-4o/chat/completions?api-version=${version}`;
}

const messages = [{ role: "user", content: "[[sim:tokens=6]] go" }];

interface Run {
  readonly reply: Reply;
  readonly bill: BillLine | undefined;
}

function run(profile: ProfileName, fields: JsonObject): Promise<Run> {
  const { path = "/v1/chat/completions", model } = placements[profile];
  return withSimulator({ profile }, async (simulator) => {
    const reply = await post(simulator, path, { model, messages, ...fields });
    await simulator.idle();
    return { reply, bill: simulator.bill()[0] };
  });
}

/** Where the chunks of a stream state a usage. */
function placementOf(chunks: readonly JsonObject[]): string {
  const places = chunks.flatMap((chunk): string[] => {
    const [choice] = readArray(chunk.choices);
    if (choice === undefined) return isUsage(chunk.usage) ? ["own"] : [];
    if (!isJsonObject(choice)) return [];
    if (isUsage(choice.usage)) return ["choice"];
    if (!isUsage(chunk.usage)) return [];
    return typeof choice.finish_reason === "string" ? ["finish"] : ["text"];
  });
  return places.includes("text") && places.length === chunks.length ? "every" : places.join(" ") || "none";
}

function isUsage(value: Json | undefined): boolean {
  return isJsonObject(value);
}

/** The last usage object of a stream, wherever it is. */
function lastUsage(chunks: readonly JsonObject[]): JsonObject {
  const found = chunks.flatMap((chunk) => [
    chunk.usage,
    ...readArray(chunk.choices).map((c) => (isJsonObject(c) ? c.usage : undefined)),
  ]);
  const usage = found.findLast(isJsonObject);
  if (usage === undefined) throw new Error("Cannot find a usage: no chunk states one.");
  return usage;
}

describe.each(profileNames)("profile %s", (profile) => {
  const { unasked, asked } = placements[profile];

  test(`states usage: ${unasked}, when asked for: ${asked}`, async () => {
    const plain = await run(profile, { stream: true });
    const full = await run(profile, { stream: true, stream_options: { include_usage: true } });
    expect([placementOf(plain.reply.chunks), placementOf(full.reply.chunks)]).toEqual([unasked, asked]);
    expect([plain.reply.isDone, full.reply.isDone]).toEqual([true, true]);
  });

  test("bills what it states, streamed or not", async () => {
    const whole = await run(profile, {});
    const stream = await run(profile, { stream: true, stream_options: { include_usage: true } });
    for (const { bill, usage } of [
      { bill: whole.bill, usage: whole.reply.json.usage },
      { bill: stream.bill, usage: lastUsage(stream.reply.chunks) },
    ]) {
      expect(usage).toMatchObject({ prompt_tokens: bill?.input, total_tokens: bill?.total });
      expect(bill).toMatchObject({ billed: true, reason: "complete", status: 200 });
    }
    expect(stream.bill?.total).toBe(whole.bill?.total);
  });

  test("is read by the official client", () =>
    withSimulator({ profile }, async (simulator) => {
      const base = profile.startsWith("azure") ? "/openai/v1" : "/v1";
      const client = new OpenAI({ baseURL: `${simulator.url}${base}`, apiKey: "any", maxRetries: 0 });
      const request = {
        model: placements[profile].model,
        messages: [{ role: "user" as const, content: 'Say "Pay here." and nothing else.' }],
      };
      const answer = await client.chat.completions.create(request);
      expect(answer.choices[0]?.message.content).toBe("Pay here.");
      const stream = await client.chat.completions.create({ ...request, stream: true });
      let text = "";
      for await (const chunk of stream) text += chunk.choices[0]?.delta?.content ?? "";
      expect(text).toBe("Pay here.");
    }));
});

describe("what is peculiar to a vendor", () => {
  const thinking = {
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: "user", content: "[[sim:tokens=6 reasoning=10]] go" }],
  };

  test("Gemini hides thinking in the total", async () => {
    const { reply, bill } = await run("gemini", { ...thinking, model: "gemini-2.5-flash" });
    expect(lastUsage(reply.chunks)).toMatchObject({
      completion_tokens: 6,
      total_tokens: (bill?.input ?? NaN) + 16,
    });
    expect(bill).toMatchObject({ output: 16, reasoning: 10 });
  });

  test("xAI counts reasoning beside completion_tokens", async () => {
    const { reply, bill } = await run("xai", { ...thinking, model: "grok-4" });
    expect(lastUsage(reply.chunks)).toMatchObject({
      completion_tokens: 6,
      completion_tokens_details: { reasoning_tokens: 10 },
      total_tokens: (bill?.input ?? NaN) + 16,
    });
    expect(bill).toMatchObject({ output: 16, reasoning: 10 });
  });

  test("DeepSeek shows its reasoning, token by token", async () => {
    const { reply, bill } = await run("deepseek", { ...thinking, model: "deepseek-reasoner" });
    const shown = reply.chunks.filter((chunk) => /"reasoning_content":"[^"]/.test(JSON.stringify(chunk)));
    expect([shown.length, bill?.output, bill?.reasoning]).toEqual([10, 16, 10]);
  });

  test("vLLM's running totals are per choice, and the last chunk has the sum", async () => {
    const { reply } = await run("vllm", {
      n: 2,
      stream: true,
      stream_options: { include_usage: true, continuous_usage_stats: true },
    });
    const totals = reply.chunks.map((chunk) =>
      isJsonObject(chunk.usage) ? chunk.usage.completion_tokens : null,
    );
    expect(totals).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 14]);
  });

  test.each([
    ["2024-06-01", 400, null],
    ["2024-07-01-preview", 400, null],
    ["2024-10-21", 200, { completion_tokens_details: null, prompt_tokens_details: null }],
    ["2024-12-01-preview", 200, { prompt_tokens_details: { cached_tokens: 0 } }],
    ["v1", 200, { prompt_tokens_details: { cached_tokens: 0 } }],
  ])("Azure at api-version %s answers stream_options with %i", async (version, status, usage) => {
    await withSimulator({ profile: "azure" }, async (simulator) => {
      const body = { model: "gpt-4o", messages, stream: true, stream_options: { include_usage: true } };
      const reply = await post(simulator, azure(version), body);
      expect(reply.status).toBe(status);
      if (usage !== null) expect(lastUsage(reply.chunks)).toMatchObject(usage);
      const { stream_options, ...plain } = body;
      expect((await post(simulator, azure(version), plain)).status).toBe(200);
    });
  });

  test("Azure refuses stream_options together with data_sources, in another envelope", async () => {
    const { reply } = await run("azure", {
      stream: true,
      stream_options: { include_usage: true },
      data_sources: [],
    });
    expect(reply.status).toBe(400);
    expect(reply.json).toMatchObject({
      error: { code: 400, message: "Validation error at #/stream_options: Extra inputs are not permitted" },
    });
  });

  test("a served model list makes other names unknown", () =>
    withSimulator({ profile: "ollama", models: ["llama3.2"] }, async (simulator) => {
      const reply = await post(simulator, "/v1/chat/completions", { model: "nope", messages });
      expect([reply.status, reply.json]).toEqual([
        404,
        { error: { message: "model 'nope' not found", type: "not_found_error", param: null, code: null } },
      ]);
      const list = await fetch(`${simulator.url}/v1/models`, { headers: { authorization: "Bearer k" } });
      expect(await list.json()).toMatchObject({ data: [{ id: "llama3.2" }] });
    }));
});
