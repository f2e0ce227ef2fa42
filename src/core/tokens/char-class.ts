/**
 * What the split patterns tell apart. One bit each, so that a set of classes is a mask. The patterns are
 * written for Rust's regex crate, whose \s has U+0085 and lacks U+FEFF, unlike JavaScript's.
 */
export const charClass = {
  /** \p{Lu}, \p{Lt} */
  upper: 1,
  /** \p{Ll} */
  lower: 2,
  /** \p{Lm}, \p{Lo}: letters without case, which both kinds of run take */
  caseless: 4,
  /** \p{M}: taken by runs of letters, yet not a letter */
  mark: 8,
  /** \p{N} */
  digit: 16,
  /** CR and LF */
  lineEnd: 32,
  /** every other \s */
  space: 64,
  /** all the rest, lone surrogates and unassigned code points too */
  other: 128,
} as const;

const patterns: ReadonlyArray<readonly [RegExp, number]> = [
  [/^[\r\n]$/u, charClass.lineEnd],
  [/^[\t-\r\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/u, charClass.space],
  [/^\p{Ll}$/u, charClass.lower],
  [/^[\p{Lu}\p{Lt}]$/u, charClass.upper],
  [/^[\p{Lm}\p{Lo}]$/u, charClass.caseless],
  [/^\p{M}$/u, charClass.mark],
  [/^\p{N}$/u, charClass.digit],
];

const pageSize = 256;

/**
 * Classes of code points, looked up in pages that are filled when first touched (at most 1.1 MB, 0.1 ms a
 * page).
 */
export class CharClasses {
  private readonly pages: Array<Uint8Array | undefined> = new Array(0x11_0000 / pageSize);

  of(codePoint: number): number {
    const number = codePoint >> 8;
    const page = this.pages[number] ?? this.fill(number);
    return page[codePoint & 255] as number;
  }

  private fill(number: number): Uint8Array {
    const page = new Uint8Array(pageSize);
    for (let i = 0; i < pageSize; i++) {
      const character = String.fromCodePoint(number * pageSize + i);
      const match = patterns.find(([pattern]) => pattern.test(character));
      page[i] = match === undefined ? charClass.other : match[1];
    }
    this.pages[number] = page;
    return page;
  }
}
