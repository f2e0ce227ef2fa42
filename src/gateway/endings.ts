import type { EstimateReason } from "../core/usage.ts";
import type { RequestOutcome } from "../ports.ts";

/** How a vendor's answer ended: by itself, as failed by its own word, broken off, or closed by Tollgate. */
export type VendorEnd = "complete" | "failed" | "cut" | "given_up";

export interface Ending {
  readonly outcome: RequestOutcome;
  /** Why there is no usage, should there be none. */
  readonly reason: EstimateReason;
}

/**
 * What an answer's end means, by whether the customer was still there. One who left has left, whatever the vendor did
 * after that; why no usage came is told by the vendor's end.
 */
const endings: Readonly<Record<VendorEnd, { readonly present: Ending; readonly gone: Ending }>> = {
  complete: {
    present: { outcome: "complete", reason: "vendor_sends_none" },
    gone: { outcome: "client_left", reason: "vendor_sends_none" },
  },
  failed: {
    present: { outcome: "vendor_error", reason: "vendor_error" },
    gone: { outcome: "client_left", reason: "vendor_error" },
  },
  cut: {
    present: { outcome: "vendor_cut", reason: "vendor_cut" },
    gone: { outcome: "client_left", reason: "vendor_cut" },
  },
  // Only a customer's leaving closes a vendor; at the stop of the process the answer is cut.
  given_up: {
    present: { outcome: "vendor_cut", reason: "vendor_cut" },
    gone: { outcome: "client_left", reason: "client_left" },
  },
};

export const endingOf = (end: VendorEnd, isGone: boolean): Ending =>
  endings[end][isGone ? "gone" : "present"];
