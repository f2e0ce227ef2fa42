import type { Api, Ask } from "./ask.ts";
import type { Refusal } from "./errors.ts";
import { type Family, familyOf, type Treatment } from "./families.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Model } from "./models.ts";

export interface RefusalInputs {
  readonly api: Api;
  readonly body: JsonObject;
  readonly ask: Ask;
  readonly model: Model;
  readonly isAzure: boolean;
  /** Azure's api-version; null elsewhere. */
  readonly apiVersion: string | null;
  /** Unknown fields are refused (OpenAI and Azure). */
  readonly isStrict: boolean;
}

/** Why the vendor refuses this request, or null when it takes it. The first rule that fails speaks. */
export function findRefusal(inputs: RefusalInputs): Refusal | null {
  for (const rule of rules) {
    const refusal = rule(inputs);
    if (refusal !== null) return refusal;
  }
  return null;
}

type Rule = (inputs: RefusalInputs) => Refusal | null;

const rules: readonly Rule[] = [
  refuseMissing,
  refuseDataSources,
  refuseYoungerFields,
  refuseUnknown,
  refuseStreamOptions,
  refuseWrongApi,
  refuseLimits,
  refuseSampling,
  refuseEffort,
  refuseTools,
  refuseRanges,
];

function bad(message: string, param: string | null, code: string | null): Refusal {
  return { status: 400, message, param, code };
}

function refuseMissing({ api, body }: RefusalInputs): Refusal | null {
  const required: Record<Api, string> = {
    chat: "messages",
    completions: "prompt",
    embeddings: "input",
    responses: "input",
    input_tokens: "input",
  };
  const name = required[api];
  if (body[name] !== undefined && body[name] !== null) return null;
  return bad(`Missing required parameter: '${name}'.`, name, "missing_required_parameter");
}

/** Azure on your data: its schema takes no stream_options, and its envelope is another one (openai-python#2296). */
function refuseDataSources({ isAzure, body }: RefusalInputs): Refusal | null {
  if (!isAzure || body.data_sources === undefined || body.stream_options === undefined) return null;
  const message = "Validation error at #/stream_options: Extra inputs are not permitted";
  return { status: 400, message, isValidation: true };
}

/** Fields that an Azure api-version is too old for: the first version that takes them (dialect: stream_options). */
const azureSince: Readonly<Record<string, string>> = {
  stream_options: "2024-08-01",
  max_completion_tokens: "2024-09-01",
  parallel_tool_calls: "2024-08-01",
  reasoning_effort: "2024-12-01",
  prediction: "2025-01-01",
};

function refuseYoungerFields({ isAzure, apiVersion, body }: RefusalInputs): Refusal | null {
  if (!isAzure || apiVersion === null || !apiVersion.startsWith("20")) return null;
  for (const [name, since] of Object.entries(azureSince)) {
    if (body[name] !== undefined && apiVersion < since)
      return bad(`Unknown parameter: '${name}'.`, name, "unknown_parameter");
  }
  return null;
}

const known: Readonly<Partial<Record<Api, ReadonlySet<string>>>> = {
  chat: new Set(
    (
      "model messages audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens metadata " +
      "modalities n parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_retention reasoning_effort " +
      "response_format safety_identifier seed service_tier stop store stream stream_options temperature tool_choice tools " +
      "top_logprobs top_p user verbosity web_search_options data_sources"
    ).split(" "),
  ),
  responses: new Set(
    (
      "model input background conversation include instructions max_output_tokens max_tool_calls metadata parallel_tool_calls " +
      "previous_response_id prompt prompt_cache_key prompt_cache_retention reasoning safety_identifier service_tier store stream " +
      "stream_options temperature text tool_choice tools top_logprobs top_p truncation user"
    ).split(" "),
  ),
};

function refuseUnknown({ api, body, isStrict }: RefusalInputs): Refusal | null {
  const names = known[api];
  if (!isStrict || names === undefined) return null;
  const unknown = Object.keys(body).find((name) => !names.has(name));
  return unknown === undefined ? null : bad(`Unknown parameter: '${unknown}'.`, unknown, "unknown_parameter");
}

function refuseStreamOptions({ api, body }: RefusalInputs): Refusal | null {
  if (
    api === "responses" ||
    body.stream_options === undefined ||
    body.stream_options === null ||
    body.stream === true
  )
    return null;
  return bad(
    "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    "stream_options",
    null,
  );
}

function refuseWrongApi({ api, model, isAzure, ask }: RefusalInputs): Refusal | null {
  const family = familyOf(model);
  if (family.isOpen) return null;
  if (api === "chat" && model.kind !== "chat") {
    return {
      ...bad(
        "This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use v1/completions?",
        "model",
        null,
      ),
      status: 404,
    };
  }
  if (api === "completions" && model.kind !== "completion") {
    return {
      ...bad(
        "This is a chat model and not supported in the v1/completions endpoint. Did you mean to use v1/chat/completions?",
        "model",
        null,
      ),
      status: 404,
    };
  }
  if (api === "chat" && family.responsesOnly) {
    return {
      ...bad("This model is only supported in v1/responses and not in v1/chat/completions.", "model", null),
      status: 404,
    };
  }
  if (isAzure && ask.isStream && !family.streamsOnAzure) {
    return bad(
      "Unsupported value: 'stream' does not support true with this model. Supported values are: false.",
      "stream",
      "unsupported_value",
    );
  }
  return null;
}

function refuseLimits({ api, body, model }: RefusalInputs): Refusal | null {
  const family = familyOf(model);
  if (api === "responses") return refuseResponsesLimit(body);
  if (api !== "chat" || family.isOpen) return null;
  if (body.max_tokens !== undefined && body.max_tokens !== null) {
    if (!family.takesMaxTokens) {
      return bad(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "max_tokens",
        "unsupported_parameter",
      );
    }
    if (body.max_completion_tokens !== undefined && body.max_completion_tokens !== null) {
      return bad(
        "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
        "max_tokens",
        "invalid_parameter_combination",
      );
    }
  }
  for (const name of ["max_tokens", "max_completion_tokens"]) {
    const cap = body[name];
    if (typeof cap !== "number") continue;
    if (cap < 1) return belowMinimum(name, 1, cap);
    if (cap > model.maxOutput) {
      return bad(
        `${name} is too large: ${cap}. This model supports at most ${model.maxOutput} completion tokens, whereas you provided ${cap}.`,
        name,
        "invalid_value",
      );
    }
  }
  return null;
}

/** The Responses API takes no cap below 16 (openai-responses-400-min-output.json). */
function refuseResponsesLimit(body: JsonObject): Refusal | null {
  const cap = body.max_output_tokens;
  return typeof cap === "number" && cap < 16 ? belowMinimum("max_output_tokens", 16, cap) : null;
}

function belowMinimum(name: string, least: number, got: number): Refusal {
  const message = `Invalid '${name}': integer below minimum value. Expected a value >= ${least}, but got ${got} instead.`;
  return bad(message, name, "integer_below_min_value");
}

const sampling: readonly (readonly [name: string, field: keyof Family, usual: Json])[] = [
  ["temperature", "temperature", 1],
  ["top_p", "topP", 1],
  ["presence_penalty", "penalties", 0],
  ["frequency_penalty", "penalties", 0],
  ["logprobs", "logprobs", false],
  ["top_logprobs", "logprobs", 0],
  ["logit_bias", "penalties", null],
];

function refuseSampling(inputs: RefusalInputs): Refusal | null {
  const { body, model, ask, api } = inputs;
  const family = familyOf(model);
  if (family.isOpen) return null;
  const effort = ask.effort ?? family.efforts[0] ?? "none";
  for (const [name, field, usual] of sampling) {
    const value = body[name];
    if (value === undefined || value === null) continue;
    let treatment = family[field] as Treatment;
    if (treatment === "with_effort_none") {
      treatment = effort === "none" ? "taken" : name === "temperature" ? "default_only" : "unsupported";
    }
    const refusal = refuseValue(name, value, usual, treatment);
    // On the Responses API the same refusal has no code.
    if (refusal !== null) return api === "responses" ? { ...refusal, code: null } : refusal;
  }
  if (body.stop !== undefined && body.stop !== null && !family.takesStop) return unsupported("stop");
  return null;
}

function refuseValue(name: string, value: Json, usual: Json, treatment: Treatment): Refusal | null {
  if (treatment === "unsupported") return unsupported(name);
  if (treatment !== "default_only" || value === usual) return null;
  const message = `Unsupported value: '${name}' does not support ${JSON.stringify(value)} with this model. Only the default (${JSON.stringify(usual)}) value is supported.`;
  return bad(message, name, "unsupported_value");
}

function unsupported(name: string): Refusal {
  return bad(
    `Unsupported parameter: '${name}' is not supported with this model.`,
    name,
    "unsupported_parameter",
  );
}

/** In the order in which the vendor's message lists them. */
const allEfforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

function refuseEffort({ api, ask, body, model }: RefusalInputs): Refusal | null {
  const family = familyOf(model);
  if (family.isOpen) return null;
  const name = api === "responses" ? "reasoning.effort" : "reasoning_effort";
  if (body.verbosity !== undefined && !family.takesVerbosity) return unsupported("verbosity");
  if (ask.effort === null) return null;
  if (family.efforts.length === 0) return unsupported(name);
  if (family.efforts.includes(ask.effort)) return null;
  const values = allEfforts
    .filter((effort) => family.efforts.includes(effort))
    .map((effort) => `'${effort}'`);
  const last = values.at(-1) ?? "";
  const listed = values.length === 1 ? last : `${values.slice(0, -1).join(", ")}, and ${last}`;
  const message = `Unsupported value: '${name}' does not support '${ask.effort}' with this model. Supported values are: ${listed}.`;
  return bad(message, name, "unsupported_value");
}

function refuseTools({ api, ask, body, model }: RefusalInputs): Refusal | null {
  const family = familyOf(model);
  if (family.isOpen) return null;
  if (
    !family.takesSystemRole &&
    ask.messages.some((message) => message.role === "system" || message.role === "developer")
  ) {
    return bad(
      "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
      "messages[0].role",
      "unsupported_value",
    );
  }
  if (api !== "chat" || body.tools === undefined || ask.tools.length === 0) return null;
  if (!family.takesTools) return unsupported("tools");
  const effort = ask.effort ?? family.efforts[0] ?? "none";
  if (!family.toolsNeedEffortNone || effort === "none") return null;
  const message = `Function tools with reasoning_effort are not supported for ${model.name} in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.`;
  return bad(message, "reasoning_effort", null);
}

const ranges: readonly (readonly [name: string, least: number, most: number, type: "integer" | "decimal"])[] =
  [
    ["temperature", 0, 2, "decimal"],
    ["top_p", 0, 1, "decimal"],
    ["n", 1, 128, "integer"],
    ["top_logprobs", 0, 20, "integer"],
  ];

function refuseRanges({ body, model }: RefusalInputs): Refusal | null {
  const family = familyOf(model);
  if (typeof body.n === "number" && body.n > 1 && family.maxChoices === 1)
    return refuseValue("n", body.n, 1, "default_only");
  for (const [name, least, most, type] of ranges) {
    const value = body[name];
    if (typeof value !== "number" || (value >= least && value <= most)) continue;
    const [side, bound] = value < least ? ["below minimum", `>= ${least}`] : ["above maximum", `<= ${most}`];
    const message = `Invalid '${name}': ${type} ${side} value. Expected a value ${bound}, but got ${value} instead.`;
    return bad(message, name, `${type}_${value < least ? "below_min" : "above_max"}_value`);
  }
  return null;
}

/** The prompt does not fit the context window; the text states the vendor's own count. */
export function contextRefusal(model: Model, input: number): Refusal | null {
  if (input <= model.contextWindow) return null;
  const message = `This model's maximum context length is ${model.contextWindow} tokens. However, your messages resulted in ${input} tokens. Please reduce the length of the messages.`;
  return bad(message, "messages", "context_length_exceeded");
}
