import type { Choice, Count } from "../answers.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { choiceLogprobs } from "../logprobs.ts";
import { openaiDelta, openaiMessage } from "./openai.ts";
import {
  type ChatShape,
  type ChoicePart,
  doneFrame,
  type Part,
  type ShapeContext,
  type UsageField,
} from "./shape.ts";

/** What one compatible vendor does in its own way; the rest is as OpenAI does it. */
export interface Difference {
  readonly usage: ChatShape["usage"];
  readonly showsReasoning?: boolean;
  readonly hasRoleChunk?: boolean;
  usageObject(context: ShapeContext, count: Count): JsonObject;
  delta?(context: ShapeContext, part: ChoicePart): JsonObject;
  /** The choice around its delta; the keys in the vendor's order. */
  choice?(part: ChoicePart, delta: JsonObject, usage: UsageField): JsonObject;
  /** The keys of a chunk in the vendor's order; `base` has the usual ones. */
  chunk?(context: ShapeContext, part: Part, base: ChunkBase): JsonObject;
  message?(choice: Choice, context: ShapeContext): JsonObject;
  body?(context: ShapeContext, base: BodyBase): JsonObject;
  readonly opening?: string;
  readonly bodyOpening?: string;
  readonly errorObject?: JsonObject;
}

interface ChunkBase {
  readonly head: { id: string; object: string; created: number; model: string };
  readonly choices: readonly JsonObject[];
  readonly usage: UsageField;
}

interface BodyBase {
  readonly head: { id: string; object: string; created: number; model: string };
  readonly choices: readonly JsonObject[];
  readonly usage: UsageField;
}

/** A vendor's shape from what differs. */
export function compatibleShape(difference: Difference): ChatShape {
  const { usage, showsReasoning = false, hasRoleChunk = true } = difference;
  return {
    usage,
    showsReasoning,
    hasRoleChunk,
    usageObject: difference.usageObject,
    opening: () => difference.opening ?? "",
    chunk: (context, part, field) => writeChunk(difference, context, { part, usage: field }),
    ending: () => doneFrame,
    body: (context, field) =>
      `${difference.bodyOpening ?? ""}${JSON.stringify(writeBody(difference, context, field))}`,
    errorFrame: () => difference.errorObject ?? { error: serverError },
  };
}

const serverError = {
  message: "The server had an error while processing your request.",
  type: "server_error",
  param: null,
  code: null,
};

function writeChunk(
  difference: Difference,
  context: ShapeContext,
  said: { part: Part; usage: UsageField },
): JsonObject {
  const { part, usage } = said;
  const isInChoice = difference.usage.where === "finish_choice" && part.kind !== "usage";
  const base: ChunkBase = {
    head: { id: context.id, object: "chat.completion.chunk", created: context.created, model: context.model },
    choices: part.kind === "usage" ? [] : [writeChoice(difference, context, { part, usage })],
    usage: isInChoice ? undefined : usage,
  };
  if (difference.chunk !== undefined) return difference.chunk(context, part, base);
  return { ...base.head, choices: base.choices, usage: base.usage };
}

function writeChoice(
  difference: Difference,
  context: ShapeContext,
  { part, usage }: { part: ChoicePart; usage: UsageField },
): JsonObject {
  const delta = difference.delta?.(context, part) ?? openaiDelta(part);
  if (difference.choice !== undefined) return difference.choice(part, delta, usage);
  return { index: part.index, delta, logprobs: logprobsOf(part), finish_reason: finishOf(part) };
}

function writeBody(difference: Difference, context: ShapeContext, usage: UsageField): JsonObject {
  const base: BodyBase = {
    head: { id: context.id, object: "chat.completion", created: context.created, model: context.model },
    choices: context.answer.choices.map((choice) => ({
      index: choice.index,
      message: difference.message?.(choice, context) ?? plainMessage(choice),
      logprobs: choiceLogprobs(context.ask, choice),
      finish_reason: choice.finish,
    })),
    usage,
  };
  if (difference.body !== undefined) return difference.body(context, base);
  return { ...base.head, choices: base.choices, usage: base.usage };
}

/** A message without the keys that only OpenAI has. */
export function plainMessage(choice: Choice): JsonObject {
  const { role, content, tool_calls } = openaiMessage(choice);
  return { role, content, tool_calls };
}

export function finishOf(part: ChoicePart): string | null {
  return part.kind === "finish" ? part.finish : null;
}

export function logprobsOf(part: ChoicePart): JsonObject | null {
  return part.kind === "text" ? part.logprobs : null;
}

/** `{prompt_tokens, completion_tokens, total_tokens}` and nothing more. */
export function bareUsage(_context: ShapeContext, count: Count): JsonObject {
  return {
    prompt_tokens: count.input,
    completion_tokens: count.output,
    total_tokens: count.input + count.output,
  };
}

export function isUsage(usage: UsageField): usage is JsonObject {
  return isJsonObject(usage ?? null);
}
