const slots = 32_768;
const slotBytes = 48;

/**
 * Remembers how many tokens the last pieces had that are no token themselves. Direct-mapped: a newer piece
 * takes the place of the older one with the same slot, so memory is fixed (1.7 MB), eviction costs nothing,
 * and no text of a request is kept alive by a key that is a slice of it.
 */
export class PieceCache {
  private readonly bytes = new Uint8Array(slots * slotBytes);
  private readonly sizes = new Uint8Array(slots);
  private readonly counts = new Uint8Array(slots);

  /** The stored token count of the first `size` bytes, or 0 when it is not stored. */
  find(bytes: Uint8Array, size: number, hash: number): number {
    const slot = hash & (slots - 1);
    if (this.sizes[slot] !== size) return 0;
    const from = slot * slotBytes;
    for (let i = 0; i < size; i++) if (this.bytes[from + i] !== bytes[i]) return 0;
    return this.counts[slot] as number;
  }

  /** Stores a count; pieces longer than a slot are not kept. */
  store(bytes: Uint8Array, size: number, hash: number, count: number): void {
    if (size > slotBytes) return;
    const slot = hash & (slots - 1);
    const from = slot * slotBytes;
    for (let i = 0; i < size; i++) this.bytes[from + i] = bytes[i] as number;
    this.sizes[slot] = size;
    this.counts[slot] = count;
  }
}
