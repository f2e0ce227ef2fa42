/**
 * UTF-8 without a runtime's help, so that no substring is made for a piece. A lone surrogate becomes U+FFFD
 * (3 bytes), as in every WHATWG encoder. `bytes` must hold 3 bytes for each UTF-16 unit.
 */
export function encodeUtf8(text: string, range: TextRange, bytes: Uint8Array): number {
  let size = 0;
  for (let at = range.start; at < range.end; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) {
      bytes[size++] = unit;
    } else if (unit < 0x800) {
      bytes[size++] = 0xc0 | (unit >> 6);
      bytes[size++] = 0x80 | (unit & 0x3f);
    } else {
      const point = codePointAt(text, at, range.end);
      if (point > 0xffff) {
        at += 1;
        bytes[size++] = 0xf0 | (point >> 18);
        bytes[size++] = 0x80 | ((point >> 12) & 0x3f);
      } else {
        bytes[size++] = 0xe0 | (point >> 12);
      }
      bytes[size++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[size++] = 0x80 | (point & 0x3f);
    }
  }
  return size;
}

/** Part of a text, in UTF-16 units; `end` is exclusive. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/**
 * How many bytes `encodeUtf8` would write. Never fewer than the tokens of the same text
 * (docs/reference/tokens.md).
 */
export function utf8Length(text: string, range: TextRange): number {
  let size = 0;
  for (let at = range.start; at < range.end; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) {
      size += 1;
    } else if (unit < 0x800) {
      size += 2;
    } else if (codePointAt(text, at, range.end) > 0xffff) {
      size += 4;
      at += 1;
    } else {
      size += 3;
    }
  }
  return size;
}

/** The code point that starts at `at`, where a surrogate without its other half reads as U+FFFD. */
function codePointAt(text: string, at: number, end: number): number {
  const unit = text.charCodeAt(at);
  if (unit < 0xd800 || unit > 0xdfff) return unit;
  if (unit > 0xdbff || at + 1 >= end) return 0xfffd;
  const next = text.charCodeAt(at + 1);
  return next >= 0xdc00 && next <= 0xdfff ? 0x10000 + ((unit - 0xd800) << 10) + (next - 0xdc00) : 0xfffd;
}
