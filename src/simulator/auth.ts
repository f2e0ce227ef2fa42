import type { IncomingHttpHeaders } from "node:http";
import { entraError, keyError, type VendorError } from "./errors.ts";
import type { Settings } from "./options.ts";
import type { Form } from "./routes.ts";

/** Why the vendor does not let this request in, or null when it does. */
export function refuseKey(settings: Settings, headers: IncomingHttpHeaders, form: Form): VendorError | null {
  const { profile, apiKeys } = settings;
  const bearer = /^Bearer\s+(.+)$/i.exec(headers.authorization ?? "")?.[1]?.trim() ?? null;
  const accepts = (key: string): boolean => (apiKeys === null ? key !== "" : apiKeys.includes(key));
  if (!profile.isAzure) {
    return bearer !== null && accepts(bearer) ? null : keyError(profile.errors, bearer);
  }
  const header = headers["api-key"];
  const key = typeof header === "string" ? header : null;
  if (key !== null) return accepts(key) ? null : keyError("azure", key);
  if (bearer === null) return keyError("azure", null);
  // Plain keys as bearer are for v1; a dated address takes Entra tokens there, which are JWTs.
  if (form === "dated") return isToken(bearer) ? null : entraError();
  return accepts(bearer) || isToken(bearer) ? null : keyError("azure", bearer);
}

function isToken(bearer: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(bearer);
}
