import type { Rewrite } from "../core/parameters.ts";
import type { RequestOutcome, VendorAnswer } from "../ports.ts";
import type { CoolDowns } from "./cool-downs.ts";
import type { Departure } from "./departure.ts";
import type { Sample } from "./sampling.ts";
import type { Admitted, Attempt, Client, GatewaySettings, PricedDeployment, Refusal } from "./types.ts";
import type { UpstreamBody } from "./upstream-body.ts";

export interface RelayContext {
  readonly settings: GatewaySettings;
  readonly coolDowns: CoolDowns;
  readonly admitted: Admitted;
  readonly client: Client;
}

/** A call that a vendor answers with success; its body is unread. */
export interface VendorCall {
  readonly served: PricedDeployment;
  readonly body: UpstreamBody;
  readonly answer: VendorAnswer;
  readonly departure: Departure;
  /** RFC 3339. */
  readonly startedAt: string;
}

/** How the request ended at the vendors, before it is settled. */
export interface Outcome {
  readonly outcome: RequestOutcome;
  /** Every call, in order; the last one is what the request is settled by. */
  readonly attempts: readonly [...Attempt[], Attempt];
  readonly modelServed: string | null;
  readonly serviceTier: string | null;
  readonly rewrites: readonly Rewrite[];
  /** The cap per choice that was sent; null where none was. */
  readonly cap: number | null;
  readonly firstByteAtMs: number | null;
  readonly vendorEndedAtMs: number;
  readonly vendorHeaders: Readonly<Record<string, string>>;
  /** What an operator should know about the reading: usage that was not believed, a total that differs, an overflow. */
  readonly notes: readonly Note[];
  /** What a comparison of the estimate with the vendor's usage needs; null when none is to be made. */
  readonly sample: Sample | null;
  /** Of a response the vendor keeps. */
  readonly kept: Kept | null;
  /** What goes to the client once the charge is committed. */
  readonly finish: Finish;
}

export interface Note {
  readonly kind: "usage_rejected" | "total_differs" | "spillover" | "unpriced" | "input_overhead";
  readonly [detail: string]: string | number | null;
}

/** A response that can be read again at the vendor, with the things in it that later requests may name. */
export interface Kept {
  readonly id: string;
  readonly parts: readonly string[];
  /** A background run that has not ended. */
  readonly isRunning: boolean;
}

export type Finish =
  | {
      readonly kind: "whole";
      readonly status: number;
      readonly contentType: string;
      readonly body: Uint8Array;
    }
  | {
      readonly kind: "stream_end";
      readonly tail: readonly TailEvent[];
      readonly transcript: Transcript | null;
    }
  | { readonly kind: "refusal"; readonly refusal: Refusal }
  /** The client is gone and nothing was made for it. */
  | { readonly kind: "nothing" };

/** An event that waits for the settlement. */
export interface TailEvent {
  readonly bytes: Uint8Array;
  /** The one that shows the usage: gets the cost, for keys that want it. */
  readonly isUsage: boolean;
}

/** What the client was sent, kept to be replayed; null chunks = it grew too large. */
export interface Transcript {
  readonly contentType: string;
  readonly chunks: readonly Uint8Array[] | null;
}

/** What one deployment brought, and whether another may be tried instead: nothing has reached the client then. */
export interface Tried {
  readonly outcome: Outcome;
  readonly failover: { readonly retryAfterMs: number | null } | null;
}
