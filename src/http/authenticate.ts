import { hash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { parseApiKey } from "../core/api-key.ts";
import type { Clock, KeyIdentity, Keys } from "../ports.ts";

/** How long a verified key is believed without asking the database again, ms. Every hold is checked there anyway. */
const believeMs = 1_000;
const maxCached = 10_000;

export type Authentication =
  | { readonly ok: true; readonly identity: KeyIdentity }
  | { readonly ok: false; readonly message: string };

/** Finds who a request is from. */
export type Authenticate = (headers: IncomingHttpHeaders) => Promise<Authentication>;

/** Verifies the key of a request: form and checksum first, so that raw input never reaches the database. */
export function createAuthenticator(keys: Keys, clock: Clock): Authenticate {
  const cache = new Map<string, { identity: Promise<KeyIdentity | null>; at: number }>();
  return async (headers) => {
    const presented = presentedKey(headers);
    if (presented === null) {
      return refuse(
        "You didn't provide an API key; send it as `Authorization: Bearer sk-tg-…` or `api-key: sk-tg-…`.",
      );
    }
    if (presented === "ambiguous") return refuse("Two different API keys were sent; send one.");
    if (parseApiKey(presented) === null)
      return refuse("Incorrect API key provided: it is not a Tollgate key, or a letter is wrong.");
    const name = hash("sha256", presented, "base64");
    const now = clock.elapsed();
    let known = cache.get(name);
    if (known === undefined || now - known.at > believeMs) {
      // One question to the database for all requests that arrive meanwhile; a failed one is asked again by the next.
      known = { identity: keys.find(Buffer.from(name, "base64")), at: now };
      known.identity.catch(() => cache.delete(name));
      if (cache.size >= maxCached) cache.clear();
      cache.set(name, known);
    }
    const identity = await known.identity;
    if (identity === null) return refuse("Incorrect API key provided: it is unknown, revoked or expired.");
    return { ok: true, identity };
  };
}

/** Asks once for each request, however often it is asked about: before its body is read, and where it is handled. */
export function oncePerRequest(authenticate: Authenticate): Authenticate {
  const asked = new WeakMap<IncomingHttpHeaders, Promise<Authentication>>();
  return (headers) => {
    const known = asked.get(headers) ?? authenticate(headers);
    asked.set(headers, known);
    return known;
  };
}

const refuse = (message: string): Authentication => ({ ok: false, message });

function presentedKey(headers: IncomingHttpHeaders): string | "ambiguous" | null {
  const bearer = /^Bearer\s+(\S+)$/i.exec(headers.authorization ?? "")?.[1] ?? null;
  const apiKey = headers["api-key"];
  const plain = typeof apiKey === "string" && apiKey !== "" ? apiKey : null;
  if (bearer !== null && plain !== null && bearer !== plain) return "ambiguous";
  return bearer ?? plain;
}
