import type { TokenCount } from "./counter.ts";
import { isCountedExactly } from "./encodings.ts";

export interface OutputEstimate {
  readonly tokens: number;
  /** False = a lower bound: hidden reasoning, tool calls, or text the vendor withheld. */
  readonly isExactInPractice: boolean;
}

/** What is known of an answer without usage. */
export interface OutputSeen {
  readonly model: string;
  /**
   * Sum over the texts of all choices: content, refusals, names and arguments of calls, reasoning that was
   * shown.
   */
  readonly counted: TokenCount;
  /** The answer ended by itself and all its text was sent: not cut, not filtered. */
  readonly isComplete: boolean;
  readonly hasToolCalls: boolean;
}

/**
 * Output tokens by the text that was seen. Exact or one short for classic models (dialect §6.3: 300 = 300, 7
 * billed for 6), a lower bound for everything else. Never the figure for an answer that ended at its cap:
 * there the cap is billed.
 */
export function estimateOutputText(seen: OutputSeen): OutputEstimate {
  const isPlainText = seen.isComplete && !seen.hasToolCalls && !seen.counted.isUpperBound;
  return { tokens: seen.counted.tokens, isExactInPractice: isPlainText && isCountedExactly(seen.model) };
}
