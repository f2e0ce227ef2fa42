import { createHash } from "node:crypto";

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const hexDigits = "0123456789abcdef";

/** Everything random about one attempt. The same parts give the same draws, in the same order. */
export interface Random {
  /** A whole number from 0 up to and without `limit`. */
  below(limit: number): number;
  /** From 0 up to and without 1. */
  fraction(): number;
  text(length: number): string;
  hex(length: number): string;
  uuid(): string;
}

/**
 * Random draws that depend on `parts` alone (SHA-256 of the parts seeds a 32-bit mulberry generator per
 * block).
 */
export function createRandom(...parts: readonly (string | number | Uint8Array)[]): Random {
  const key = digest(parts);
  let block = 0;
  let state = key.readUInt32LE(0);
  const next = (): number => {
    // A generator of 32 bits repeats; mixing in another word of the key keeps two attempts from sharing a
    // tail.
    block = (block + 1) % 8;
    state = (state + 0x6d2b79f5 + key.readUInt32LE(block * 4)) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const draw = (alphabet: string, length: number): string => {
    let text = "";
    for (let i = 0; i < length; i++) text += alphabet.charAt(next() % alphabet.length);
    return text;
  };
  const hex = (length: number): string => draw(hexDigits, length);
  return {
    below: (limit) => next() % limit,
    fraction: () => next() / 4294967296,
    text: (length) => draw(letters, length),
    hex,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
  };
}

function digest(parts: readonly (string | number | Uint8Array)[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) {
    const bytes = typeof part === "object" ? part : Buffer.from(String(part));
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest();
}
