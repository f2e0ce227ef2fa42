import { expect, test } from "vitest";
import { oddTexts, seededRandom } from "../../../test/support/odd-texts.ts";
import { type EncodingName, encodingNames, Splitter } from "./split.ts";

/**
 * The published patterns (tiktoken 0.14, openai_public.py), with Rust's \s and case folding spelt out for
 * JavaScript: \s has U+0085 and lacks U+FEFF; (?i:'s) also takes U+017F.
 */
const ws = "\\t-\\r\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const contraction = "'(?:[sS\\u017f]|[dD]|[mM]|[tT]|[lL][lL]|[vV][eE]|[rR][eE])";
const upper = "\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}";
const lower = "\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}";
const lead = "[^\\r\\n\\p{L}\\p{N}]?";
const symbols = ` ?[^${ws}\\p{L}\\p{N}]+`;
const patterns: Readonly<Record<EncodingName, string>> = {
  o200k_base: [
    `${lead}[${upper}]*[${lower}]+(?:${contraction})?`,
    `${lead}[${upper}]+[${lower}]*(?:${contraction})?`,
    `\\p{N}{1,3}|${symbols}[\\r\\n/]*|[${ws}]*[\\r\\n]+|[${ws}]+(?![^${ws}])|[${ws}]+`,
  ].join("|"),
  cl100k_base: [
    `${contraction}|${lead}\\p{L}+|\\p{N}{1,3}|${symbols}[\\r\\n]*`,
    `[${ws}]+$|[${ws}]*[\\r\\n]|[${ws}]+(?![^${ws}])|[${ws}]`,
  ].join("|"),
};

test.each(encodingNames)("Splitter cuts where the pattern of %s matches", (encoding) => {
  const splitter = new Splitter(encoding);
  const pattern = new RegExp(patterns[encoding], "gu");
  for (const text of oddTexts(seededRandom(11), 20_000)) {
    const pieces: string[] = [];
    for (let at = 0; at < text.length; at += (pieces.at(-1) as string).length) {
      pieces.push(text.slice(at, splitter.pieceEnd(text, at)));
    }
    expect(pieces).toEqual(text.match(pattern) ?? []);
  }
});

test("Splitter reads a text of many short pieces that look long in linear time", () => {
  const text = `語${"A".repeat(200_000)}`.repeat(3);
  const splitter = new Splitter("o200k_base");
  let pieces = 0;
  for (let at = 0; at < text.length; pieces++) at = splitter.pieceEnd(text, at);
  expect(pieces).toBeLessThan(10);
});
