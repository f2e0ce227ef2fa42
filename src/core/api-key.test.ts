import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type ApiKeyKind,
  apiKeyRandomBytes,
  displayOf,
  formatApiKey,
  parseApiKey,
  prefixOf,
} from "./api-key.ts";

const kinds: readonly ApiKeyKind[] = ["live", "test", "admin", "portal"];
const keys = fc
  .tuple(
    fc.constantFrom(...kinds),
    fc.uint8Array({ minLength: apiKeyRandomBytes, maxLength: apiKeyRandomBytes }),
  )
  .map(([kind, random]) => ({ kind, secret: formatApiKey(kind, random) }));

test.each([
  ["live", /^sk-tg-live-[0-9A-Za-z]{38}$/],
  ["test", /^sk-tg-test-[0-9A-Za-z]{38}$/],
  ["admin", /^tg-adm-[0-9A-Za-z]{38}$/],
  ["portal", /^tg-prt-[0-9A-Za-z]{38}$/],
] as const)("a %s key has its own form", (kind, form) => {
  expect(formatApiKey(kind, new Uint8Array(apiKeyRandomBytes).fill(7))).toMatch(form);
});

test("the checksum is CRC32 of everything before it", () => {
  const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  fc.assert(
    fc.property(keys, ({ secret }) => {
      let value = 0;
      for (const digit of secret.slice(-6)) value = value * 62 + base62.indexOf(digit);
      expect(value).toBe(crc32(secret.slice(0, -6)));
    }),
  );
});

test("every key that was made is recognised as its kind", () =>
  fc.assert(
    fc.property(keys, ({ kind, secret }) => {
      expect(parseApiKey(secret)).toEqual({ kind });
    }),
  ));

test("a key with one changed character is not recognised", () =>
  fc.assert(
    fc.property(keys, fc.nat(), fc.nat(), ({ secret }, at, by) => {
      const index = at % secret.length;
      const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";
      const changed = alphabet.charAt(by % alphabet.length);
      fc.pre(changed !== secret.charAt(index));
      expect(parseApiKey(secret.slice(0, index) + changed + secret.slice(index + 1))).toBeNull();
    }),
  ));

test("different random bytes make different keys", () =>
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.nat(31), (random, index) => {
      const other = random.slice();
      other[index] = ((other[index] ?? 0) + 1) % 256;
      expect(formatApiKey("live", other)).not.toBe(formatApiKey("live", random));
    }),
  ));

const sample = formatApiKey("live", new Uint8Array(apiKeyRandomBytes).fill(1));
test.each([
  ["nothing", ""],
  ["another vendor's key", "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789AB"],
  ["a prefix alone", "sk-tg-live-"],
  ["a key cut short", sample.slice(0, -1)],
  ["a key with a space after it", `${sample} `],
  ["a key with a line feed after it", `${sample}\n`],
  ["a key with another prefix", sample.replace("live", "test")],
  ["a key in upper case", sample.toUpperCase()],
  ["letters outside the alphabet", `sk-tg-live-${"é".repeat(38)}`],
])("%s is not a key", (_name, text) => expect(parseApiKey(text)).toBeNull());

test("displayOf() shows the prefix and the last four characters only", () =>
  fc.assert(
    fc.property(keys, ({ kind, secret }) => {
      expect(displayOf(secret)).toBe(`${prefixOf(kind)}…${secret.slice(-4)}`);
    }),
  ));

test("formatApiKey() refuses too little randomness", () => {
  expect(() => formatApiKey("live", new Uint8Array(16))).toThrow(/32 random bytes/);
});
