/** After its reader stopped, a producer may send this much for this long before it is cut off. */
const discardBytes = 65_536;
const discardMs = 2_000;
/** Chunks that wait together are handed over as one up to this size: one pass over them, one write to the client. */
const mergeBytes = 65_536;

const ended: IteratorResult<Uint8Array> = { value: undefined, done: true };

/** What the queue may ask of its producer. */
export interface Flow {
  pause(): void;
  resume(): void;
  /** Stops the producer for good. */
  abandon(error: Error): void;
}

/**
 * A bounded hand-over of byte chunks from callbacks to one `for await` loop. The producer is told to pause above
 * `highWater` bytes and to go on when the loop has caught up. The iterator is written by hand: on the hot path of every
 * event, an async generator costs several promises where one will do.
 */
export class ChunkQueue implements AsyncIterable<Uint8Array> {
  private chunks: Uint8Array[] = [];
  private bytes = 0;
  private isPaused = false;
  private isEnded = false;
  private isDiscarding = false;
  private failure: Error | null = null;
  private waiting: { resolve(result: IteratorResult<Uint8Array>): void; reject(error: Error): void } | null =
    null;
  private discardTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly highWater: number;
  private readonly flow: Flow;

  constructor(highWater: number, flow: Flow) {
    this.highWater = highWater;
    this.flow = flow;
  }

  push(chunk: Uint8Array): void {
    if (this.isDiscarding) {
      this.bytes += chunk.length;
      if (this.bytes > discardBytes) this.flow.abandon(new Error("surplus"));
      return;
    }
    const { waiting } = this;
    if (waiting !== null) {
      this.waiting = null;
      waiting.resolve({ value: chunk, done: false });
      return;
    }
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    if (this.bytes > this.highWater && !this.isPaused) {
      this.isPaused = true;
      this.flow.pause();
    }
  }

  end(): void {
    this.isEnded = true;
    clearTimeout(this.discardTimer);
    this.waiting?.resolve(ended);
    this.waiting = null;
  }

  fail(error: Error): void {
    this.failure ??= error;
    clearTimeout(this.discardTimer);
    this.waiting?.reject(this.failure);
    this.waiting = null;
  }

  /** Stops the producer; what was not read is dropped. */
  destroy(error: Error = new Error("abandoned")): void {
    if (this.isEnded && this.failure === null) return;
    this.flow.abandon(error);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () => this.next(),
      return: async () => {
        this.discardRest();
        return ended;
      },
    };
  }

  private next(): Promise<IteratorResult<Uint8Array>> {
    if (this.chunks.length > 0) return Promise.resolve({ value: this.take(), done: false });
    if (this.failure !== null) return Promise.reject(this.failure);
    if (this.isEnded) return Promise.resolve(ended);
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
  }

  private take(): Uint8Array {
    const { chunks } = this;
    let count = 1;
    let size = (chunks[0] as Uint8Array).length;
    for (; count < chunks.length; count += 1) {
      const next = (chunks[count] as Uint8Array).length;
      if (size + next > mergeBytes) break;
      size += next;
    }
    const taken = count === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks.slice(0, count), size);
    this.chunks = count === chunks.length ? [] : chunks.slice(count);
    this.bytes -= size;
    if (this.isPaused && this.bytes <= this.highWater / 2) {
      this.isPaused = false;
      this.flow.resume();
    }
    return taken;
  }

  /** The loop ended early: a little more may come to a clean end, so that the connection can be used again. */
  private discardRest(): void {
    this.chunks = [];
    if (this.isEnded || this.failure !== null) return;
    this.isDiscarding = true;
    this.bytes = 0;
    this.discardTimer = setTimeout(() => this.flow.abandon(new Error("surplus")), discardMs);
    this.discardTimer.unref();
    if (this.isPaused) this.flow.resume();
  }
}
