import { plain } from "./markdown.ts";
import { spentOn } from "./spent.ts";
import { type CallRecord, ProbeFailure, type ProbeTarget } from "./types.ts";

/** Why nothing can be measured, from the first call: one line that says what is so and what to do. */
export function failureOf(record: CallRecord, target: ProbeTarget, signal: AbortSignal): ProbeFailure {
  const place = shownUrl(target.baseUrl);
  const spent = spentOn([record]);
  const fail = (code: ProbeFailure["code"], what: string): ProbeFailure =>
    new ProbeFailure(code, `Cannot probe ${place}: ${what}`, spent);
  const { status, fault, error } = record;
  if (signal.aborted) return new ProbeFailure("interrupted", "Interrupted before the first answer.", spent);
  if (fault !== null) return fail("unreachable", faultText(fault));
  const said = plain(error?.message ?? "");
  if (status === 401 || status === 403) {
    return fail(
      "not_authorised",
      `the endpoint refuses the key (HTTP ${status}: ${said}); check ${target.credential}.`,
    );
  }
  if (status === 404) return fail("usage", `${notFound(target)} (HTTP 404: ${said}).`);
  if (status !== null && status >= 300 && status < 400) {
    const location = record.headers.location;
    const where = location === undefined ? "" : ` to ${shownUrl(location, target.baseUrl)}`;
    return fail(
      "unreachable",
      `it redirects${where} (HTTP ${status}), and a key is not sent on; give that address itself.`,
    );
  }
  if (status === 429)
    return fail("failed", `it refuses more requests for now (HTTP 429: ${said}); try again later.`);
  if (status !== null && status >= 500)
    return fail(
      "unreachable",
      `it fails with HTTP ${status} (${said}); try again later, or check the address.`,
    );
  if (status !== null && status < 300) {
    return fail(
      "unreachable",
      `it answers HTTP ${status} with something that is no JSON (${said.slice(0, 80)}); check the address, which must be the API's root.`,
    );
  }
  return fail(
    "failed",
    `it refuses the plainest request (HTTP ${status}: ${said}); check the model and the api-version.`,
  );
}

function faultText(fault: NonNullable<CallRecord["fault"]>): string {
  if (fault.code === "timeout") return `${fault.message}; it may hang, or need a longer --timeout.`;
  return `${fault.message}; check the address and the network.`;
}

function notFound({ route, baseUrl }: ProbeTarget): string {
  const isRootBare = URL.canParse(baseUrl) && new URL(baseUrl).pathname === "/";
  if (route.kind === "openai" && isRootBare) {
    return `there is no such path or model; the API's root usually ends in /v1, and the model asked for is ${route.deployment}`;
  }
  const version = route.kind === "azure" ? ` and the api-version ${route.apiVersion ?? "v1"}` : "";
  return `there is no such path or model; check the address, the deployment ${route.deployment}${version}`;
}

/** An address without login and query, either of which may hold a secret. */
export function shownUrl(address: string, base?: string): string {
  if (!URL.canParse(address, base)) return "an address that cannot be read";
  const url = new URL(address, base);
  return `${url.origin}${url.pathname === "/" ? "" : url.pathname}`;
}
