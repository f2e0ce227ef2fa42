import { AzureOpenAI, OpenAI } from "openai";
import { describe, expect, test } from "vitest";
import { post, type Reply, withSimulator } from "../../test/support/simulator.ts";
import type { JsonObject } from "./json.ts";
import type { Simulator } from "./server.ts";

const azure = 'Say "Hello from Azure OpenAI!" and nothing else.';
const standard = 'Say "Hello from Standard Provider on Azure OpenAI!" and nothing else.';
const version = "2024-12-01-preview";

function ask(text: string, fields: JsonObject): JsonObject {
  return {
    messages: [
      { role: "system", content: "You are a helpful assistant." },
      { role: "user", content: text },
    ],
    ...fields,
  };
}

function send(simulator: Simulator, deployment: string, body: JsonObject): Promise<Reply> {
  return post(simulator, `/openai/deployments/${deployment}/chat/completions?api-version=${version}`, body);
}

function run(deployment: string, body: JsonObject): Promise<{ reply: Reply; bill: string }> {
  return withSimulator({ profile: "azure" }, async (simulator) => {
    const reply = await send(simulator, deployment, body);
    await simulator.idle();
    const [line] = simulator.bill();
    return {
      reply,
      bill:
        `${line?.input}/${line?.output}/${line?.total} reasoning ${line?.reasoning} billed ` +
        `${line?.billed}`,
    };
  });
}

function textOf(reply: Reply): string {
  return reply.chunks
    .map((chunk) => JSON.stringify(chunk).match(/"delta":\{"content":"([^"]*)"/)?.[1] ?? "")
    .join("");
}

describe("the recorded runs on Azure", () => {
  test("gpt-5-chat answers 29/7/36 with six visible tokens", async () => {
    const { reply, bill } = await run("gpt-5-chat", ask(azure, { max_tokens: 50, temperature: 0.7 }));
    expect(bill).toBe("29/7/36 reasoning 0 billed true");
    expect(reply.json).toMatchObject({
      model: "gpt-5-chat-2025-10-03",
      choices: [{ finish_reason: "stop", message: { content: "Hello from Azure OpenAI!" } }],
      usage: { prompt_tokens: 29, completion_tokens: 7, total_tokens: 36 },
    });
  });

  test("gpt-5-chat streamed has 9 chunks and no usage anywhere", async () => {
    const { reply, bill } = await run(
      "gpt-5-chat",
      ask(azure, { max_tokens: 100, temperature: 0.7, stream: true }),
    );
    expect([reply.chunks.length, reply.text.includes("usage"), reply.isDone]).toEqual([9, false, true]);
    expect(textOf(reply)).toBe("Hello from Azure OpenAI!");
    expect(bill).toBe("29/7/36 reasoning 0 billed true");
  });

  test("gpt-5-chat streamed with include_usage has 10 chunks, the last one with the usage", async () => {
    const body = ask(azure, { max_tokens: 100, stream: true, stream_options: { include_usage: true } });
    const { reply } = await run("gpt-5-chat", body);
    expect(reply.chunks.length).toBe(10);
    expect(reply.chunks.slice(1, 9).every((chunk) => chunk.usage === null)).toBe(true);
    expect(reply.chunks[9]).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 29, completion_tokens: 7, total_tokens: 36 },
    });
  });

  test.each([
    ["the first prompt", azure, "28/50/78", 28],
    ["the standard prompt", standard, "31/50/81", 31],
  ])("gpt-5-mini capped at 50 spends all on reasoning: %s", async (_, text, counts, input) => {
    const { reply, bill } = await run("gpt-5-mini", ask(text, { max_completion_tokens: 50 }));
    expect(bill).toBe(`${counts} reasoning 50 billed true`);
    expect(reply.json).toMatchObject({
      model: "gpt-5-mini-2025-08-07",
      choices: [{ finish_reason: "length", message: { content: "" } }],
      usage: {
        prompt_tokens: input,
        completion_tokens: 50,
        completion_tokens_details: { reasoning_tokens: 50 },
      },
    });
  });

  test("gpt-5-mini streamed with cap 100 has 4 chunks with usage and 3 without", async () => {
    const body = ask(standard, { max_completion_tokens: 100, stream: true });
    const asked = await run("gpt-5-mini", { ...body, stream_options: { include_usage: true } });
    expect(asked.reply.chunks.length).toBe(4);
    expect(asked.reply.chunks[3]).toMatchObject({
      usage: { prompt_tokens: 31, completion_tokens: 100, total_tokens: 131 },
    });
    const unasked = await run("gpt-5-mini", body);
    expect([unasked.reply.chunks.length, unasked.reply.text.includes("usage")]).toEqual([3, false]);
    expect([asked.bill, unasked.bill]).toEqual(Array(2).fill("31/100/131 reasoning 100 billed true"));
  });

  test("gpt-5-mini with room for an answer thinks 64 tokens and streams 9 chunks", async () => {
    for (const cap of [{ max_completion_tokens: 100 }, {}]) {
      const { reply, bill } = await run("gpt-5-mini", ask(azure, { ...cap, stream: true }));
      expect([reply.chunks.length, textOf(reply)]).toEqual([9, "Hello from Azure OpenAI!"]);
      expect(bill).toBe("28/76/104 reasoning 64 billed true");
    }
  });

  test("gpt-5-mini refuses max_tokens and temperature 0.7, and bills nothing", async () => {
    const limit = await run("gpt-5-mini", ask(azure, { max_tokens: 50 }));
    expect([limit.reply.status, limit.reply.json]).toEqual([
      400,
      {
        error: {
          message:
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use " +
            "'max_completion_tokens' instead.",
          type: "invalid_request_error",
          param: "max_tokens",
          code: "unsupported_parameter",
        },
      },
    ]);
    const heat = await run("gpt-5-mini", ask(azure, { max_completion_tokens: 50, temperature: 0.7 }));
    expect([heat.reply.status, heat.reply.json]).toEqual([
      400,
      {
        error: {
          message:
            "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default " +
            "(1) value is supported.",
          type: "invalid_request_error",
          param: "temperature",
          code: "unsupported_value",
        },
      },
    ]);
    expect([limit.bill, heat.bill]).toEqual(Array(2).fill("0/0/0 reasoning 0 billed false"));
  });
});

describe("the official client", () => {
  const messages: OpenAI.Chat.ChatCompletionMessageParam[] = [
    { role: "system", content: "You are a helpful assistant." },
    { role: "user", content: azure },
  ];

  test("AzureOpenAI gets the recorded counts, streamed and not", () =>
    withSimulator({ profile: "azure", deployments: { "prod-blue": "gpt-5-chat" } }, async (simulator) => {
      const client = new AzureOpenAI({
        endpoint: simulator.url,
        apiKey: "k",
        apiVersion: version,
        deployment: "prod-blue",
      });
      const whole = await client.chat.completions.create({ model: "", messages, max_tokens: 50 });
      expect(whole.usage).toMatchObject({ prompt_tokens: 29, completion_tokens: 7, total_tokens: 36 });
      const stream = await client.chat.completions.create({
        model: "",
        messages,
        stream: true,
        stream_options: { include_usage: true },
      });
      const chunks: OpenAI.Chat.ChatCompletionChunk[] = [];
      for await (const chunk of stream) chunks.push(chunk);
      expect(chunks.length).toBe(10);
      expect(chunks.at(-1)?.usage?.total_tokens).toBe(36);
      expect(simulator.bill().map((line) => `${line.deployment} ${line.model} ${line.total}`)).toEqual(
        Array(2).fill("prod-blue gpt-5-chat 36"),
      );
    }));

  test("OpenAI throws the vendor's errors", () =>
    withSimulator({ profile: "openai", apiKeys: ["sk-right"] }, async (simulator) => {
      const wrong = new OpenAI({
        baseURL: `${simulator.url}/v1`,
        apiKey: "sk-wrong-key-of-a-client-0000",
        maxRetries: 0,
      });
      await expect(wrong.chat.completions.create({ model: "gpt-4o", messages })).rejects.toMatchObject({
        status: 401,
        code: "invalid_api_key",
      });
      const right = new OpenAI({ baseURL: `${simulator.url}/v1`, apiKey: "sk-right", maxRetries: 0 });
      await expect(right.chat.completions.create({ model: "gpt-9", messages })).rejects.toMatchObject({
        status: 404,
        code: "model_not_found",
      });
      await expect(
        right.chat.completions.create({ model: "gpt-5-mini", messages, max_tokens: 5 }),
      ).rejects.toMatchObject({ param: "max_tokens" });
      const answer = await right.chat.completions.create({ model: "gpt-4.1-nano", messages });
      expect([answer.choices[0]?.message.content, answer.usage?.total_tokens]).toEqual([
        "Hello from Azure OpenAI!",
        35,
      ]);
    }));
});
