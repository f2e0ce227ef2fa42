import type { TokenCount } from "./counter.ts";

/**
 * What an estimate of input consists of, before anything is counted: counting large texts must yield the
 * thread, so it is done by the caller and joined by `estimateInput`.
 */
export interface InputPlan {
  /** Each is counted on its own: tokens never reach across. */
  readonly texts: readonly string[];
  /** Tokens besides the texts: framing, token arrays, images. */
  readonly extraTokens: number;
  /**
   * True when the vendor's own count was equal wherever it was compared; else the estimate is a lower bound.
   */
  readonly isExactInPractice: boolean;
  /** Kinds of parts that are not counted at all, because their size cannot be known here. */
  readonly unknownParts: readonly string[];
  /** Kinds of parts that are counted at the most they can be. */
  readonly boundedParts: readonly string[];
}

export interface InputEstimate {
  readonly tokens: number;
  readonly isExactInPractice: boolean;
  readonly unknownParts: readonly string[];
  readonly boundedParts: readonly string[];
}

/** Joins a plan with the sum of the counts of its texts. */
export function estimateInput(plan: InputPlan, counted: TokenCount): InputEstimate {
  const boundedParts = counted.isUpperBound ? [...plan.boundedParts, "text"] : plan.boundedParts;
  return {
    tokens: plan.extraTokens + counted.tokens,
    isExactInPractice: plan.isExactInPractice && !counted.isUpperBound,
    unknownParts: plan.unknownParts,
    boundedParts,
  };
}

/** The sum of the counts of `texts`. Blocks: for texts that are known to be small, and for tests. */
export function countTexts(texts: Iterable<string>, count: (text: string) => TokenCount): TokenCount {
  let tokens = 0;
  let isUpperBound = false;
  for (const text of texts) {
    const one = count(text);
    tokens += one.tokens;
    isUpperBound ||= one.isUpperBound;
  }
  return { tokens, isUpperBound };
}

/** Collects a plan. Anything that is marked makes the estimate inexact. */
export class PlanBuilder {
  private readonly texts: string[] = [];
  private readonly unknown = new Set<string>();
  private readonly bounded = new Set<string>();
  private extraTokens = 0;
  private isExact: boolean;

  constructor(isExact: boolean) {
    this.isExact = isExact;
  }

  /** Counts `value` if it is a text; other values are not text and weigh nothing here. */
  addText(value: unknown): void {
    if (typeof value === "string" && value !== "") this.texts.push(value);
  }

  /** Counts the JSON of `value`. A value nested deeper than the serialiser's stack is unknown. */
  addJson(value: unknown, kind: string): void {
    try {
      this.addText(JSON.stringify(value));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.addUnknown(kind);
    }
  }

  addTokens(count: number): void {
    this.extraTokens += count;
  }

  /** A part whose tokens cannot be known: named in the estimate, cut to a readable length. */
  addUnknown(kind: string): void {
    this.unknown.add(kind.slice(0, 40));
    this.isExact = false;
  }

  addBounded(kind: string): void {
    this.bounded.add(kind);
    this.isExact = false;
  }

  /** The vendor adds tokens that nobody sees: what is counted is a lower bound. */
  markLowerBound(): void {
    this.isExact = false;
  }

  build(): InputPlan {
    return {
      texts: this.texts,
      extraTokens: this.extraTokens,
      isExactInPractice: this.isExact,
      unknownParts: [...this.unknown],
      boundedParts: [...this.bounded],
    };
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The objects of a list; anything else in it, or no list at all, gives nothing. */
export const objectsOf = (value: unknown): readonly JsonObject[] =>
  Array.isArray(value) ? value.filter(isObject) : [];
