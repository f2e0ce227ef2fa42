import type { Count } from "../answers.ts";
import type { JsonObject } from "../json.ts";
import { bareUsage, compatibleShape, finishOf, isUsage, logprobsOf, plainMessage } from "./compatible.ts";
import { openaiDelta } from "./openai.ts";
import type { ChatShape, ChoicePart, ShapeContext } from "./shape.ts";

/**
 * Groq: usage on the finish chunk, twice; a chunk of its own besides when asked for (groq-chat-stream.sse).
 */
export const groqShape: ChatShape = compatibleShape({
  usage: { where: "finish_chunk", isUnasked: true, elsewhere: "absent", hasOwnChunkToo: true },
  showsReasoning: true,
  usageObject: groqUsage,
  delta: (_context, part) => {
    if (part.kind === "role") return { role: "assistant", content: part.hasCalls ? null : "" };
    return part.kind === "reasoning" ? { reasoning: part.text } : openaiDelta(part);
  },
  chunk: (context, part, { head, choices, usage }) => ({
    ...head,
    system_fingerprint: "fp_f8b414701e",
    choices,
    x_groq: groqExtra(context, part.kind === "role" && part.index === 0, usage),
    usage,
  }),
  body: (context, { head, choices, usage }) => ({
    ...head,
    choices,
    usage,
    system_fingerprint: "fp_f8b414701e",
    x_groq: { id: groqId(context) },
    service_tier: "on_demand",
  }),
});

function groqExtra(
  context: ShapeContext,
  isFirst: boolean,
  usage: JsonObject | null | undefined,
): JsonObject | undefined {
  if (isFirst) return { id: groqId(context), seed: 1_535_227_698 };
  return isUsage(usage) ? { id: groqId(context), usage } : undefined;
}

function groqId(context: ShapeContext): string {
  return `req_01${context.id.replaceAll("-", "").slice(-24)}`;
}

function groqUsage(_context: ShapeContext, count: Count): JsonObject {
  return {
    queue_time: 0.0419,
    prompt_tokens: count.input,
    prompt_time: 0.0039,
    completion_tokens: count.output,
    completion_time: 0.011,
    total_tokens: count.input + count.output,
    total_time: 0.015,
  };
}

/**
 * DeepSeek: usage on the finish chunk, null before; visible reasoning; keep-alive comments (deepseek-chat-*).
 */
export const deepseekShape: ChatShape = compatibleShape({
  usage: { where: "finish_chunk", isUnasked: true, elsewhere: "null" },
  showsReasoning: true,
  opening: ": keep-alive\n\n: keep-alive\n\n",
  bodyOpening: "\n\n\n",
  usageObject: deepseekUsage,
  delta: deepseekDelta,
  message: (choice, context) => {
    const { role, content, tool_calls } = plainMessage(choice);
    const reasoning = choice.reasoning > 0 ? "Weighing the request." : undefined;
    return { role, content, reasoning_content: isThinking(context) ? reasoning : undefined, tool_calls };
  },
  chunk: (_context, _part, { head, choices, usage }) => ({
    ...head,
    system_fingerprint: deepseekFingerprint,
    choices,
    usage,
  }),
  body: (_context, { head, choices, usage }) => ({
    ...head,
    choices,
    usage,
    system_fingerprint: deepseekFingerprint,
  }),
});

const deepseekFingerprint = "fp_eaab8d114b_prod0820_fp8_kvcache";

function isThinking(context: ShapeContext): boolean {
  return context.answer.count.reasoning > 0;
}

function deepseekDelta(context: ShapeContext, part: ChoicePart): JsonObject {
  const isReasoner = isThinking(context);
  switch (part.kind) {
    case "role":
      return isReasoner
        ? { role: "assistant", content: null, reasoning_content: "" }
        : { role: "assistant", content: "" };
    case "reasoning":
      return { content: null, reasoning_content: part.text };
    case "text":
      return { content: part.text, reasoning_content: isReasoner ? null : undefined };
    case "finish":
      return { content: "", reasoning_content: isReasoner ? null : undefined };
    default:
      return openaiDelta(part);
  }
}

function deepseekUsage(_context: ShapeContext, count: Count): JsonObject {
  return {
    prompt_tokens: count.input,
    completion_tokens: count.output,
    total_tokens: count.input + count.output,
    prompt_tokens_details: { cached_tokens: count.cachedInput },
    completion_tokens_details: count.reasoning > 0 ? { reasoning_tokens: count.reasoning } : undefined,
    prompt_cache_hit_tokens: count.cachedInput,
    prompt_cache_miss_tokens: count.input - count.cachedInput,
  };
}

/** Mistral: usage on the finish chunk, without details (mistral-chat-stream.sse). */
export const mistralShape: ChatShape = compatibleShape({
  usage: { where: "finish_chunk", isUnasked: true, elsewhere: "absent" },
  usageObject: (_context, count) => ({
    prompt_tokens: count.input,
    total_tokens: count.input + count.output,
    completion_tokens: count.output,
  }),
  delta: (_context, part) => {
    if (part.kind === "role") return { role: "assistant", content: "" };
    return part.kind === "finish" ? { content: "" } : openaiDelta(part);
  },
  choice: (part, delta) => ({
    index: part.index,
    delta,
    finish_reason: finishOf(part),
    logprobs: logprobsOf(part),
  }),
});

/** Moonshot: usage inside the choice that finishes, and in a chunk of its own when asked for. */
export const moonshotShape: ChatShape = compatibleShape({
  usage: { where: "finish_choice", isUnasked: true, elsewhere: "absent", hasOwnChunkToo: true },
  showsReasoning: true,
  usageObject: (_context, count) => ({
    ...bareUsage(_context, count),
    cached_tokens: count.cachedInput > 0 ? count.cachedInput : undefined,
  }),
  choice: (part, delta, usage) => ({ index: part.index, delta, finish_reason: finishOf(part), usage }),
});

/** xAI: reasoning is outside completion_tokens and inside the total; the cost comes along in 10⁻¹⁰ USD. */
export const xaiShape: ChatShape = compatibleShape({
  usage: { where: "own_chunk", isUnasked: false, elsewhere: "absent" },
  showsReasoning: true,
  usageObject: (_context, count) => ({
    prompt_tokens: count.input,
    completion_tokens: count.output - count.reasoning,
    total_tokens: count.input + count.output,
    prompt_tokens_details: {
      text_tokens: count.input,
      audio_tokens: 0,
      image_tokens: 0,
      cached_tokens: count.cachedInput,
    },
    completion_tokens_details: {
      reasoning_tokens: count.reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: count.acceptedPrediction,
      rejected_prediction_tokens: count.rejectedPrediction,
    },
    num_sources_used: 0,
    cost_in_usd_ticks:
      (count.input - count.cachedInput) * 3_000 + count.cachedInput * 750 + count.output * 15_000,
  }),
  // The finish_reason key is missing, not null, until the end.
  choice: (part, delta) => ({
    index: part.index,
    delta,
    finish_reason: part.kind === "finish" ? part.finish : undefined,
  }),
  chunk: (_context, _part, { head, choices, usage }) => ({
    ...head,
    choices,
    usage,
    system_fingerprint: "fp_10f00c862d",
  }),
});

/** Gemini's OpenAI-compatible address: running totals on every chunk, thinking only inside the total. */
export const geminiShape: ChatShape = compatibleShape({
  hasRoleChunk: false,
  usage: { where: "every_chunk", isUnasked: false, elsewhere: "absent" },
  usageObject: (_context, count) => ({
    completion_tokens: count.output - count.reasoning,
    prompt_tokens: count.input,
    total_tokens: count.input + count.output,
  }),
  delta: (_context, part) => ({ ...openaiDelta(part), role: "assistant" }),
  choice: (part, delta) => ({
    delta,
    finish_reason: part.kind === "finish" ? part.finish : undefined,
    index: part.index,
  }),
  chunk: (context, _part, { choices, usage }) => ({
    choices,
    created: context.created,
    id: context.id,
    model: context.model,
    object: "chat.completion.chunk",
    usage,
  }),
});

/** Perplexity: running totals on every chunk, and another object name on the last one. */
export const perplexityShape: ChatShape = compatibleShape({
  hasRoleChunk: false,
  usage: { where: "every_chunk", isUnasked: true, elsewhere: "absent" },
  usageObject: (_context, count) => ({ ...bareUsage(_context, count), search_context_size: "low" }),
  delta: (_context, part) => ({ role: "assistant", ...openaiDelta(part) }),
  choice: (part, delta) => ({ index: part.index, delta, finish_reason: finishOf(part) }),
  chunk: (_context, part, { head, choices, usage }) => ({
    id: head.id,
    model: head.model,
    created: head.created,
    usage,
    object: part.kind === "finish" ? "chat.completion.done" : "chat.completion.chunk",
    choices,
  }),
});

/** OpenRouter: usage with its cost always; comments while it waits (openrouter-chat-stream.sse). */
export const openrouterShape: ChatShape = compatibleShape({
  usage: { where: "own_chunk", isUnasked: true, elsewhere: "absent" },
  hasRoleChunk: false,
  opening: ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n",
  usageObject: openrouterUsage,
  delta: (_context, part) => {
    if (part.kind === "role" || part.kind === "finish") return { role: "assistant", content: "" };
    return { role: "assistant", ...openaiDelta(part) };
  },
  choice: (part, delta) => ({
    index: part.index,
    delta,
    finish_reason: finishOf(part),
    native_finish_reason: finishOf(part),
    logprobs: logprobsOf(part),
  }),
  chunk: (_context, part, { head, choices, usage }) => ({
    id: head.id,
    provider: "OpenAI",
    model: head.model,
    object: head.object,
    created: head.created,
    choices,
    system_fingerprint: part.kind === "usage" ? undefined : "fp_7c1d0a4e55",
    usage,
  }),
  body: (_context, { head, choices, usage }) => ({
    id: head.id,
    provider: "OpenAI",
    model: head.model,
    object: head.object,
    created: head.created,
    choices,
    system_fingerprint: "fp_7c1d0a4e55",
    usage,
  }),
  errorObject: {
    error: { code: 502, message: "Provider disconnected" },
    choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }],
  },
});

/** Costs at gpt-4o-mini's prices, in USD as the vendor writes them: as floats. */
function openrouterUsage(_context: ShapeContext, count: Count): JsonObject {
  const prompt = ((count.input - count.cachedInput) * 15 + count.cachedInput * 7.5) / 1e8;
  const completions = (count.output * 60) / 1e8;
  return {
    prompt_tokens: count.input,
    completion_tokens: count.output,
    total_tokens: count.input + count.output,
    cost: prompt + completions,
    is_byok: false,
    prompt_tokens_details: {
      cached_tokens: count.cachedInput,
      cache_write_tokens: count.cacheWrite,
      audio_tokens: 0,
    },
    cost_details: {
      upstream_inference_cost: null,
      upstream_inference_prompt_cost: prompt,
      upstream_inference_completions_cost: completions,
    },
    completion_tokens_details: { reasoning_tokens: count.reasoning, image_tokens: 0 },
  };
}
