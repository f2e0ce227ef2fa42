import type { IncomingHttpHeaders } from "node:http";

/** A request as it arrived. */
export interface RecordedRequest {
  readonly at: string;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** Names and values in turn, in the order and case received. */
  readonly rawHeaders: readonly string[];
  /** The exact bytes. */
  readonly body: Buffer;
}

const bytesMax = 64 * 1_048_576;

/** Keeps the newest requests: at most `countMax` of them and 64 MiB of bodies. */
export class Recorder {
  readonly #countMax: number;
  readonly #requests: RecordedRequest[] = [];
  #bytes = 0;

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  add(request: RecordedRequest): void {
    this.#requests.push(request);
    this.#bytes += request.body.length;
    while (this.#requests.length > this.#countMax || this.#bytes > bytesMax) {
      const oldest = this.#requests.shift();
      if (oldest === undefined) return;
      this.#bytes -= oldest.body.length;
    }
  }

  list(): RecordedRequest[] {
    return [...this.#requests];
  }

  clear(): void {
    this.#requests.length = 0;
    this.#bytes = 0;
  }
}
