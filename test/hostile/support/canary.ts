/** Texts that must never leave the place they were put in: they are in prompts and keys, and looked for everywhere else. */
import { randomBytes } from "node:crypto";

/** In every prompt that a hostile test sends. */
export const promptCanary = `canary-prompt-${randomBytes(8).toString("hex")}`;
/** The operator's key at the vendor, in the form vendors give out. */
export const vendorKeyCanary = `sk-proj-${randomBytes(24).toString("base64url").replaceAll(/[-_]/g, "x")}`;
/** Another key of the operator, in no form that could be recognised: it is hidden because it is known. */
export const oddKeyCanary = `${randomBytes(8).toString("hex").replaceAll(/[0-9]/g, "q")}!$(${randomBytes(12).toString("hex").replaceAll(/[0-9]/g, "z")})~`;
/** The password of the database user; the test server asks for none and takes any. */
export const databasePasswordCanary = `pw-${randomBytes(12).toString("hex")}`;
/** The configured admin token. */
export const adminTokenCanary = `adm-${randomBytes(16).toString("hex")}`;

export interface Haystack {
  readonly place: string;
  readonly text: string;
}

/** Where each of the secrets was found, as readable lines; empty when all is well. A secret is found by any half of it. */
export function findCanaries(haystacks: readonly Haystack[], secrets: readonly string[]): string[] {
  return haystacks.flatMap(({ place, text }) =>
    secrets.flatMap((secret) => {
      const half = Math.ceil(secret.length / 2);
      const needles = [secret.slice(0, half), secret.slice(-half)].filter((needle) => needle.length >= 12);
      const found = needles.find((needle) => text.includes(needle));
      if (found === undefined) return [];
      const at = text.indexOf(found);
      return [
        `${place} shows ${secret.slice(0, 14)}…: ${JSON.stringify(text.slice(Math.max(at - 100, 0), at + 120))}`,
      ];
    }),
  );
}
