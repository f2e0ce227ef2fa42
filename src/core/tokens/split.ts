import { CharClasses, charClass } from "./char-class.ts";

/**
 * The two vocabularies that OpenAI's models count in. `o200k_harmony` (gpt-oss) counts text as `o200k_base`
 * does.
 */
export const encodingNames = ["o200k_base", "cl100k_base"] as const;
export type EncodingName = (typeof encodingNames)[number];

const letter = charClass.upper | charClass.lower | charClass.caseless;
const upperRun = charClass.upper | charClass.caseless | charClass.mark;
const lowerRun = charClass.lower | charClass.caseless | charClass.mark;
const symbol = charClass.other | charClass.mark;
const white = charClass.space | charClass.lineEnd;
/** [^\r\n\p{L}\p{N}]: what may stand before a word in its piece. */
const lead = charClass.mark | charClass.space | charClass.other;

const space = 0x20;
const slash = 0x2f;
const apostrophe = 0x27;

/**
 * Cuts text into the pieces that are merged each on its own: what the published split patterns match
 * (tiktoken 0.14, openai_public.py), as a scan. A regular expression would do the same at V8's mercy: it
 * cannot be bounded, and one run of 4 million CJK letters overflows its stack. The test keeps the patterns
 * and compares.
 */
export class Splitter {
  private readonly classes = new CharClasses();
  private readonly isCaseSplit: boolean;

  constructor(encoding: EncodingName) {
    this.isCaseSplit = encoding === "o200k_base";
  }

  /**
   * Where the piece ends that starts at `start`, which must be less than `text.length`. Linear in the piece.
   */
  pieceEnd(text: string, start: number): number {
    if (!this.isCaseSplit) {
      const end = contractionEnd(text, start);
      if (end > start) return end;
    }
    const kind = this.classAt(text, start);
    const wordEnd = this.isCaseSplit
      ? this.caseWordEnd(text, start, kind)
      : this.plainWordEnd(text, start, kind);
    if (wordEnd > start) return wordEnd;
    if (kind === charClass.digit) return this.digitsEnd(text, start);
    const symbolsStart = text.charCodeAt(start) === space ? start + 1 : start;
    const symbolsEnd = this.runEnd(text, symbolsStart, symbol);
    if (symbolsEnd > symbolsStart) return this.symbolTailEnd(text, symbolsEnd);
    return this.whiteEnd(text, start);
  }

  /** cl100k: `[^\r\n\p{L}\p{N}]?\p{L}+` */
  private plainWordEnd(text: string, start: number, kind: number): number {
    const from = (kind & lead) !== 0 ? next(text, start) : start;
    const end = this.runEnd(text, from, letter);
    return end > from ? end : start;
  }

  /**
   * o200k: `lead? upper* lower+ contraction?`, else `lead? upper+ lower* contraction?`. Letters without case
   * and marks are both upper and lower. A mark may also be the lead, and is one if a word follows it.
   */
  private caseWordEnd(text: string, start: number, kind: number): number {
    let end = start;
    if ((kind & lead) !== 0) end = this.lowerWordEnd(text, next(text, start));
    if (end <= start && (kind & (upperRun | lowerRun)) !== 0) end = this.lowerWordEnd(text, start);
    if (end <= start) {
      const from = (kind & lead) !== 0 ? next(text, start) : start;
      end = this.runEnd(text, from, upperRun);
      if (end === from) return start;
    }
    return contractionEnd(text, end);
  }

  /**
   * `upper* lower+`: the run of upper gives back up to its last character that is lower too. -1 when there is
   * none.
   */
  private lowerWordEnd(text: string, start: number): number {
    let lastLower = -1;
    let at = start;
    for (; at < text.length; at = next(text, at)) {
      const kind = this.classAt(text, at);
      if ((kind & upperRun) === 0) break;
      if ((kind & lowerRun) !== 0) lastLower = next(text, at);
    }
    const end = this.runEnd(text, at, lowerRun);
    return end > at ? end : lastLower;
  }

  /** `\p{N}{1,3}` */
  private digitsEnd(text: string, start: number): number {
    let at = start;
    for (let count = 0; count < 3 && at < text.length; count++) {
      if (this.classAt(text, at) !== charClass.digit) break;
      at = next(text, at);
    }
    return at;
  }

  /** `[\r\n/]*` after symbols in o200k, `[\r\n]*` in cl100k. */
  private symbolTailEnd(text: string, start: number): number {
    let at = start;
    for (; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      if (unit !== 0x0a && unit !== 0x0d && !(this.isCaseSplit && unit === slash)) break;
    }
    return at;
  }

  /**
   * White space: up to its last line end; without one all of it, but for the last character when something
   * follows (it leads the next piece). In cl100k white space at the end of the text stays whole.
   */
  private whiteEnd(text: string, start: number): number {
    let lastLineEnd = -1;
    let at = start;
    for (; at < text.length; at++) {
      const kind = this.classAt(text, at);
      if ((kind & white) === 0) break;
      if (kind === charClass.lineEnd) lastLineEnd = at + 1;
    }
    if (!this.isCaseSplit && at === text.length) return at;
    if (lastLineEnd !== -1) return lastLineEnd;
    return at === text.length || at === start + 1 ? at : at - 1;
  }

  private runEnd(text: string, start: number, kinds: number): number {
    let at = start;
    while (at < text.length && (this.classAt(text, at) & kinds) !== 0) at = next(text, at);
    return at;
  }

  private classAt(text: string, at: number): number {
    return this.classes.of(text.codePointAt(at) as number);
  }
}

/** The position after the code point at `at`. */
const next = (text: string, at: number): number => at + ((text.codePointAt(at) as number) > 0xffff ? 2 : 1);

/**
 * After one of 's 'd 'm 't 'll 've 're in any case at `start`, else `start`. Rust's (?i:s) takes U+017F (ſ)
 * too.
 */
function contractionEnd(text: string, start: number): number {
  if (text.charCodeAt(start) !== apostrophe) return start;
  const first = text.charCodeAt(start + 1);
  if (first === 0x17f) return start + 2;
  const one = String.fromCharCode(first | 0x20);
  if (first < 0x80 && (one === "s" || one === "d" || one === "m" || one === "t")) return start + 2;
  const two = text.slice(start + 1, start + 3).toLowerCase();
  return two === "ll" || two === "ve" || two === "re" ? start + 3 : start;
}
