import { timingSafeEqual } from "node:crypto";
import { parseApiKey } from "../core/api-key.ts";
import { sha256 } from "../lib/sha256.ts";
import type { AdminTokens } from "../ports-admin.ts";
import { AdminError } from "./errors.ts";
import type { Actor } from "./route.ts";

const refuse = (message: string): AdminError =>
  new AdminError({
    status: 401,
    code: "invalid_admin_token",
    message,
    headers: { "www-authenticate": 'Bearer realm="tollgate"' },
  });

/** The bearer token of an `authorization` header; throws a 401 when there is none. */
export function readBearer(header: string | undefined): string {
  const match = /^bearer +([\x21-\x7e]{1,500})$/i.exec(header ?? "");
  if (match?.[1] !== undefined) return match[1];
  throw refuse("Cannot tell who you are: send `Authorization: Bearer <admin token>`.");
}

/**
 * Who `token` belongs to. The configured one is the owner's, compared as fixed-length digests in constant time; others
 * are found by their digest. Throws the same 401 for every token that is unknown, revoked or expired.
 */
export async function authenticate(token: string, ownerToken: string, tokens: AdminTokens): Promise<Actor> {
  const digest = sha256(token);
  if (timingSafeEqual(digest, sha256(ownerToken))) return { name: "owner", role: "owner", tokenId: null };
  const kind = parseApiKey(token)?.kind;
  if (kind === "live" || kind === "test")
    throw refuse("Cannot use a customer's key here: send an admin token (`tg-adm-…`).");
  const found = kind === "admin" ? await tokens.findLive(digest) : null;
  if (found === null)
    throw refuse(
      "Cannot accept this admin token: it is unknown, revoked or expired; ask an owner for a new one.",
    );
  return { name: found.id, role: found.role, tokenId: found.id };
}
