/**
 * A bounded hand-over of byte chunks from callbacks to one `for await` loop. The producer is told to pause above
 * `highWater` bytes and to go on when the loop has caught up.
 */
export class ChunkQueue implements AsyncIterable<Uint8Array> {
  private chunks: Uint8Array[] = [];
  private bytes = 0;
  private isPaused = false;
  private isEnded = false;
  private failure: Error | null = null;
  private wake: (() => void) | null = null;
  private readonly highWater: number;
  private readonly flow: { pause(): void; resume(): void; abandon(error: Error): void };

  constructor(highWater: number, flow: { pause(): void; resume(): void; abandon(error: Error): void }) {
    this.highWater = highWater;
    this.flow = flow;
  }

  push(chunk: Uint8Array): void {
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
    this.notify();
  }

  fail(error: Error): void {
    this.failure ??= error;
    this.notify();
  }

  /** Stops the producer; what was not read is dropped. */
  destroy(error: Error = new Error("abandoned")): void {
    if (this.isEnded && this.failure === null) return;
    this.flow.abandon(error);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
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
