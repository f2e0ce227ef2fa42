import type { Choice, Count } from "./answers.ts";
import type { Attempt } from "./attempt.ts";
import { familyOf } from "./families.ts";
import type { Job } from "./job.ts";
import { type Json, type JsonObject, parseJsonObject, readObject } from "./json.ts";
import { safeResults } from "./shapes/azure.ts";

export type ResponseStatus = "queued" | "in_progress" | "completed" | "incomplete" | "cancelled" | "failed";

/** What differs between two states of the same response. */
export interface ResponseState {
  readonly status: ResponseStatus;
  /** Why it is incomplete: `max_output_tokens` or `content_filter`. */
  readonly incompleteReason: string | null;
  readonly output: readonly JsonObject[];
  readonly usage: JsonObject | null;
}

/** The ids of a response's output items; made once, so that every event of a stream names the same items. */
export interface ItemIds {
  readonly message: string;
  readonly reasoning: string;
  readonly calls: readonly string[];
}

/** A job of the Responses API. */
export interface ResponseJob extends Job {
  readonly ids: ItemIds;
}

/**
 * A Response object with the vendor's keys in its order (openai-responses.json, azure-responses-stream.sse).
 */
export function responseObject(job: Job, state: ResponseState): JsonObject {
  const { attempt, ask, context } = job;
  const body = bodyOf(attempt);
  const { isAzure } = attempt.vendor.settings.profile;
  const isOver = state.status !== "queued" && state.status !== "in_progress";
  return {
    id: context.id,
    object: "response",
    created_at: context.created,
    status: state.status,
    background: ask.isBackground,
    completed_at: state.status === "completed" ? context.created + 2 : null,
    error: null,
    incomplete_details: state.incompleteReason === null ? null : { reason: state.incompleteReason },
    instructions: body.instructions ?? null,
    max_output_tokens: ask.outputCap,
    max_tool_calls: null,
    model: isAzure ? context.deployment : context.model,
    output: state.output,
    parallel_tool_calls: ask.parallelTools,
    previous_response_id: ask.previousResponseId,
    prompt_cache_key: body.prompt_cache_key ?? null,
    prompt_cache_retention: null,
    reasoning: { effort: ask.effort ?? familyOf(job.model).efforts[0] ?? null, summary: null },
    safety_identifier: null,
    service_tier: isOver ? context.tier : "auto",
    store: body.store ?? true,
    temperature: body.temperature ?? 1,
    text: { format: readObject(body.text).format ?? { type: "text" }, verbosity: "medium" },
    tool_choice: body.tool_choice ?? "auto",
    tools: body.tools ?? [],
    top_logprobs: 0,
    top_p: body.top_p ?? 1,
    truncation: body.truncation ?? "disabled",
    usage: state.usage,
    user: body.user ?? null,
    metadata: body.metadata ?? {},
    content_filters: isAzure ? (isOver ? contentFilters(job) : null) : undefined,
  };
}

export function responseUsage(job: Job, count: Count): JsonObject {
  const { isAzure } = job.attempt.vendor.settings.profile;
  return {
    input_tokens: count.input,
    input_tokens_details:
      isAzure || job.ask.isBackground
        ? { cached_tokens: count.cachedInput }
        : { cache_write_tokens: count.cacheWrite, cached_tokens: count.cachedInput },
    output_tokens: count.output,
    output_tokens_details: { reasoning_tokens: count.reasoning },
    total_tokens: count.input + count.output,
  };
}

export function makeItemIds(job: Job): ItemIds {
  const { random } = job.attempt;
  const calls = job.answer.choices[0]?.calls ?? [];
  return {
    message: `msg_0${random.hex(49)}`,
    reasoning: `rs_0${random.hex(49)}`,
    calls: calls.map(() => `fc_0${random.hex(49)}`),
  };
}

/** The finished output items of a choice. */
export function outputItems(choice: Choice, ids: ItemIds, status: string): JsonObject[] {
  const shown = choice.pieces.map((piece) => piece.text).join("");
  const items: JsonObject[] = [];
  if (choice.reasoning > 0) items.push(reasoningItem(ids));
  if (hasMessage(choice)) items.push(messageItem(ids, status, [textPart(shown)]));
  for (const [at, call] of choice.calls.entries()) {
    const text = call.fragments.map((piece) => piece.text).join("");
    items.push(callItem({ id: ids.calls[at] ?? "", callId: call.id, name: call.name, text, status }));
  }
  return items;
}

/** A cap that reasoning ate up leaves no message at all. */
export function hasMessage(choice: Choice): boolean {
  return choice.calls.length === 0 && !(choice.finish === "length" && choice.pieces.length === 0);
}

export function reasoningItem(ids: ItemIds): JsonObject {
  return { id: ids.reasoning, type: "reasoning", summary: [] };
}

export function messageItem(ids: ItemIds, status: string, content: readonly Json[]): JsonObject {
  return { id: ids.message, type: "message", status, content, role: "assistant" };
}

export function callItem(call: {
  id: string;
  callId: string;
  name: string;
  text: string;
  status: string;
}): JsonObject {
  const { id, status, text, callId, name } = call;
  return { id, type: "function_call", status, arguments: text, call_id: callId, name };
}

export function textPart(text: string): JsonObject {
  return { type: "output_text", annotations: [], logprobs: [], text };
}

function bodyOf(attempt: Attempt): JsonObject {
  return parseJsonObject(attempt.body.toString("utf8")) ?? {};
}

function contentFilters(job: Job): JsonObject[] {
  const { input } = job.answer.count;
  const length = job.answer.choices[0]?.pieces.reduce((sum, piece) => sum + piece.text.length, 0) ?? 0;
  const filter = (source: string, end: number, results: JsonObject): JsonObject => ({
    blocked: false,
    source_type: source,
    content_filter_raw: null,
    content_filter_results: results,
    content_filter_offsets: { start_offset: 0, end_offset: end, check_offset: 0 },
  });
  const jailbreak = { filtered: false, detected: false };
  return [
    filter("prompt", input * 4, { ...safeResults, jailbreak }),
    filter("completion", length, safeResults),
  ];
}
