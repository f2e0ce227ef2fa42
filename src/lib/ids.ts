import { randomBytes } from "node:crypto";

/** Crockford's base32, lower case: no i, l, o, u, and in the order of ASCII, so that text order is number order. */
const digits = "0123456789abcdefghjkmnpqrstvwxyz";

export interface IdSource {
  /** "<prefix>_" and 26 characters: 48 bits of time in ms, then 80 bits that are random or one more than the last. */
  next(prefix: string): string;
}

export interface IdOptions {
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
}

/**
 * Ids that sort by time, are unique across processes, and ascend strictly within this one, even when the clock
 * stands still or goes back: then the last time is kept and the random part counts up.
 */
export function createIds(options: IdOptions = { now: Date.now, random: randomBytes }): IdSource {
  let lastMs = -1;
  let lastRandom = 0n;
  return {
    next(prefix) {
      const now = Math.floor(options.now());
      if (now > lastMs) {
        lastMs = now;
        lastRandom = freshRandom(options.random);
      } else {
        lastRandom += 1n;
      }
      return `${prefix}_${toBase32(BigInt(lastMs), 10)}${toBase32(lastRandom, 16)}`;
    },
  };
}

/** The lowest id that can be made at `ms`: every id made earlier sorts before it, every later one after it. */
export const idFloor = (prefix: string, ms: number): string =>
  `${prefix}_${toBase32(BigInt(Math.floor(ms)), 10)}`;

/** 80 random bits, the top one clear, so that counting up within one ms cannot overflow. */
function freshRandom(random: IdOptions["random"]): bigint {
  let value = 0n;
  for (const byte of random(10)) value = value * 256n + BigInt(byte);
  return value & ((1n << 79n) - 1n);
}

function toBase32(value: bigint, length: number): string {
  let text = "";
  for (let rest = value, place = 0; place < length; place += 1, rest >>= 5n)
    text = digits.charAt(Number(rest & 31n)) + text;
  return text;
}
