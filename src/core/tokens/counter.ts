import { LongMerge, longPieceBytes, ShortMerge, shortPieceBytes } from "./merge.ts";
import { PieceCache } from "./piece-cache.ts";
import { hashBytes, noRank, type RankList, Ranks } from "./ranks.ts";
import { type EncodingName, Splitter } from "./split.ts";
import { encodeUtf8, type TextRange, utf8Length } from "./utf8.ts";

/**
 * Past this many UTF-16 units the rest of a text is charged in bytes: 0.1 to 0.5 s of work, far more than any
 * context window.
 */
export const exactTextUnits = 1_048_576;

export interface TokenCount {
  readonly tokens: number;
  /**
   * True when some part was charged its UTF-8 bytes, which are never fewer than its tokens; else the count is
   * exact.
   */
  readonly isUpperBound: boolean;
}

/** A count under way, for callers that must not block: `tokens` is final once `step` has returned true. */
export interface RunningCount extends TokenCount {
  /** Works on for about `maxWork` bytes (0.1 to 1 µs each) and says whether the count is complete. */
  step(maxWork: number): boolean;
}

/**
 * Counts the tokens of user text in one encoding, as tiktoken's `encode_ordinary` does: the text of a special
 * token is text. Time is O(n log n) for every input, memory is bounded, and nothing throws.
 */
export interface Counter {
  /**
   * Stops soon after `limit` tokens: then `tokens` exceeds `limit` and counts a prefix. Blocks for about 0.15
   * ms per kB.
   */
  count(text: string, limit?: number): TokenCount;
  /** `exactUnits`: how much of the text is counted before bytes stand in. */
  start(text: string, exactUnits?: number): RunningCount;
}

export function createCounter(ranks: RankList, encoding: EncodingName): Counter {
  const tools = new Tools(new Ranks(ranks), new Splitter(encoding));
  return {
    start: (text, exactUnits = exactTextUnits) => new TextCount(tools, text, exactUnits),
    count(text, limit = Number.POSITIVE_INFINITY) {
      const running = new TextCount(tools, text, exactTextUnits);
      while (running.tokens <= limit && !running.step(limit === Number.POSITIVE_INFINITY ? 1e9 : 1024));
      return { tokens: running.tokens, isUpperBound: running.isUpperBound };
    },
  };
}

/** What all counts of one encoding share; none of it holds anything of a count between two pieces. */
class Tools {
  private readonly ranks: Ranks;
  readonly splitter: Splitter;
  private readonly cache = new PieceCache();
  private readonly shortMerge: ShortMerge;
  /** The bytes of the piece at hand: no view of them is made, because that costs as much as a lookup. */
  private readonly scratch = new Uint8Array(longPieceBytes * 3);

  constructor(ranks: Ranks, splitter: Splitter) {
    this.ranks = ranks;
    this.splitter = splitter;
    this.shortMerge = new ShortMerge(ranks);
  }

  /** Makes a piece of at most `longPieceBytes` units the one at hand and returns its size in bytes. */
  takeUp(text: string, piece: TextRange): number {
    return encodeUtf8(text, piece, this.scratch);
  }

  /** Tokens of the piece at hand, which has at most `shortPieceBytes`. */
  countShort(size: number): number {
    if (size === 1) return 1;
    const { scratch } = this;
    const hash = hashBytes(scratch, 0, size);
    if (this.ranks.findHashed(scratch, size, hash) !== noRank) return 1;
    const known = this.cache.find(scratch, size, hash);
    if (known !== 0) return known;
    const count = this.shortMerge.count(scratch, size);
    this.cache.store(scratch, size, hash, count);
    return count;
  }

  /** A merge of the piece at hand, which it takes a copy of. */
  startLong(size: number): LongMerge {
    return new LongMerge(this.ranks, this.scratch.slice(0, size));
  }
}

/**
 * Walks the text piece by piece. A long piece is merged over several steps, what is too long is charged over
 * several.
 */
class TextCount implements RunningCount {
  tokens = 0;
  isUpperBound = false;
  private readonly tools: Tools;
  private readonly text: string;
  private readonly exactUnits: number;
  private position = 0;
  /** Up to here the text is charged in bytes. */
  private bytesUntil = 0;
  private merge: LongMerge | null = null;

  constructor(tools: Tools, text: string, exactUnits: number) {
    this.tools = tools;
    this.text = text;
    this.exactUnits = exactUnits;
  }

  step(maxWork: number): boolean {
    let work = maxWork;
    while (work > 0) {
      if (this.merge !== null) work = this.finishMerge(this.merge, work);
      else if (this.position < this.bytesUntil) work -= this.chargeBytes(work);
      else if (this.position === this.text.length) return true;
      else work -= this.takePiece();
    }
    return false;
  }

  private finishMerge(merge: LongMerge, work: number): number {
    const left = merge.step(work);
    if (left > 0) {
      this.tokens += merge.parts;
      this.merge = null;
    }
    return left;
  }

  /**
   * Charges the bytes of the next stretch. Cut only between code points, or the halves would count as 3 bytes
   * each.
   */
  private chargeBytes(work: number): number {
    let end = Math.min(this.bytesUntil, this.position + work);
    if (end < this.bytesUntil && (this.text.codePointAt(end - 1) as number) > 0xffff) end += 1;
    const units = end - this.position;
    this.tokens += utf8Length(this.text, { start: this.position, end });
    this.isUpperBound = true;
    this.position = end;
    return units;
  }

  /** Counts one piece, or prepares what the following rounds will count. Returns the work done. */
  private takePiece(): number {
    const { text, tools, position: start } = this;
    if (start >= this.exactUnits) {
      this.bytesUntil = text.length;
      return 0;
    }
    const end = tools.splitter.pieceEnd(text, start);
    if (end - start > longPieceBytes) {
      this.bytesUntil = end;
      return 0;
    }
    this.position = end;
    const size = tools.takeUp(text, { start, end });
    if (size <= shortPieceBytes) {
      this.tokens += tools.countShort(size);
    } else if (size <= longPieceBytes) {
      this.merge = tools.startLong(size);
    } else {
      this.tokens += size;
      this.isUpperBound = true;
    }
    return size;
  }
}
