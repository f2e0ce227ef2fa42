import { describe, expect, test } from "vitest";
import { type Lesson, lessonFrom, lessonName } from "./lessons.ts";
import { familyOf, parameterFamilies } from "./parameter-families.ts";
import { adaptParameters, canAskForUsage, limitParameter, type ParameterApi } from "./parameters.ts";

const rules = (
  model: string,
  more: { apiVersion?: string; lessons?: readonly Lesson[]; sendStreamOptions?: boolean } = {},
) => ({
  model,
  apiVersion: more.apiVersion ?? null,
  lessons: more.lessons ?? [],
  sendStreamOptions: more.sendStreamOptions ?? null,
});
const adapted = (model: string, body: object, api: ParameterApi = "chat"): string => {
  const { body: sent, rewrites } = adaptParameters(body as Record<string, unknown>, rules(model), api);
  const changes = rewrites.map(
    (one) => `${one.action} ${one.parameter}${one.to === null ? "" : ` to ${one.to}`}`,
  );
  return `${JSON.stringify(sent)}${changes.length === 0 ? "" : `; ${changes.join(", ")}`}`;
};

/** dialect §4, row by row: what becomes of the limit and of sampling. */
describe("the table of families", () => {
  test.each([
    // model, max_tokens 9, temperature 0.5, temperature 0.5 at effort none
    ["gpt-3.5-turbo", "max_tokens", "kept", "kept"],
    ["gpt-35-turbo", "max_tokens", "kept", "kept"],
    ["gpt-4", "max_tokens", "kept", "kept"],
    ["gpt-4-turbo-2024-04-09", "max_tokens", "kept", "kept"],
    ["gpt-4o", "max_tokens", "kept", "kept"],
    ["gpt-4o-mini-2024-07-18", "max_tokens", "kept", "kept"],
    ["gpt-4.1-nano", "max_tokens", "kept", "kept"],
    ["chatgpt-4o-latest", "max_tokens", "kept", "kept"],
    ["gpt-4o-search-preview", "max_tokens", "dropped", "dropped"],
    ["gpt-5-chat", "max_tokens", "kept", "kept"],
    ["gpt-5-chat-latest", "max_tokens", "kept", "kept"],
    ["o1-preview", "max_completion_tokens", "dropped", "dropped"],
    ["o1", "max_completion_tokens", "dropped", "dropped"],
    ["o1-2024-12-17", "max_completion_tokens", "dropped", "dropped"],
    ["o1-pro", "max_completion_tokens", "dropped", "dropped"],
    ["o3-mini", "max_completion_tokens", "dropped", "dropped"],
    ["o3", "max_completion_tokens", "dropped", "dropped"],
    ["o4-mini-2025-04-16", "max_completion_tokens", "dropped", "dropped"],
    ["o4-mini-deep-research", "max_completion_tokens", "dropped", "dropped"],
    ["gpt-5", "max_completion_tokens", "dropped", "dropped"],
    ["gpt-5-mini-2025-08-07", "max_completion_tokens", "dropped", "dropped"],
    ["gpt-5-nano", "max_completion_tokens", "dropped", "dropped"],
    ["gpt-5-codex", "max_completion_tokens", "dropped", "dropped"],
    ["gpt-5.1-codex-max", "max_completion_tokens", "dropped", "dropped"],
    ["gpt-5-pro", "max_completion_tokens", "dropped", "dropped"],
    ["gpt-5.1", "max_completion_tokens", "kept", "kept"], // none is its default
    ["gpt-5.1-chat", "max_completion_tokens", "dropped", "dropped"],
    ["gpt-5.2", "max_completion_tokens", "kept", "kept"],
    ["gpt-5.4-mini", "max_completion_tokens", "kept", "kept"],
    ["gpt-5.5", "max_completion_tokens", "kept", "kept"],
    ["gpt-5.6-luna", "max_completion_tokens", "dropped", "kept"], // medium is its default
    ["gpt-6-astra", "max_completion_tokens", "dropped", "dropped"],
    ["gpt-6-sol", "max_completion_tokens", "dropped", "kept"],
    ["gpt-6.1-sol", "max_completion_tokens", "dropped", "dropped"],
    ["gpt-6.2-astra", "max_completion_tokens", "dropped", "dropped"],
    ["llama-4-scout", "max_tokens", "kept", "kept"], // another vendor's: as the client sent it
    ["gemini-2.5-flash", "max_tokens", "kept", "kept"],
  ])("%s takes %s; a temperature is %s, at effort none %s", (model, limit, temperature, atNone) => {
    const { body } = adaptParameters({ max_tokens: 9, temperature: 0.5 }, rules(model));
    expect(body[limit]).toBe(9);
    expect(Object.keys(body).filter((name) => name.startsWith("max_"))).toEqual([limit]);
    expect("temperature" in body ? "kept" : "dropped").toBe(temperature);
    const none = adaptParameters({ temperature: 0.5, reasoning_effort: "none" }, rules(model)).body;
    expect("temperature" in none ? "kept" : "dropped").toBe(atNone);
  });

  test("names each family once, and every family has an example", () => {
    const names = parameterFamilies.map((family) => family.name);
    expect(new Set(names).size).toBe(names.length);
    expect(familyOf("openai/gpt-5-mini")?.name).toBe("gpt-5, -mini, -nano");
    expect(familyOf("ft:gpt-4o-mini-2024-07-18:acme::1")?.name).toContain("gpt-4o");
    expect(familyOf("gpt-oss-120b")).toBe(null);
  });
});

describe("adaptParameters()", () => {
  test("renames limits both ways, and never loses one", () => {
    expect(adapted("gpt-5-mini", { max_tokens: 9 })).toBe(
      '{"max_completion_tokens":9}; renamed max_tokens to max_completion_tokens',
    );
    expect(adapted("gpt-5-mini", { max_tokens: 9, max_completion_tokens: 9 })).toBe(
      '{"max_completion_tokens":9}; renamed max_tokens to max_completion_tokens',
    );
    expect(
      adaptParameters({ max_completion_tokens: 9 }, rules("gpt-4o", { apiVersion: "2024-10-21" })).body,
    ).toEqual({ max_tokens: 9 });
    expect(
      adaptParameters({ max_completion_tokens: 9 }, rules("gpt-4o", { apiVersion: "2024-12-01-preview" }))
        .body,
    ).toEqual({ max_completion_tokens: 9 });
  });

  test("drops no value that is the default, unless the parameter itself is refused", () => {
    expect(adapted("gpt-5-mini", { temperature: 1, top_p: 1, presence_penalty: 0 })).toBe(
      '{"temperature":1,"top_p":1,"presence_penalty":0}',
    );
    for (const model of ["o3-mini", "gpt-6-astra", "gpt-6.2-sol", "gpt-5-codex"])
      expect(adapted(model, { temperature: 1 })).toBe("{}; dropped temperature");
  });

  test("leaves everything else as it is: dropping would change what was asked for", () => {
    const body = { stop: ["x"], logprobs: true, n: 2, reasoning_effort: "minimal", logit_bias: {}, seed: 1 };
    expect(adapted("gpt-5.4", body)).toBe(JSON.stringify(body));
  });

  test("drops sampling on the Responses API by its own effort, and renames no limit there", () => {
    expect(
      adapted(
        "gpt-5.6-luna",
        { temperature: 0.5, reasoning: { effort: "none" }, max_output_tokens: 20 },
        "responses",
      ),
    ).toContain("temperature");
    expect(adapted("gpt-5.6-luna", { temperature: 0.5, reasoning: { effort: "high" } }, "responses")).toBe(
      '{"reasoning":{"effort":"high"}}; dropped temperature',
    );
    expect(adapted("gpt-5-mini", { max_tokens: 9, temperature: 0.5 }, "other")).toBe(
      '{"max_tokens":9,"temperature":0.5}',
    );
  });

  test("believes a lesson over the table", () => {
    const renamed: Lesson = {
      kind: "rename",
      parameter: "max_completion_tokens",
      to: "max_tokens",
      evidence: "x",
    };
    expect(
      adaptParameters({ max_completion_tokens: 9 }, rules("gpt-5-mini", { lessons: [renamed] })).body,
    ).toEqual({ max_tokens: 9 });
    expect(limitParameter(rules("gpt-5-mini", { lessons: [renamed] }))).toBe("max_tokens");
    const atHigh: Lesson = { kind: "drop", parameter: "top_p", evidence: "x", effort: "high" };
    const drop = (body: object) =>
      adaptParameters({ top_p: 0.5, ...body }, rules("unknown", { lessons: [atHigh] })).body;
    expect(drop({ reasoning_effort: "high" })).toEqual({ reasoning_effort: "high" });
    expect(drop({})).toEqual({ top_p: 0.5 });
  });
});

describe("lessonFrom()", () => {
  const learn = (message: string, sent: object, param: string | null = null): string | null => {
    const lesson = lessonFrom({ message, param, code: null }, sent as Record<string, unknown>);
    return lesson === null ? null : `${lesson.kind} ${lessonName(lesson)}`;
  };
  // dialect §4.1, word for word; on Responses the same refusals have no code.
  test.each<[string, object, string | null, string | null]>([
    [
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      { max_tokens: 9 },
      "max_tokens",
      "rename parameter max_tokens",
    ],
    [
      "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value is supported.",
      { temperature: 0.7 },
      "temperature",
      "drop parameter temperature at effort unsaid",
    ],
    [
      "Unsupported parameter: 'temperature' is not supported with this model.",
      { temperature: 0.7, reasoning_effort: "low" },
      null,
      "drop parameter temperature at effort low",
    ],
    [
      "Unknown parameter: 'stream_options'.",
      { stream_options: {} },
      "stream_options",
      "no_stream_options stream_options",
    ],
    [
      "Validation error at #/stream_options: Extra inputs are not permitted",
      { stream_options: {} },
      null,
      "no_stream_options stream_options",
    ],
    [
      "Extra inputs are not permitted, field: 'max_completion_tokens', value: 9",
      { max_completion_tokens: 9 },
      "max_completion_tokens",
      "rename parameter max_completion_tokens",
    ],
    // Nothing that would change what was asked for.
    ["Unsupported parameter: 'stop' is not supported with this model.", { stop: "x" }, "stop", null],
    [
      "Unsupported value: 'reasoning_effort' does not support 'minimal' with this model. Supported values are: 'none', 'low'.",
      { reasoning_effort: "minimal" },
      "reasoning_effort",
      null,
    ],
    [
      "Function tools with reasoning_effort are not supported for gpt-5.6-luna in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.",
      { tools: [] },
      "reasoning_effort",
      null,
    ],
    ["Unknown parameter: 'top_k'.", { top_k: 1 }, "top_k", null],
    [
      "max_tokens is too large: 900000. This model supports at most 16384 completion tokens.",
      { max_tokens: 900_000 },
      "max_tokens",
      null,
    ],
    ["This model's maximum context length is 8192 tokens.", { max_tokens: 9 }, "messages", null],
  ])("%s", (message, sent, param, want) => {
    expect(learn(message, sent, param)).toBe(want);
  });
});

test.each([
  ["2023-12-01-preview", false],
  ["2024-06-01", false],
  ["2024-07-01-preview", false],
  ["2024-08-01-preview", true], // doubtful: tried
  ["2024-09-01-preview", true],
  ["2024-10-21", true],
  ["2024-12-01-preview", true],
  ["v1", true],
  [null, true],
])("usage is asked for at api-version %s: %s", (apiVersion, want) => {
  expect(canAskForUsage({}, { model: "gpt-4o", apiVersion, lessons: [] })).toBe(want);
  expect(canAskForUsage({ data_sources: [] }, { model: "gpt-4o", apiVersion, lessons: [] })).toBe(false);
  expect(canAskForUsage({}, { model: "gpt-4o", apiVersion, lessons: [], sendStreamOptions: !want })).toBe(
    !want,
  );
});
