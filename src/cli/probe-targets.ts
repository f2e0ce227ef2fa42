import type { Config, EndpointConfig } from "../config/config.ts";
import { findGiven } from "../config/variables.ts";
import { priceProviderOf } from "../core/price-providers.ts";
import type { DeploymentRoute } from "../core/routing.ts";
import { findNearest } from "../lib/nearest.ts";
import { Secret } from "../lib/secret.ts";
import type { ProbeTarget } from "../probe/types.ts";
import type { VendorEndpoint } from "../vendor/endpoint.ts";
import { credentialReader } from "./credentials.ts";
import { CliError, exitCodes, type Terminal } from "./terminal.ts";

export interface TargetOptions {
  readonly baseUrl?: string;
  readonly kind?: string;
  readonly deployment?: string;
  readonly model?: string;
  readonly apiVersion?: string;
  readonly keyEnv?: string;
}

/** One deployment to probe, and the way to it. */
export interface ProbeJob {
  readonly target: ProbeTarget;
  /** False: it was named by its address, and no store knows it. */
  readonly isConfigured: boolean;
  /** Reads the credential; asked for only when calls are made. */
  open(timeoutMs: number): { readonly endpoint: VendorEndpoint; readonly secrets: readonly Secret[] };
}

const usage = (message: string): CliError => new CliError(exitCodes.usage, message);
const connectTimeoutMsMax = 10_000;

/** Jobs by name, by address, or, with neither, for the only endpoint that is configured. */
export function findJobs(
  terminal: Terminal,
  names: readonly string[],
  options: TargetOptions,
  readConfig: () => Config,
): readonly ProbeJob[] {
  if (options.baseUrl !== undefined && names.length > 0)
    throw usage("Cannot probe both --base-url and a named endpoint; keep one of them.");
  const addresses = options.baseUrl === undefined ? names : [options.baseUrl];
  if (addresses.length > 0 && addresses.every((name) => /^https?:\/\//i.test(name))) {
    return addresses.map((address) => jobOfAddress(terminal, address, options));
  }
  if (options.baseUrl !== undefined)
    throw usage(
      `Cannot probe ${JSON.stringify(options.baseUrl)}: it is no http URL; write it like https://NAME.openai.azure.com.`,
    );
  const config = readConfig();
  if (config.endpoints.size === 0) {
    throw usage(
      "Cannot probe: no endpoint is configured; give an address, like `tollgate probe https://api.openai.com/v1 --model gpt-4o-mini`.",
    );
  }
  return (names.length > 0 ? names : [onlyEndpoint(config)]).map((name) =>
    /^https?:\/\//i.test(name) ? jobOfAddress(terminal, name, options) : jobOfEndpoint(config, name, options),
  );
}

function onlyEndpoint(config: Config): string {
  const [first, ...others] = config.endpoints.keys();
  if (first === undefined || others.length > 0)
    throw usage(`Cannot tell which endpoint to probe; name one: ${[...config.endpoints.keys()].join(", ")}.`);
  return first;
}

function jobOfEndpoint(config: Config, name: string, options: TargetOptions): ProbeJob {
  const { endpoint, target } = configuredTarget(config, name, {
    deployment: options.deployment ?? null,
    model: options.model ?? null,
  });
  return {
    target,
    isConfigured: true,
    open: (timeoutMs) => {
      const { credential } = endpoint;
      const headers = [...endpoint.headers].map(([header, value]) => [header, value.reveal()] as const);
      return {
        endpoint: vendorEndpoint(target, timeoutMs, {
          auth: endpoint.auth === "key" ? "api-key" : "bearer",
          credential: credentialReader(credential, () => performance.now()),
          extraHeaders: Object.fromEntries(headers),
        }),
        secrets: [...(credential.kind === "api_key" ? [credential.key] : []), ...endpoint.headers.values()],
      };
    },
  };
}

/**
 * A configured endpoint's deployment, as the gateway uses it. Throws a `CliError` that lists what there is when the choice
 * is not clear.
 */
export function configuredTarget(
  config: Config,
  name: string,
  chosen: { readonly deployment: string | null; readonly model: string | null },
): { readonly endpoint: EndpointConfig; readonly target: ProbeTarget } {
  const endpoint = config.endpoints.get(name);
  if (endpoint === undefined) {
    const near = findNearest(name, config.endpoints.keys());
    const help =
      near === null ? `there are ${[...config.endpoints.keys()].join(", ")}` : `did you mean ${near}`;
    throw usage(
      `Cannot probe ${JSON.stringify(name)}: there is no endpoint of this name; ${help}${near === null ? "." : "?"}`,
    );
  }
  const routes = new Map<string, DeploymentRoute>();
  for (const model of config.models) {
    for (const route of model.deployments) {
      const isChosen =
        route.endpoint === name &&
        (chosen.deployment === null || chosen.deployment === route.deployment) &&
        (chosen.model === null || chosen.model === route.model || chosen.model === model.name);
      if (isChosen && !routes.has(route.deployment)) routes.set(route.deployment, route);
    }
  }
  const [only, ...others] = routes.values();
  if (only === undefined)
    throw usage(
      `Cannot probe ${name}: no model is served by it${chosen.deployment === null && chosen.model === null ? "" : " under this name"}; add it under models, or give the address instead.`,
    );
  if (others.length > 0)
    throw usage(
      `Cannot tell which deployment of ${name} to probe; choose one with --deployment: ${listSome([...routes.keys()])}.`,
    );
  return {
    endpoint,
    target: {
      route: only,
      baseUrl: endpoint.baseUrl,
      isModelKnown: true,
      credential: describeCredential(endpoint),
    },
  };
}

const listSome = (names: readonly string[]): string =>
  names.length <= 12 ? names.join(", ") : `${names.slice(0, 12).join(", ")} and ${names.length - 12} more`;

function describeCredential({ credential }: EndpointConfig): string {
  const words = {
    none: "none",
    api_key: "the configured api_key",
    token_command: "the configured token_command",
    token_file: "the configured token_file",
  };
  return words[credential.kind];
}

function jobOfAddress(terminal: Terminal, address: string, options: TargetOptions): ProbeJob {
  const found = readAddress(address);
  const kind = readKind(options.kind) ?? (found.isAzure ? "azure" : "openai");
  const given = (name: string): string | null => readVariable(terminal, name);
  const fromEnvironment = kind === "azure" ? given("AZURE_OPENAI_DEPLOYMENT_NAME") : null;
  const deployment = options.deployment ?? found.deployment ?? options.model ?? fromEnvironment;
  if (deployment === null) {
    throw usage(
      kind === "azure"
        ? "Cannot probe: no deployment is named; add --deployment NAME."
        : "Cannot probe: no model is named; add --model NAME.",
    );
  }
  const version =
    options.apiVersion ??
    found.apiVersion ??
    given("AZURE_OPENAI_API_VERSION") ??
    given("OPENAI_API_VERSION");
  const variable = options.keyEnv ?? (kind === "azure" ? "AZURE_OPENAI_API_KEY" : "OPENAI_API_KEY");
  const key = given(variable);
  const target: ProbeTarget = {
    route: {
      ...{
        endpoint: new URL(found.baseUrl).host,
        kind,
        provider: priceProviderOf(kind, found.baseUrl),
        deployment,
        model: options.model ?? deployment,
      },
      ...{
        weight: 1,
        priority: 0,
        onDisconnect: "drain",
        drainTimeoutMs: 600_000,
        chargeFilteredPrompt: true,
      },
      apiVersion: kind === "azure" ? version : null,
    },
    baseUrl: found.baseUrl,
    isModelKnown: options.model !== undefined || kind === "openai",
    credential: key === null ? `no key (${variable} is not set)` : `environment variable ${variable}`,
  };
  return {
    target,
    isConfigured: false,
    open: (timeoutMs) => {
      const secret = keyFor({ kind, variable, key, baseUrl: found.baseUrl });
      const auth = kind === "azure" && !/^eyJ/.test(secret.reveal()) ? "api-key" : "bearer";
      const endpoint = vendorEndpoint(target, timeoutMs, {
        auth,
        credential: async () => secret.reveal(),
        extraHeaders: {},
      });
      return { endpoint, secrets: [secret] };
    },
  };
}

/** A key that is not set is an error where one is certainly needed; a server of one's own may need none. */
function keyFor(about: { kind: string; variable: string; key: string | null; baseUrl: string }): Secret {
  if (about.key !== null) return new Secret(about.key);
  const isOpen = about.kind === "openai" && !/(^|\.)openai\.com$/.test(new URL(about.baseUrl).hostname);
  if (!isOpen)
    throw usage(
      `Cannot probe: there is no key; set ${about.variable}, or name another variable with --key-env.`,
    );
  return new Secret("none");
}

function readVariable(terminal: Terminal, name: string): string | null {
  const found = findGiven(terminal.env, name);
  if (found.state === "failed") throw usage(`Cannot read ${name}: ${found.message}.`);
  return found.state === "set" ? found.text.trim() : null;
}

function readKind(text: string | undefined): "azure" | "openai" | null {
  return text === "azure" || text === "openai" ? text : null;
}

/** An address as it is copied from a portal: with the path of an operation, a deployment and an api-version in it. */
function readAddress(address: string): {
  baseUrl: string;
  isAzure: boolean;
  deployment: string | null;
  apiVersion: string | null;
} {
  if (!URL.canParse(address))
    throw usage("Cannot probe: the address cannot be read; write it like https://NAME.openai.azure.com.");
  const url = new URL(address);
  if (url.username !== "" || url.password !== "")
    throw usage("Cannot probe: the address holds a login; set the key in the environment instead.");
  const isAzure = /\.(openai\.azure\.com|services\.ai\.azure\.com|cognitiveservices\.azure\.com)$/i.test(
    url.hostname,
  );
  const apiVersion = url.searchParams.get("api-version");
  const path = url.pathname
    .replace(/\/(chat\/completions|completions|responses|embeddings)\/?$/, "")
    .replace(/\/+$/, "");
  const deployment = /\/openai\/deployments\/([^/]+)$/.exec(path)?.[1];
  url.searchParams.delete("api-version");
  return {
    baseUrl: `${url.origin}${path}${url.search}`,
    isAzure: isAzure || deployment !== undefined,
    deployment: deployment === undefined ? null : decodeURIComponent(deployment),
    apiVersion,
  };
}

function vendorEndpoint(
  target: ProbeTarget,
  timeoutMs: number,
  access: Pick<VendorEndpoint, "auth" | "credential" | "extraHeaders">,
): VendorEndpoint {
  const { endpoint: name, kind, apiVersion } = target.route;
  const connectTimeoutMs = Math.min(timeoutMs, connectTimeoutMsMax);
  // The probe's own timeout ends a call; these only must not end it earlier.
  const later = timeoutMs + 5_000;
  return {
    name,
    kind,
    baseUrl: target.baseUrl,
    apiVersion,
    ...access,
    connectTimeoutMs,
    firstByteTimeoutMs: later,
    idleTimeoutMs: later,
  };
}
