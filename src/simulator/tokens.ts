import o200kRanks from "gpt-tokenizer/bpeRanks/o200k_base";
import { encode as encodeCl100k } from "gpt-tokenizer/encoding/cl100k_base";
import { encode as encodeO200k } from "gpt-tokenizer/encoding/o200k_base";

export type Encoding = "o200k_base" | "cl100k_base";

/**
 * The tokenizer is quadratic on one long run without spaces, so text is counted in slices of this many
 * characters.
 * A cut costs at most a token or two; test texts are shorter.
 */
const sliceLength = 4_000;
const textOnly = { disallowedSpecial: new Set<string>() };

/** Token ids of `text`. Special tokens such as `<|endoftext|>` are text here, as they are in a message. */
export function encodeText(text: string, encoding: Encoding = "o200k_base"): number[] {
  const encode = encoding === "o200k_base" ? encodeO200k : encodeCl100k;
  if (text.length <= sliceLength) return encode(text, textOnly);
  const ids: number[] = [];
  for (let from = 0; from < text.length; ) {
    const to = endOfSlice(text, from);
    for (const id of encode(text.slice(from, to), textOnly)) ids.push(id);
    from = to;
  }
  return ids;
}

export function countTokens(text: string, encoding: Encoding = "o200k_base"): number {
  return encodeText(text, encoding).length;
}

/** A stretch of answer text that is sent in one delta, and how many tokens it was generated as. */
export interface Piece {
  readonly text: string;
  readonly tokens: number;
}

/**
 * `text` as the vendor streams it: a token for each delta, except where a character spreads over several
 * tokens.
 */
export function splitIntoPieces(text: string): Piece[] {
  const pieces: Piece[] = [];
  let bytes: Buffer = Buffer.alloc(0);
  let tokens = 0;
  for (const id of encodeText(text)) {
    bytes = Buffer.concat([bytes, bytesOfToken(id)]);
    tokens += 1;
    const whole = bytes.toString("utf8");
    if (whole.includes("\uFFFD")) continue;
    pieces.push({ text: whole, tokens });
    bytes = Buffer.alloc(0);
    tokens = 0;
  }
  if (tokens > 0) pieces.push({ text: bytes.toString("utf8"), tokens });
  return pieces;
}

function bytesOfToken(id: number): Buffer {
  const token = o200kRanks[id];
  if (token === undefined) throw new Error(`Cannot decode token ${id}: o200k_base has none of that number.`);
  return typeof token === "string" ? Buffer.from(token, "utf8") : Buffer.from(token);
}

/**
 * Where a slice may end without changing the count: before a single space between two visible characters,
 * where
 * the tokenizer always cuts. A run without one is cut anywhere but inside a character, which costs a token or
 * two.
 */
function endOfSlice(text: string, from: number): number {
  const limit = from + sliceLength;
  if (limit >= text.length) return text.length;
  for (let at = limit; at > from + sliceLength / 2; at--) {
    if (text[at] === " " && isVisible(text[at - 1]) && isVisible(text[at + 1])) return at;
  }
  const code = text.charCodeAt(limit - 1);
  return code >= 0xd800 && code <= 0xdbff ? limit - 1 : limit;
}

function isVisible(character: string | undefined): boolean {
  return character !== undefined && /\S/.test(character);
}
