import { isCountedExactly } from "./encodings.ts";
import { type InputPlan, type JsonObject, PlanBuilder } from "./plan.ts";

/** What the input of a legacy completion consists of: text without framing; `suffix` is read too. */
export function planCompletionInput(body: JsonObject, model: string): InputPlan {
  const plan = new PlanBuilder(isCountedExactly(model));
  addPrompt(plan, body.prompt);
  plan.addText(body.suffix);
  return plan.build();
}

/** What the input of an embeddings request consists of. */
export function planEmbeddingInput(body: JsonObject, model: string): InputPlan {
  const plan = new PlanBuilder(isCountedExactly(model));
  addPrompt(plan, body.input);
  return plan.build();
}

/** A text, texts, tokens, or lists of tokens: the four forms the API takes. */
function addPrompt(plan: PlanBuilder, prompt: unknown): void {
  plan.addText(prompt);
  if (!Array.isArray(prompt)) return;
  for (const item of prompt) {
    if (typeof item === "number") plan.addTokens(1);
    else if (typeof item === "string") plan.addText(item);
    else if (Array.isArray(item)) plan.addTokens(item.length);
  }
}
