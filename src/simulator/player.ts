import type { ServerResponse } from "node:http";
import type { Step } from "./chunks.ts";
import type { Pacer, Ticket } from "./pacing.ts";
import type { Script } from "./script.ts";
import type { Random } from "./seeded.ts";

export interface Pace {
  readonly latencyMs: number;
  /** Null: as fast as the client reads. */
  readonly tokensPerSecond: number | null;
}

/** How the body is cut into writes: as it comes, a frame each, or at random bytes (inside characters too). */
export type WriteMode = "joined" | "frames" | "random";

export interface Played {
  readonly output: number;
  readonly reasoning: number;
  /** The client left before the script's end. */
  readonly aborted: boolean;
}

export interface PlayOptions {
  readonly response: ServerResponse;
  readonly script: Script;
  readonly pace: Pace;
  readonly pacer: Pacer;
  readonly writes: WriteMode;
  readonly random: Random;
  /** Generation goes on when the client leaves (answers that are not streamed, background runs). */
  readonly outlivesClient: boolean;
  /** Called just before the first byte of the body is due: sends the status and the headers. */
  readonly begin: () => void;
  readonly done: (played: Played) => void;
}

const batchBytes = 65_536;

/** Plays a script to a client: generates at the pace, writes what is due, stops when the client leaves. */
export class Player {
  readonly #options: PlayOptions;
  readonly #steps: Iterator<Step>;
  readonly #startMs: number;
  #next: Step | null = null;
  #ticket: Ticket | null = null;
  #output = 0;
  #reasoning = 0;
  #isOver = false;
  #hasBegun = false;
  #hasClient = true;
  #isHanging = false;
  /** What goes on once the client has read enough. */
  #blocked: (() => void) | null = null;

  constructor(options: PlayOptions) {
    this.#options = options;
    this.#steps = options.script.steps[Symbol.iterator]();
    this.#startMs = options.pacer.now() + options.pace.latencyMs;
    options.response.on("close", () => this.#clientLeft());
  }

  start(): void {
    if (this.#options.pace.latencyMs > 0) this.#waitUntil(this.#startMs);
    else this.#pump();
  }

  #waitUntil(ms: number): void {
    this.#ticket = this.#options.pacer.at(ms, () => this.#pump());
  }

  #pump(): void {
    this.#ticket = null;
    if (this.#isOver) return;
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      if (this.#hasClient) this.#options.begin();
    }
    let batch = "";
    for (;;) {
      const step = this.#peek();
      if (step === null) {
        this.#write(batch, () => this.#finish());
        return;
      }
      const due = this.#dueMs(step);
      if (due > this.#options.pacer.now()) {
        this.#write(batch, () => this.#waitUntil(due));
        return;
      }
      this.#next = null;
      this.#output += step.output;
      this.#reasoning += step.reasoning;
      batch += step.data;
      if (batch.length < batchBytes) continue;
      this.#write(batch, () => setImmediate(() => this.#pump()));
      return;
    }
  }

  #peek(): Step | null {
    if (this.#next !== null) return this.#next;
    const result = this.#steps.next();
    this.#next = result.done === true ? null : result.value;
    return this.#next;
  }

  /** When the step's tokens are generated; absolute, so that lateness never adds up. */
  #dueMs(step: Step): number {
    const { tokensPerSecond } = this.#options.pace;
    if (tokensPerSecond === null || step.output === 0) return this.#startMs;
    return this.#startMs + ((this.#output + step.output) / tokensPerSecond) * 1_000;
  }

  /** Writes what is due, then goes on when the client has room for more. */
  #write(batch: string, goOn: () => void): void {
    const { response, writes, random } = this.#options;
    if (batch === "" || !this.#hasClient) goOn();
    else if (writes !== "joined")
      this.#writeEach(writes === "frames" ? cutAtFrames(batch) : cutAtRandom(batch, random), goOn);
    else if (writeBody(response, batch)) goOn();
    else this.#afterDrain(goOn);
  }

  /** Each piece in a turn of its own, so that the client's socket gets them apart. */
  #writeEach(pieces: readonly (string | Buffer)[], goOn: () => void, at = 0): void {
    const piece = pieces[at];
    if (piece === undefined || !this.#hasClient) {
      goOn();
      return;
    }
    this.#options.response.write(piece);
    setImmediate(() => this.#writeEach(pieces, goOn, at + 1));
  }

  #afterDrain(goOn: () => void): void {
    const { response } = this.#options;
    this.#blocked = goOn;
    (response.socket ?? response).once("drain", () => this.#unblock());
  }

  #unblock(): void {
    const goOn = this.#blocked;
    this.#blocked = null;
    goOn?.();
  }

  #finish(): void {
    const { response, script } = this.#options;
    if (!this.#hasClient) {
      this.#over(true);
      return;
    }
    if (script.ending === "hang") {
      this.#isHanging = true;
      return;
    }
    if (script.ending === "end") response.end();
    // Bytes still on their way are let out first; destroying at once would take them back.
    else if (script.ending === "drop") response.socket?.end(() => response.destroy());
    else setImmediate(() => response.socket?.resetAndDestroy());
    this.#over(false);
  }

  #clientLeft(): void {
    if (this.#isOver) return;
    this.#hasClient = false;
    if (this.#options.outlivesClient && !this.#isHanging) {
      // Nobody is left to wait for.
      this.#unblock();
      return;
    }
    if (this.#ticket !== null) this.#options.pacer.cancel(this.#ticket);
    this.#over(true);
  }

  #over(aborted: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#steps.return?.();
    this.#options.done({ output: this.#output, reasoning: this.#reasoning, aborted });
  }
}

/**
 * Writes a piece of the body. A chunked body goes to the socket in one string with its frame, because
 * `response.write` would make three writes of it, which is most of what a token costs. False when the client
 * is to read first.
 */
function writeBody(response: ServerResponse, piece: string): boolean {
  const { socket } = response;
  if (socket === null || !response.headersSent || !response.chunkedEncoding) return response.write(piece);
  return socket.write(`${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`);
}

function cutAtFrames(batch: string): string[] {
  return batch.split(/(?<=\n\n)/);
}

function cutAtRandom(batch: string, random: Random): Buffer[] {
  const bytes = Buffer.from(batch);
  const pieces: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const to = Math.min(bytes.length, from + 1 + random.below(48));
    pieces.push(bytes.subarray(from, to));
    from = to;
  }
  return pieces;
}
