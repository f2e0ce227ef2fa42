/**
 * A hostile world: gateway processes as they are shipped, one PostgreSQL database, an honest vendor that keeps its own
 * bill and an evil one. When it ends, the books must be proved, the vendor's bill must be the ledger's, and no secret may
 * have been shown anywhere.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAccount } from "../../../src/billing/accounts.ts";
import type { Desk } from "../../../src/billing/desk.ts";
import { addGrant } from "../../../src/billing/grants.ts";
import { createKey, type KeyTerms } from "../../../src/billing/keys.ts";
import { creditUnit } from "../../../src/core/money.ts";
import { createIds } from "../../../src/lib/ids.ts";
import { type Simulator, startSimulator } from "../../../src/simulator/server.ts";
import { createAdminStore } from "../../../src/store/admin-store.ts";
import type { Db } from "../../../src/store/db.ts";
import { openPostgres } from "../../../src/store/postgres.ts";
import { newPostgresUrl } from "../../support/databases.ts";
import { auditWorld } from "./audit.ts";
import {
  adminTokenCanary,
  databasePasswordCanary,
  oddKeyCanary,
  promptCanary,
  vendorKeyCanary,
} from "./canary.ts";
import { type EvilVendor, startEvilVendor } from "./evil-vendor.ts";
import { type GatewayProcess, spawnGateway } from "./gateway-process.ts";

export interface Customer {
  readonly accountId: string;
  readonly keyId: string;
  readonly key: string;
}

export interface World {
  readonly gateways: readonly GatewayProcess[];
  /** Of the first gateway. */
  readonly url: string;
  readonly port: number;
  readonly db: Db;
  readonly databaseUrl: string;
  readonly simulator: Simulator;
  readonly evil: EvilVendor;
  readonly desk: Desk;
  /** Secrets made so far. */
  readonly secrets: readonly string[];
  customer(credits: string, terms?: Partial<KeyTerms>): Promise<Customer>;
  /** Posts JSON, or text as it is, to the first gateway or to `url`. */
  post(path: string, key: string, body: unknown, more?: PostOptions): Promise<Response>;
  admin(method: string, path: string, body?: unknown, token?: string): Promise<AdminAnswer>;
  balance(accountId: string): Promise<{ posted: bigint; held: bigint }>;
  records(accountId: string): Promise<readonly RecordRow[]>;
  /** The configuration that every process was started with; its secrets are in the environment. */
  readonly yaml: string;
  readonly env: Readonly<Record<string, string>>;
  /** Another process on the same database. */
  spawn(env?: Readonly<Record<string, string>>): Promise<GatewayProcess>;
  /** Proves books, bill and secrecy, and ends everything. */
  close(): Promise<void>;
}

export interface PostOptions {
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}
export interface AdminAnswer {
  readonly status: number;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers as a client would.
  readonly json: any;
}
export interface RecordRow {
  readonly id: string;
  readonly state: string;
  readonly outcome: string;
  readonly source: string | null;
  readonly endpoint: string | null;
  readonly model_served: string | null;
  readonly hold: string;
  readonly charge: string;
  readonly loss: string;
  readonly input: number | null;
  readonly output: number | null;
  // biome-ignore lint/suspicious/noExplicitAny: the record is JSON of the contract; tests look at single fields.
  readonly record: any;
}

export interface WorldOptions {
  readonly processes?: number;
  /** More models, as lines of YAML under `models:`. */
  readonly models?: string;
  /** More of the configuration, at its top. */
  readonly yaml?: string;
  readonly latencyMs?: number;
}

export const credit = creditUnit("0.01");

/** Everything that the operator or a customer would not want to see anywhere. */
export const secretCanaries: readonly string[] = [
  vendorKeyCanary,
  oddKeyCanary,
  adminTokenCanary,
  databasePasswordCanary,
  promptCanary,
];

export function withPassword(url: string, password: string): string {
  const changed = new URL(url);
  changed.password = password;
  return changed.href;
}

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const home = mkdtempSync(join(tmpdir(), "tollgate-hostile-"));
  const databaseUrl = withPassword(await newPostgresUrl(), databasePasswordCanary);
  const [simulator, azure, evil] = await Promise.all([
    startSimulator({
      profile: "openai",
      apiKeys: [vendorKeyCanary],
      latencyMs: options.latencyMs ?? 0,
      recordedMax: 20_000,
    }),
    startSimulator({ profile: "azure", apiKeys: [vendorKeyCanary], deployments: { blue: "gpt-4.1-nano" } }),
    startEvilVendor(),
  ]);
  const yaml = configOf(options, { databaseUrl, simulator: simulator.url, azure: azure.url, evil: evil.url });
  const gateways: GatewayProcess[] = [];
  const secretEnv = {
    ADMIN_TOKEN: adminTokenCanary,
    VENDOR_KEY: vendorKeyCanary,
    ODD_KEY: oddKeyCanary,
    DATABASE_URL_SECRET: databaseUrl,
  };
  const spawn = async (env: Readonly<Record<string, string>> = {}): Promise<GatewayProcess> => {
    const folder = join(home, `process-${gateways.length}`);
    const gateway = await spawnGateway({ home: folder, yaml, env: { ...secretEnv, ...env } });
    gateways.push(gateway);
    return gateway;
  };
  const first = await spawn();
  for (let index = 1; index < (options.processes ?? 1); index += 1) await spawn();
  const db = openPostgres({ url: databaseUrl, poolSize: 4, statementTimeoutMs: 30_000 });
  const secrets: string[] = [];
  const desk: Desk = {
    tables: createAdminStore(db),
    clock: { now: Date.now, elapsed: () => performance.now() },
    ids: createIds(),
    random: randomBytes,
    credit,
    actor: "test",
  };
  const world: World = {
    gateways,
    url: first.url,
    port: first.port,
    db,
    databaseUrl,
    yaml,
    env: secretEnv,
    simulator,
    evil,
    desk,
    secrets,
    spawn,
    customer: async (credits, terms = {}) => {
      const made = await makeCustomer(desk, credits, terms);
      secrets.push(made.key);
      return made;
    },
    post: (path, key, body, more = {}) =>
      fetch(`${more.url ?? first.url}${path}`, {
        method: "POST",
        redirect: "manual",
        body: typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
        headers: { "content-type": "application/json", authorization: `Bearer ${key}`, ...more.headers },
        ...(more.signal === undefined ? {} : { signal: more.signal }),
      }),
    admin: (method, path, body, token = adminTokenCanary) =>
      callAdmin(first.url, { method, path, body, token }),
    async balance(accountId) {
      const [row] = await db.query<{ posted: string; held: string }>(
        "select posted::text, held::text from balances where account_id = $1",
        [accountId],
      );
      if (row === undefined) throw new Error(`There is no balance of ${accountId}`);
      return { posted: BigInt(row.posted), held: BigInt(row.held) };
    },
    records: (accountId) =>
      db.query<RecordRow>(
        `select id, state, outcome, source, endpoint, model_served, hold::text, charge::text, loss::text, input, output, record
         from requests where account_id = $1 order by id desc`,
        [accountId],
      ),
    async close() {
      try {
        await auditWorld(world, secretCanaries);
      } finally {
        await Promise.all(gateways.map((gateway) => gateway.stop()));
        await Promise.all([simulator.close(), azure.close(), evil.close(), db.close()]);
        rmSync(home, { recursive: true, force: true });
      }
    },
  };
  return world;
}

function configOf(
  options: WorldOptions,
  urls: { databaseUrl: string; simulator: string; azure: string; evil: string },
): string {
  return `
server: { host: 127.0.0.1, port: 0 }
store: "\${DATABASE_URL_SECRET}"
admin: { token: "\${ADMIN_TOKEN}" }
credits: { usd: "0.01", name: credit }
markup: "1.25"
endpoints:
  sim: { kind: openai, base_url: "${urls.simulator}/v1", api_key: "\${VENDOR_KEY}" }
  az: { kind: azure, base_url: "${urls.azure}", api_key: "\${VENDOR_KEY}", api_version: 2024-12-01-preview }
  evil: { kind: openai, base_url: "${urls.evil}/v1", api_key: "\${VENDOR_KEY}", first_byte_timeout_ms: 3000, idle_timeout_ms: 1500 }
  odd: { kind: openai, base_url: "${urls.evil}/v1", api_key: "\${ODD_KEY}" }
models:
  odd: { deployments: [{ endpoint: odd, deployment: evil, model: evil }] }
  gpt-4.1-nano: { deployments: [{ endpoint: sim, deployment: gpt-4.1-nano }] }
  gpt-3.5-turbo-instruct: { deployments: [{ endpoint: sim, deployment: gpt-3.5-turbo-instruct }] }
  blue: { deployments: [{ endpoint: az, deployment: blue, model: gpt-4.1-nano }] }
  evil: { deployments: [{ endpoint: evil, deployment: evil }] }
  tiered: { service_tiers: [default, priority], deployments: [{ endpoint: evil, deployment: tiered }] }
  searching: { hosted_tools: [web_search], deployments: [{ endpoint: evil, deployment: searching }] }
  unpriced: { deployments: [{ endpoint: sim, deployment: gpt-4.1-nano, model: no-such-model }] }
${options.models ?? ""}
prices:
  - { model: evil, input: "1.00", cached_input: "0.10", output: "2.00", context_window: 100000, max_output_tokens: 10000 }
  - model: tiered
    input: "1.00"
    output: "2.00"
    context_window: 100000
    max_output_tokens: 10000
    service_tiers: { priority: { input: "2.00", output: "4.00" }, flex: { input: "0.50", output: "1.00" } }
  - { model: searching, input: "1.00", output: "2.00", context_window: 100000, max_output_tokens: 10000, fees: { web_search: "0.01" } }
${options.yaml ?? ""}
`;
}

async function makeCustomer(desk: Desk, credits: string, terms: Partial<KeyTerms>): Promise<Customer> {
  const account = unwrap(
    await createAccount(desk, { name: "acme", externalId: null, metadata: {}, isDemo: false }),
  );
  if (credits !== "0") {
    unwrap(
      await addGrant(desk, {
        accountId: account.id,
        amount: credits,
        kind: "paid",
        priority: 50,
        expiresAt: null,
        reference: null,
      }),
    );
  }
  const all: KeyTerms = {
    ...{
      name: "test",
      models: null,
      spendLimit: null,
      spendWindow: null,
      rpm: null,
      tpm: null,
      maxConcurrent: null,
      expiresAt: null,
    },
    settings: { usageCost: false, idempotency: true },
    ...terms,
  };
  const { key, secret } = unwrap(await createKey(desk, account.id, all));
  return { accountId: account.id, keyId: key.id, key: secret };
}

async function callAdmin(
  url: string,
  call: { method: string; path: string; body: unknown; token: string },
): Promise<AdminAnswer> {
  const answer = await fetch(`${url}/admin/v1${call.path}`, {
    method: call.method,
    headers: {
      authorization: `Bearer ${call.token}`,
      ...(call.body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(call.body === undefined
      ? {}
      : { body: typeof call.body === "string" ? call.body : JSON.stringify(call.body) }),
  });
  const text = await answer.text();
  const isJson = answer.headers.get("content-type")?.includes("json") === true;
  return { status: answer.status, text, json: isJson ? JSON.parse(text) : null };
}

function unwrap<Value>(
  outcome: { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly refusal: unknown },
): Value {
  if (!outcome.ok) throw new Error(`The test's own set-up was refused: ${JSON.stringify(outcome.refusal)}`);
  return outcome.value;
}

/** A chat request whose prompt carries the canary; `say` goes to the vendor as its directive. */
export const chat = (say = "", more: object = {}): Record<string, unknown> => ({
  model: "gpt-4.1-nano",
  max_tokens: 50,
  messages: [{ role: "user", content: `${promptCanary} Say "Hi" and nothing else. ${say}` }],
  ...more,
});

/** A chat request to the evil vendor, which follows the script of that name. */
export const evilChat = (script: string, more: object = {}): Record<string, unknown> =>
  chat(`[[evil:${script}]]`, { model: "evil", ...more });

/** `status code` of an answer, for tables. */
export async function verdict(answer: Response): Promise<string> {
  const text = await answer.text();
  try {
    const { error } = JSON.parse(text) as { error?: { code?: string } };
    return error === undefined ? String(answer.status) : `${answer.status} ${error.code ?? "null"}`;
  } catch {
    return String(answer.status);
  }
}
