import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { FastifyInstance } from "fastify";
import type { Config } from "../config/config.ts";
import { loadPriceBook } from "../config/load-price-book.ts";
import { operatorRow } from "../config/price-entry.ts";
import { apiKeyRandomBytes, formatApiKey } from "../core/api-key.ts";
import { lookAtRuns } from "../gateway/background.ts";
import { CoolDowns } from "../gateway/cool-downs.ts";
import { OverheadLearner } from "../gateway/overheads.ts";
import { interruptedResult, recoverOrphans } from "../gateway/recover.ts";
import type { GatewaySettings } from "../gateway/types.ts";
import { createServer, type Readiness } from "../http/server.ts";
import { createIds } from "../lib/ids.ts";
import { createLogger, type Logger, logObservation } from "../observe/log.ts";
import { createMetrics } from "../observe/metrics.ts";
import type { Clock, CrashPoint, Ledger, Observation, Ports } from "../ports.ts";
import { createAdminStore } from "../store/admin-store.ts";
import { type Db, sql } from "../store/db.ts";
import { createKeys } from "../store/keys.ts";
import { createLeases, type StoreLeases } from "../store/leases.ts";
import { createLedger, type StoreLedger } from "../store/ledger.ts";
import { createLessonStore } from "../store/lessons.ts";
import { migrate, pendingMigrations } from "../store/migrate.ts";
import { openPglite } from "../store/pglite.ts";
import { openPostgres } from "../store/postgres.ts";
import { createKeptResponses } from "../store/responses.ts";
import { createResults } from "../store/results.ts";
import { createSamples } from "../store/samples.ts";
import { createTokenCounter } from "../tokens/token-counter.ts";
import { createVendorClient, type VendorClient } from "../vendor/client.ts";
import { addAdmin } from "./admin-wiring.ts";
import { createCatalog, type LiveCatalog } from "./catalog.ts";
import { addConsole, consoleSessions, loginUrl } from "./console-wiring.ts";
import { credentialReader } from "./credentials.ts";
import { dataDirectoryOf, keepSecret } from "./data-directory.ts";
import { createDatabaseClock, type DatabaseClock } from "./database-clock.ts";
import { EndpointHealth } from "./endpoint-health.ts";
import { selfServiceOf } from "./self-service-wiring.ts";
import { version } from "./version.ts";

const elapsed = (): number => performance.now();

export interface GatewayOptions {
  readonly config: Config;
  readonly logLevel: string;
  readonly progress: (text: string) => void;
  /** Another money path than the database's, to measure what that one costs. */
  readonly ledger?: Ledger;
  /** Ends the process at a named place of a request's story, in tests. */
  readonly reach?: (point: CrashPoint) => void;
  /** Where the admin token is kept when none is configured; the store's own directory without it. */
  readonly tokenDirectory?: string;
  /** Adds routes to the server before it listens: the admin API, the console. */
  readonly isDemo?: boolean;
  readonly extend?: (app: FastifyInstance, process: GatewayParts) => Promise<void>;
}

/** The wired parts of one process, for those who add to it. */
export interface GatewayParts {
  readonly config: Config;
  readonly adminToken: string;
  /** Where a person finds it. */
  readonly tokenPlace: string;
  /** The vendor is simulated and nothing here is real. */
  readonly isDemo: boolean;
  readonly db: Db;
  readonly store: ReturnType<typeof createAdminStore>;
  readonly ports: Ports;
  readonly catalog: LiveCatalog;
  readonly coolDowns: CoolDowns;
  readonly health: EndpointHealth;
  readonly clock: Clock;
  readonly ids: ReturnType<typeof createIds>;
}

export interface RunningGateway extends GatewayParts {
  readonly url: string;
  /** A one-time address that logs its opener in to the console as the owner, within 15 minutes. */
  createLoginUrl(): Promise<string>;
  /** Stops admitting, lets running requests end within `graceMs`, settles, and closes everything. */
  close(graceMs: number): Promise<void>;
}

/** Opens the store, wires the rooms, and listens. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const { config } = options;
  const logger = createLogger(options.logLevel);
  const tokenDirectory = options.tokenDirectory ?? dataDirectoryOf(config);
  const tokenPlace = config.adminToken === null ? `${tokenDirectory}/admin-token` : "the configuration";
  const adminToken =
    config.adminToken?.reveal() ??
    keepSecret(tokenDirectory, "admin-token", () => formatApiKey("admin", randomBytes(apiKeyRandomBytes)));
  const { db, moneyDb } = await openStore(options);
  const clock = await createDatabaseClock(db);
  const running = new Set<Promise<void>>();
  const ids = createIds({ now: clock.now, random: randomBytes });
  const leases = createLeases(db, () => ids.next("gw"), { host: hostname(), pid: process.pid, version });
  const leaseMs = Math.ceil(config.ledger.recoveryMs / 2);
  // A directory has one process at a time, so whoever held a lease on it before is gone.
  if (db.kind === "pglite") await db.query(endAllLeases);
  await leases.register(leaseMs);
  const known = new Set(config.models.map((model) => model.name));
  const metrics = createMetrics({ openRequests: () => running.size, knownModels: () => known, version });
  const health = new EndpointHealth();
  const observe = (observation: Observation): void => {
    metrics.observe(observation);
    health.observe(observation);
    logObservation(logger, observation);
  };
  const ledger = createLedger({
    db: moneyDb,
    lanes: moneyDb.kind === "postgres" ? moneyLanes : 1,
    instance: leases.current,
    renewLease: async () => void (await leases.register(leaseMs)),
    now: elapsed,
    onRetry: (error) => observe({ event: "fault", where: "ledger", error: String(error) }),
    holdPatienceMs: config.ledger.holdPatienceMs,
    ...(options.reach === undefined ? {} : { onSent: () => options.reach?.("inside_batch") }),
  });
  const store = createAdminStore(db);
  const catalog = await createCatalog({
    models: config.models,
    lessons: createLessonStore(db),
    loadBook: () => loadBook(config, store),
  });
  const vendor = createVendorClient(endpointsOf(config));
  const tokens = createTokenCounter();
  const stored = {
    results: createResults(db),
    kept: createKeptResponses(db, leases.current),
    samples: createSamples(db),
  };
  const ports: Ports = {
    clock,
    ids,
    ledger: options.ledger ?? ledger,
    vendor,
    catalog,
    tokens,
    ...stored,
    observe,
    ...(options.reach === undefined ? {} : { reach: options.reach }),
  };
  const coolDowns = new CoolDowns();
  const isDemo = options.isDemo ?? false;
  const parts: GatewayParts = {
    config,
    adminToken,
    tokenPlace,
    isDemo,
    db,
    store,
    ports,
    catalog,
    coolDowns,
    health,
    clock,
    ids,
  };
  const state = { isDraining: false };
  const app = createServer({
    ports,
    keys: createKeys(db),
    gateway: { settings: settingsOf(config), coolDowns, overheads: new OverheadLearner() },
    settings: {
      credit: config.credit.unit,
      quotaStatus: config.quotaStatus,
      bodyBytes: config.limits.bodyBytes,
      maxDepth: config.limits.jsonDepth,
      concurrentRequests: config.limits.concurrentRequests,
      isIdempotencyEnabled: config.idempotency.isEnabled,
      headersTimeoutMs: config.limits.headersTimeoutMs,
      requestTimeoutMs: config.limits.bodyTimeoutMs,
    },
    readiness: () => readinessOf(db, state),
    metrics: () => metrics.render(),
    running,
    selfService: selfServiceOf(parts),
  });
  const sessions = consoleSessions(parts);
  addAdmin(app, parts, sessions.read);
  addConsole(app, parts, sessions);
  await options.extend?.(app, parts);
  const chores = startChores({ config, db, leases, leaseMs, ports, catalog, clock, observe });
  await chores.recoverNow();
  await app.listen({ host: config.server.host, port: config.server.port });
  void tokens.warmUp("o200k_base");
  const address = app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : config.server.port;
  const host = config.server.host.includes(":") ? `[${config.server.host}]` : config.server.host;
  const url = `http://${host}:${port}`;
  return {
    ...parts,
    url,
    createLoginUrl: () => loginUrl(url, sessions),
    close: (graceMs) =>
      stop({ app, chores, running, ledger, leases, db, moneyDb, vendor, logger, state }, graceMs),
  };
}

/** Batches in flight at a time: one is prepared and read while the other is in the database. */
const moneyLanes = 2;

const endAllLeases = sql`update instances set lease_until = clock_timestamp() where lease_until > clock_timestamp()`;

async function openStore(options: GatewayOptions): Promise<{ db: Db; moneyDb: Db }> {
  const { config, progress } = options;
  const note = (name: string): void => progress(`Applied migration ${name}`);
  if (config.store.kind === "pglite") {
    const db = await openPglite(config.store.directory);
    await migrate(db, note);
    return { db, moneyDb: db };
  }
  const url = config.store.url.reveal();
  const db = openPostgres({ url, poolSize: config.ledger.postgresPool, statementTimeoutMs: 120_000 });
  await migrate(db, note);
  // The money path has connections of its own, so that no report can hold it up.
  return {
    db,
    moneyDb: openPostgres({ url, poolSize: moneyLanes, statementTimeoutMs: 30_000, keepsReady: true }),
  };
}

async function loadBook(
  config: Config,
  store: ReturnType<typeof createAdminStore>,
): ReturnType<LiveCatalog["prices"]> extends infer Book ? Promise<Book> : never {
  const adminRows = await store.prices.list();
  return loadPriceBook({ operatorRows: config.prices.map((entry) => operatorRow(entry)), adminRows });
}

function endpointsOf(config: Config): Parameters<typeof createVendorClient>[0] {
  return new Map(
    [...config.endpoints].map(([name, endpoint]) => [
      name,
      {
        name,
        kind: endpoint.kind,
        baseUrl: endpoint.baseUrl,
        apiVersion: endpoint.apiVersion,
        auth: endpoint.auth === "key" ? ("api-key" as const) : ("bearer" as const),
        credential: credentialReader(endpoint.credential, elapsed),
        extraHeaders: Object.fromEntries(
          [...endpoint.headers].map(([header, value]) => [header, value.reveal()]),
        ),
        connectTimeoutMs: endpoint.connectTimeoutMs,
        firstByteTimeoutMs: endpoint.firstByteTimeoutMs,
        idleTimeoutMs: endpoint.idleTimeoutMs,
      },
    ]),
  );
}

function settingsOf(config: Config): GatewaySettings {
  return {
    credit: config.credit.unit,
    creditName: config.credit.name,
    defaultMaxOutputTokens: config.limits.defaultMaxOutputTokens,
    maxAnswerBytes: 64 * 1024 * 1024,
    maxEventBytes: 16 * 1024 * 1024,
    estimateSampleRate: config.estimates.sampleRate,
    coolDownMs: 5_000,
    random: Math.random,
  };
}

async function readinessOf(db: Db, state: { isDraining: boolean }): Promise<Readiness> {
  try {
    const pending = await pendingMigrations(db);
    return {
      isReady: pending.length === 0 && !state.isDraining,
      checks: { ledger: true, schema: pending.length === 0, draining: state.isDraining },
    };
  } catch (error) {
    return {
      isReady: false,
      checks: { ledger: false, reason: error instanceof Error ? error.message : String(error) },
    };
  }
}

interface ChoreParts {
  readonly config: Config;
  readonly db: Db;
  readonly leases: StoreLeases;
  readonly leaseMs: number;
  readonly ports: Ports;
  readonly catalog: LiveCatalog;
  readonly clock: DatabaseClock;
  readonly observe: (observation: Observation) => void;
}

const expireGrants = sql`select ledger_expire(null, 100)`;
const deleteOldResults = sql`delete from idempotency where expires_at <= clock_timestamp()`;

/** What a process does by the clock: keeps its lease, takes up dead ones' holds, books expiry, reads what others changed. */
function startChores(parts: ChoreParts): { stop(): void; recoverNow(): Promise<void> } {
  const { leases, leaseMs, observe, config, ports } = parts;
  const guarded = (where: string, work: () => Promise<unknown>) => async (): Promise<void> => {
    try {
      await work();
    } catch (error) {
      observe({ event: "fault", where, error: error instanceof Error ? error.message : String(error) });
    }
  };
  const recover = guarded("recovery", () =>
    recoverOrphans({ ledger: ports.ledger, leases, prices: () => ports.catalog.prices(), observe }),
  );
  const renew = guarded("lease", async () => {
    if (!(await leases.renew(leaseMs))) await leases.register(leaseMs);
  });
  const timers = [
    setInterval(renew, Math.max(leaseMs / 3, 50)),
    setInterval(recover, Math.max(config.ledger.recoveryMs / 4, 100)),
    setInterval(
      guarded("catalog", () => parts.catalog.refresh()),
      5_000,
    ),
    setInterval(
      guarded("clock", () => parts.clock.sync()),
      30_000,
    ),
    setInterval(
      guarded("expiry", () => parts.db.query(expireGrants)),
      30_000,
    ),
    setInterval(
      guarded("idempotency", () => parts.db.query(deleteOldResults)),
      600_000,
    ),
    setInterval(
      guarded("idempotency", () => ports.results.seal(interruptedResult)),
      15_000,
    ),
    setInterval(
      guarded("background", () => lookAtRuns(ports)),
      1_000,
    ),
    setInterval(
      guarded("kept responses", () => ports.kept.removeOld()),
      3_600_000,
    ),
  ];
  for (const timer of timers) timer.unref();
  return {
    stop: () => {
      for (const timer of timers) clearInterval(timer);
    },
    recoverNow: recover,
  };
}

interface StopParts {
  readonly app: FastifyInstance;
  readonly chores: { stop(): void };
  readonly running: Set<Promise<void>>;
  readonly ledger: StoreLedger;
  readonly leases: StoreLeases;
  readonly db: Db;
  readonly moneyDb: Db;
  readonly vendor: VendorClient;
  readonly logger: Logger;
  readonly state: { isDraining: boolean };
}

async function stop(parts: StopParts, graceMs: number): Promise<void> {
  parts.state.isDraining = true;
  const closed = parts.app.close();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs);
  });
  await Promise.race([Promise.allSettled([...parts.running]), deadline]);
  // What still runs is cut off at the vendor, settled by what was seen, and ended for its client.
  if (parts.running.size > 0) {
    await parts.vendor.close();
    await Promise.race([
      Promise.allSettled([...parts.running]),
      new Promise((resolve) => setTimeout(resolve, 5_000)),
    ]);
  }
  clearTimeout(timer);
  parts.app.server.closeAllConnections();
  await closed;
  parts.chores.stop();
  await parts.ledger.close();
  await parts.leases.release();
  await parts.vendor.close();
  if (parts.moneyDb !== parts.db) await parts.moneyDb.close();
  await parts.db.close();
  parts.logger.flush();
}
