import { planInput } from "../core/tokens/input.ts";
import { estimateInput } from "../core/tokens/plan.ts";
import type { TokenCounter } from "../ports.ts";
import { promptText } from "./prompts.ts";
import type { CallCounts, CallRecord } from "./types.ts";

/** Counts prompts and answers with the tokenizer of the model that served, after the fact. */
export async function countCalls(
  tokens: TokenCounter,
  calls: readonly CallRecord[],
  by: { readonly model: string; readonly encoding: string },
): Promise<ReadonlyMap<string, CallCounts>> {
  const counts = new Map<string, CallCounts>();
  for (const { plan, answer } of calls) {
    if (answer === null) continue;
    const input = planInput("chat/completions", plan.body, by.model);
    const count = async (texts: readonly string[]): Promise<number> =>
      (await tokens.countAll(texts, by.encoding)).tokens;
    counts.set(plan.id, {
      inputEstimate: estimateInput(input, await tokens.countAll(input.texts, by.encoding)).tokens,
      inputCharacters: promptText(plan.prompt).length,
      visibleTokens: await count([answer.text]),
      shownReasoningTokens: await count([answer.reasoningText]),
    });
  }
  return counts;
}
