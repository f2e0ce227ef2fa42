import { findCall, readCalls } from "./facts.ts";
import type { CallRecord, Measurement } from "./types.ts";

export type EstimateMethod = "characters_4" | "tokenizer";
export const estimateMethods: readonly EstimateMethod[] = ["characters_4", "tokenizer"];

/** Tokens of one answer as someone who saw only its text would count them. */
export interface TextEstimate {
  readonly method: EstimateMethod;
  readonly input: number;
  readonly output: number;
}

/**
 * Whose usage an estimate is held against: the answer's own; that of the same request sent again with usage asked for;
 * or that of another answer to the same prompt, which is what a comparison by hand easily does.
 */
export type Basis = "own" | "same_request" | "other_answer";

export interface AccuracyRow extends TextEstimate {
  readonly call: string;
  readonly basis: Basis;
  /** The call that the vendor's figures come from. */
  readonly billedBy: string;
  readonly billed: { readonly input: number; readonly output: number; readonly reasoning: number };
}

export function estimatesOf(measurement: Measurement, call: CallRecord): readonly TextEstimate[] {
  const counts = measurement.counts.get(call.plan.id);
  if (counts === undefined || call.answer === null) return [];
  return [
    {
      method: "characters_4",
      input: quarter(counts.inputCharacters),
      output: quarter(call.answer.text.length),
    },
    { method: "tokenizer", input: counts.inputEstimate, output: counts.visibleTokens },
  ];
}

const quarter = (characters: number): number => Math.ceil(characters / 4);

/** Every estimate that can be held against a figure of the vendor's, and against which. */
export function accuracyRows(measurement: Measurement): readonly AccuracyRow[] {
  return readCalls(measurement).flatMap((call) => {
    const own = call.answer.usage === null ? [] : compare(measurement, call, call, "own");
    if (call.plan.kind !== "plain_stream") return own;
    return [
      ...own,
      ...twinsOf(measurement, call).flatMap(({ twin, basis }) => compare(measurement, call, twin, basis)),
    ];
  });
}

/** The calls with usage for the prompt of a plain stream without it: the same request first, then the whole answer. */
export function twinsOf(
  measurement: Measurement,
  call: CallRecord,
): readonly { twin: CallRecord; basis: Basis }[] {
  if (call.answer === null || call.answer.usage !== null) return [];
  const { prompt } = call.plan;
  const candidates = [
    { twin: findCall(measurement, `usage-${prompt}`), basis: "same_request" as const },
    { twin: findCall(measurement, `whole-${prompt}`), basis: "other_answer" as const },
  ];
  const twins = candidates.flatMap(({ twin, basis }) =>
    twin?.answer?.usage == null ? [] : [{ twin, basis }],
  );
  // The second one says something of its own only when it was billed otherwise.
  const isSame =
    new Set(twins.map(({ twin }) => `${twin.answer?.usage?.input}/${twin.answer?.usage?.output}`)).size === 1;
  return isSame ? twins.slice(0, 1) : twins;
}

function compare(
  measurement: Measurement,
  call: CallRecord,
  twin: CallRecord,
  basis: Basis,
): readonly AccuracyRow[] {
  const usage = twin.answer?.usage;
  if (usage === undefined || usage === null) return [];
  const billed = { input: usage.input, output: usage.output, reasoning: usage.reasoning };
  return estimatesOf(measurement, call).map((estimate) => ({
    ...estimate,
    ...{ call: call.plan.id, basis, billedBy: twin.plan.id, billed },
  }));
}

/** What the vendor counts for prompts beyond the tokenizer's count. */
export interface PromptOverhead {
  readonly samples: readonly {
    readonly call: string;
    readonly prompt: string;
    readonly counted: number;
    readonly billed: number;
  }[];
  /** The difference when it is the same for every prompt, else null; null with fewer than two prompts. */
  readonly constant: number | null;
}

export function promptOverhead(measurement: Measurement): PromptOverhead {
  const samples = readCalls(measurement).flatMap(({ plan, answer }) => {
    const counts = measurement.counts.get(plan.id);
    if (answer.usage === null || counts === undefined) return [];
    return [
      { call: plan.id, prompt: plan.prompt, counted: counts.inputEstimate, billed: answer.usage.input },
    ];
  });
  const differences = new Set(samples.map(({ counted, billed }) => billed - counted));
  const prompts = new Set(samples.map(({ prompt }) => prompt));
  const [only] = differences;
  return {
    samples,
    constant: prompts.size >= 2 && differences.size === 1 && only !== undefined ? only : null,
  };
}
