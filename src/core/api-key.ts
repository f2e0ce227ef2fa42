/**
 * Secrets that Tollgate gives out: a prefix that says the kind, 32 random base62 characters (190 bits) and 6 base62
 * characters of CRC32 over everything before them. The checksum makes a typo fail without a lookup and lets scanners
 * recognise a leaked key; it is no protection by itself.
 */
export type ApiKeyKind = "live" | "test" | "admin" | "portal";

const prefixes: Readonly<Record<ApiKeyKind, string>> = {
  live: "sk-tg-live-",
  test: "sk-tg-test-",
  admin: "tg-adm-",
  portal: "tg-prt-",
};
const kinds: readonly ApiKeyKind[] = ["live", "test", "admin", "portal"];

const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const randomLength = 32;
const checksumLength = 6;

/**
 * What secret scanners look for, as a regular expression that every engine reads; published in docs/security.md. A match
 * is a secret of Tollgate for certain only when its checksum is right too: `parseApiKey` says so.
 */
export const secretPattern = String.raw`\b(?:sk-tg-(?:live|test)|tg-(?:adm|prt))-[0-9A-Za-z]{38}\b`;

/** Random bytes that a key needs. 256 bits folded into 62^32 leave a bias of less than 2^-65. */
export const apiKeyRandomBytes = 32;

/** The secret of a new key. `random` must be `apiKeyRandomBytes` bytes from a cryptographic source; each is used. */
export function formatApiKey(kind: ApiKeyKind, random: Uint8Array): string {
  if (random.length !== apiKeyRandomBytes) {
    throw new Error(`Bug: a key takes ${apiKeyRandomBytes} random bytes, not ${random.length}`);
  }
  let value = 0n;
  for (const byte of random) value = value * 256n + BigInt(byte);
  const body = `${prefixes[kind]}${toBase62(value % 62n ** BigInt(randomLength), randomLength)}`;
  return body + toBase62(BigInt(crc32(body)), checksumLength);
}

/** The kind of a well-formed secret, or null. Checks prefix, alphabet, length and checksum; whether it exists is another matter. */
export function parseApiKey(text: string): { readonly kind: ApiKeyKind } | null {
  const kind = kinds.find((one) => text.startsWith(prefixes[one]));
  if (kind === undefined) return null;
  const tail = text.slice(prefixes[kind].length);
  if (tail.length !== randomLength + checksumLength || !/^[0-9A-Za-z]+$/.test(tail)) return null;
  const body = text.slice(0, -checksumLength);
  return toBase62(BigInt(crc32(body)), checksumLength) === text.slice(-checksumLength) ? { kind } : null;
}

/** The prefix of a secret's kind. */
export const prefixOf = (kind: ApiKeyKind): string => prefixes[kind];

/** What may be shown of a secret after it was made: its prefix and last 4 characters. */
export function displayOf(secret: string): string {
  const parsed = parseApiKey(secret);
  if (parsed === null) throw new Error("Bug: displayOf() was given something that is not a key");
  return `${prefixes[parsed.kind]}…${secret.slice(-4)}`;
}

function toBase62(value: bigint, length: number): string {
  let text = "";
  for (let rest = value, place = 0; place < length; place += 1, rest /= 62n)
    text = digits.charAt(Number(rest % 62n)) + text;
  return text;
}

/** CRC-32 (IEEE 802.3, reflected, as in zlib) of ASCII text. */
function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index += 1) {
    crc ^= text.charCodeAt(index) & 0xff;
    // 0xedb88320 is the reversed polynomial 0x04c11db7.
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
