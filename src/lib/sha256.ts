import { createHash } from "node:crypto";

/** SHA-256 of UTF-8 text. Fast on purpose: what is hashed here has 190 random bits and cannot be guessed. */
export const sha256 = (text: string): Uint8Array => createHash("sha256").update(text, "utf8").digest();
