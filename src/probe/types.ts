import { type PicoUsd, zeroPico } from "../core/money.ts";
import type { JsonBody, LimitParameter } from "../core/parameters.ts";
import type { PriceRow } from "../core/prices.ts";
import type { DeploymentRoute } from "../core/routing.ts";
import type { Usage } from "../core/usage.ts";
import type { VendorError } from "../core/vendor-errors.ts";
import type { Catalog, Ports, VendorFault } from "../ports.ts";
import type { PromptName } from "./prompts.ts";
import type { Spent } from "./spent.ts";

/** What a probe needs of the outside; a gateway's own ports fit. */
export type ProbePorts = Pick<Ports, "clock" | "vendor" | "tokens"> & {
  readonly catalog: Pick<Catalog, "prices">;
};

/** One deployment that is measured. */
export interface ProbeTarget {
  readonly route: DeploymentRoute;
  readonly baseUrl: string;
  /** False: `route.model` only repeats the deployment's name, and the answers tell the model. */
  readonly isModelKnown: boolean;
  /** Where the credential comes from, in words; never the credential. */
  readonly credential: string;
}

export interface ProbeOptions {
  /** Sent along with each call as the client's request id. */
  readonly id: string;
  /** What all calls together may cost at most. */
  readonly maxCost: PicoUsd;
  /** True: without a price, which could not be bounded, nothing goes on after the first answer. */
  readonly isMaxCostStrict: boolean;
  /** Takes the place of the price book. */
  readonly price: PriceRow | null;
  /** Requests that the money section multiplies by. */
  readonly volume: number;
  /** Of one call, to its end. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  /** Waits after a 429; a test gives one that does not. */
  readonly sleep?: (ms: number) => Promise<void>;
}

/** A call that has ended, for a live checklist. */
export interface Progress {
  readonly done: number;
  readonly of: number;
  readonly title: string;
  readonly mark: "ok" | "note" | "failed";
  readonly detail: string;
  readonly durationMs: number;
}

export type CallKind = "whole" | "plain_stream" | "usage_stream" | "parameter" | "error";

/** One call before it is made. */
export interface CallPlan {
  readonly id: string;
  readonly title: string;
  readonly kind: CallKind;
  readonly prompt: PromptName;
  /** The parameter whose treatment this call shows. */
  readonly parameter: string | null;
  readonly body: JsonBody;
  /** Sent in place of the serialised body: JSON that is broken on purpose. */
  readonly rawBody: string | null;
  /** Output tokens per choice that the body allows. */
  readonly cap: number;
  readonly choices: number;
  /** Another deployment than the target's, for an error on purpose. */
  readonly deployment: string | null;
}

/** What one call showed. Everything unknown is null. */
export interface CallRecord {
  readonly plan: CallPlan;
  /** Null when no answer came. */
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly fault: { readonly code: VendorFault["code"]; readonly message: string } | null;
  readonly error: ErrorSeen | null;
  readonly answer: Answer | null;
  /** From the call to the first byte of the body, to the first piece of text, and to the end, ms. */
  readonly firstByteMs: number | null;
  readonly durationMs: number;
  /** Wall clock at the end of the call, ms since the epoch. */
  readonly endedAtMs: number;
  /** 429s that came before this answer. */
  readonly waits: readonly RateWait[];
  readonly cost: CallCost;
}

export interface RateWait {
  readonly header: string | null;
  readonly retryAfterMs: number | null;
}

/**
 * `known`: by the vendor's own usage. `at_most`: the vendor stated none, and no more than this can have been billed.
 * `nothing`: refused. `unknown`: there is no price.
 */
export interface CallCost {
  readonly basis: "known" | "at_most" | "nothing" | "unknown";
  readonly amount: PicoUsd | null;
}

export interface ErrorSeen extends VendorError {
  /** The body's beginning, credentials taken out. */
  readonly raw: string;
  /** How the envelope differs from OpenAI's, or null. */
  readonly envelopeFault: string | null;
}

/** An answer with a status of success. */
export interface Answer {
  readonly model: string | null;
  readonly serviceTier: string | null;
  readonly id: string | null;
  readonly created: number | null;
  readonly finishReasons: readonly string[];
  /** What a client shows: content and refusals of the first choice. */
  readonly text: string;
  /** Reasoning that the vendor shows, beside the text. */
  readonly reasoningText: string;
  readonly choices: number;
  readonly hasLogprobs: boolean;
  readonly hasToolCalls: boolean;
  /** The usage object as it came. */
  readonly rawUsage: JsonBody | null;
  /** Read and found possible. */
  readonly usage: Usage | null;
  /** Why `rawUsage` cannot be believed, or null. */
  readonly usageFault: string | null;
  readonly stream: StreamSeen | null;
}

export interface Frame {
  readonly index: number;
  readonly text: string;
  readonly json: JsonBody | null;
}

/** The structure of a stream. */
export interface StreamSeen {
  /** Frames with data, without `[DONE]`. */
  readonly chunks: number;
  /** The first and last of them, with all between when they are few. */
  readonly frames: readonly Frame[];
  readonly comments: readonly string[];
  readonly eventNames: readonly string[];
  readonly hasDone: boolean;
  readonly framesAfterDone: number;
  /** How the stream broke off, or null. */
  readonly cut: string | null;
  readonly error: string | null;
  readonly isEventStream: boolean;
  /** Pieces of visible text, and when the first and last of them came, ms from the call. */
  readonly textPieces: number;
  readonly firstTextMs: number | null;
  readonly lastTextMs: number | null;
}

/** Counts of our own for one call. */
export interface CallCounts {
  /** The prompt by the tokenizer and the published framing; null when it was not a chat. */
  readonly inputEstimate: number;
  readonly inputCharacters: number;
  readonly visibleTokens: number;
  readonly shownReasoningTokens: number;
}

/** All that was measured. Everything after it is computed from this alone. */
export interface Measurement {
  readonly target: ProbeTarget;
  readonly options: Pick<ProbeOptions, "maxCost" | "volume">;
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** The limit parameter that this deployment takes. */
  readonly limit: LimitParameter;
  /** The model that tokenizer and price go by: the one that served, else the target's. */
  readonly model: string;
  readonly encoding: { readonly name: string; readonly isGuess: boolean };
  readonly priceRow: PriceRow | null;
  readonly priceBook: string;
  readonly calls: readonly CallRecord[];
  readonly counts: ReadonlyMap<string, CallCounts>;
  /** Calls that were left out to stay within the cost. */
  readonly skipped: readonly CallPlan[];
}

export type ProbeFailureCode = "unreachable" | "not_authorised" | "usage" | "failed" | "interrupted";

const nothingSpent: Spent = { known: zeroPico, atMost: zeroPico };

/** The probe cannot be made; the message is one line for the user. */
export class ProbeFailure extends Error {
  override readonly name = "ProbeFailure";
  readonly code: ProbeFailureCode;
  /** What was spent until then. */
  readonly spent: Spent;
  constructor(code: ProbeFailureCode, message: string, spent: Spent = nothingSpent) {
    super(message);
    this.code = code;
    this.spent = spent;
  }
}
