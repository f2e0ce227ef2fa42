import { createHash } from "node:crypto";
import { Bill } from "./bill.ts";
import { PromptCache } from "./cache.ts";
import type { FaultName } from "./faults.ts";
import type { Settings } from "./options.ts";
import { Pacer } from "./pacing.ts";
import { Recorder } from "./recorder.ts";
import { ResponseStore } from "./response-store.ts";

/** Everything that one running simulator remembers. */
export interface Vendor {
  readonly settings: Settings;
  readonly bill: Bill;
  readonly recorder: Recorder;
  readonly cache: PromptCache;
  readonly pacer: Pacer;
  readonly occurrences: Occurrences;
  readonly responses: ResponseStore;
  /** Attempts in progress. */
  open: number;
  /** Strikes every attempt until it is taken back, as an outage does. */
  outage: FaultName | null;
}

export function createVendor(settings: Settings): Vendor {
  return {
    settings,
    bill: new Bill(),
    recorder: new Recorder(settings.recordedMax),
    cache: new PromptCache(),
    pacer: new Pacer(),
    occurrences: new Occurrences(),
    responses: new ResponseStore(),
    open: 0,
    outage: null,
  };
}

/** Forgets what was learned from requests; what is in progress goes on. */
export function forgetAll(vendor: Vendor): void {
  vendor.bill.clear();
  vendor.recorder.clear();
  vendor.cache.clear();
  vendor.occurrences.clear();
  vendor.responses.clear();
}

const keysMax = 100_000;

/**
 * How often the same thing was seen, so that a repeated request gets draws of its own. Bounded: the oldest is
 * forgotten.
 */
export class Occurrences {
  readonly #counts = new Map<string, number>();

  /** The number of earlier times. */
  next(what: string | Uint8Array): number {
    const key = createHash("sha256").update(what).digest("base64");
    const earlier = this.#counts.get(key) ?? 0;
    this.#counts.delete(key);
    this.#counts.set(key, earlier + 1);
    const [oldest] = this.#counts.keys();
    if (this.#counts.size > keysMax && oldest !== undefined) this.#counts.delete(oldest);
    return earlier;
  }

  clear(): void {
    this.#counts.clear();
  }
}
