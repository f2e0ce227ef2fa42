import type { Choice, Count } from "../answers.ts";
import type { JsonObject } from "../json.ts";
import { choiceLogprobs } from "../logprobs.ts";
import { openaiShape } from "./openai.ts";
import {
  type ChatShape,
  type ChoicePart,
  doneFrame,
  frame,
  obfuscationFor,
  type ShapeContext,
  textOf,
  textOfChoice,
  type UsageField,
} from "./shape.ts";

const safe = { filtered: false, severity: "safe" };
export const safeResults: JsonObject = { hate: safe, self_harm: safe, sexual: safe, violence: safe };
const cutResults: JsonObject = { ...safeResults, violence: { filtered: true, severity: "high" } };
const promptResults: JsonObject = {
  hate: safe,
  jailbreak: { filtered: false, detected: false },
  self_harm: safe,
  sexual: safe,
  violence: safe,
};

/**
 * Azure: an empty chunk with the prompt's filter results first, keys in alphabetical order
 * (azure-chat-stream-*.sse).
 */
export const azureShape: ChatShape = {
  usage: { where: "own_chunk", isUnasked: false, elsewhere: "null" },
  showsReasoning: false,
  hasRoleChunk: true,
  opensWithCall: true,
  usageObject: azureUsage,
  opening: (context) => frame(filterChunk(context)),
  chunk: (context, part, usage) => {
    const hasCalls = context.answer.choices.some((choice) => choice.calls.length > 0);
    const choices =
      part.kind === "usage" ? [] : [{ content_filter_results: filterResults(part), ...azureChoice(part) }];
    return azureChunk(context, {
      choices,
      usage,
      obfuscation: hasCalls ? undefined : obfuscationFor(context, textOf(part)),
    });
  },
  ending: () => doneFrame,
  body: (context, usage) => JSON.stringify(azureBody(context, usage)),
  errorFrame: openaiShape.errorFrame,
};

/**
 * Azure with the asynchronous filter: bare text, and annotation chunks without a delta
 * (azure-chat-stream-async-filter.sse).
 */
export const azureAsyncShape: ChatShape = {
  ...azureShape,
  chunk: (context, part, usage) => {
    const choices = part.kind === "usage" ? [] : [azureChoice(part)];
    return azureChunk(context, { choices, usage, obfuscation: undefined });
  },
  beforeFinish: annotations,
  afterFinish: annotations,
};

/** The first chunk; the previews of 2023 called the key `prompt_annotations`. */
function filterChunk(context: ShapeContext): JsonObject {
  const results = [{ prompt_index: 0, content_filter_results: promptResults }];
  const empty = { choices: [], created: 0, id: "", model: "", object: "" };
  const isOld = context.apiVersion?.startsWith("2023-") === true;
  return isOld ? { ...empty, prompt_annotations: results } : { ...empty, prompt_filter_results: results };
}

interface ChunkFields {
  readonly choices: readonly JsonObject[];
  readonly obfuscation: string | undefined;
  readonly usage: UsageField;
}

function azureChunk(context: ShapeContext, { choices, obfuscation, usage }: ChunkFields): JsonObject {
  return {
    choices,
    created: context.created,
    id: context.id,
    model: context.model,
    obfuscation,
    object: "chat.completion.chunk",
    system_fingerprint: context.fingerprint,
    usage,
  };
}

function azureChoice(part: ChoicePart): JsonObject {
  return {
    delta: azureDelta(part),
    finish_reason: part.kind === "finish" ? part.finish : null,
    index: part.index,
    logprobs: part.kind === "text" ? part.logprobs : null,
  };
}

function filterResults(part: ChoicePart): JsonObject {
  if (part.kind === "text") return safeResults;
  return part.kind === "finish" && part.finish === "content_filter" ? cutResults : {};
}

function azureDelta(part: ChoicePart): JsonObject {
  switch (part.kind) {
    case "role":
      return { content: part.hasCalls ? null : "", refusal: null, role: "assistant" };
    case "reasoning":
    case "text":
      return { content: part.text };
    case "call": {
      const call = {
        function: { arguments: "", name: part.name },
        id: part.id,
        index: part.call,
        type: "function",
      };
      const opening = part.opens ? { content: null, refusal: null, role: "assistant" } : {};
      return { ...opening, tool_calls: [call] };
    }
    case "arguments":
      return { tool_calls: [{ function: { arguments: part.text }, index: part.call }] };
    case "finish":
      return {};
  }
}

/** The details are null at the GA version 2024-10-21 and unknown before it (griptape-ai/griptape#1640). */
function azureUsage(context: ShapeContext, count: Count): JsonObject {
  const base = {
    completion_tokens: count.output,
    prompt_tokens: count.input,
    total_tokens: count.input + count.output,
  };
  const version = context.apiVersion ?? "v1";
  if (version === "2024-10-21")
    return { ...base, completion_tokens_details: null, prompt_tokens_details: null };
  if (/^20/.test(version) && version < "2024-09-01") return base;
  const writes = context.answer.count.cacheWrite > 0 ? { cache_write_tokens: count.cacheWrite } : {};
  return {
    completion_tokens: count.output,
    completion_tokens_details: {
      accepted_prediction_tokens: count.acceptedPrediction,
      audio_tokens: 0,
      reasoning_tokens: count.reasoning,
      rejected_prediction_tokens: count.rejectedPrediction,
    },
    prompt_tokens: count.input,
    prompt_tokens_details: { audio_tokens: 0, ...writes, cached_tokens: count.cachedInput },
    total_tokens: count.input + count.output,
  };
}

function azureBody(context: ShapeContext, usage: UsageField): JsonObject {
  return {
    choices: context.answer.choices.map((choice) => ({
      content_filter_results: choice.pieces.length > 0 ? safeResults : {},
      finish_reason: choice.finish,
      index: choice.index,
      logprobs: choiceLogprobs(context.ask, choice),
      message: azureMessage(choice),
    })),
    created: context.created,
    id: context.id,
    model: context.model,
    object: "chat.completion",
    prompt_filter_results: [{ prompt_index: 0, content_filter_results: promptResults }],
    system_fingerprint: context.fingerprint,
    usage,
  };
}

function azureMessage(choice: Choice): JsonObject {
  const calls = choice.calls.map((call) => ({
    function: { arguments: call.fragments.map((piece) => piece.text).join(""), name: call.name },
    id: call.id,
    type: "function",
  }));
  const hasCalls = calls.length > 0;
  return {
    annotations: [],
    content: hasCalls ? null : choice.pieces.map((piece) => piece.text).join(""),
    refusal: null,
    role: "assistant",
    tool_calls: hasCalls ? calls : undefined,
  };
}

function annotations(context: ShapeContext, usage: UsageField): string {
  return context.answer.choices.map((choice) => annotation(context, choice.index, usage)).join("");
}

function annotation(context: ShapeContext, index: number, usage: UsageField): string {
  const end = textOfChoice(context.answer, index).length;
  return frame({
    id: "",
    object: "",
    created: 0,
    model: "",
    choices: [
      {
        index,
        finish_reason: null,
        content_filter_results: safeResults,
        content_filter_raw: [],
        content_filter_offsets: { check_offset: end, start_offset: 0, end_offset: end },
      },
    ],
    usage,
  });
}
