import { resolve as resolvePath } from "node:path";
import { AmountError, creditUnit, type Decimal, parseDecimal } from "../core/money.ts";
import type { DeploymentRoute, ModelRoute } from "../core/routing.ts";
import { findNearest } from "../lib/nearest.ts";
import { Secret } from "../lib/secret.ts";
import {
  type Config,
  type ConfigProblem,
  type EndpointConfig,
  type Origin,
  type StoreConfig,
  showPath,
} from "./config.ts";
import { resolveEndpoint } from "./endpoints.ts";
import { stepsOf } from "./load-prices.ts";
import { operatorRow, type PriceEntry, PriceEntryError } from "./price-entry.ts";
import type { ConfigDocument, DeploymentDocument, ModelDocument } from "./schema.ts";

type Path = readonly (string | number)[];

/** Notes a problem with the value at `path`. */
export type Report = (path: Path, message: string) => void;

export interface Resolution {
  readonly cwd: string;
  readonly isConfigured: boolean;
  readonly file: string | null;
  readonly origins: Config["origins"];
  place(path: Path): Origin;
}

/** Turns a checked document into what the rooms use, and checks what one field alone cannot show. */
export function resolveConfig(
  document: ConfigDocument,
  about: Resolution,
): { config: Config; problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const report: Report = (path, message) =>
    problems.push({ origin: about.place(path), path: showPath(path), message });
  const endpoints = new Map<string, EndpointConfig>();
  for (const [name, endpoint] of Object.entries(document.endpoints)) {
    checkName(["endpoints", name], name, report);
    endpoints.set(name, resolveEndpoint(name, endpoint, report));
  }
  const markup = readMarkup(document.markup, ["markup"], report);
  const models = Object.entries(document.models).map(([name, model]) => {
    checkName(["models", name], name, report);
    const own =
      model.markup === undefined ? markup : readMarkup(model.markup, ["models", name, "markup"], report);
    return resolveModel(name, { ...model, markup: own }, endpoints, report);
  });
  document.prices.forEach((price, index) => {
    checkPrice(price, ["prices", index], report);
  });
  if (document.server.workers > 1 && !isPostgres(document.store)) {
    report(
      ["server", "workers"],
      "server.workers is more than 1, but the embedded database serves one process; set store to a postgres:// URL",
    );
  }
  checkTimeZone(document.time_zone, report);
  const { limits, ledger } = document;
  const config: Config = {
    server: document.server,
    store: readStore(document.store, about.cwd, report),
    adminToken: document.admin.token === "" ? null : readAdminToken(document.admin.token, report),
    credit: { unit: readCredit(document.credits.usd, report), name: document.credits.name },
    markup,
    quotaStatus: document.errors.quota_status,
    endpoints,
    models,
    prices: document.prices,
    limits: {
      bodyBytes: limits.body_bytes,
      jsonDepth: limits.json_depth,
      concurrentRequests: limits.concurrent_requests,
      defaultMaxOutputTokens: limits.default_max_output_tokens,
      headersTimeoutMs: limits.headers_timeout_ms,
      bodyTimeoutMs: limits.body_timeout_ms,
    },
    ledger: {
      recoveryMs: ledger.recovery_ms,
      holdPatienceMs: ledger.hold_patience_ms,
      postgresPool: ledger.postgres_pool,
    },
    idempotency: { isEnabled: document.idempotency.enabled },
    estimates: { sampleRate: document.estimates.sample_rate },
    timeZone: document.time_zone,
    isConfigured: about.isConfigured,
    file: about.file,
    origins: about.origins,
  };
  return { config, problems };
}

/** Names travel in headers, URLs and metrics. */
function checkName(path: Path, name: string, report: Report): void {
  if (!/^[\x21-\x7e]{1,200}$/.test(name))
    report(
      path,
      `the name ${JSON.stringify(name.slice(0, 60))} has a space or an unusual character, or is too long; use letters, digits and . _ : / -`,
    );
}

function resolveModel(
  name: string,
  model: Omit<ModelDocument, "markup"> & { markup: Decimal },
  endpoints: ReadonlyMap<string, EndpointConfig>,
  report: Report,
): ModelRoute {
  const path = ["models", name, "deployments"];
  const priorities = orderOf(model.deployments, (message) => report(path, message));
  const deployments = model.deployments.flatMap((one, index): DeploymentRoute[] => {
    const endpoint = endpoints.get(one.endpoint);
    if (endpoint === undefined) {
      const near = findNearest(one.endpoint, endpoints.keys());
      const help = near === null ? "add it under endpoints" : `did you mean "${near}"?`;
      report([...path, index, "endpoint"], `there is no endpoint ${JSON.stringify(one.endpoint)}; ${help}`);
      return [];
    }
    return [
      toRoute(endpoint, { deployment: one, model: one.model ?? name, priority: priorities[index] ?? index }),
    ];
  });
  return {
    name,
    markup: model.markup,
    strictParameters: model.strict_parameters,
    hostedTools: model.hosted_tools,
    serviceTiers: model.service_tiers,
    deployments,
  };
}

function toRoute(
  endpoint: EndpointConfig,
  { deployment, model, priority }: { deployment: DeploymentDocument; model: string; priority: number },
): DeploymentRoute {
  return {
    endpoint: endpoint.name,
    kind: endpoint.kind,
    provider: endpoint.provider,
    deployment: deployment.deployment,
    model,
    weight: deployment.weight ?? 1,
    priority,
    onDisconnect: endpoint.onDisconnect,
    drainTimeoutMs: endpoint.drainTimeoutMs,
    apiVersion: endpoint.apiVersion,
    chargeFilteredPrompt: endpoint.chargeFilteredPrompt,
    ...(endpoint.sendStreamOptions === null ? {} : { sendStreamOptions: endpoint.sendStreamOptions }),
  };
}

/**
 * The turn of each deployment. With `priority` that number; else their order, where neighbours with the same explicit
 * `weight` have one turn and share it. One without a weight has a turn of its own.
 */
function orderOf(
  deployments: ModelDocument["deployments"],
  report: (message: string) => void,
): readonly number[] {
  const given = deployments.filter((one) => one.priority !== undefined).length;
  if (given > 0 && given < deployments.length) {
    report("some of these deployments have a priority and some have none; give it to all or to none");
  }
  if (given > 0) return deployments.map((one) => one.priority ?? Number.MAX_SAFE_INTEGER);
  let turn = 0;
  return deployments.map((one, index) => {
    const before = deployments[index - 1];
    if (index > 0 && (one.weight === undefined || one.weight !== before?.weight)) turn += 1;
    return turn;
  });
}

const isPostgres = (store: string): boolean => /^postgres(ql)?:\/\//.test(store);

function readStore(store: string, cwd: string, report: Report): StoreConfig {
  if (isPostgres(store)) {
    if (!URL.canParse(store))
      report(
        ["store"],
        "store is not a URL that can be read; write postgres://USER:PASSWORD@HOST:PORT/DATABASE",
      );
    return { kind: "postgres", url: new Secret(store) };
  }
  if (/^[A-Za-z][A-Za-z0-9+.-]+:/.test(store)) {
    report(
      ["store"],
      "store is a URL of another kind; write postgres://… or a directory for the embedded database",
    );
  }
  return { kind: "pglite", directory: resolvePath(cwd, store) };
}

function readAdminToken(token: string, report: Report): Secret {
  if (!/^[\x21-\x7e]{16,200}$/.test(token)) {
    report(
      ["admin", "token"],
      "admin.token must be 16 to 200 characters without spaces; make one with: openssl rand -hex 24",
    );
  }
  return new Secret(token);
}

function readCredit(usd: string, report: Report): Config["credit"]["unit"] {
  try {
    return creditUnit(usd);
  } catch (error) {
    if (!(error instanceof AmountError)) throw error;
    report(["credits", "usd"], error.message);
    return creditUnit("1");
  }
}

function readMarkup(text: string, path: Path, report: Report): Decimal {
  const markup = parseDecimal(text);
  if (markup.units === 0n)
    report(path, `${showPath(path)} is 0, which would give everything away; write "1" to sell at list price`);
  if (markup.scale > 6 || text.length > 12)
    report(path, `${showPath(path)} has too many digits; use at most 6 decimals`);
  return markup;
}

function checkTimeZone(zone: string, report: Report): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
  } catch {
    const near = findNearest(zone, Intl.supportedValuesOf("timeZone"));
    report(
      ["time_zone"],
      `there is no time zone ${JSON.stringify(zone)}; ${near === null ? 'use an IANA name like "Europe/Berlin"' : `did you mean "${near}"?`}`,
    );
  }
}

function checkPrice(price: PriceEntry, path: Path, report: Report): void {
  try {
    operatorRow(price);
  } catch (error) {
    if (!(error instanceof PriceEntryError)) throw error;
    report([...path, ...stepsOf(error.field)], error.message);
  }
}
