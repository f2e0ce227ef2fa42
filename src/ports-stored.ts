/** What a request leaves behind besides its money: results to repeat, responses that vendors keep, samples of estimates. */
import type { PicoUsd } from "./core/money.ts";
import type { OrphanedHold, StoredResult } from "./ports.ts";

// ---------------------------------------------------------------- results by Idempotency-Key

/** What becomes of an idempotency key whose first run ended without a result. */
export interface Results {
  /** Frees a key whose first run failed and cost nothing: the next one runs anew. */
  forget(accountId: string, key: string): Promise<void>;
  /** Gives keys whose request ended long ago without a result (a crash in between) this one. Returns how many. */
  seal(result: StoredResult): Promise<number>;
}

// ---------------------------------------------------------------- responses that vendors keep

/** A response that can be read again at its vendor, and which account made it. */
export interface KeptResponse {
  readonly id: string;
  readonly accountId: string;
  readonly requestId: string;
  readonly endpoint: string;
  readonly deployment: string;
  /** `running`: a background run that has not ended; its hold is open. */
  readonly state: "running" | "ended";
}

/** What settles a background run once it ends, beside what its hold says. */
export interface RunTerms {
  /** Estimated input, should the run end without usage; and whether that is exact in practice. */
  readonly inputTokens: number;
  readonly isInputExact: boolean;
  readonly cap: number | null;
  readonly rewrites: readonly unknown[];
  readonly attempts: readonly unknown[];
}

/** A background run that is due to be looked at. `hold` is null when it was ended elsewhere. */
export interface DueRun {
  readonly response: KeptResponse;
  readonly terms: RunTerms;
  readonly hold: OrphanedHold | null;
  readonly ageMs: number;
}

export interface KeptResponses {
  /** Notes a response and the parts of it that can be named later. A running one is first due after `dueMs`. */
  keep(made: {
    response: KeptResponse;
    parts: readonly string[];
    run: { terms: RunTerms; dueMs: number } | null;
  }): Promise<void>;
  find(accountId: string, id: string): Promise<KeptResponse | null>;
  /** For each id of a response or a part of one that this account made: where it is. */
  findOwners(
    accountId: string,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, { readonly endpoint: string; readonly deployment: string }>>;
  /** Takes runs that are due; no other process gets them before they are due again. */
  claimDue(limit: number): Promise<readonly DueRun[]>;
  findRun(accountId: string, id: string): Promise<DueRun | null>;
  /** The run has ended; `parts` as in `keep`. */
  end(accountId: string, id: string, parts: readonly string[]): Promise<void>;
  remove(accountId: string, id: string): Promise<void>;
  /** Drops what vendors no longer keep. */
  removeOld(): Promise<void>;
}

// ---------------------------------------------------------------- estimates beside the vendor's usage

/** One answer with vendor usage, counted again by simpler means. Prices are what a token of plain input or output sells for. */
export interface UsageSample {
  readonly requestId: string;
  readonly endpoint: string;
  readonly deployment: string;
  readonly model: string;
  readonly kind: "plain" | "reasoning" | "tools" | "media" | "embeddings";
  readonly input: number;
  readonly output: number;
  readonly reasoning: number;
  readonly estimatedInput: number;
  readonly estimatedOutput: number;
  readonly inputCharacters: number;
  readonly outputCharacters: number;
  readonly inputPrice: PicoUsd | null;
  readonly outputPrice: PicoUsd | null;
}

export interface Samples {
  /** Keeps a sample, and the estimate with its request. */
  keep(sample: UsageSample): Promise<void>;
}
