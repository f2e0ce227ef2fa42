import type { CreditUnit, Decimal } from "../core/money.ts";
import type { ModelRoute } from "../core/routing.ts";
import type { Secret } from "../lib/secret.ts";
import type { PriceEntry } from "./price-entry.ts";

/** Everything that is set before the start: frozen, checked, with every default applied. */
export interface Config {
  readonly server: { readonly host: string; readonly port: number; readonly workers: number };
  readonly store: StoreConfig;
  /** Null: one is made and kept in the data directory. */
  readonly adminToken: Secret | null;
  readonly credit: { readonly unit: CreditUnit; readonly name: string };
  /** For models that are not in `models`. */
  readonly markup: Decimal;
  readonly quotaStatus: 402 | 429;
  readonly endpoints: ReadonlyMap<string, EndpointConfig>;
  readonly models: readonly ModelRoute[];
  /** Checked: `operatorRow` takes each of them. */
  readonly prices: readonly PriceEntry[];
  readonly limits: {
    readonly bodyBytes: number;
    readonly jsonDepth: number;
    readonly concurrentRequests: number;
    readonly defaultMaxOutputTokens: number;
    readonly headersTimeoutMs: number;
    readonly bodyTimeoutMs: number;
  };
  readonly ledger: {
    readonly recoveryMs: number;
    readonly holdPatienceMs: number;
    readonly postgresPool: number;
  };
  readonly idempotency: { readonly isEnabled: boolean };
  readonly estimates: { readonly sampleRate: number };
  readonly timeZone: string;
  /** False: there is neither a file nor a vendor in the environment, so that only demo mode can serve. */
  readonly isConfigured: boolean;
  /** The file that was read, as it was named; null without one. */
  readonly file: string | null;
  /** Every value in force, in the order of the schema, secrets hidden. */
  readonly origins: readonly EffectiveValue[];
}

export type StoreConfig =
  | { readonly kind: "postgres"; readonly url: Secret }
  | { readonly kind: "pglite"; readonly directory: string };

export interface EndpointConfig {
  readonly name: string;
  readonly kind: "azure" | "openai";
  /** Whose price list applies. */
  readonly provider: string;
  /** Without a slash at its end. */
  readonly baseUrl: string;
  readonly credential: EndpointCredential;
  /** Always there for kind azure, never for openai. */
  readonly apiVersion: string | null;
  /** `key`: header `api-key`. `bearer`: header `Authorization: Bearer`. */
  readonly auth: "key" | "bearer";
  readonly onDisconnect: "drain" | "cancel";
  readonly drainTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly chargeFilteredPrompt: boolean;
  /** Null: the vendor's rules and what was learned decide. */
  readonly sendStreamOptions: boolean | null;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, Secret>;
}

export type EndpointCredential =
  | { readonly kind: "none" }
  | { readonly kind: "api_key"; readonly key: Secret }
  | { readonly kind: "token_command"; readonly command: readonly [string, ...string[]] }
  | { readonly kind: "token_file"; readonly file: string };

/** Where a value comes from. */
export type Origin =
  | { readonly kind: "default" }
  | { readonly kind: "flag"; readonly name: string }
  | { readonly kind: "environment"; readonly name: string }
  | { readonly kind: "file"; readonly file: string; readonly line: number; readonly column: number };

export type EffectiveScalar = string | number | boolean;

export interface EffectiveValue {
  /** Keys from the root; a number is a place in a list. */
  readonly path: readonly (string | number)[];
  readonly value: EffectiveScalar | readonly EffectiveScalar[];
  readonly origin: Origin;
}

export interface ConfigProblem {
  readonly origin: Origin;
  /** "endpoints.azure-east.api_key"; empty when it concerns the whole file. */
  readonly path: string;
  readonly message: string;
}

/** `tollgate.yaml:3:9`, `environment variable PORT`, `--port`. */
export function showOrigin(origin: Origin): string {
  if (origin.kind === "file") return `${origin.file}:${origin.line}:${origin.column}`;
  if (origin.kind === "environment") return `environment variable ${origin.name}`;
  return origin.kind === "flag" ? origin.name : "default";
}

/** Everything that is wrong with a configuration, at once. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ origin, message }) => `  ${showOrigin(origin)}: ${message}`);
    const count = problems.length === 1 ? "there is 1 problem" : `there are ${problems.length} problems`;
    super(
      `Cannot use the configuration: ${count}; correct what is listed and try again.\n${lines.join("\n")}`,
    );
    this.problems = problems;
  }
}

export const showPath = (path: readonly (string | number)[]): string =>
  path.reduce<string>((shown, step) => {
    if (typeof step === "number") return `${shown}[${step}]`;
    const key = /^[A-Za-z0-9_-]+$/.test(step) ? step : JSON.stringify(step);
    return shown === "" ? key : `${shown}.${key}`;
  }, "");
