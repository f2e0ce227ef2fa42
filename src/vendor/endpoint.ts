/** One vendor endpoint as the client needs it. OpenAI and Azure OpenAI differ in data only: URL form and header. */
export interface VendorEndpoint {
  readonly name: string;
  readonly kind: "azure" | "openai";
  readonly baseUrl: string;
  /** Azure: a dated version or "v1". */
  readonly apiVersion: string | null;
  /** `api-key: …` or `Authorization: Bearer …`. */
  readonly auth: "api-key" | "bearer";
  /** The credential now; asked for with every call, because Entra tokens change. */
  readonly credential: () => Promise<string>;
  readonly extraHeaders: Readonly<Record<string, string>>;
  readonly connectTimeoutMs: number;
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

export interface CallTarget {
  readonly origin: string;
  readonly path: string;
}

const dated = /^\d{4}-\d{2}-\d{2}/;

/**
 * Where an operation of a deployment lives (dialect §3.1): Azure's dated form names the deployment in the path, except
 * for Responses; its v1 form and everybody else take it as `model` in the body. `operation` may carry a query.
 */
export function targetOf(
  endpoint: Pick<VendorEndpoint, "kind" | "baseUrl" | "apiVersion">,
  deployment: string,
  operation: string,
): CallTarget {
  const url = new URL(endpoint.baseUrl);
  const root = url.pathname.replace(/\/+$/, "");
  const [place = "", own = ""] = operation.split("?", 2);
  if (endpoint.kind === "openai") {
    return { origin: url.origin, path: `${root}/${place}${queryOf(url.search.slice(1), own)}` };
  }
  const version = endpoint.apiVersion ?? "v1";
  const resource = root.replace(/\/openai(\/v1|\/deployments(\/[^/]+)?)?$/, "");
  if (!dated.test(version)) {
    const query = queryOf(version === "v1" ? "" : `api-version=${encodeURIComponent(version)}`, own);
    return { origin: url.origin, path: `${resource}/openai/v1/${place}${query}` };
  }
  const query = queryOf(`api-version=${encodeURIComponent(version)}`, own);
  const path = place.startsWith("responses")
    ? place
    : `deployments/${encodeURIComponent(deployment)}/${place}`;
  return { origin: url.origin, path: `${resource}/openai/${path}${query}` };
}

function queryOf(...parts: readonly string[]): string {
  const filled = parts.filter((part) => part !== "");
  return filled.length === 0 ? "" : `?${filled.join("&")}`;
}
