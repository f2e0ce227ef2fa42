import { randomBytes } from "node:crypto";

/** Crockford's base32, lower case: no i, l, o, u, and in the order of ASCII, so that text order is number order. */
const digits = "0123456789abcdefghjkmnpqrstvwxyz";
const tailLength = 16;

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
  let time = "";
  let tail = new Uint8Array(tailLength);
  return {
    next(prefix) {
      const now = Math.floor(options.now());
      if (now > lastMs) {
        lastMs = now;
        time = timeText(now);
        tail = freshTail(options.random);
      } else {
        countUp(tail);
      }
      let id = `${prefix}_${time}`;
      for (const digit of tail) id += digits[digit];
      return id;
    },
  };
}

/** The lowest id that can be made at `ms`: every id made earlier sorts before it, every later one after it. */
export const idFloor = (prefix: string, ms: number): string => `${prefix}_${timeText(Math.floor(ms))}`;

/** 48 bits of time in 10 digits. */
function timeText(ms: number): string {
  let text = "";
  for (let rest = ms, place = 0; place < 10; place += 1, rest = Math.floor(rest / 32))
    text = digits.charAt(rest % 32) + text;
  return text;
}

/** 80 random bits as 16 digits, the top bit clear, so that counting up within one ms cannot overflow. */
function freshTail(random: IdOptions["random"]): Uint8Array<ArrayBuffer> {
  const tail = new Uint8Array(random(tailLength));
  for (const [place, byte] of tail.entries()) tail[place] = byte & (place === 0 ? 15 : 31);
  return tail;
}

function countUp(tail: Uint8Array): void {
  let place = tail.length - 1;
  while (tail[place] === 31) tail[place--] = 0;
  tail[place] = (tail[place] as number) + 1;
}
