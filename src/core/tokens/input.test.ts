import { describe, expect, test } from "vitest";
import { loadRanks } from "../../tokens/token-ranks.ts";
import { createCounter } from "./counter.ts";
import { encodingFor } from "./encodings.ts";
import { type CountedOperation, planInput } from "./input.ts";
import { estimateOutputText } from "./output.ts";
import { countTexts, estimateInput, type InputEstimate, type JsonObject } from "./plan.ts";

const counters = {
  o200k_base: createCounter(await loadRanks("o200k_base"), "o200k_base"),
  cl100k_base: createCounter(await loadRanks("cl100k_base"), "cl100k_base"),
};

function estimate(operation: CountedOperation, body: JsonObject, model: string): InputEstimate {
  const plan = planInput(operation, body, model);
  return estimateInput(plan, countTexts(plan.texts, counters[encodingFor(model).encoding].count));
}
const exact = (tokens: number): InputEstimate => ({
  tokens,
  isExactInPractice: true,
  unknownParts: [],
  boundedParts: [],
});
const lowerBound = (tokens: number): InputEstimate => ({ ...exact(tokens), isExactInPractice: false });

const helloFrom = (where: string): JsonObject => ({
  messages: [
    { role: "system", content: "You are a helpful assistant." },
    { role: "user", content: `Say "Hello from ${where}!" and nothing else.` },
  ],
});
const gate: JsonObject = {
  messages: [{ role: "user", content: "In one sentence, what does a toll gate do?" }],
};

/**
 * openai/openai-cookbook: examples/How_to_count_tokens_with_tiktoken.ipynb, with the counts that the API
 * returned there.
 */
const jargon: JsonObject = {
  messages: [
    {
      role: "system",
      content:
        "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.",
    },
    { role: "system", name: "example_user", content: "New synergies will help drive top-line growth." },
    {
      role: "system",
      name: "example_assistant",
      content: "Things working well together will increase revenue.",
    },
    {
      role: "system",
      name: "example_user",
      content:
        "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
    },
    {
      role: "system",
      name: "example_assistant",
      content: "Let's talk later when we're less busy about how to do better.",
    },
    {
      role: "user",
      content: "This late pivot means we don't have time to boil the ocean for the client deliverable.",
    },
  ],
};
const weather: JsonObject = {
  messages: [
    {
      role: "system",
      content: "You are a helpful assistant that can answer to questions about the weather.",
    },
    { role: "user", content: "What's the weather like in San Francisco?" },
  ],
  tools: [
    {
      type: "function",
      function: {
        name: "get_current_weather",
        description: "Get the current weather in a given location",
        parameters: {
          type: "object",
          properties: {
            location: { type: "string", description: "The city and state, e.g. San Francisco, CA" },
            unit: {
              type: "string",
              description: "The unit of temperature to return",
              enum: ["celsius", "fahrenheit"],
            },
          },
          required: ["location"],
        },
      },
    },
  ],
};

describe("planChatInput()", () => {
  test.each([
    ["gpt-5-chat", helloFrom("Azure OpenAI"), exact(29)],
    ["gpt-5-mini", helloFrom("Standard Provider on Azure OpenAI"), lowerBound(32)],
    ["gpt-4.1-nano", gate, exact(18)],
    ["gpt-4", jargon, exact(129)],
    ["gpt-4o", jargon, exact(124)],
    ["gpt-4", weather, lowerBound(105)],
    ["gpt-4o", weather, lowerBound(101)],
  ])("counts what was billed or published for %s", (model, body, expected) => {
    expect(estimate("chat/completions", body, model)).toEqual(expected);
  });

  const parts = (...content: JsonObject[]): JsonObject => ({ messages: [{ role: "user", content }] });
  test.each([
    [
      "text parts as one text",
      parts({ type: "text", text: "In one sentence, what does a toll gate do?" }),
      exact(18),
    ],
    [
      "an image of low detail",
      parts({ type: "image_url", image_url: { url: "https://example.com/a.png", detail: "low" } }),
      lowerBound(7 + 85),
    ],
    [
      "an image of unknown size at its most",
      parts({ type: "image_url", image_url: { url: "https://example.com/a.png" } }),
      { ...lowerBound(7 + 1445), boundedParts: ["image"] },
    ],
    [
      "audio as unknown",
      parts({ type: "input_audio", input_audio: {} }),
      { ...lowerBound(7), unknownParts: ["audio"] },
    ],
    ["a file as unknown", parts({ type: "file", file: {} }), { ...lowerBound(7), unknownParts: ["file"] }],
    [
      "an unknown part by its name",
      parts({ type: "hologram" }),
      { ...lowerBound(7), unknownParts: ["hologram"] },
    ],
    [
      "data sources as unknown",
      { ...gate, data_sources: [{ type: "azure_search" }] },
      { ...lowerBound(18), unknownParts: ["data_sources"] },
    ],
    [
      "calls by name and arguments",
      {
        messages: [
          {
            role: "assistant",
            content: null,
            tool_calls: [{ id: "c", function: { name: "toll", arguments: "{}" } }],
          },
        ],
      },
      lowerBound(3 + 1 + 2 + 1 + 3),
    ],
    [
      "a refusal as text",
      { messages: [{ role: "assistant", content: null, refusal: "No." }] },
      exact(3 + 1 + 2 + 3),
    ],
    ["a JSON answer as a lower bound", { ...gate, response_format: { type: "json_object" } }, lowerBound(18)],
    ["no messages as framing alone", {}, exact(3)],
    ["messages of the wrong type as nothing", { messages: "Hello" }, exact(3)],
  ])("counts %s", (_, body, expected) => {
    expect(estimate("chat/completions", body, "gpt-4o")).toEqual(expected);
  });

  test("takes the newest encoding for a model that no map knows, and says that it guessed", () => {
    expect(estimate("chat/completions", gate, "gpt-6-sol")).toEqual(lowerBound(18));
    expect(estimate("chat/completions", gate, "llama-3.3-70b")).toEqual(lowerBound(18));
  });

  test("gives up a schema that is nested too deep to be written, and counts the rest", () => {
    let schema: JsonObject = {};
    for (let depth = 0; depth < 50_000; depth++) schema = { properties: { a: schema } };
    const body = { ...gate, tools: [{ type: "function", function: { name: "f", parameters: schema } }] };
    expect(estimate("chat/completions", body, "gpt-4o").unknownParts).toEqual(["tools"]);
  });
});

describe("planResponsesInput()", () => {
  const question = "In one sentence, what does a toll gate do?";
  test.each([
    ["a text", { input: question }, exact(18)],
    [
      "a message",
      { input: [{ role: "user", content: [{ type: "input_text", text: question }] }] },
      exact(18),
    ],
    [
      "instructions as a system message",
      { instructions: "You are a helpful assistant.", input: question },
      exact(28),
    ],
    [
      "a call and its output",
      {
        input: [
          { type: "function_call", call_id: "c", name: "toll", arguments: "{}" },
          { type: "function_call_output", call_id: "c", output: "ok" },
        ],
      },
      lowerBound(3 + 2 + 1 + 3 + 1 + 3),
    ],
    [
      "stored input as unknown",
      { input: question, previous_response_id: "resp_1" },
      { ...lowerBound(18), unknownParts: ["previous_response_id"] },
    ],
    [
      "hosted tools as unknown",
      { input: question, tools: [{ type: "web_search" }] },
      { ...lowerBound(18), unknownParts: ["tool:web_search"] },
    ],
    [
      "reasoning items as unknown",
      { input: [{ type: "reasoning", encrypted_content: "gAAA" }] },
      { ...lowerBound(3), unknownParts: ["reasoning"] },
    ],
  ])("counts %s", (_, body, expected) => {
    expect(estimate("responses", body, "gpt-4.1-nano")).toEqual(expected);
  });
});

test.each([
  ["a text", "Say hello to me", 4],
  ["texts", ["Say hello", "to me"], 4],
  ["tokens", [1, 2, 3], 3],
  ["lists of tokens", [[1, 2], [3]], 3],
] as const)("completions and embeddings count %s without framing", (_, input, tokens) => {
  expect(estimate("embeddings", { input }, "text-embedding-3-small")).toEqual(exact(tokens));
  expect(estimate("completions", { prompt: input }, "gpt-3.5-turbo-instruct")).toEqual(exact(tokens));
});

describe("estimateOutputText()", () => {
  const counted = counters.o200k_base.count("Hello from Azure OpenAI!");
  const seen = { model: "gpt-5-chat", counted, isComplete: true, hasToolCalls: false };
  test.each([
    ["a complete answer of a classic model", seen, true],
    ["an answer that was cut", { ...seen, isComplete: false }, false],
    ["a reasoning model", { ...seen, model: "gpt-5-mini" }, false],
    ["calls", { ...seen, hasToolCalls: true }, false],
  ])("counts the visible text of %s", (_, answer, isExactInPractice) => {
    expect(estimateOutputText(answer)).toEqual({ tokens: 6, isExactInPractice });
  });
});
