/**
 * Tokens of one request by kind, as billed. `cachedInput` and `cacheWrite` are parts of `input`,
 * `reasoning` is a part of `output`, audio tokens are parts of their side (contract §5).
 * All are non-negative safe integers; a part the vendor did not name is 0, an unknown whole is not a `Usage` at all.
 */
export interface Usage {
  readonly input: number;
  readonly cachedInput: number;
  readonly cacheWrite: number;
  readonly audioInput: number;
  readonly cachedAudioInput: number;
  readonly imageInput: number;
  readonly output: number;
  readonly reasoning: number;
  readonly audioOutput: number;
  /** As the vendor stated it, even when it does not equal its parts; else input + output. */
  readonly total: number;
}

/** Billed things that are not tokens, counted from the answer: hosted tools and their sessions. */
export interface Fees {
  readonly webSearch: number;
  readonly fileSearch: number;
  readonly codeInterpreter: number;
}

export const noFees: Fees = { webSearch: 0, fileSearch: 0, codeInterpreter: 0 };

export const noUsage: Usage = {
  input: 0,
  cachedInput: 0,
  cacheWrite: 0,
  audioInput: 0,
  cachedAudioInput: 0,
  imageInput: 0,
  output: 0,
  reasoning: 0,
  audioOutput: 0,
  total: 0,
};

export type UsageSource = "vendor" | "estimated" | "none";
export type EstimateMethod = "tokenizer" | "cap_reached" | "characters";
export type EstimateBound = "exact_in_practice" | "lower_bound";
export type EstimateReason =
  | "client_left"
  | "vendor_cut"
  | "vendor_error"
  | "vendor_sends_none"
  | "recovered";

/** What one attempt is taken to have used, and who says so. The parts after `source` are null for `vendor` and `none`. */
export interface MeterReading {
  readonly usage: Usage;
  readonly fees: Fees;
  readonly source: UsageSource;
  readonly method: EstimateMethod | null;
  readonly bound: EstimateBound | null;
  readonly reason: EstimateReason | null;
}

export const nothingBilled: MeterReading = {
  usage: noUsage,
  fees: noFees,
  source: "none",
  method: null,
  bound: null,
  reason: null,
};

/** The most that can be true of one answer: tokens the model can read and write in one request. */
export interface UsageLimits {
  readonly contextWindow: number | null;
  readonly maxOutputTokens: number | null;
}

/**
 * Why a vendor's usage cannot be true, or null when it can (contract §5): parts larger than their whole,
 * or more than the model's context window plus its output cap.
 */
export function usageFault(usage: Usage, limits: UsageLimits): string | null {
  for (const [kind, count] of Object.entries(usage)) {
    if (!Number.isSafeInteger(count) || count < 0) return `${kind} is ${count}, not a token count`;
  }
  const inputParts = usage.cachedInput + usage.cacheWrite;
  if (inputParts > usage.input)
    return `cached and written input (${inputParts}) exceed input (${usage.input})`;
  if (usage.audioInput + usage.imageInput > usage.input)
    return `audio and image input exceed input (${usage.input})`;
  if (usage.cachedAudioInput > usage.audioInput) return "cached audio input exceeds audio input";
  if (usage.cachedAudioInput > usage.cachedInput) return "cached audio input exceeds cached input";
  if (usage.reasoning > usage.output)
    return `reasoning (${usage.reasoning}) exceeds output (${usage.output})`;
  if (usage.audioOutput > usage.output) return `audio output exceeds output (${usage.output})`;
  if (limits.contextWindow !== null) {
    const most = limits.contextWindow + (limits.maxOutputTokens ?? limits.contextWindow);
    if (usage.input + usage.output > most)
      return `${usage.input + usage.output} tokens exceed what the model can hold (${most})`;
  }
  return null;
}
