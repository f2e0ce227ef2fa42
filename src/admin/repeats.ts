/** What an `Idempotency-Key` needs: a fingerprint of what was asked, and secrets sealed while they wait for a repeat. */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { invalid } from "./errors.ts";

/** The header's value, or null without one. Throws a 400 for what is not a usable key. */
export function readIdempotencyKey(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  if (typeof header === "string" && /^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw invalid(
    "invalid_idempotency_key",
    "Cannot use this Idempotency-Key: it must be 1 to 255 printable ASCII characters without spaces; a UUID is fine.",
    "Idempotency-Key",
  );
}

/** Of what the caller meant, not of its bytes: the order of fields and white space do not matter. */
export const fingerprintOf = (asked: {
  readonly actor: string;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}): string =>
  createHash("sha256")
    .update(JSON.stringify([asked.actor, asked.method, asked.path, sorted(asked.body)]))
    .digest("hex");

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, part]) => [name, sorted(part)]));
}

const saltBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * An answer with a secret in it, readable with the caller's own token only: the database never holds a usable key.
 * AES-256-GCM under a key drawn from the token by HKDF; the layout is salt, nonce, tag, text.
 */
export function seal(body: Uint8Array, token: string): Uint8Array {
  const salt = randomBytes(saltBytes);
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", sealingKey(token, salt), nonce);
  const text = Buffer.concat([cipher.update(body), cipher.final()]);
  return Buffer.concat([salt, nonce, cipher.getAuthTag(), text]);
}

/** Undoes `seal`; throws when the token is another one. */
export function unseal(sealed: Uint8Array, token: string): Uint8Array {
  const bytes = Buffer.from(sealed);
  const salt = bytes.subarray(0, saltBytes);
  const nonce = bytes.subarray(saltBytes, saltBytes + nonceBytes);
  const tag = bytes.subarray(saltBytes + nonceBytes, saltBytes + nonceBytes + tagBytes);
  const decipher = createDecipheriv("aes-256-gcm", sealingKey(token, salt), nonce);
  decipher.setAuthTag(tag);
  return Buffer.concat([
    decipher.update(bytes.subarray(saltBytes + nonceBytes + tagBytes)),
    decipher.final(),
  ]);
}

const sealingKey = (token: string, salt: Uint8Array): Uint8Array =>
  new Uint8Array(hkdfSync("sha256", token, salt, "tollgate idempotent answer", 32));
