import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom } from "../../src/simulator/seeded.ts";
import { type Simulator, startSimulator } from "../../src/simulator/server.ts";
import type { Db } from "../../src/store/db.ts";
import { openPglite } from "../../src/store/pglite.ts";
import { openPostgres } from "../../src/store/postgres.ts";
import { freePort, startPostgres, type TestPostgres } from "../../test/support/postgres.ts";
import type { Closers } from "./closers.ts";
import { GatewayProcess, type Supervision } from "./gateway.ts";
import { type LostReplies, startLostReplies } from "./lost-replies.ts";
import type { ProofOptions } from "./options.ts";
import { poorCustomers, richCustomers } from "./requests.ts";
import { fillDisk, limitFiles, makeSmallDisk, requireSmall } from "./small-disk.ts";
import { markup } from "./verdict.ts";

/** Everything a proof runs on: two vendors, a database, gateways in processes of their own, customers with keys. */
export interface World {
  readonly vendors: readonly Simulator[];
  readonly gateways: readonly GatewayProcess[];
  readonly postgres: TestPostgres | null;
  readonly lostReplies: LostReplies | null;
  /** Leaves the database no room on its disk until what it returns is called. */
  fillDisk(): () => void;
  /** A key for each customer. */
  readonly keys: readonly string[];
  /** Whether nothing is held for any customer, asked of a gateway. */
  hasOpenHolds(): Promise<boolean>;
  /** Opens the database when the gateways are stopped. */
  openBooks(): Promise<Db>;
}

/** Dead processes' holds are taken up within this, ms. */
export const recoveryMs = 2_000;
const adminToken = "tg-adm-token-of-the-proof-run";
const dayMs = 86_400_000;

/** Opens it all, so that a run that fails on the way leaves nothing behind either. */
export async function openWorld(
  options: ProofOptions,
  supervision: Supervision,
  { logs, closers }: { logs: string; closers: Closers },
): Promise<World> {
  const { home, isSmall } = homeOf(options, closers);
  const vendors = await openVendors(options, closers);
  const postgres = options.store === "postgres" ? await startPostgres(postgresSettings, { home }) : null;
  if (postgres !== null) closers.add(() => postgres.stop());
  const lostReplies =
    postgres !== null && options.lostReplies > 0
      ? await startLostReplies(postgres.port, options.lostReplies, createRandom("lost replies", options.seed))
      : null;
  if (lostReplies !== null) closers.add(() => lostReplies.close());
  const store = storeOf(home, postgres, lostReplies);
  const config = join(home, "tollgate.yaml");
  writeFileSync(config, configOf(store, vendors));
  const gateways: GatewayProcess[] = [];
  for (let index = 0; index < options.processes; index += 1) {
    const skewMs = !options.isSkewed ? 0 : index === 0 ? -dayMs : index === options.processes - 1 ? dayMs : 0;
    const name = `gateway-${index + 1}`;
    const plan = { name, config, port: await freePort(), skewMs, log: join(logs, `${name}.log`) };
    const gateway = new GatewayProcess(plan, supervision);
    closers.add(() => gateway.dispose());
    gateways.push(gateway);
    // One after the other, so that the schema is made once.
    await gateway.start();
  }
  const admin = createAdmin(() => gateways.find((one) => one.isReady()) ?? null);
  const keys = await addCustomers(admin);
  lostReplies?.begin();
  return {
    vendors,
    gateways,
    postgres,
    lostReplies,
    fillDisk: () => {
      if (isSmall) return fillDisk(home);
      const writers = postgres === null ? gateways.map((gateway) => gateway.pid()) : [postgres.pid()];
      return limitFiles(writers.filter((pid) => pid !== null));
    },
    keys,
    hasOpenHolds: () => hasOpenHolds(admin),
    openBooks: () =>
      postgres === null
        ? openPglite(store)
        : Promise.resolve(openPostgres({ url: postgres.url, poolSize: 2, statementTimeoutMs: 120_000 })),
  };
}

/** Little room is needed: write-ahead log is not kept for long. */
const postgresSettings = ["-c", "min_wal_size=32MB", "-c", "max_wal_size=128MB"];
const smallDiskMegabytes = 400;

/** A fresh folder for the database's files: in the place asked for, on a small disk of its own, or among temporary files. */
function homeOf(
  { home, diskFull, isDiskLimited }: ProofOptions,
  closers: Closers,
): { home: string; isSmall: boolean } {
  const needsSmall = diskFull > 0 && !isDiskLimited;
  if (needsSmall && home !== null) requireSmall(home);
  const disk = needsSmall && home === null ? makeSmallDisk(smallDiskMegabytes) : null;
  if (disk !== null) closers.add(() => disk.remove());
  const folder = mkdtempSync(join(disk?.path ?? home ?? tmpdir(), "tollgate-books-"));
  // PostgreSQL runs as another user when this one is root.
  chmodSync(folder, 0o755);
  closers.add(() => rmSync(folder, { recursive: true, force: true }));
  return { home: folder, isSmall: needsSmall && (disk !== null || home !== null) };
}

async function openVendors(options: ProofOptions, closers: Closers): Promise<Simulator[]> {
  const { seed } = options;
  const deployments = { "talker-blue": "gpt-4o-mini", "thinker-blue": "gpt-5-mini" };
  const vendors = [
    await startSimulator({ profile: "openai", seed, latencyMs: 5 }),
    await startSimulator({ profile: "azure", seed, latencyMs: 5, deployments }),
  ];
  for (const vendor of vendors) closers.add(() => vendor.close());
  return vendors;
}

function storeOf(home: string, postgres: TestPostgres | null, lostReplies: LostReplies | null): string {
  if (postgres === null) return join(home, "data");
  if (lostReplies === null) return postgres.url;
  const url = new URL(postgres.url);
  url.port = String(lostReplies.port);
  return url.href;
}

function configOf(store: string, vendors: readonly Simulator[]): string {
  const [first, second] = vendors;
  return `
store: ${JSON.stringify(store)}
admin: { token: ${adminToken} }
markup: "${markup}"
ledger: { recovery_ms: ${recoveryMs}, hold_patience_ms: 8000 }
idempotency: { enabled: true }
endpoints:
  one: { kind: openai, base_url: ${first?.url}/v1, api_key: k }
  two: { kind: azure, base_url: ${second?.url}, api_key: k, api_version: 2024-12-01-preview }
models:
  talker:
    deployments:
      - { endpoint: one, deployment: gpt-4o-mini, model: gpt-4o-mini }
      - { endpoint: two, deployment: talker-blue, model: gpt-4o-mini }
  thinker:
    deployments:
      - { endpoint: one, deployment: gpt-5-mini, model: gpt-5-mini }
      - { endpoint: two, deployment: thinker-blue, model: gpt-5-mini }
  embed: { deployments: [{ endpoint: one, deployment: text-embedding-3-small, model: text-embedding-3-small }] }
`;
}

type Admin = (method: "GET" | "POST", path: string, body?: unknown) => Promise<Record<string, unknown>>;

function createAdmin(choose: () => GatewayProcess | null): Admin {
  return async (method, path, body) => {
    const gateway = choose();
    if (gateway === null) throw new Error("no gateway is running");
    const answer = await fetch(`${gateway.url}/admin/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Record<string, unknown>;
  };
}

/** The rich ones get their credit in three grants, so that charges cross from one to the next. */
async function addCustomers(admin: Admin): Promise<string[]> {
  const keys: string[] = [];
  for (let index = 0; index < richCustomers + poorCustomers; index += 1) {
    const { id } = await admin("POST", "/accounts", { name: `customer ${index}` });
    const grants =
      index < richCustomers
        ? [
            { amount: "0.01", kind: "promotional" },
            { amount: "0.02", kind: "paid" },
            { amount: "1000", kind: "paid" },
          ]
        : [{ amount: "0.03", kind: "paid" }];
    for (const grant of grants) await admin("POST", `/accounts/${String(id)}/grants`, grant);
    const { secret } = await admin("POST", `/accounts/${String(id)}/keys`, { name: "proof" });
    keys.push(String(secret));
  }
  return keys;
}

async function hasOpenHolds(admin: Admin): Promise<boolean> {
  const { data } = (await admin("GET", "/accounts?limit=100")) as { data?: { balance: { held: string } }[] };
  return data === undefined || data.some((account) => account.balance.held !== "0");
}
