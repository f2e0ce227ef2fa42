import { describe, expect, test } from "vitest";
import { post, withSimulator } from "../../test/support/simulator.ts";
import type { JsonObject } from "./json.ts";
import { readObject } from "./json.ts";
import { openaiModels } from "./models.ts";
import type { ProfileName } from "./profiles.ts";

async function verdict(
  model: string,
  fields: JsonObject,
  path = "/v1/chat/completions",
  profile: ProfileName = "openai",
): Promise<string> {
  return withSimulator({ profile }, async (simulator) => {
    const sent = path.endsWith("responses")
      ? { model, input: "go", ...fields }
      : { model, messages: [{ role: "user", content: "go" }], ...fields };
    const reply = await post(simulator, path, sent);
    const error = readObject(reply.json.error);
    return reply.status === 200 ? "taken" : `${reply.status} ${error.param} ${error.code}`;
  });
}

const tools = [{ type: "function", function: { name: "look", parameters: {} } }];

/** Model, fields, and what becomes of them: the rows of the matrix of parameters by model family. */
const matrix: readonly (readonly [string, JsonObject, string])[] = [
  [
    "gpt-4o",
    { max_tokens: 9, temperature: 0.7, top_p: 0.5, presence_penalty: 1, logprobs: true, stop: "x", n: 2 },
    "taken",
  ],
  ["gpt-4o", { max_completion_tokens: 9 }, "taken"],
  ["gpt-4o", { reasoning_effort: "low" }, "400 reasoning_effort unsupported_parameter"],
  ["gpt-4o", { verbosity: "low" }, "400 verbosity unsupported_parameter"],
  ["gpt-4o", { max_tokens: 9, max_completion_tokens: 9 }, "400 max_tokens invalid_parameter_combination"],
  ["gpt-4o", { max_tokens: 0 }, "400 max_tokens integer_below_min_value"],
  ["gpt-4o", { max_tokens: 1_000_000 }, "400 max_tokens invalid_value"],
  ["gpt-4o", { temperature: 3 }, "400 temperature decimal_above_max_value"],
  ["gpt-4o", { n: 200 }, "400 n integer_above_max_value"],
  ["gpt-4o", { n: 0 }, "400 n integer_below_min_value"],
  ["gpt-4o", { mystery: 1 }, "400 mystery unknown_parameter"],
  ["gpt-4o", { messages: null }, "400 messages missing_required_parameter"],
  ["gpt-5-chat-latest", { max_tokens: 9, temperature: 0.7 }, "taken"],
  ["gpt-5-chat-latest", { reasoning_effort: "low" }, "400 reasoning_effort unsupported_parameter"],
  ["o1-mini", { n: 2 }, "400 n unsupported_value"],
  ["o1-mini", { messages: [{ role: "system", content: "x" }] }, "400 messages[0].role unsupported_value"],
  ["o1-mini", { tools }, "400 tools unsupported_parameter"],
  ["o1", { max_tokens: 9 }, "400 max_tokens unsupported_parameter"],
  ["o3", { temperature: 0.7 }, "400 temperature unsupported_value"],
  ["o3", { stop: "x" }, "400 stop unsupported_parameter"],
  ["o3-mini", { temperature: 1 }, "400 temperature unsupported_parameter"],
  ["o4-mini", { reasoning_effort: "minimal" }, "400 reasoning_effort unsupported_value"],
  ["gpt-5", { temperature: 1 }, "taken"],
  ["gpt-5", { temperature: 0.7 }, "400 temperature unsupported_value"],
  ["gpt-5", { top_p: 0.5 }, "400 top_p unsupported_parameter"],
  ["gpt-5", { presence_penalty: 0.5 }, "400 presence_penalty unsupported_parameter"],
  ["gpt-5", { logprobs: true }, "400 logprobs unsupported_parameter"],
  ["gpt-5-nano", { reasoning_effort: "minimal", verbosity: "low", n: 2 }, "taken"],
  ["gpt-5-nano", { reasoning_effort: "xhigh" }, "400 reasoning_effort unsupported_value"],
  ["gpt-5.1", { temperature: 0.7 }, "taken"],
  ["gpt-5.1", { temperature: 0.7, reasoning_effort: "low" }, "400 temperature unsupported_value"],
  ["gpt-5.2", { reasoning_effort: "xhigh" }, "taken"],
  ["gpt-5.4", { frequency_penalty: 1, logprobs: true, reasoning_effort: "high" }, "taken"],
  ["gpt-5.4", { tools, reasoning_effort: "high" }, "400 reasoning_effort null"],
  ["gpt-5.4", { tools }, "taken"],
  ["gpt-5.6-luna", { tools }, "400 reasoning_effort null"],
  ["gpt-5.6-luna", { reasoning_effort: "max" }, "taken"],
  ["gpt-6-astra", { tools }, "400 tools unsupported_parameter"],
  ["gpt-6-astra", { reasoning_effort: "none" }, "400 reasoning_effort unsupported_value"],
  ["gpt-5-codex", {}, "404 model null"],
  ["gpt-5-pro", {}, "404 model null"],
  ["gpt-3.5-turbo-instruct", {}, "404 model null"],
  [
    "gpt-4",
    { messages: [{ role: "user", content: "gate ".repeat(9_000) }] },
    "400 messages context_length_exceeded",
  ],
];

describe("what models take", () => {
  test.each(matrix)("%s with %j: %s", async (model, fields, expected) => {
    expect(await verdict(model, fields)).toBe(expected);
  });

  test("on the Responses API refusals have no code, and its own models answer there", async () => {
    expect(await verdict("gpt-5", { temperature: 0.7 }, "/v1/responses")).toBe("400 temperature null");
    expect(await verdict("gpt-5-pro", { reasoning: { effort: "high" } }, "/v1/responses")).toBe("taken");
    expect(await verdict("gpt-5-pro", { reasoning: { effort: "low" } }, "/v1/responses")).toBe(
      "400 reasoning.effort unsupported_value",
    );
  });

  test("chat models are not for legacy completions, and o1 does not stream on Azure", async () => {
    expect(await verdict("gpt-4o", { prompt: "x" }, "/v1/completions")).toBe("404 model null");
    const azure = "/openai/deployments/o1/chat/completions?api-version=2024-12-01-preview";
    expect(await verdict("o1", { stream: true }, azure, "azure")).toBe("400 stream unsupported_value");
  });

  test("Azure's older versions do not know younger fields", async () => {
    const at = (version: string): string =>
      `/openai/deployments/gpt-5-mini/chat/completions?api-version=${version}`;
    expect(await verdict("", { max_completion_tokens: 9 }, at("2024-06-01"), "azure")).toBe(
      "400 max_completion_tokens unknown_parameter",
    );
    expect(await verdict("", { reasoning_effort: "low" }, at("2024-10-21"), "azure")).toBe(
      "400 reasoning_effort unknown_parameter",
    );
    expect(await verdict("", { reasoning_effort: "low" }, at("2024-12-01-preview"), "azure")).toBe("taken");
  });

  test("other vendors take what they do not know", async () => {
    expect(
      await verdict(
        "llama3.2",
        { top_k: 4, max_tokens: 9, reasoning_effort: "odd" },
        "/v1/chat/completions",
        "ollama",
      ),
    ).toBe("taken");
  });

  test("a prompt that is too long is told its count, tools apart", () =>
    withSimulator({ profile: "openai" }, async (simulator) => {
      const messages = [{ role: "user", content: "gate ".repeat(9_000) }];
      const reply = await post(simulator, "/v1/chat/completions", { model: "gpt-4", messages, tools });
      const { message } = readObject(reply.json.error);
      expect(message).toMatch(
        /context length is 8192 tokens\. However, your messages resulted in 90\d\d tokens/,
      );
      expect(message).toMatch(/\(90\d\d in the messages, \d\d in the functions\)/);
      expect(simulator.bill()).toMatchObject([{ billed: false, reason: "refused" }]);
    }));

  test("every model of the table answers, on chat, completions, embeddings or Responses", async () => {
    for (const [name, model] of openaiModels) {
      const paths = ["/v1/chat/completions", "/v1/responses", "/v1/completions", "/v1/embeddings"];
      const fields = { prompt: "go", input: "go" };
      const verdicts = await Promise.all(
        paths.map((path) => verdict(name, path.endsWith("chat/completions") ? {} : fields, path)),
      );
      expect([name, model.kind, verdicts.includes("taken")]).toEqual([name, model.kind, true]);
    }
  });
});
