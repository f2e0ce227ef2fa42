import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAccount } from "../billing/accounts.ts";
import type { Desk } from "../billing/desk.ts";
import { addGrant } from "../billing/grants.ts";
import { createKey } from "../billing/keys.ts";
import type { Config, EndpointConfig } from "../config/config.ts";
import { parseDecimal } from "../core/money.ts";
import type { DeploymentRoute, ModelRoute } from "../core/routing.ts";
import { Secret } from "../lib/secret.ts";
import { type Simulator, startSimulator } from "../simulator/server.ts";
import type { GatewayParts } from "./gateway-process.ts";

/** The built-in vendor of demo mode: two simulated endpoints, and the configuration that routes to them. */
export interface DemoVendor {
  readonly config: Config;
  close(): Promise<void>;
}

/** Models that demo mode serves: client name → simulated vendor. */
const demoModels: ReadonlyArray<readonly [string, "azure" | "openai"]> = [
  ["gpt-5-mini", "azure"],
  ["gpt-5-chat", "azure"],
  ["gpt-4.1-nano", "openai"],
  ["gpt-4o-mini", "openai"],
];

const apiVersion = "2024-12-01-preview";

/** Starts the simulated vendors and points `config` at them; its data goes to a directory of its own. */
export async function startDemoVendor(config: Config): Promise<DemoVendor> {
  const pace = { latencyMs: 150, tokensPerSecond: 40, seed: 8402 };
  const azure = await startSimulator({ profile: "azure", ...pace });
  const openai = await startSimulator({ profile: "openai", ...pace });
  const endpoints = new Map<string, EndpointConfig>([
    ["demo-azure", demoEndpoint("demo-azure", "azure", azure)],
    ["demo-openai", demoEndpoint("demo-openai", "openai", openai)],
  ]);
  return {
    config: {
      ...config,
      store: { kind: "pglite", directory: join(demoHome(config), "demo") },
      endpoints,
      models: demoModels.map(([name, vendor]) => demoModel(name, vendor)),
      estimates: { ...config.estimates, sampleRate: 1 },
    },
    async close() {
      await Promise.all([azure.close(), openai.close()]);
    },
  };
}

/** The usual data directory holds the admin token; demo data lies below it, apart from real data. */
export const demoHome = (config: Config): string =>
  config.store.kind === "pglite" ? config.store.directory : "tollgate-data";

function demoEndpoint(name: string, kind: "azure" | "openai", simulator: Simulator): EndpointConfig {
  return {
    name,
    kind,
    provider: kind,
    baseUrl: kind === "azure" ? simulator.url : `${simulator.url}/v1`,
    credential: { kind: "api_key", key: new Secret("demo") },
    apiVersion: kind === "azure" ? apiVersion : null,
    auth: kind === "azure" ? "key" : "bearer",
    onDisconnect: "drain",
    drainTimeoutMs: 60_000,
    connectTimeoutMs: 5_000,
    firstByteTimeoutMs: 30_000,
    idleTimeoutMs: 30_000,
    chargeFilteredPrompt: true,
    sendStreamOptions: null,
    headers: new Map(),
  };
}

function demoModel(name: string, vendor: "azure" | "openai"): ModelRoute {
  const route: DeploymentRoute = {
    endpoint: `demo-${vendor}`,
    kind: vendor,
    provider: vendor,
    deployment: name,
    model: name,
    weight: 1,
    priority: 1,
    onDisconnect: "drain",
    drainTimeoutMs: 60_000,
    apiVersion: vendor === "azure" ? apiVersion : null,
    chargeFilteredPrompt: true,
  };
  return {
    name,
    markup: parseDecimal("1.2"),
    strictParameters: false,
    hostedTools: [],
    serviceTiers: [],
    deployments: [route],
  };
}

/** The account `demo` with 10 credits and a test key, made once per directory; the key's text is kept beside the data. */
export async function ensureDemoCustomer(parts: GatewayParts): Promise<{ accountId: string; key: string }> {
  const directory = parts.config.store.kind === "pglite" ? parts.config.store.directory : ".";
  const keyFile = join(directory, "demo-key");
  const [existing] = await parts.store.accounts.list(
    { status: null, externalId: "demo" },
    { after: null, limit: 1 },
  );
  if (existing !== undefined && existsSync(keyFile))
    return { accountId: existing.id, key: readFileSync(keyFile, "utf8").trim() };
  const desk: Desk = {
    tables: parts.store,
    clock: parts.clock,
    ids: parts.ids,
    random: randomBytes,
    credit: parts.config.credit.unit,
    actor: "demo",
  };
  const account =
    existing ??
    need(await createAccount(desk, { name: "demo", externalId: "demo", metadata: {}, isDemo: true }));
  const grant = {
    accountId: account.id,
    amount: "10",
    kind: "promotional",
    priority: 50,
    expiresAt: null,
    reference: "demo",
  } as const;
  need(await addGrant(desk, grant));
  const terms = {
    name: "demo",
    models: null,
    spendLimit: null,
    spendWindow: null,
    rpm: null,
    tpm: null,
    maxConcurrent: null,
    settings: { usageCost: false, idempotency: true },
    expiresAt: null,
  };
  const { secret } = need(await createKey(desk, account.id, terms));
  writeFileSync(keyFile, `${secret}\n`, { mode: 0o600 });
  return { accountId: account.id, key: secret };
}

function need<Value>(
  outcome: { ok: true; value: Value } | { ok: false; refusal: { message: string } },
): Value {
  if (!outcome.ok) throw new Error(`Cannot set up the demo account: ${outcome.refusal.message}`);
  return outcome.value;
}
