import type { Api } from "./ask.ts";
import type { Refusal } from "./errors.ts";
import { familyOf } from "./families.ts";
import { bad, type RefusalInputs, type Rule } from "./refusal-rule.ts";

/** Which fields a request may and must have, and which model answers at which address. */
export const fieldRules: readonly Rule[] = [
  refuseMissing,
  refuseDataSources,
  refuseYoungerFields,
  refuseUnknown,
  refuseStreamOptions,
  refuseWrongApi,
];

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

/**
 * Azure on your data: its schema takes no stream_options, and its envelope is another one
 * (openai-python#2296).
 */
function refuseDataSources({ isAzure, body }: RefusalInputs): Refusal | null {
  if (!isAzure || body.data_sources === undefined || body.stream_options === undefined) return null;
  const message = "Validation error at #/stream_options: Extra inputs are not permitted";
  return { status: 400, message, isValidation: true };
}

/**
 * Fields that an Azure api-version is too old for: the first version that takes them (dialect:
 * stream_options).
 */
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

const chatFields = `model messages audio frequency_penalty function_call functions logit_bias logprobs
  max_completion_tokens max_tokens metadata modalities n parallel_tool_calls prediction presence_penalty
  prompt_cache_key prompt_cache_retention reasoning_effort response_format safety_identifier seed
  service_tier stop store stream stream_options temperature tool_choice tools top_logprobs top_p user
  verbosity web_search_options data_sources`;

const responsesFields = `model input background conversation include instructions max_output_tokens
  max_tool_calls metadata parallel_tool_calls previous_response_id prompt prompt_cache_key
  prompt_cache_retention reasoning safety_identifier service_tier store stream stream_options temperature
  text tool_choice tools top_logprobs top_p truncation user`;

const known: Readonly<Partial<Record<Api, ReadonlySet<string>>>> = {
  chat: new Set(chatFields.split(/\s+/)),
  responses: new Set(responsesFields.split(/\s+/)),
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
        "This is not a chat model and thus not supported in the v1/chat/completions endpoint. " +
          "Did you mean to use v1/completions?",
        "model",
        null,
      ),
      status: 404,
    };
  }
  if (api === "completions" && model.kind !== "completion") {
    return {
      ...bad(
        "This is a chat model and not supported in the v1/completions endpoint. Did you mean to " +
          "use v1/chat/completions?",
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
