import type { IncomingHttpHeaders } from "node:http";
import { type FaultName, isFaultName } from "./faults.ts";

/**
 * What a request itself asks of the simulator, by header `x-sim-KEY: value` or in the last user message as
 * `[[sim:key=value key=value]]` (a gateway passes the message on but not the headers). The message wins.
 */
export interface Directives {
  /** Visible tokens of the answer. */
  readonly tokens: number | null;
  /** Hidden reasoning tokens before it. */
  readonly reasoning: number | null;
  readonly fault: FaultName | "none" | null;
  /** The fault strikes only this many attempts of the same conversation, then it heals. */
  readonly times: number | null;
  /** Output tokens after which a fault in the middle of an answer strikes; null = half of the answer. */
  readonly after: number | null;
  /** `retry-after` of a 429 or 503, in seconds. */
  readonly retryAfter: number | null;
  /** Size of the filler of `huge_line`, in bytes. */
  readonly bytes: number | null;
  readonly tokensPerSecond: number | null;
  readonly latencyMs: number | null;
  /** The service tier that serves the request, whatever it asked for. */
  readonly tier: string | null;
  /** The name that the answer gives for the model that served it, as a router or an alias does. */
  readonly served: string | null;
}

const noDirectives: Directives = {
  tokens: null,
  reasoning: null,
  fault: null,
  times: null,
  after: null,
  retryAfter: null,
  bytes: null,
  tokensPerSecond: null,
  latencyMs: null,
  tier: null,
  served: null,
};

const numeric: Readonly<Record<string, keyof Directives>> = {
  tokens: "tokens",
  reasoning: "reasoning",
  times: "times",
  after: "after",
  retry_after: "retryAfter",
  bytes: "bytes",
  tps: "tokensPerSecond",
  latency_ms: "latencyMs",
};

export const directiveNames: readonly string[] = [...Object.keys(numeric), "fault", "tier", "served"];

const inText = /\[\[sim:([^\]]*)\]\]/g;

/** The directives of a request, or a sentence that says which one cannot be read. */
export function readDirectives(headers: IncomingHttpHeaders, text: string): Directives | string {
  const found: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith("x-sim-"))
      found.push([name.slice("x-sim-".length).replaceAll("-", "_"), String(value)]);
  }
  for (const match of text.matchAll(inText)) {
    for (const pair of (match[1] ?? "").split(/[\s,;]+/).filter((word) => word !== "")) {
      const at = pair.indexOf("=");
      found.push(at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)]);
    }
  }
  const read: Record<string, number | string> = {};
  for (const [key, value] of found) {
    const problem = readPair(read, key, value);
    if (problem !== null) return problem;
  }
  return { ...noDirectives, ...read };
}

function readPair(read: Record<string, number | string>, key: string, value: string): string | null {
  if (key === "fault") {
    if (value !== "none" && !isFaultName(value))
      return `Cannot apply the simulator fault '${value}': there is none of that name.`;
    read[key] = value;
    return null;
  }
  if (key === "tier" || key === "served") {
    read[key] = value;
    return null;
  }
  const name = numeric[key];
  if (name === undefined) return `Cannot read the simulator directive '${key}': there is none of that name.`;
  const count = Number(value);
  if (value === "" || !Number.isFinite(count) || count < 0) {
    return `Cannot read the simulator directive '${key}=${value}': give a number of 0 or more.`;
  }
  read[name] = count;
  return null;
}
