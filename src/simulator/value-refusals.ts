import type { Refusal } from "./errors.ts";
import { type Family, familyOf, type Treatment } from "./families.ts";
import type { Json, JsonObject } from "./json.ts";
import { bad, type RefusalInputs, type Rule } from "./refusal-rule.ts";

/** Which values a model takes: the matrix of parameters by model family. */
export const valueRules: readonly Rule[] = [
  refuseLimits,
  refuseSampling,
  refuseEffort,
  refuseTools,
  refuseRanges,
];

function refuseLimits({ api, body, model }: RefusalInputs): Refusal | null {
  const family = familyOf(model);
  if (api === "responses") return refuseResponsesLimit(body);
  if (api !== "chat" || family.isOpen) return null;
  if (body.max_tokens !== undefined && body.max_tokens !== null) {
    if (!family.takesMaxTokens) {
      return bad(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use " +
          "'max_completion_tokens' instead.",
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
        `${name} is too large: ${cap}. This model supports at most ${model.maxOutput} completion ` +
          `tokens, whereas you provided ${cap}.`,
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
  const message =
    `Invalid '${name}': integer below minimum value. Expected a value >= ${least}, but got ` +
    `${got} instead.`;
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
    const refusal = refuseValue({ name, value, usual }, treatment);
    // On the Responses API the same refusal has no code.
    if (refusal !== null) return api === "responses" ? { ...refusal, code: null } : refusal;
  }
  if (body.stop !== undefined && body.stop !== null && !family.takesStop) return unsupported("stop");
  return null;
}

interface Given {
  readonly name: string;
  readonly value: Json;
  /** The default, which is taken even when nothing else is. */
  readonly usual: Json;
}

function refuseValue({ name, value, usual }: Given, treatment: Treatment): Refusal | null {
  if (treatment === "unsupported") return unsupported(name);
  if (treatment !== "default_only" || value === usual) return null;
  const message =
    `Unsupported value: '${name}' does not support ${JSON.stringify(value)} with this model. ` +
    `Only the default (${JSON.stringify(usual)}) value is supported.`;
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
  const message =
    `Unsupported value: '${name}' does not support '${ask.effort}' with this model. ` +
    `Supported values are: ${listed}.`;
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
  const message =
    `Function tools with reasoning_effort are not supported for ${model.name} in ` +
    "/v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort " +
    "to 'none'.";
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
    return refuseValue({ name: "n", value: body.n, usual: 1 }, "default_only");
  for (const [name, least, most, type] of ranges) {
    const value = body[name];
    if (typeof value !== "number" || (value >= least && value <= most)) continue;
    const [side, bound] = value < least ? ["below minimum", `>= ${least}`] : ["above maximum", `<= ${most}`];
    const expected = `Expected a value ${bound}, but got ${value} instead.`;
    const message = `Invalid '${name}': ${type} ${side} value. ${expected}`;
    return bad(message, name, `${type}_${value < least ? "below_min" : "above_max"}_value`);
  }
  return null;
}
