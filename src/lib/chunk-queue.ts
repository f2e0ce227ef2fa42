/** After its reader stopped, a producer may send this much for this long before it is cut off. */
const discardBytes = 65_536;
const discardMs = 2_000;

/**
 * A bounded hand-over of byte chunks from callbacks to one `for await` loop. The producer is told to pause above
 * `highWater` bytes and to go on when the loop has caught up.
 */
export class ChunkQueue implements AsyncIterable<Uint8Array> {
  private chunks: Uint8Array[] = [];
  private bytes = 0;
  private isPaused = false;
  private isEnded = false;
  private isDiscarding = false;
  private discardTimer: ReturnType<typeof setTimeout> | undefined;
  private failure: Error | null = null;
  private wake: (() => void) | null = null;
  private readonly highWater: number;
  private readonly flow: { pause(): void; resume(): void; abandon(error: Error): void };

  constructor(highWater: number, flow: { pause(): void; resume(): void; abandon(error: Error): void }) {
    this.highWater = highWater;
    this.flow = flow;
  }

  push(chunk: Uint8Array): void {
    if (this.isDiscarding) {
      this.bytes += chunk.length;
      if (this.bytes > discardBytes) this.flow.abandon(new Error("surplus"));
      return;
    }
    this.chunks.push(chunk);
    this.bytes += chunk.length;
    if (this.bytes > this.highWater && !this.isPaused) {
      this.isPaused = true;
      this.flow.pause();
    }
    this.notify();
  }

  end(): void {
    this.isEnded = true;
    clearTimeout(this.discardTimer);
    this.notify();
  }

  fail(error: Error): void {
    this.failure ??= error;
    clearTimeout(this.discardTimer);
    this.notify();
  }

  /** Stops the producer; what was not read is dropped. */
  destroy(error: Error = new Error("abandoned")): void {
    if (this.isEnded && this.failure === null) return;
    this.flow.abandon(error);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    try {
      yield* this.read();
    } finally {
      this.discardRest();
    }
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

  private async *read(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      while (this.chunks.length > 0) {
        const ready = this.chunks;
        this.chunks = [];
        this.bytes = 0;
        if (this.isPaused) {
          this.isPaused = false;
          this.flow.resume();
        }
        for (const chunk of ready) yield chunk;
      }
      if (this.failure !== null) throw this.failure;
      if (this.isEnded) return;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
  }

  private notify(): void {
    const { wake } = this;
    this.wake = null;
    wake?.();
  }
}
