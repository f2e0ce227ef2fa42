import type { Choice, Count } from "../answers.ts";
import type { JsonObject } from "../json.ts";
import { choiceLogprobs } from "../logprobs.ts";
import {
  type ChatShape,
  type ChoicePart,
  doneFrame,
  obfuscationFor,
  type ShapeContext,
  textOf,
} from "./shape.ts";

/**
 * OpenAI: usage in a chunk of its own when asked for, `usage:null` on all others then
 * (openai-chat-stream-usage.sse).
 */
export const openaiShape: ChatShape = {
  usage: { where: "own_chunk", isUnasked: false, elsewhere: "null" },
  showsReasoning: false,
  hasRoleChunk: true,
  usageObject: openaiUsage,
  opening: () => "",
  chunk: (context, part, usage) => ({
    id: context.id,
    object: "chat.completion.chunk",
    created: context.created,
    model: context.model,
    service_tier: context.tier,
    system_fingerprint: context.fingerprint,
    choices: part.kind === "usage" ? [] : [openaiChoice(part)],
    usage,
    obfuscation: obfuscationFor(context, textOf(part)),
  }),
  ending: () => doneFrame,
  body: (context, usage) => `${JSON.stringify(openaiBody(context, usage), null, 2)}\n`,
  errorFrame: () => ({
    error: {
      message:
        "The server had an error processing your request. Sorry about that! You can retry your " +
        "request, or contact us through our help center if the error persists.",
      type: "server_error",
      param: null,
      code: null,
    },
  }),
};

/** An ideal endpoint: usage is always sent, and nothing is padded. */
export const cleanShape: ChatShape = {
  ...openaiShape,
  usage: { where: "own_chunk", isUnasked: true, elsewhere: "absent" },
  chunk: (context, part, usage) => ({ ...openaiShape.chunk(context, part, usage), obfuscation: undefined }),
};

function openaiUsage(context: ShapeContext, count: Count): JsonObject {
  const writes = context.answer.count.cacheWrite > 0 ? { cache_write_tokens: count.cacheWrite } : {};
  return {
    prompt_tokens: count.input,
    completion_tokens: count.output,
    total_tokens: count.input + count.output,
    prompt_tokens_details: { cached_tokens: count.cachedInput, audio_tokens: 0, ...writes },
    completion_tokens_details: {
      reasoning_tokens: count.reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: count.acceptedPrediction,
      rejected_prediction_tokens: count.rejectedPrediction,
    },
  };
}

function openaiChoice(part: ChoicePart): JsonObject {
  return {
    index: part.index,
    delta: openaiDelta(part),
    logprobs: part.kind === "text" ? part.logprobs : null,
    finish_reason: part.kind === "finish" ? part.finish : null,
  };
}

/** A delta with OpenAI's key order. Only the first fragment of a tool call has its id, type and name. */
export function openaiDelta(part: ChoicePart): JsonObject {
  switch (part.kind) {
    case "role":
      return part.hasCalls
        ? { role: "assistant", content: null }
        : { role: "assistant", content: "", refusal: null };
    case "reasoning":
      return { reasoning_content: part.text };
    case "text":
      return { content: part.text };
    case "call": {
      const call = {
        index: part.call,
        id: part.id,
        type: "function",
        function: { name: part.name, arguments: "" },
      };
      return { tool_calls: [call] };
    }
    case "arguments":
      return { tool_calls: [{ index: part.call, function: { arguments: part.text } }] };
    case "finish":
      return {};
  }
}

function openaiBody(context: ShapeContext, usage: JsonObject | null | undefined): JsonObject {
  return {
    id: context.id,
    object: "chat.completion",
    created: context.created,
    model: context.model,
    choices: context.answer.choices.map((choice) => ({
      index: choice.index,
      message: openaiMessage(choice),
      logprobs: choiceLogprobs(context.ask, choice),
      finish_reason: choice.finish,
    })),
    usage,
    service_tier: context.tier,
    system_fingerprint: context.fingerprint,
  };
}

export function openaiMessage(choice: Choice): JsonObject {
  const hasCalls = choice.calls.length > 0;
  const calls = choice.calls.map((call) => ({
    id: call.id,
    type: "function",
    function: { name: call.name, arguments: call.fragments.map((piece) => piece.text).join("") },
  }));
  return {
    role: "assistant",
    content: hasCalls ? null : choice.pieces.map((piece) => piece.text).join(""),
    refusal: null,
    annotations: [],
    tool_calls: hasCalls ? calls : undefined,
  };
}
