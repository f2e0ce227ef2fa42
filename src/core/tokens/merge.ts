import { noRank, type Ranks } from "./ranks.ts";

/** Up to here a scan for the lowest rank is faster than a heap. */
export const shortPieceBytes = 100;

/**
 * A longer piece is not merged but charged its bytes: no natural text has one, and it bounds memory and time.
 * Also the stride of a heap key, rank × 65 536 + position, which stays far below 2⁵³.
 */
export const longPieceBytes = 65_536;

/**
 * Merges pieces of at most `shortPieceBytes`. One instance is used again and again: it holds nothing between
 * calls.
 */
export class ShortMerge {
  private readonly ranks: Ranks;
  private readonly starts = new Int32Array(shortPieceBytes + 2);
  private readonly pairs = new Int32Array(shortPieceBytes + 2);

  constructor(ranks: Ranks) {
    this.ranks = ranks;
  }

  /** How many tokens the first `size` bytes merge into. */
  count(bytes: Uint8Array, size: number): number {
    const { ranks, starts, pairs } = this;
    let parts = size;
    for (let i = 0; i <= size; i++) starts[i] = i;
    for (let i = 0; i < size - 1; i++) pairs[i] = ranks.findPair(bytes, i);
    for (;;) {
      let lowest = noRank;
      let at = -1;
      for (let i = 0; i < parts - 1; i++) {
        const rank = pairs[i] as number;
        if (rank < lowest) {
          lowest = rank;
          at = i;
        }
      }
      if (at < 0) return parts;
      parts -= 1;
      // A loop, because copyWithin costs more than it saves on a few dozen elements.
      for (let i = at + 1; i <= parts; i++) {
        starts[i] = starts[i + 1] as number;
        pairs[i] = pairs[i + 1] as number;
      }
      if (at < parts - 1) pairs[at] = this.rankAt(bytes, at);
      if (at > 0) pairs[at - 1] = this.rankAt(bytes, at - 1);
    }
  }

  /** Rank of part `at` joined with the next one. */
  private rankAt(bytes: Uint8Array, at: number): number {
    return this.ranks.find(bytes, this.starts[at] as number, this.starts[at + 2] as number);
  }
}

/**
 * Merges one long piece in steps, in O(n log n): a linked list of parts and a heap of the joins that are
 * possible. A join whose part has changed since is stale and skipped when it comes up.
 *
 * First every byte becomes a part and its join with the next one enters the heap; then the join of lowest
 * rank (of equals the leftmost) is made, again and again, until the heap is empty.
 */
export class LongMerge {
  /** Parts left; the token count once `step` has said so. */
  parts: number;
  private readonly ranks: Ranks;
  private readonly bytes: Uint8Array;
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  private readonly joins: Int32Array;
  private readonly heap = new KeyHeap();
  private filled = 0;

  /** Takes `bytes` over: at most `longPieceBytes` of them. */
  constructor(ranks: Ranks, bytes: Uint8Array) {
    this.ranks = ranks;
    this.bytes = bytes;
    this.parts = bytes.length;
    this.next = new Int32Array(bytes.length);
    this.previous = new Int32Array(bytes.length);
    this.joins = new Int32Array(bytes.length);
    for (let at = 0; at < bytes.length; at++) {
      this.next[at] = at + 1;
      this.previous[at] = at - 1;
    }
  }

  /** Does up to `maxWork` looks at a part and returns how many are left over; above 0 the piece is done. */
  step(maxWork: number): number {
    const size = this.bytes.length;
    let work = maxWork;
    for (; this.filled < size && work > 0; work--) this.rejoin(this.filled++);
    for (; this.heap.size > 0 && work > 0; work--) this.joinLowest();
    return work;
  }

  private joinLowest(): void {
    const key = this.heap.pop();
    const rank = Math.floor(key / longPieceBytes);
    const at = key - rank * longPieceBytes;
    if (this.joins[at] !== rank) return;
    const { next, previous, joins } = this;
    const gone = next[at] as number;
    const after = next[gone] as number;
    next[at] = after;
    joins[gone] = noRank;
    this.parts -= 1;
    if (after < this.bytes.length) previous[after] = at;
    this.rejoin(at);
    const before = previous[at] as number;
    if (before >= 0) this.rejoin(before);
  }

  /** Looks up the join of the part at `at` with the one after it. */
  private rejoin(at: number): void {
    const second = this.next[at] as number;
    const isLast = second === this.bytes.length;
    const rank = isLast ? noRank : this.ranks.find(this.bytes, at, this.next[second] as number);
    this.joins[at] = rank;
    if (rank !== noRank) this.heap.push(rank * longPieceBytes + at);
  }
}

/** A binary heap of numbers, least first, in one typed array that doubles. */
class KeyHeap {
  size = 0;
  private keys = new Float64Array(1024);

  push(key: number): void {
    if (this.size === this.keys.length) {
      const larger = new Float64Array(this.size * 2);
      larger.set(this.keys);
      this.keys = larger;
    }
    const { keys } = this;
    let at = this.size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = keys[parent] as number;
      if (above <= key) break;
      keys[at] = above;
      at = parent;
    }
    keys[at] = key;
  }

  /** The least key. The heap must not be empty. */
  pop(): number {
    const { keys } = this;
    const least = keys[0] as number;
    const last = keys[--this.size] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && (keys[child + 1] as number) < (keys[child] as number)) child += 1;
      const below = keys[child] as number;
      if (below >= last) break;
      keys[at] = below;
      at = child;
    }
    keys[at] = last;
    return least;
  }
}
