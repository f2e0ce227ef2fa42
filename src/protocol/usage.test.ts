import { describe, expect, test } from "vitest";
import { findUsage, readFees, readUsage } from "./usage.ts";

const shown = (raw: object, model: string | null = null): string => {
  const read = readUsage(raw as Record<string, unknown>, model);
  if (!read.ok) return `unreadable: ${read.reason}`;
  const { input, cachedInput, cacheWrite, output, reasoning, total } = read.usage;
  return `${input} / ${cachedInput} / ${cacheWrite} / ${output} / ${reasoning} / ${total}`;
};

describe("findUsage()", () => {
  const usage = { prompt_tokens: 1 };
  test.each([
    ["at the top", { usage, choices: [] }],
    ["in x_groq", { x_groq: { id: "x", usage }, choices: [] }],
    ["in the response of a terminal event", { type: "response.completed", response: { usage } }],
    ["in a choice", { choices: [{ index: 0 }, { index: 1, usage }] }],
    ["once, where it stands twice", { usage, x_groq: { usage: { prompt_tokens: 9 } } }],
  ])("finds it %s", (_where, message) => {
    expect(findUsage(message)).toBe(usage);
  });
  test("finds none where there is none", () => {
    for (const message of [
      {},
      { usage: null },
      { usage: 5 },
      { choices: [{}] },
      { response: { usage: null } },
      { usage: {} },
      { usage: { prompt_tokens: null, completion_tokens: null, cost: 1 } },
    ])
      expect(findUsage(message)).toBe(null);
  });
});

/** prompt / cached / cache_write / completion / reasoning / total */
describe("readUsage()", () => {
  test.each<[string, object, string | null, string]>([
    [
      "chat",
      { prompt_tokens: 18, completion_tokens: 19, total_tokens: 37 },
      null,
      "18 / 0 / 0 / 19 / 0 / 37",
    ],
    [
      "null details",
      {
        prompt_tokens: 18,
        completion_tokens: 19,
        total_tokens: 37,
        prompt_tokens_details: null,
        completion_tokens_details: null,
      },
      null,
      "18 / 0 / 0 / 19 / 0 / 37",
    ],
    [
      "cache and reasoning",
      {
        prompt_tokens: 100,
        completion_tokens: 71,
        total_tokens: 171,
        prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
        completion_tokens_details: { reasoning_tokens: 64 },
      },
      null,
      "100 / 60 / 30 / 71 / 64 / 171",
    ],
    [
      "Responses",
      {
        input_tokens: 11,
        input_tokens_details: { cached_tokens: 2 },
        output_tokens: 9,
        output_tokens_details: { reasoning_tokens: 4 },
        total_tokens: 20,
      },
      null,
      "11 / 2 / 0 / 9 / 4 / 20",
    ],
    ["embeddings", { prompt_tokens: 8, total_tokens: 8 }, null, "8 / 0 / 0 / 0 / 0 / 8"],
    [
      "DeepSeek",
      {
        prompt_tokens: 1_042,
        prompt_cache_hit_tokens: 1_024,
        prompt_cache_miss_tokens: 18,
        completion_tokens: 2,
        total_tokens: 1_044,
      },
      null,
      "1042 / 1024 / 0 / 2 / 0 / 1044",
    ],
    [
      "Moonshot",
      { prompt_tokens: 50, cached_tokens: 32, completion_tokens: 2, total_tokens: 52 },
      null,
      "50 / 32 / 0 / 2 / 0 / 52",
    ],
    [
      "details before what stands beside them",
      {
        prompt_tokens: 50,
        cached_tokens: 32,
        prompt_tokens_details: { cached_tokens: 30 },
        completion_tokens: 2,
      },
      null,
      "50 / 30 / 0 / 2 / 0 / 52",
    ],
    [
      "xAI: reasoning beside completion",
      {
        prompt_tokens: 12,
        completion_tokens: 2,
        total_tokens: 354,
        completion_tokens_details: { reasoning_tokens: 340 },
      },
      "grok-4",
      "12 / 0 / 0 / 342 / 340 / 354",
    ],
    [
      "OpenAI: reasoning within completion",
      {
        prompt_tokens: 20,
        completion_tokens: 72,
        total_tokens: 92,
        completion_tokens_details: { reasoning_tokens: 64 },
      },
      "gpt-5",
      "20 / 0 / 0 / 72 / 64 / 92",
    ],
    [
      "Gemini: thinking in the total alone",
      { prompt_tokens: 20, completion_tokens: 151, total_tokens: 553 },
      "gemini-2.5-flash",
      "20 / 0 / 0 / 533 / 382 / 553",
    ],
    [
      "Gemini by its long name",
      { prompt_tokens: 20, completion_tokens: 151, total_tokens: 553 },
      "models/gemini-3-pro",
      "20 / 0 / 0 / 533 / 382 / 553",
    ],
    [
      "a total that differs is recorded as found",
      { prompt_tokens: 20, completion_tokens: 151, total_tokens: 553 },
      "gpt-4o",
      "20 / 0 / 0 / 151 / 0 / 553",
    ],
    [
      "a total that is too small too",
      { prompt_tokens: 20, completion_tokens: 151, total_tokens: 100 },
      "gemini-2.5-flash",
      "20 / 0 / 0 / 151 / 0 / 100",
    ],
    [
      "no output beside its total",
      { prompt_tokens: 20, completion_tokens: null, total_tokens: 51 },
      null,
      "20 / 0 / 0 / 31 / 0 / 51",
    ],
    ["no total", { prompt_tokens: 20, completion_tokens: 151 }, null, "20 / 0 / 0 / 151 / 0 / 171"],
  ])("%s", (_form, raw, model, want) => {
    expect(shown(raw, model)).toBe(want);
  });

  test.each<[object, string]>([
    [{ prompt_tokens: -1, completion_tokens: 2 }, "unreadable: prompt_tokens is -1"],
    [{ prompt_tokens: 1.5 }, "unreadable: prompt_tokens is 1.5"],
    [{ prompt_tokens: "12" }, 'unreadable: prompt_tokens is "12"'],
    [{ prompt_tokens: 1, completion_tokens: 2 ** 60 }, `unreadable: completion_tokens is ${2 ** 60}`],
    [
      { prompt_tokens: 1, completion_tokens_details: { reasoning_tokens: -4 } },
      "unreadable: reasoning_tokens is -4",
    ],
    [{ completion_tokens: 2 }, "unreadable: it names no input tokens"],
    [{}, "unreadable: it names no input tokens"],
    [{ prompt_tokens: 4 }, "unreadable: it names no output tokens"],
    [{ prompt_tokens: 4, total_tokens: 3 }, "unreadable: total_tokens is 3, less than its input"],
  ])("%j is not guessed at", (raw, want) => {
    expect(shown(raw)).toBe(want);
  });
});

test("readFees() counts searches, not the pages they open, and each container once", () => {
  const items = [
    { type: "web_search_call", action: { type: "search" } },
    { type: "web_search_call", action: { type: "open_page" } },
    { type: "web_search_call" },
    { type: "file_search_call" },
    { type: "code_interpreter_call", container_id: "a" },
    { type: "code_interpreter_call", container_id: "a" },
    { type: "code_interpreter_call", container_id: "b" },
    { type: "message" },
  ];
  expect(readFees({}, items)).toEqual({ webSearch: 2, fileSearch: 1, codeInterpreter: 2 });
  // The vendor's own count goes before ours.
  expect(readFees({ tool_usage: { web_search: { num_requests: 5 } } }, items).webSearch).toBe(5);
  expect(readFees({}, [])).toEqual({ webSearch: 0, fileSearch: 0, codeInterpreter: 0 });
});
