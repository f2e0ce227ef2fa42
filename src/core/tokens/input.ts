import { planChatInput } from "./chat.ts";
import type { InputPlan, JsonObject } from "./plan.ts";
import { planCompletionInput, planEmbeddingInput } from "./prompts.ts";
import { planResponsesInput } from "./responses.ts";

const planners = {
  "chat/completions": planChatInput,
  responses: planResponsesInput,
  completions: planCompletionInput,
  embeddings: planEmbeddingInput,
} as const;

/** Paths under the API root whose input can be estimated. */
export type CountedOperation = keyof typeof planners;

export const planInput = (operation: CountedOperation, body: JsonObject, model: string): InputPlan =>
  planners[operation](body, model);
