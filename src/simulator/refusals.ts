import type { Prompt } from "./answers.ts";
import type { Refusal } from "./errors.ts";
import { fieldRules } from "./field-refusals.ts";
import type { Model } from "./models.ts";
import { bad, type RefusalInputs } from "./refusal-rule.ts";
import { valueRules } from "./value-refusals.ts";

/** Why the vendor refuses this request, or null when it takes it. The first rule that fails speaks. */
export function findRefusal(inputs: RefusalInputs): Refusal | null {
  for (const rule of [...fieldRules, ...valueRules]) {
    const refusal = rule(inputs);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** The prompt does not fit the context window; the text states the vendor's own count. */
export function contextRefusal(model: Model, prompt: Prompt): Refusal | null {
  const { input, tools } = prompt;
  if (input <= model.contextWindow) return null;
  const split = tools === 0 ? "" : ` (${input - tools} in the messages, ${tools} in the functions)`;
  const message =
    `This model's maximum context length is ${model.contextWindow} tokens. However, your messages ` +
    `resulted in ${input} tokens${split}. Please reduce the length of the messages${tools === 0 ? "" : " or functions"}.`;
  return bad(message, "messages", "context_length_exceeded");
}
