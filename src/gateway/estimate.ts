import { encodingFor, isCountedExactly } from "../core/tokens/encodings.ts";
import { planInput } from "../core/tokens/input.ts";
import { estimateOutputText } from "../core/tokens/output.ts";
import { estimateInput, type InputEstimate } from "../core/tokens/plan.ts";
import { type EstimateReason, type MeterReading, noFees, noUsage } from "../core/usage.ts";
import type { TokenCounter } from "../ports.ts";
import type { AnswerMeter, SeenOutput } from "../protocol/answer-meter.ts";
import { operations, type RequestFacts } from "../protocol/request.ts";

/** Tokens of the request's own input, by the tokenizer of `model` and what was learned of the deployment's overhead. */
export async function countInput(
  tokens: TokenCounter,
  facts: RequestFacts,
  target: { model: string; overhead: number },
): Promise<InputEstimate> {
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
export async function estimateReading(
  tokens: TokenCounter,
  meter: AnswerMeter,
  about: EstimateFacts,
): Promise<MeterReading> {
  const input = await countInput(tokens, about.facts, about);
  const output = await estimateOutput(tokens, meter.output(), about);
  const isExact = input.isExactInPractice && output.isExact;
  return {
    usage: { ...noUsage, input: input.tokens, output: output.tokens, total: input.tokens + output.tokens },
    fees: meter.feesSoFar(),
    source: "estimated",
    method: output.method,
    bound: isExact ? "exact_in_practice" : "lower_bound",
    reason: about.reason,
  };
}

export interface OutputEstimate {
  readonly tokens: number;
  readonly isExact: boolean;
  readonly method: "tokenizer" | "cap_reached";
}

/** The share of output in an answer without usage. */
export async function estimateOutput(
  tokens: TokenCounter,
  seen: SeenOutput,
  about: Pick<EstimateFacts, "model" | "cap" | "isComplete" | "facts">,
): Promise<OutputEstimate> {
  const { facts, cap, model } = about;
  if (facts.operation === "embeddings") return { tokens: 0, isExact: true, method: "tokenizer" };
  const counted = await tokens.countAll([seen.text], encodingFor(model).encoding);
  const isAtCap =
    seen.finishReasons.length === facts.choices && seen.finishReasons.every((reason) => reason === "length");
  if (isAtCap && cap !== null && isPlausible(counted.tokens, { cap: cap * facts.choices, model })) {
    return { tokens: cap * facts.choices, isExact: true, method: "cap_reached" };
  }
  const estimate = estimateOutputText({
    model,
    counted: {
      ...counted,
      tokens: counted.tokens + seen.droppedBytes,
      isUpperBound: counted.isUpperBound || seen.droppedBytes > 0,
    },
    isComplete: about.isComplete && !seen.hasFilter && !seen.hasReasoning && !isAtCap,
    hasToolCalls: seen.hasTools,
  });
  return { tokens: estimate.tokens, isExact: estimate.isExactInPractice, method: "tokenizer" };
}

/**
 * Whether `length` means the cap. A classic model shows what it bills: far less text than the cap was stopped by something
 * else, such as the window of a server that clamps. A reasoning model may show nothing of a cap that it billed whole.
 */
function isPlausible(counted: number, about: { cap: number; model: string }): boolean {
  const shown = isCountedExactly(about.model);
  return !shown || counted >= about.cap - Math.max(8, Math.ceil(about.cap / 20));
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
