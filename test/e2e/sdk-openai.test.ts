/** The official client, old and new, sees the same objects and the same errors through the gateway as at the vendor. */
import OpenAI6, { AzureOpenAI as AzureOpenAI6 } from "openai";
import OpenAI7, { AzureOpenAI as AzureOpenAI7 } from "openai7";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apiVersion, azureModel, expectSame, type Pair, type Place, startPair } from "../support/pair.ts";

let pair: Pair;
beforeAll(async () => {
  pair = await startPair();
});
afterAll(() => pair.close());

const say = (text: string): { role: "user"; content: string }[] => [{ role: "user", content: text }];
const tools = [
  {
    type: "function",
    function: {
      name: "open_gate",
      description: "Opens a gate.",
      parameters: { type: "object", properties: { gate: { type: "string" } }, required: ["gate"] },
    },
  },
] as const;
const schema = {
  type: "object",
  properties: { toll: { type: "integer" }, open: { type: "boolean" } },
  required: ["toll", "open"],
  additionalProperties: false,
};

// The two majors have the same shape here; the types of one serve both.
type Client = OpenAI6;
type Make = (place: Place) => { client: Client; model: (name: string) => string };
const makers: [string, Make][] = [
  [
    "OpenAI 6",
    (place) => ({
      client: new OpenAI6({ apiKey: place.key, baseURL: place.openai, maxRetries: 0 }),
      model: (name) => name,
    }),
  ],
  [
    "OpenAI 7",
    (place) => ({
      client: new OpenAI7({ apiKey: place.key, baseURL: place.openai, maxRetries: 0 }) as unknown as Client,
      model: (name) => name,
    }),
  ],
  [
    "AzureOpenAI 6",
    (place) => ({
      client: new AzureOpenAI6({ apiKey: place.key, endpoint: place.azure, apiVersion, maxRetries: 0 }),
      model: (name) => azureModel(place, pair, name),
    }),
  ],
  [
    "AzureOpenAI 7",
    (place) => ({
      client: new AzureOpenAI7({
        apiKey: place.key,
        endpoint: place.azure,
        apiVersion,
        maxRetries: 0,
      }) as unknown as Client,
      model: (name) => azureModel(place, pair, name),
    }),
  ],
];

async function collect(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const one of stream) all.push(one);
  return all;
}

describe.each(makers)("%s", (name, make) => {
  const same = (call: (client: Client, model: (name: string) => string) => Promise<unknown>) =>
    expectSame(pair, (place) => {
      const { client, model } = make(place);
      return call(client, model);
    });

  test("chat, whole and streamed, with and without usage", async () => {
    const body = { messages: say("Tell of gates [[sim:tokens=9]]"), max_completion_tokens: 50 };
    const whole = await same((client, model) =>
      client.chat.completions.create({ ...body, model: model("gpt-4.1-nano") }),
    );
    expect(whole.result.usage.completion_tokens).toBe(9);
    const bare = await same(async (client, model) =>
      collect(await client.chat.completions.create({ ...body, model: model("gpt-4.1-nano"), stream: true })),
    );
    expect(JSON.stringify(bare)).not.toContain("usage");
    const counted = await same(async (client, model) =>
      collect(
        await client.chat.completions.create({
          ...body,
          model: model("gpt-4.1-nano"),
          stream: true,
          stream_options: { include_usage: true },
        }),
      ),
    );
    expect(counted.result.at(-1).usage.completion_tokens).toBe(9);
  });

  test("reasoning, several choices, logprobs, stop, seed", async () => {
    await same((client, model) =>
      client.chat.completions.create({
        model: model("gpt-5-mini"),
        messages: say("Think"),
        max_completion_tokens: 300,
        reasoning_effort: "low",
      }),
    );
    const two = {
      messages: say("Two"),
      n: 2,
      max_tokens: 40,
      logprobs: true,
      top_logprobs: 2,
      stop: ["gate"],
      seed: 7,
      temperature: 0.2,
    };
    const whole = await same((client, model) =>
      client.chat.completions.create({ ...two, model: model("gpt-4.1-nano") }),
    );
    expect(whole.result.choices).toHaveLength(2);
    await same(async (client, model) =>
      collect(
        await client.chat.completions.create({
          ...two,
          model: model("gpt-4.1-nano"),
          stream: true,
          stream_options: { include_usage: true },
        }),
      ),
    );
  });

  test("tool calls, whole and streamed, and their answers", async () => {
    const body = {
      messages: say("Call open_gate"),
      tools: [...tools],
      tool_choice: "required" as const,
      max_tokens: 60,
    };
    const whole = await same((client, model) =>
      client.chat.completions.create({ ...body, model: model("gpt-4.1-nano") }),
    );
    expect(whole.result.choices[0].finish_reason).toBe("tool_calls");
    await same(async (client, model) =>
      collect(await client.chat.completions.create({ ...body, model: model("gpt-4.1-nano"), stream: true })),
    );
    const [call] = whole.result.choices[0].message.tool_calls;
    const after = [
      ...say("Call open_gate"),
      { role: "assistant" as const, content: null, tool_calls: [call] },
      { role: "tool" as const, tool_call_id: call.id, content: "open" },
    ];
    await same((client, model) =>
      client.chat.completions.create({
        model: model("gpt-4.1-nano"),
        messages: after,
        tools: [...tools],
        max_tokens: 60,
      }),
    );
  });

  test("structured output, also by the client's own parser and stream helper", async () => {
    const format = { type: "json_schema" as const, json_schema: { name: "toll", schema, strict: true } };
    const parsed = await same(async (client, model) => {
      const { choices, usage } = await client.chat.completions.parse({
        model: model("gpt-4.1-nano"),
        messages: say("Toll?"),
        response_format: format,
        max_tokens: 60,
      });
      return { choices, usage };
    });
    expect(Object.keys(JSON.parse(parsed.result.choices[0].message.content))).toEqual(["toll", "open"]);
    await same((client, model) =>
      client.chat.completions
        .stream({
          model: model("gpt-4.1-nano"),
          messages: say("Toll?"),
          response_format: format,
          max_tokens: 60,
        })
        .finalChatCompletion(),
    );
  });

  test("responses, whole and streamed, with tools and a schema", async () => {
    const input = "Tell of gates [[sim:tokens=9]]";
    const whole = await same((client, model) =>
      client.responses.create({ model: model("gpt-5.2"), input, max_output_tokens: 300 }),
    );
    expect(whole.result.status).toBe("completed");
    const events = await same(async (client, model) =>
      collect(
        await client.responses.create({
          model: model("gpt-5.2"),
          input,
          max_output_tokens: 300,
          stream: true,
        }),
      ),
    );
    expect(events.result.at(-1).type).toBe("response.completed");
    const tool = {
      type: "function" as const,
      name: "open_gate",
      parameters: tools[0].function.parameters,
      strict: false,
    };
    await same((client, model) =>
      client.responses.create({
        model: model("gpt-5.2"),
        input: "Call open_gate",
        tools: [tool],
        tool_choice: "required",
        max_output_tokens: 300,
      }),
    );
    await same((client, model) =>
      client.responses.create({
        model: model("gpt-5.2"),
        input: "Toll?",
        text: { format: { type: "json_schema", name: "toll", schema, strict: true } },
        max_output_tokens: 300,
      }),
    );
    const called = await same((client, model) =>
      client.responses
        .stream({
          model: model("gpt-5.2"),
          input: "Call open_gate",
          tools: [tool],
          tool_choice: "required",
          max_output_tokens: 300,
        })
        .finalResponse(),
    );
    expect(called.result.output.at(-1)).toMatchObject({ type: "function_call", name: "open_gate" });
    const parsed = await same((client, model) =>
      client.responses
        .stream({
          model: model("gpt-5.2"),
          input: "Toll?",
          text: { format: { type: "json_schema", name: "toll", schema, strict: true } },
          max_output_tokens: 300,
        })
        .finalResponse(),
    );
    expect(Object.keys(JSON.parse(parsed.result.output_text))).toEqual(["toll", "open"]);
  });

  test("embeddings, as numbers and as the base64 the client asks for by itself", async () => {
    for (const more of [{}, { encoding_format: "float" as const }, { dimensions: 8 }]) {
      const got = await same((client, model) =>
        client.embeddings.create({
          model: model("text-embedding-3-small"),
          input: ["gate", "toll"],
          ...more,
        }),
      );
      expect(got.result.data).toHaveLength(2);
      expect(typeof got.result.data[0].embedding[0]).toBe("number");
    }
  });

  test("legacy completions, whole and streamed", async () => {
    if (name.startsWith("Azure")) return; // no such deployment is sold there any more
    const body = { prompt: "A gate", max_tokens: 20 };
    await same((client, model) =>
      client.completions.create({ ...body, model: model("gpt-3.5-turbo-instruct") }),
    );
    await same(async (client, model) =>
      collect(
        await client.completions.create({ ...body, model: model("gpt-3.5-turbo-instruct"), stream: true }),
      ),
    );
  });

  test.each([
    ["a value out of range", { temperature: 3 }],
    ["a cap that is too large", { max_completion_tokens: 9_000_000 }],
    ["an unknown field", { gate: 1 }],
    ["a rate limit", { messages: say("x [[sim:fault=429]]") }],
    [
      "an error in the middle of a stream",
      { messages: say("x [[sim:tokens=9 fault=error_event after=4]]"), stream: true },
    ],
    ["an error as a stream's first event", { messages: say("x [[sim:fault=error_first]]"), stream: true }],
  ])("the same error for %s", async (_what, more) => {
    const got = await same(async (client, model) => {
      const body = {
        model: model("gpt-4.1-nano"),
        messages: say("x"),
        max_completion_tokens: 50,
        ...more,
      } as OpenAI6.ChatCompletionCreateParams;
      const answer = await client.chat.completions.create(body);
      return "choices" in answer ? answer : collect(answer as AsyncIterable<unknown>);
    });
    expect(got.error).toBeDefined();
  });

  test("an abort ends the stream without an error, and the vendor is paid in full (drain)", async () => {
    const body = {
      messages: say("Long [[sim:tokens=40 tps=400]]"),
      max_completion_tokens: 90,
      stream: true as const,
    };
    const got = await same(async (client, model) => {
      const stream = await client.chat.completions.create({ ...body, model: model("gpt-4.1-nano") });
      let count = 0;
      for await (const _chunk of stream) if (++count === 5) stream.controller.abort();
      // What had come in one piece is still given out.
      return count < 40 ? "ended early" : "went on";
    });
    expect(got.result).toBe("ended early");
    const run = await same(async (client, model) => {
      const stream = await client.responses.create({
        model: model("gpt-5.2"),
        input: "Long [[sim:tokens=300 tps=300]]",
        max_output_tokens: 400,
        stream: true,
      });
      const types = new Set<string>();
      for await (const event of stream) {
        types.add(event.type);
        if (event.type === "response.output_text.delta") stream.controller.abort();
      }
      return types.has("response.completed") ? "went on" : "ended early";
    });
    expect(run.result).toBe("ended early");
    // Before the head has come there is nothing to give out: the call itself fails.
    const early = await same(async (client, model) => {
      const abort = new AbortController();
      setTimeout(() => abort.abort(), 60);
      const late = { ...body, stream: false, messages: say("Late [[sim:tokens=4 latency_ms=400]]") } as const;
      return client.chat.completions.create(
        { ...late, model: model("gpt-4.1-nano") },
        { signal: abort.signal },
      );
    });
    expect(early.error).toMatchObject({ name: "APIUserAbortError" });
  });

  test("a cut stream: the vendor's breaks off, ours says so", async () => {
    const { client, model } = make(pair.through);
    const stream = await client.chat.completions.create({
      model: model("gpt-4.1-nano"),
      messages: say("x [[sim:tokens=9 fault=drop after=4]]"),
      max_completion_tokens: 50,
      stream: true,
    });
    await expect(collect(stream)).rejects.toMatchObject({ code: "upstream_cut", type: "server_error" });
  });

  test("what the gateway itself refuses is an error of the client's own kind", async () => {
    const { client } = make({ ...pair.through, key: "sk-tg-live-wrong" });
    await expect(
      client.chat.completions.create({ model: "gpt-4.1-nano", messages: say("x") }),
    ).rejects.toMatchObject({ status: 401, code: "invalid_api_key" });
    const poor = make({ ...pair.through, key: (await pair.gateway.customer("0")).key });
    const refused = poor.client.chat.completions.create({
      model: poor.model("gpt-4.1-nano"),
      messages: say("x"),
      max_completion_tokens: 50,
    });
    await expect(refused).rejects.toMatchObject({
      status: 402,
      code: "credit_balance_exhausted",
      type: "insufficient_quota",
    });
  });
});

test("the client's own models and the reading of stored responses", async () => {
  const client = new OpenAI7({ apiKey: pair.through.key, baseURL: pair.through.openai, maxRetries: 0 });
  const made = await client.responses.create({ model: "gpt-5.2", input: "x", max_output_tokens: 300 });
  expect((await client.responses.retrieve(made.id)).output_text).toBe(made.output_text);
  expect((await client.models.list()).data.map((model) => model.id)).toContain("gpt-5.2");
});
