import type { Message } from "./ask.ts";
import type { JsonObject } from "./json.ts";

/** A response that can be read again. */
export interface StoredResponse {
  /** Its present state. */
  read(): JsonObject;
  /** Stops a background response that still runs; null = it cannot be cancelled. */
  readonly cancel: (() => void) | null;
  /** What was said so far, for `previous_response_id`. */
  readonly messages: readonly Message[];
}

const storedMax = 10_000;

/** The vendor's stored responses. Bounded; the oldest goes first. */
export class ResponseStore {
  readonly #responses = new Map<string, StoredResponse>();

  find(id: string): StoredResponse | null {
    return this.#responses.get(id) ?? null;
  }

  put(id: string, response: StoredResponse): void {
    this.#responses.set(id, response);
    const [oldest] = this.#responses.keys();
    if (this.#responses.size > storedMax && oldest !== undefined) this.#responses.delete(oldest);
  }

  remove(id: string): boolean {
    return this.#responses.delete(id);
  }

  clear(): void {
    this.#responses.clear();
  }
}
