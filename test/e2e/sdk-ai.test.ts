/** The AI SDK and LangChain see the same results and errors through the gateway as at the vendor. */
import { createAzure } from "@ai-sdk/azure";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { AIMessageChunk } from "@langchain/core/messages";
import { tool as langchainTool } from "@langchain/core/tools";
import { AzureChatOpenAI, AzureOpenAIEmbeddings, ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";
import {
  type EmbeddingModel,
  embedMany,
  generateText,
  type LanguageModel,
  Output,
  streamText,
  type ToolSet,
  tool,
} from "ai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { apiVersion, azureModel, expectSame, type Pair, type Place, startPair } from "../support/pair.ts";

let pair: Pair;
beforeAll(async () => {
  pair = await startPair();
});
afterAll(() => pair.close());

interface Maker {
  readonly model: (place: Place, name: string) => LanguageModel;
  readonly embedding: (place: Place) => EmbeddingModel;
}
const openai = (place: Place) => createOpenAI({ apiKey: place.key, baseURL: place.openai });
// Structured output is a promise of the model's: here it is kept.
const compatible = (place: Place) =>
  createOpenAICompatible({
    name: "gate",
    apiKey: place.key,
    baseURL: place.openai,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
const azure = (place: Place) =>
  createAzure({
    apiKey: place.key,
    baseURL: `${place.azure}/openai`,
    apiVersion,
    useDeploymentBasedUrls: true,
  });
/** Without deployments in its paths: everything under /openai/v1. */
const azureV1 = (place: Place) => createAzure({ apiKey: place.key, baseURL: `${place.azure}/openai/v1` });
const makers: [string, Maker][] = [
  [
    "@ai-sdk/openai, chat",
    {
      model: (place, name) => openai(place).chat(name),
      embedding: (place) => openai(place).embedding("text-embedding-3-small"),
    },
  ],
  [
    "@ai-sdk/openai, responses",
    {
      model: (place, name) => openai(place).responses(name),
      embedding: (place) => openai(place).embedding("text-embedding-3-small"),
    },
  ],
  [
    "@ai-sdk/openai-compatible",
    {
      model: (place, name) => compatible(place).chatModel(name),
      embedding: (place) => compatible(place).embeddingModel("text-embedding-3-small"),
    },
  ],
  [
    "@ai-sdk/azure, chat",
    {
      model: (place, name) => azure(place).chat(azureModel(place, pair, name)),
      embedding: (place) => azure(place).embedding(azureModel(place, pair, "text-embedding-3-small")),
    },
  ],
  [
    "@ai-sdk/azure, chat on v1",
    {
      model: (place, name) => azureV1(place).chat(azureModel(place, pair, name)),
      embedding: (place) => azureV1(place).embedding(azureModel(place, pair, "text-embedding-3-small")),
    },
  ],
  [
    "@ai-sdk/azure, responses",
    {
      model: (place, name) => azureV1(place).responses(azureModel(place, pair, name)),
      embedding: (place) => azureV1(place).embedding(azureModel(place, pair, "text-embedding-3-small")),
    },
  ],
];

const openGate = tool({ description: "Opens a gate.", inputSchema: z.object({ gate: z.string() }) });
const toll = z.object({ toll: z.number().int(), open: z.boolean() });
/** What an application uses of a result. */
const used = (result: {
  text: string;
  finishReason: unknown;
  usage: unknown;
  toolCalls?: readonly { toolName: string; input: unknown }[];
}) => ({
  text: result.text,
  finish: result.finishReason,
  usage: result.usage,
  calls: result.toolCalls?.map((call) => [call.toolName, call.input]),
});

describe.each(makers)("%s", (name, make) => {
  const same = (name: string, call: (model: LanguageModel) => Promise<unknown>) =>
    expectSame(pair, (place) => call(make.model(place, name)));
  const quiet = { maxRetries: 0, maxOutputTokens: 200 } as const;

  test("text, whole and streamed", async () => {
    const whole = await same("gpt-4.1-nano", async (model) =>
      used(await generateText({ ...quiet, model, prompt: "Tell of gates [[sim:tokens=9]]" })),
    );
    expect(whole.result.usage.outputTokens).toBe(9);
    const streamed = await same("gpt-4.1-nano", async (model) => {
      const result = streamText({ ...quiet, model, prompt: "Tell of gates [[sim:tokens=9]]" });
      const parts: string[] = [];
      for await (const part of result.fullStream) parts.push(part.type);
      return { parts, text: await result.text, usage: await result.usage, finish: await result.finishReason };
    });
    expect(streamed.result.usage.outputTokens).toBe(9);
    // This one sends max_tokens to every model: what the vendor refuses, the gateway repairs.
    if (name.includes("compatible")) return;
    await same("gpt-5-mini", async (model) =>
      used(await generateText({ ...quiet, maxOutputTokens: 400, model, prompt: "Think" })),
    );
  });

  test("tool calls, whole and streamed", async () => {
    const ask = {
      ...quiet,
      tools: { openGate } as unknown as ToolSet,
      toolChoice: "required",
      prompt: "Call openGate",
    } as const;
    const whole = await same("gpt-4.1-nano", async (model) => used(await generateText({ ...ask, model })));
    expect(whole.result.calls[0][0]).toBe("openGate");
    await same("gpt-4.1-nano", async (model) => {
      const result = streamText({ ...ask, model });
      await result.consumeStream();
      return {
        calls: (await result.toolCalls).map((call) => [call.toolName, call.input]),
        usage: await result.usage,
      };
    });
  });

  test("structured output, whole and streamed", async () => {
    const got = await same("gpt-4.1-nano", async (model) => {
      const { output, usage } = await generateText({
        ...quiet,
        model,
        prompt: "Toll?",
        output: Output.object({ schema: toll }),
      });
      return { output, usage };
    });
    expect(toll.safeParse(got.result.output).success).toBe(true);
    const streamed = await same("gpt-4.1-nano", async (model) => {
      const result = streamText({
        ...quiet,
        model,
        prompt: "Toll?",
        output: Output.object({ schema: toll }),
      });
      const parts: unknown[] = [];
      for await (const part of result.partialOutputStream) parts.push(part);
      return { last: parts.at(-1), output: await result.output, usage: await result.usage };
    });
    expect(toll.safeParse(streamed.result.output).success).toBe(true);
  });

  test("embeddings", async () => {
    const got = await expectSame(pair, async (place) => {
      const { embeddings, usage } = await embedMany({
        model: make.embedding(place),
        values: ["gate", "toll"],
        maxRetries: 0,
      });
      return { embeddings, usage };
    });
    expect(got.result.embeddings).toHaveLength(2);
  });

  test("errors and an error in the middle of a stream", async () => {
    const refused = await same("gpt-4.1-nano", (model) =>
      generateText({ ...quiet, model, prompt: "x [[sim:fault=429]]" }),
    );
    expect(refused.error).toMatchObject({ statusCode: 429 });
    const broken = await same("gpt-4.1-nano", async (model) => {
      const errors: string[] = [];
      const result = streamText({
        ...quiet,
        model,
        prompt: "x [[sim:tokens=9 fault=error_event after=4]]",
        onError: ({ error }) => void errors.push(String((error as Error).message ?? error)),
      });
      const parts: string[] = [];
      for await (const part of result.fullStream) parts.push(part.type);
      return { parts, errors: errors.length };
    });
    expect(broken.result.parts).toContain("error");
  });

  test("an abort", async () => {
    const got = await same("gpt-4.1-nano", async (model) => {
      const abort = new AbortController();
      const result = streamText({
        ...quiet,
        model,
        prompt: "Long [[sim:tokens=60 tps=300]]",
        abortSignal: abort.signal,
        onError: () => undefined,
      });
      const parts = new Set<string>();
      for await (const part of result.fullStream) {
        parts.add(part.type);
        if (part.type === "text-delta") abort.abort();
      }
      return [...parts].includes("abort");
    });
    expect(got.result).toBe(true);
  });
});

const chatOf: [string, (place: Place, more?: object) => ChatOpenAI][] = [
  [
    "ChatOpenAI",
    (place, more = {}) =>
      new ChatOpenAI({
        model: "gpt-4.1-nano",
        apiKey: place.key,
        maxRetries: 0,
        maxTokens: 200,
        configuration: { baseURL: place.openai },
        ...more,
      }),
  ],
  [
    "ChatOpenAI on the Responses API",
    (place, more = {}) =>
      new ChatOpenAI({
        model: "gpt-4.1-nano",
        apiKey: place.key,
        maxRetries: 0,
        maxTokens: 200,
        useResponsesApi: true,
        configuration: { baseURL: place.openai },
        ...more,
      }),
  ],
  [
    "AzureChatOpenAI",
    (place, more = {}) => {
      const name = azureModel(place, pair, "gpt-4.1-nano");
      return new AzureChatOpenAI({
        model: "gpt-4.1-nano", // tells LangChain what the deployment can
        azureOpenAIApiKey: place.key,
        azureOpenAIApiDeploymentName: name,
        azureOpenAIApiVersion: apiVersion,
        azureOpenAIBasePath: `${place.azure}/openai/deployments`,
        maxRetries: 0,
        maxTokens: 200,
        ...more,
      }) as unknown as ChatOpenAI;
    },
  ],
];

describe.each(chatOf)("LangChain %s", (name, make) => {
  const same = (call: (chat: ChatOpenAI) => Promise<unknown>, more: object = {}) =>
    expectSame(pair, (place) => call(make(place, more)));
  const shown = (message: {
    content: unknown;
    usage_metadata?: unknown;
    tool_calls?: readonly { name: string; args: unknown }[];
  }) => ({
    content: message.content,
    usage: message.usage_metadata,
    calls: message.tool_calls?.map((call) => [call.name, call.args]),
  });

  test("text, whole and streamed", async () => {
    const whole = await same(async (chat) => shown(await chat.invoke("Tell of gates [[sim:tokens=9]]")));
    expect(whole.result.usage.output_tokens).toBe(9);
    for (const streamUsage of [true, false]) {
      await same(
        async (chat) => {
          let all: AIMessageChunk | undefined;
          for await (const chunk of await chat.stream("Tell of gates [[sim:tokens=9]]"))
            all = all === undefined ? chunk : all.concat(chunk);
          return all === undefined ? null : shown(all);
        },
        { streamUsage },
      );
    }
  });

  test("tool calls and structured output, whole and streamed", async () => {
    const open = langchainTool(() => "open", {
      name: "open_gate",
      description: "Opens a gate.",
      schema: z.object({ gate: z.string() }),
    });
    const got = await same(async (chat) =>
      shown(await chat.bindTools([open], { tool_choice: "required" }).invoke("Call open_gate")),
    );
    // On Responses LangChain sends "required" in a form that asks for nothing; at both places alike.
    if (!name.includes("Responses")) expect(got.result.calls[0][0]).toBe("open_gate");
    await same(async (chat) => {
      let all: AIMessageChunk | undefined;
      const bound = chat.bindTools([open], { tool_choice: "required" });
      for await (const chunk of await bound.stream("Call open_gate"))
        all = all === undefined ? chunk : all.concat(chunk);
      return all === undefined ? null : shown(all);
    });
    const format = { name: "toll", method: "jsonSchema" } as const;
    const parsed = await same((chat) => chat.withStructuredOutput(toll, format).invoke("Toll?"));
    expect(toll.safeParse(parsed.result).success).toBe(true);
    const last = await same(async (chat) => {
      let whole: unknown = null;
      for await (const part of await chat.withStructuredOutput(toll, format).stream("Toll?")) whole = part;
      return whole;
    });
    expect(toll.safeParse(last.result).success).toBe(true);
  });

  test("errors and an abort", async () => {
    const refused = await same((chat) => chat.invoke("x [[sim:fault=429]]"));
    expect(refused.error).toBeDefined();
    const aborted = await same(async (chat) => {
      const abort = new AbortController();
      try {
        for await (const _chunk of await chat.stream("Long [[sim:tokens=60 tps=300]]", {
          signal: abort.signal,
        }))
          abort.abort();
      } catch (error) {
        return (error as Error).name;
      }
      return "ended";
    });
    expect(aborted.result).toMatch(/Abort|ended|Error/);
  });
});

test.each([
  [
    "OpenAIEmbeddings",
    (place: Place) =>
      new OpenAIEmbeddings({
        model: "text-embedding-3-small",
        apiKey: place.key,
        maxRetries: 0,
        configuration: { baseURL: place.openai },
      }),
  ],
  [
    "AzureOpenAIEmbeddings",
    (place: Place) =>
      new AzureOpenAIEmbeddings({
        azureOpenAIApiKey: place.key,
        azureOpenAIApiEmbeddingsDeploymentName: azureModel(place, pair, "text-embedding-3-small"),
        azureOpenAIApiVersion: apiVersion,
        azureOpenAIBasePath: `${place.azure}/openai/deployments`,
        maxRetries: 0,
      }),
  ],
])("LangChain %s", async (_name, make) => {
  const got = await expectSame(pair, (place) => make(place).embedDocuments(["gate", "toll"]));
  expect(got.result).toHaveLength(2);
});

test("nothing is left held, and every request was settled", async () => {
  for (;;) {
    const [open] = await pair.gateway.db.query<{ n: number }>("select count(*)::int as n from holds");
    if (open?.n === 0) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const rows = await pair.gateway.records(pair.accountId);
  expect(rows.filter((row) => row.state === "settled").length).toBeGreaterThan(30);
});
