import { describe, expect, test } from "vitest";
import { post, type Reply, withSimulator } from "../../test/support/simulator.ts";
import { isJsonObject, type JsonObject, readArray, readObject } from "./json.ts";
import { createRandom } from "./seeded.ts";
import { writeText } from "./text.ts";
import { countTokens, splitIntoPieces } from "./tokens.ts";

const path = "/v1/chat/completions";

function say(content: string, fields: JsonObject = {}): JsonObject {
  return { model: "gpt-4o", messages: [{ role: "user", content }], ...fields };
}

function ask(body: JsonObject, headers: Record<string, string> = {}): Promise<Reply> {
  return withSimulator({ profile: "openai" }, (simulator) => post(simulator, path, body, headers));
}

function messageOf(reply: Reply, index = 0): JsonObject {
  const choice = readArray(reply.json.choices)[index];
  return isJsonObject(choice) ? readObject(choice.message) : {};
}

function contentOf(reply: Reply, index = 0): string {
  return String(messageOf(reply, index).content);
}

describe("texts", () => {
  test("have exactly as many tokens as they claim, in both encodings", () => {
    for (let seed = 0; seed < 40; seed++) {
      const text = writeText(createRandom(seed), seed * 7)
        .map((piece) => piece.text)
        .join("");
      expect([countTokens(text, "o200k_base"), countTokens(text, "cl100k_base")]).toEqual([
        seed * 7,
        seed * 7,
      ]);
    }
  });

  test.each(["Hello from Azure OpenAI!", "Grüße, 日本 👋🏽 – fine", "", "\u0000\u0085 ſ 🏴‍☠️"])(
    "pieces of %j join to it and count its tokens",
    (text) => {
      const pieces = splitIntoPieces(text);
      expect(pieces.map((piece) => piece.text).join("")).toBe(text);
      expect(pieces.reduce((sum, piece) => sum + piece.tokens, 0)).toBe(countTokens(text));
    },
  );

  test("a long text counts the same in slices", () => {
    const text = writeText(createRandom(1), 3_000)
      .map((piece) => piece.text)
      .join("");
    expect(countTokens(text)).toBe(3_000);
    expect(countTokens("a".repeat(100_000))).toBeGreaterThan(10_000);
  });
});

describe("an answer", () => {
  test("is the same for the same seed and request, with its ids; another seed gives another", async () => {
    const answers = async (seed: number): Promise<string[]> =>
      withSimulator({ profile: "openai", seed }, async (simulator) => {
        const first = await post(simulator, path, say("Tell me about gates", { stream: true }));
        const again = await post(simulator, path, say("Tell me about gates", { stream: true }));
        return [first.text, again.text];
      });
    const one = await answers(1);
    expect(await answers(1)).toEqual(one);
    expect(one[0]).not.toBe(one[1]);
    expect(await answers(2)).not.toEqual(one);
  });

  test("has the same text streamed and not", async () => {
    const whole = contentOf(await ask(say("Tell me about gates")));
    const stream = await ask(say("Tell me about gates", { stream: true }));
    const text = stream.chunks
      .map((chunk) => readObject(readObject(readArray(chunk.choices)[0]).delta).content ?? "")
      .join("");
    expect(text).toBe(whole);
  });

  test("has the length that a directive or header asks for", async () => {
    const usage = { completion_tokens: 200 };
    expect((await ask(say("[[sim:tokens=200]] go"))).json.usage).toMatchObject(usage);
    expect((await ask(say("go"), { "x-sim-tokens": "200" })).json.usage).toMatchObject(usage);
  });

  test("stops at the cap with finish_reason length and bills exactly the cap", async () => {
    const reply = await ask(say("[[sim:tokens=200]] go", { max_tokens: 7 }));
    expect(reply.json).toMatchObject({
      choices: [{ finish_reason: "length" }],
      usage: { completion_tokens: 7 },
    });
    expect(countTokens(contentOf(reply))).toBe(7);
  });

  test.each([["Azure"], [["nothing like it", "Azure"]]])("ends before the stop sequence %j", async (stop) => {
    const hello = 'Say "Hello from Azure OpenAI!" and nothing else.';
    const reply = await ask(say(hello, { stop }));
    expect(reply.json).toMatchObject({
      choices: [{ finish_reason: "stop" }],
      usage: { completion_tokens: 3 },
    });
    expect(contentOf(reply)).toBe("Hello from ");
    expect(contentOf(await ask(say(hello, { stop: "not in it" })))).toBe("Hello from Azure OpenAI!");
  });

  test("comes n times, with the prompt counted once", async () => {
    const reply = await ask(say("[[sim:tokens=10]] go", { n: 3 }));
    expect(reply.json).toMatchObject({
      choices: [{ index: 0 }, { index: 1 }, { index: 2 }],
      usage: { completion_tokens: 30 },
    });
    expect(contentOf(reply, 0)).not.toBe(contentOf(reply, 1));
  });

  test("follows a JSON schema with the least object that fits", async () => {
    const schema = {
      type: "object",
      properties: {
        name: { type: "string" },
        tags: { type: "array", items: { $ref: "#/$defs/tag" }, minItems: 2 },
        kind: { enum: ["toll", "free"] },
        note: { anyOf: [{ type: "null" }, { type: "string" }] },
        left: { type: "integer" },
      },
      required: ["name", "tags", "kind", "note"],
      $defs: { tag: { type: "boolean" } },
    };
    const reply = await ask(
      say("go", { response_format: { type: "json_schema", json_schema: { name: "gate", schema } } }),
    );
    expect(JSON.parse(contentOf(reply))).toEqual({ name: "a", tags: [true, true], kind: "toll", note: null });
    expect(JSON.parse(contentOf(await ask(say("go", { response_format: { type: "json_object" } }))))).toEqual(
      { answer: "yes" },
    );
  });

  test("has a log probability for each token", async () => {
    const reply = await ask(say('Say "Pay here." and nothing else.', { logprobs: true, top_logprobs: 2 }));
    const logprobs = readObject(readObject(readArray(reply.json.choices)[0]).logprobs);
    expect(readArray(logprobs.content).map((entry) => readObject(entry).token)).toEqual([
      "Pay",
      " here",
      ".",
    ]);
    expect(readArray(readObject(readArray(logprobs.content)[0]).top_logprobs).length).toBe(2);
  });

  test("bills predicted tokens that it did not use", async () => {
    const reply = await ask(
      say('Say "Pay here now." and nothing else.', {
        prediction: { type: "content", content: "Pay here later, friend." },
      }),
    );
    expect(reply.json.usage).toMatchObject({
      completion_tokens: 8,
      completion_tokens_details: { accepted_prediction_tokens: 2, rejected_prediction_tokens: 4 },
    });
  });

  test.each([
    [{}, "default"],
    [{ service_tier: "flex" }, "flex"],
    [{ service_tier: "fast" }, "priority"],
    [{ service_tier: "priority" }, "priority"],
  ])("asked with %j is served on tier %s", async (fields, tier) => {
    expect((await ask(say("go", fields))).json.service_tier).toBe(tier);
  });

  test("can be served by another model than it asked for, and the bill says so", () =>
    withSimulator({ profile: "azure" }, async (simulator) => {
      const at = (name: string): string =>
        `/openai/deployments/${name}/chat/completions?api-version=2024-12-01-preview`;
      const routed = await post(simulator, at("model-router"), say("go"));
      const aliased = await post(simulator, at("gpt-4o"), say("[[sim:served=gpt-4o-2024-11-20]] go"));
      expect([routed.json.model, aliased.json.model]).toEqual(["gpt-5-nano-2025-08-07", "gpt-4o-2024-11-20"]);
      expect(routed.headers.get("x-ms-deployment-name")).toBe("model-router");
      expect(simulator.bill().map((line) => [line.model, line.served_model])).toEqual([
        ["model-router", "gpt-5-nano-2025-08-07"],
        ["gpt-4o", "gpt-4o-2024-11-20"],
      ]);
    }));

  test("can be served on another tier than it asked for", async () => {
    expect((await ask(say("[[sim:tier=default]] go", { service_tier: "priority" }))).json.service_tier).toBe(
      "default",
    );
  });
});

describe("tools", () => {
  const tool = {
    type: "function",
    function: {
      name: "look",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  };

  test("are called when they must be, and not again after their result", async () => {
    const called = await ask(say("go", { tools: [tool], tool_choice: "required" }));
    expect(called.json).toMatchObject({
      choices: [{ finish_reason: "tool_calls", message: { content: null } }],
    });
    const messages = [
      { role: "user", content: "weather in Oslo?" },
      messageOf(called),
      { role: "tool", tool_call_id: "x", content: "rain" },
    ];
    const after = await ask({ model: "gpt-4o", messages, tools: [tool] });
    expect(after.json).toMatchObject({ choices: [{ finish_reason: "stop" }] });
  });

  test("are not called when they must not be", async () => {
    const reply = await ask(say("weather in Oslo?", { tools: [tool], tool_choice: "none" }));
    expect(reply.json).toMatchObject({ choices: [{ finish_reason: "stop" }] });
  });

  test("are billed: what is streamed in fragments is what the usage counts", () =>
    withSimulator({ profile: "openai" }, async (simulator) => {
      const body = say("What is the weather in Oslo and in Lima?", { tools: [tool] });
      const whole = await post(simulator, path, body);
      await post(simulator, path, { ...body, stream: true });
      await simulator.idle();
      const [first, second] = simulator.bill();
      expect(second?.output).toBe(first?.output);
      expect(whole.json).toMatchObject({
        choices: [
          {
            message: {
              tool_calls: [
                { function: { arguments: '{"city": "Oslo"}' } },
                { function: { arguments: '{"city": "Lima"}' } },
              ],
            },
          },
        ],
      });
    }));
});

describe("the prompt cache", () => {
  const long = `${"gate ".repeat(2_000)}[[sim:tokens=3]]`;

  test("knows the beginning of a long prompt the second time, in steps of 128", () =>
    withSimulator({ profile: "openai" }, async (simulator) => {
      for (const end of ["", "", " and more"]) await post(simulator, path, say(long + end));
      await post(simulator, path, { ...say(long), model: "gpt-4o-mini" });
      expect(simulator.bill().map((line) => line.cached_input)).toEqual([0, 1_920, 1_920, 0]);
    }));

  test("charges writing to it from gpt-5.6 on, and a refused attempt writes nothing", () =>
    withSimulator({ profile: "openai" }, async (simulator) => {
      const body = { ...say(long), model: "gpt-5.6-luna" };
      await post(simulator, path, body, { "x-sim-fault": "500" });
      await post(simulator, path, body);
      const again = await post(simulator, path, body);
      expect(simulator.bill().map((line) => [line.cached_input, line.cache_write])).toEqual([
        [0, 0],
        [0, 1_920],
        [1_920, 0],
      ]);
      expect(again.json.usage).toMatchObject({ prompt_tokens_details: { cached_tokens: 1_920 } });
    }));

  test("does not hold short prompts", () =>
    withSimulator({ profile: "openai" }, async (simulator) => {
      for (let at = 0; at < 2; at++) await post(simulator, path, say("gate ".repeat(900)));
      expect(simulator.bill().map((line) => line.cached_input)).toEqual([0, 0]);
    }));
});
