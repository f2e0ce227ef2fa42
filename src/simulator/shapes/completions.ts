import type { JsonObject } from "../json.ts";
import { bareUsage } from "./compatible.ts";
import { openaiShape } from "./openai.ts";
import { type ChatShape, doneFrame, type Part, type ShapeContext, textOf, textOfChoice } from "./shape.ts";

/**
 * Legacy completions: the same object name streamed or not, usage without details (openai-completions.json).
 */
export const completionsShape: ChatShape = {
  ...openaiShape,
  hasRoleChunk: false,
  usageObject: bareUsage,
  opening: () => "",
  chunk: (context, part, usage) => ({
    ...head(context),
    choices: part.kind === "usage" ? [] : [choice(part)],
    usage,
  }),
  ending: () => doneFrame,
  body: (context, usage) => {
    const choices = context.answer.choices.map(({ index, finish }) => ({
      text: textOfChoice(context.answer, index),
      index,
      logprobs: null,
      finish_reason: finish,
    }));
    return JSON.stringify({ ...head(context), choices, usage });
  },
};

function head(context: ShapeContext): JsonObject {
  return { id: context.id, object: "text_completion", created: context.created, model: context.model };
}

function choice(part: Exclude<Part, { kind: "usage" }>): JsonObject {
  return {
    text: textOf(part),
    index: part.index,
    logprobs: null,
    finish_reason: part.kind === "finish" ? part.finish : null,
  };
}
