import type { Api } from "./ask.ts";

/** What a request is for, read from its method and path. */
export type Route =
  | {
      readonly kind: "generate";
      readonly api: Api;
      readonly deployment: string | null;
      readonly apiVersion: string | null;
      readonly form: Form;
    }
  | {
      readonly kind: "response";
      readonly id: string;
      readonly action: "get" | "delete" | "cancel";
      readonly form: Form;
    }
  | { readonly kind: "models"; readonly model: string | null; readonly form: Form }
  | { readonly kind: "simulator"; readonly action: SimulatorAction }
  | { readonly kind: "unknown" };

export type SimulatorAction = "bill" | "requests" | "reset" | "outage";

/** How the URL is written: OpenAI's, Azure's with a dated version, or Azure's v1. */
export type Form = "plain" | "dated" | "v1";

const generatePaths: Readonly<Record<string, Api>> = {
  "chat/completions": "chat",
  completions: "completions",
  embeddings: "embeddings",
  responses: "responses",
  "responses/input_tokens": "input_tokens",
};

/**
 * Azure serves `/openai/deployments/NAME/…`, `/openai/responses` and `/openai/v1/…`; OpenAI serves `/v1/…`.
 * Other vendors have prefixes of their own (`/openai/v1`, `/api/v1`, `/v1beta/openai`, none), so any prefix
 * will do there.
 */
export function readRoute(method: string, url: URL, isAzure: boolean): Route {
  const { pathname } = url;
  if (pathname.startsWith("/_sim/")) return readSimulatorRoute(method, pathname);
  const address = isAzure ? readAzureAddress(url) : readPlainAddress(pathname);
  if (address === null) return { kind: "unknown" };
  const { rest, form } = address;
  const api = generatePaths[rest];
  if (method === "POST" && api !== undefined) {
    const { deployment, apiVersion } = address;
    const isBare = api === "responses" || api === "input_tokens";
    const isMisplaced = form === "dated" && isBare !== (deployment === null);
    return isMisplaced ? { kind: "unknown" } : { kind: "generate", api, deployment, apiVersion, form };
  }
  const stored = /^responses\/([^/]+)(\/cancel)?$/.exec(rest);
  if (stored?.[1] !== undefined) {
    const action = storedActions[`${method}${stored[2] ?? ""}`];
    return action === undefined ? { kind: "unknown" } : { kind: "response", id: stored[1], action, form };
  }
  if (method === "GET" && rest === "models") return { kind: "models", model: null, form };
  if (method === "GET" && rest.startsWith("models/"))
    return { kind: "models", model: decodeURIComponent(rest.slice("models/".length)), form };
  return { kind: "unknown" };
}

interface Address {
  readonly rest: string;
  readonly form: Form;
  readonly deployment: string | null;
  readonly apiVersion: string | null;
}

function readAzureAddress(url: URL): Address | null {
  const version = url.searchParams.get("api-version");
  const v1 = /^\/openai\/v1\/(.+)$/.exec(url.pathname);
  if (v1?.[1] !== undefined) {
    if (version !== null && version !== "v1" && version !== "preview") return null;
    return { rest: v1[1], form: "v1", deployment: null, apiVersion: version ?? "v1" };
  }
  if (version === null || !/^20\d\d-\d\d-\d\d(-preview)?$/.test(version)) return null;
  const deployed = /^\/openai\/deployments\/([^/]+)\/(.+)$/.exec(url.pathname);
  if (deployed?.[1] !== undefined && deployed[2] !== undefined) {
    return {
      rest: deployed[2],
      form: "dated",
      deployment: decodeURIComponent(deployed[1]),
      apiVersion: version,
    };
  }
  const bare = /^\/openai\/((?:responses|models)(?:\/.*)?)$/.exec(url.pathname);
  if (bare?.[1] === undefined) return null;
  if (bare[1].startsWith("responses") && version < "2025-03-01") return null;
  return { rest: bare[1], form: "dated", deployment: null, apiVersion: version };
}

const plainRest = /^(?:\/.*)?\/((?:chat\/completions|completions|embeddings|responses|models)(?:\/.*)?)$/;

function readPlainAddress(pathname: string): Address | null {
  if (pathname.includes("/deployments/")) return null;
  const rest = /\/(chat\/completions)$/.exec(pathname)?.[1] ?? plainRest.exec(pathname)?.[1];
  return rest === undefined ? null : { rest, form: "plain", deployment: null, apiVersion: null };
}

const storedActions: Readonly<Record<string, "get" | "delete" | "cancel">> = {
  GET: "get",
  DELETE: "delete",
  "POST/cancel": "cancel",
};

function readSimulatorRoute(method: string, pathname: string): Route {
  const action = pathname.slice("/_sim/".length);
  if (method === "GET" && (action === "bill" || action === "requests")) return { kind: "simulator", action };
  const isOrder = method === "POST" && (action === "reset" || action === "outage");
  return isOrder ? { kind: "simulator", action } : { kind: "unknown" };
}
