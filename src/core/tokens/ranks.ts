/** A published rank file: the token of rank i, as text or, where it is not valid UTF-8, as bytes. */
export type RankList = readonly (string | readonly number[] | undefined)[];

/** Greater than every rank: these bytes are not a token. */
export const noRank = 0x7fff_ffff;

/**
 * Bytes → rank, as one open-addressed hash over a flat pool of token bytes: no string or object per token.
 */
export class Ranks {
  private readonly pool: Uint8Array;
  private readonly offsets: Int32Array;
  private readonly slots: Int32Array;
  private readonly mask: number;
  private readonly longestToken: number;
  /** Ranks of all two-byte strings: every merge starts by looking these up. */
  private readonly pairs = new Int32Array(65_536).fill(noRank);

  constructor(list: RankList) {
    const { pool, offsets } = packTokens(list);
    this.pool = pool;
    this.offsets = offsets;
    let capacity = 1;
    while (capacity < list.length * 2) capacity *= 2;
    this.mask = capacity - 1;
    this.slots = new Int32Array(capacity).fill(-1);
    let longest = 0;
    for (let rank = 0; rank < list.length; rank++) {
      const start = offsets[rank] as number;
      const end = offsets[rank + 1] as number;
      if (start === end) continue;
      longest = Math.max(longest, end - start);
      let slot = hashBytes(pool, start, end) & this.mask;
      while (this.slots[slot] !== -1) slot = (slot + 1) & this.mask;
      this.slots[slot] = rank;
      if (end - start === 2) this.pairs[((pool[start] as number) << 8) | (pool[start + 1] as number)] = rank;
    }
    this.longestToken = longest;
  }

  /** The rank of `bytes[start, end)`, or `noRank`. */
  find(bytes: Uint8Array, start: number, end: number): number {
    if (end - start > this.longestToken) return noRank;
    return this.findHashed(bytes, end - start, hashBytes(bytes, start, end), start);
  }

  /** The rank of the two bytes at `start`, or `noRank`. */
  findPair(bytes: Uint8Array, start: number): number {
    return this.pairs[((bytes[start] as number) << 8) | (bytes[start + 1] as number)] as number;
  }

  /** As `find` for a caller that has the hash already. */
  findHashed(bytes: Uint8Array, size: number, hash: number, start = 0): number {
    const { pool, offsets, slots, mask } = this;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const rank = slots[slot] as number;
      if (rank === -1) return noRank;
      const from = offsets[rank] as number;
      if ((offsets[rank + 1] as number) - from !== size) continue;
      let same = 0;
      while (same < size && pool[from + same] === bytes[start + same]) same++;
      if (same === size) return rank;
    }
  }
}

/** FNV-1a with a last mix, because its low bits alone are poor. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c_9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b_3c6d);
  return hash ^ (hash >>> 13);
}

function packTokens(list: RankList): { pool: Uint8Array; offsets: Int32Array } {
  let most = 0;
  for (const token of list) if (token !== undefined) most += token.length * 3;
  const pool = new Uint8Array(most);
  const offsets = new Int32Array(list.length + 1);
  const encoder = new TextEncoder();
  let size = 0;
  for (let rank = 0; rank < list.length; rank++) {
    offsets[rank] = size;
    const token = list[rank];
    if (typeof token === "string") {
      size += encoder.encodeInto(token, pool.subarray(size)).written;
    } else if (token !== undefined) {
      pool.set(token, size);
      size += token.length;
    }
  }
  offsets[list.length] = size;
  return { pool: pool.slice(0, size), offsets };
}
