import type { BrowserRequest } from "../ports-console.ts";

/** The header that the console's own script sets on every write. A form or image of another site cannot. */
export const consoleHeader = "x-tollgate-console";

const reading = new Set(["GET", "HEAD"]);

/**
 * Why a browser's request must not be trusted with its cookie, or null. The cookie is SameSite=Strict already; this is
 * the second lock, which does not rest on the cookie's own attributes. Reads may not come from another site; writes
 * must come from this very origin and carry the console's header.
 */
export function foreignReason({ method, headers }: BrowserRequest): string | null {
  const site = textOf(headers["sec-fetch-site"]);
  if (reading.has(method)) {
    return site === null || site === "same-origin" || site === "none"
      ? null
      : `it comes from a page of another site (${site})`;
  }
  if (textOf(headers[consoleHeader]) === null)
    return `a write from a browser needs the header ${consoleHeader}`;
  if (site !== null) return site === "same-origin" ? null : `it comes from another site (${site})`;
  // Browsers without Sec-Fetch-Site send Origin on every write.
  const origin = textOf(headers.origin);
  return origin !== null && isOwnOrigin(origin, headers)
    ? null
    : "it does not say that it comes from this console";
}

/** Proxies may end TLS, so only host and port are compared; what the proxy was asked for comes first. */
function isOwnOrigin(origin: string, headers: BrowserRequest["headers"]): boolean {
  const host = textOf(headers["x-forwarded-host"]) ?? textOf(headers.host);
  const match = /^https?:\/\/([^/]+)$/.exec(origin);
  return match !== null && host !== null && match[1]?.toLowerCase() === host.toLowerCase();
}

const textOf = (value: string | readonly string[] | undefined): string | null =>
  typeof value === "string" ? value : null;
