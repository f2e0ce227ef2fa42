import { type PicoUsd, pico } from "./money.ts";

/** Tokens that the vendor may add to a text request without saying so: message framing, tools, response formats (tokens study §1.8). */
const hiddenAllowance = 256;
/** Tokens per image at most, by the dearest rule known: tiles of gpt-4o-mini (dialect §6.4). */
const mostTokensPerImage = 48_169;

/** What of a request decides how much input a vendor may count. */
export interface InputFacts {
  /** UTF-8 bytes of the body: every token of these encodings covers at least one byte. */
  readonly bodyBytes: number;
  readonly images: number;
  /** True when the vendor reads things that are not in the body: stored context, files, audio, searches. */
  readonly hasUnseenInput: boolean;
  readonly maxInputTokens: number | null;
  readonly contextWindow: number | null;
}

/** No answer can count more input than this. Null when nothing bounds it: then the request is refused. */
export function inputBound(facts: InputFacts): number | null {
  const most = facts.maxInputTokens ?? facts.contextWindow;
  if (facts.hasUnseenInput) return most;
  const bySize = facts.bodyBytes + hiddenAllowance + facts.images * mostTokensPerImage;
  return most === null ? bySize : Math.min(bySize, most);
}

/** A tighter bound from an exact count of the texts, with the same allowance for what the vendor adds. */
export function countedInputBound(countedTokens: number, byteBound: number): number {
  return Math.min(countedTokens + hiddenAllowance, byteBound);
}

/** What of a model decides how long an answer may get. */
export interface OutputLimits {
  readonly contextWindow: number | null;
  readonly maxInputTokens: number | null;
  readonly maxOutputTokens: number | null;
}

/**
 * The largest cap worth sending: the model's own maximum, and no more than its window has left beside an input of
 * `inputTokens`, which vendors add up and refuse (dialect §9). A model with an input limit of its own shares no window;
 * null as `inputTokens` = unknown, then only the window itself bounds it.
 */
export function largestCap(limits: OutputLimits, inputTokens: number | null, whenUnknown: number): number {
  const own = limits.maxOutputTokens ?? whenUnknown;
  if (limits.contextWindow === null || limits.maxInputTokens !== null) return own;
  const room = limits.contextWindow - Math.max(inputTokens ?? 1, 1);
  return Math.max(Math.min(own, room), 1);
}

/** The parts of a hold: what the input may cost at most, and what each further output token of all choices costs. */
export interface HoldTerms {
  readonly inputBound: number;
  readonly inputPrice: PicoUsd;
  readonly outputPrice: PicoUsd;
  readonly choices: number;
  /** Output that is billed whatever the cap says: a prediction's rejected tokens. */
  readonly extraOutput: number;
  readonly fees: PicoUsd;
}

/** The hold for an output cap of `cap` tokens per choice, pUSD. */
export function holdAmount(terms: HoldTerms, cap: number): PicoUsd {
  const input = BigInt(terms.inputBound) * terms.inputPrice;
  const output = (BigInt(terms.choices) * BigInt(cap) + BigInt(terms.extraOutput)) * terms.outputPrice;
  return pico(input + output + terms.fees);
}

/** Price of one more token of cap, over all choices. */
export const capStep = (terms: HoldTerms): PicoUsd => pico(BigInt(terms.choices) * terms.outputPrice);

/** The largest cap that `available` covers; null when it does not even cover the input. */
export function affordableCap(terms: HoldTerms, available: PicoUsd): number | null {
  const rest = available - holdAmount(terms, 0);
  if (rest < 0n) return null;
  const step = capStep(terms);
  if (step === 0n) return Number.MAX_SAFE_INTEGER;
  const cap = rest / step;
  return cap > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(cap);
}
