import { planInput } from "../core/tokens/input.ts";
import { encodingFor } from "../core/tokens/encodings.ts";
import { estimateOutputText } from "../core/tokens/output.ts";
import { estimateInput, type InputEstimate } from "../core/tokens/plan.ts";
import { type EstimateReason, type MeterReading, noFees, noUsage, nothingBilled } from "../core/usage.ts";
import type { TokenCounter } from "../ports.ts";
import type { AnswerMeter } from "../protocol/answer-meter.ts";
import { operations, type RequestFacts } from "../protocol/request.ts";

/** Tokens of the request's own input, by the tokenizer of `model` and what was learned of the deployment's overhead. */
export async function countInput(tokens: TokenCounter, facts: RequestFacts, target: { model: string; overhead: number }): Promise<InputEstimate> {
  const plan = planInput(operations[facts.operation], facts.body, target.model);
  const counted = await tokens.countAll(plan.texts, encodingFor(target.model).encoding);
  const estimate = estimateInput(plan, counted);
  return { ...estimate, tokens: Math.max(estimate.tokens + target.overhead, 0) };
}

export interface EstimateFacts {
  readonly facts: RequestFacts;
  readonly model: string;
  readonly overhead: number;
  readonly cap: number | null;
  readonly reason: EstimateReason;
  /** The vendor said that it finished. */
  readonly isComplete: boolean;
}

/**
 * The reading that takes the place of usage that never came. Says of itself how it was made and what it is: a stop at the
 * cap counts the cap (it is billed whole, hidden reasoning included), else the tokens of the text that was seen.
 */
export async function estimateReading(tokens: TokenCounter, meter: AnswerMeter, about: EstimateFacts): Promise<MeterReading> {
  if (about.reason === "vendor_error" && !meter.hasOutput()) return nothingBilled;
  const input = await countInput(tokens, about.facts, about);
  const output = await estimateOutput(tokens, meter, about);
  const isExact = input.isExactInPractice && output.isExact;
  return {
    usage: { ...noUsage, input: input.tokens, output: output.tokens, total: input.tokens + output.tokens },
    fees: meter.fees ?? noFees,
    source: "estimated",
    method: output.method,
    bound: isExact ? "exact_in_practice" : "lower_bound",
    reason: about.reason,
  };
}

/** The share of output in an answer without usage. */
export async function estimateOutput(
  tokens: TokenCounter,
  meter: AnswerMeter,
  about: Pick<EstimateFacts, "model" | "cap" | "isComplete" | "facts">,
): Promise<{ tokens: number; isExact: boolean; method: "tokenizer" | "cap_reached" }> {
  const seen = meter.output();
  const { facts, cap } = about;
  const isCapReached = seen.finishReasons.length === facts.choices && seen.finishReasons.every((reason) => reason === "length");
  if (isCapReached && cap !== null) return { tokens: cap * facts.choices, isExact: true, method: "cap_reached" };
  const counted = await tokens.countAll([seen.text], encodingFor(about.model).encoding);
  const estimate = estimateOutputText({
    model: about.model,
    counted: { ...counted, tokens: counted.tokens + seen.droppedBytes, isUpperBound: counted.isUpperBound || seen.droppedBytes > 0 },
    isComplete: about.isComplete && !seen.hasFilter,
    hasToolCalls: seen.hasTools,
  });
  return { tokens: estimate.tokens, isExact: estimate.isExactInPractice, method: "tokenizer" };
}

/** The input alone, when the vendor bills a prompt and says nothing else (a filtered prompt, an answer never read). */
export async function estimateInputOnly(tokens: TokenCounter, about: EstimateFacts): Promise<MeterReading> {
  const input = await countInput(tokens, about.facts, about);
  return {
    usage: { ...noUsage, input: input.tokens, total: input.tokens },
    fees: noFees,
    source: "estimated",
    method: "tokenizer",
    bound: "lower_bound",
    reason: about.reason,
  };
}
