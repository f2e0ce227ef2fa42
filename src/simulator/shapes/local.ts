import type { Count } from "../answers.ts";
import type { JsonObject } from "../json.ts";
import { bareUsage, compatibleShape, finishOf, isUsage, logprobsOf } from "./compatible.ts";
import { openaiDelta } from "./openai.ts";
import type { ChatShape, ShapeContext } from "./shape.ts";

/**
 * vLLM: the usage key is left out, not null; running totals per choice on request (vllm-chat-stream-*.sse).
 */
export const vllmShape: ChatShape = compatibleShape({
  usage: { where: "own_chunk", isUnasked: false, elsewhere: "absent" },
  showsReasoning: true,
  usageObject: vllmUsage,
  delta: (_context, part) => {
    if (part.kind === "role") return { role: "assistant", content: "" };
    return part.kind === "finish" ? { content: "" } : openaiDelta(part);
  },
  choice: (part, delta) => ({
    index: part.index,
    delta,
    logprobs: logprobsOf(part),
    finish_reason: finishOf(part),
    stop_reason: part.kind === "finish" ? null : undefined,
  }),
  errorObject: {
    error: {
      object: "error",
      message: "EngineCore encountered an issue.",
      type: "InternalServerError",
      param: null,
      code: 500,
    },
  },
});

function vllmUsage(_context: ShapeContext, count: Count): JsonObject {
  return {
    prompt_tokens: count.input,
    total_tokens: count.input + count.output,
    completion_tokens: count.output,
  };
}

/** Ollama: the role on every chunk, no details (ollama-chat-stream-usage.sse). */
export const ollamaShape: ChatShape = compatibleShape({
  usage: { where: "own_chunk", isUnasked: false, elsewhere: "absent" },
  showsReasoning: true,
  hasRoleChunk: false,
  usageObject: bareUsage,
  delta: (_context, part) => {
    if (part.kind === "role" || part.kind === "finish") return { role: "assistant", content: "" };
    const { reasoning_content, ...delta } = openaiDelta(part);
    return { role: "assistant", ...delta, reasoning: reasoning_content };
  },
  choice: (part, delta) => ({ index: part.index, delta, finish_reason: finishOf(part) }),
  chunk: (_context, _part, { head, choices, usage }) => ({
    ...head,
    system_fingerprint: "fp_ollama",
    choices,
    usage,
  }),
  errorObject: {
    error: {
      message: "an error was encountered while running the model",
      type: "api_error",
      param: null,
      code: null,
    },
  },
});

/** llama.cpp: a usage chunk with timings though nobody asked (llamacpp-chat-stream.sse). */
export const llamacppShape: ChatShape = compatibleShape({
  usage: { where: "own_chunk", isUnasked: true, elsewhere: "absent" },
  showsReasoning: true,
  usageObject: (_context, count) => ({
    completion_tokens: count.output,
    prompt_tokens: count.input,
    total_tokens: count.input + count.output,
  }),
  delta: (_context, part) =>
    part.kind === "role" ? { role: "assistant", content: null } : openaiDelta(part),
  choice: (part, delta) => ({ finish_reason: finishOf(part), index: part.index, delta }),
  chunk: (context, part, { head, choices, usage }) => ({
    ...head,
    system_fingerprint: "b6150-example",
    choices,
    usage,
    timings: part.kind === "usage" && isUsage(usage) ? timings(context) : undefined,
  }),
});

function timings(context: ShapeContext): JsonObject {
  const { input, output } = context.answer.count;
  return { prompt_n: input, prompt_ms: 20.1, predicted_n: output, predicted_ms: 15.5 };
}
