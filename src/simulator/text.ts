import type { Random } from "./seeded.ts";
import type { Piece } from "./tokens.ts";

/** Words that are one token with a space before them, in o200k_base and in cl100k_base (a test proves it). */
const words =
  "the a road gate each car one and pays for it to pass when lets then light open line day " +
  "time way from with that " +
  "small cost long work place hand part right high side work same water note page word " +
  "time field store rate set fee";

const list: readonly string[] = words.split(" ").map((word) => ` ${word}`);
const openers: readonly string[] = ["The", "A", "Each", "One", "When", "For", "It", "Then"];

/** Seeded plain text of exactly `count` tokens, one piece per token. */
export function writeText(random: Random, count: number): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < count; at++) {
    const isLast = at === count - 1 && count > 1;
    pieces.push({ text: at === 0 ? pick(openers, random) : isLast ? "." : pick(list, random), tokens: 1 });
  }
  return pieces;
}

function pick(from: readonly string[], random: Random): string {
  const word = from[random.below(from.length)];
  if (word === undefined) throw new Error("Cannot pick a word: the list is empty.");
  return word;
}
