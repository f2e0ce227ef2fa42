import {
  type Counter,
  createCounter,
  exactTextUnits,
  type RunningCount,
  type TokenCount,
} from "../core/tokens/counter.ts";
import { type EncodingName, encodingNames } from "../core/tokens/split.ts";
import { loadRanks } from "./token-ranks.ts";

/**
 * Counts tokens without holding up the thread: small texts at once, larger ones in slices between other work.
 */
export interface SlicedTokenCounter {
  /**
   * Tokens of one text. `isUpperBound` when a part was charged its bytes (over 64 kB without a break, or past
   * 1 MB).
   */
  count(text: string, encoding: string): Promise<TokenCount>;
  /**
   * The sum over `texts`, each counted on its own; the 1 MB of exact counting is for all of them together.
   */
  countAll(texts: readonly string[], encoding: string): Promise<TokenCount>;
  /**
   * Loads an encoding and compiles the hot path, 0.1 to 0.2 s of blocking: at start, not with the first
   * request.
   */
  warmUp(encoding: EncodingName): Promise<void>;
}

/** Up to this many UTF-16 units a count starts at once: 1 to 2 ms for ordinary text. */
const inlineUnits = 10_240;
/**
 * How long one slice may keep the thread, in ms; measured stalls stay below twice this on an idle machine.
 */
const sliceMs = 3;
/** Work between two looks at the clock, in bytes: 0.2 to 2 ms. */
const workPerLook = 2_048;

export function createTokenCounter(): SlicedTokenCounter {
  const loading = new Map<EncodingName, Promise<Counter>>();
  const queue = new SliceQueue();

  async function load(encoding: string): Promise<Counter> {
    const name = encodingNames.find((known) => known === encoding);
    if (name === undefined) {
      throw new Error(
        `Cannot count tokens in ${encoding}: it is not known; use one of ${encodingNames.join(", ")}.`,
      );
    }
    let counter = loading.get(name);
    if (counter === undefined) {
      counter = loadRanks(name).then((ranks) => createCounter(ranks, name));
      loading.set(name, counter);
      // A failed load is tried again by the next caller; this one still sees the error.
      counter.catch(() => loading.delete(name));
    }
    return counter;
  }

  async function countAll(texts: readonly string[], encoding: string): Promise<TokenCount> {
    const sum = new SumCount(await load(encoding), texts);
    if (sum.units > inlineUnits || !runSlice(sum)) await queue.finish(sum);
    return { tokens: sum.tokens, isUpperBound: sum.isUpperBound };
  }

  return {
    count: (text, encoding) => countAll([text], encoding),
    countAll,
    async warmUp(encoding) {
      for (let round = 0; round < 20; round++) await countAll([warmUpText], encoding);
    },
  };
}

/** Words, digits, symbols, pieces that need merging both ways, and several scripts. */
const warmUpText =
  `Toll gate 12345, it's "QWxsIGdvb2Qg" == 日本 Maut\r\n  ${"qz".repeat(40)} ${"xk".repeat(400)}`.repeat(5);

/** The counts of several texts as one, taken up in steps. */
class SumCount implements RunningCount {
  tokens = 0;
  isUpperBound = false;
  readonly units: number;
  private readonly counter: Counter;
  private readonly texts: readonly string[];
  private taken = 0;
  private exactUnits = exactTextUnits;
  private running: RunningCount | null = null;

  constructor(counter: Counter, texts: readonly string[]) {
    this.counter = counter;
    this.texts = texts;
    let units = 0;
    for (const text of texts) units += text.length;
    this.units = units;
  }

  step(maxWork: number): boolean {
    if (this.running === null) {
      const text = this.texts[this.taken];
      if (text === undefined) return true;
      this.running = this.counter.start(text, this.exactUnits);
      this.exactUnits = Math.max(0, this.exactUnits - text.length);
      this.taken += 1;
    }
    if (this.running.step(maxWork)) {
      this.tokens += this.running.tokens;
      this.isUpperBound ||= this.running.isUpperBound;
      this.running = null;
    }
    return false;
  }
}

/** Works on a count until it is complete (true) or its time is up. */
function runSlice(count: RunningCount): boolean {
  const until = performance.now() + sliceMs;
  do {
    if (count.step(workPerLook)) return true;
  } while (performance.now() < until);
  return false;
}

/**
 * Takes waiting counts in turn, one slice for each turn of the event loop however many wait, so that I/O
 * always comes between.
 */
class SliceQueue {
  private readonly waiting: Array<{ readonly count: RunningCount; readonly resolve: () => void }> = [];
  private isScheduled = false;

  finish(count: RunningCount): Promise<void> {
    return new Promise((resolve) => {
      this.waiting.push({ count, resolve });
      this.schedule();
    });
  }

  private schedule(): void {
    if (this.isScheduled || this.waiting.length === 0) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      const first = this.waiting.shift();
      if (first === undefined) return;
      if (runSlice(first.count)) first.resolve();
      else this.waiting.push(first);
      this.schedule();
    });
  }
}
