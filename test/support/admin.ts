/** The admin API on a real database, without a socket: what a client would see. */
import { randomBytes } from "node:crypto";
import Fastify, { type FastifyInstance } from "fastify";
import { createIntegrityWatch } from "../../src/admin/integrity.ts";
import { type AdminPorts, registerAdmin } from "../../src/admin/register.ts";
import { createTail } from "../../src/admin/tail.ts";
import { operatorRow, type PriceEntry, PriceEntryError } from "../../src/config/price-entry.ts";
import { creditUnit, parseUsd, zeroPico } from "../../src/core/money.ts";
import { createPriceBook } from "../../src/core/price-book.ts";
import type { PriceRow } from "../../src/core/prices.ts";
import { createIds } from "../../src/lib/ids.ts";
import type { Observation } from "../../src/ports.ts";
import type { AdminStore } from "../../src/ports-admin.ts";
import type { SessionReader } from "../../src/ports-console.ts";
import { createAdminStore } from "../../src/store/admin-store.ts";
import { createConsoleReports } from "../../src/store/console-reports.ts";
import type { Db } from "../../src/store/db.ts";
import { createRequestTailSource } from "../../src/store/request-tail.ts";

export const ownerToken = "owner-token-of-the-tests";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  // Tests look into answers as a client would, without types.
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what is tested.
  readonly json: any;
}

export interface AdminClient {
  readonly app: FastifyInstance;
  readonly store: AdminStore;
  readonly observations: readonly Observation[];
  call(method: "GET" | "POST" | "PATCH" | "DELETE", path: string, options?: CallOptions): Promise<Answer>;
}
export interface CallOptions {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Null = without one. */
  readonly token?: string | null;
}

export function openAdmin(
  db: Db,
  options: {
    creditUsd?: string;
    readSession?: SessionReader;
    probeEndpoint?: AdminPorts["probeEndpoint"];
  } = {},
): AdminClient {
  const store = createAdminStore(db);
  const observations: Observation[] = [];
  let published: readonly PriceRow[] = [];
  const ports: AdminPorts = {
    store,
    prices: {
      book: () => createPriceBook([...builtIn, ...published], "test"),
      read: readPrice,
      refresh: async () => {
        published = await store.prices.list();
      },
    },
    endpoints: { list: () => endpoints },
    probeEndpoint: options.probeEndpoint ?? (async () => unreachable),
    recoveryMs: 60_000,
    creditName: "credit",
    clock: { now: Date.now, elapsed: () => performance.now() },
    ids: createIds(),
    random: randomBytes,
    credit: creditUnit(options.creditUsd ?? "0.01"),
    observe: (observation) => observations.push(observation),
    ownerToken,
    readSession: options.readSession ?? null,
    tail: createTail({
      source: createRequestTailSource(db),
      clock: { now: Date.now, elapsed: () => performance.now() },
      observe: (observation) => observations.push(observation),
    }),
    reports: createConsoleReports(db),
    integrity: createIntegrityWatch({
      reports: createConsoleReports(db),
      clock: { now: Date.now, elapsed: () => performance.now() },
      observe: (observation) => observations.push(observation),
    }),
    routes: () => [],
    settings: () => ({ file: null, store: "pglite", values: [] }),
    createLoginPath: async () => "/console/#/login?link=test",
    version: "0.0.0-test",
  };
  const app = Fastify();
  registerAdmin(app, ports);
  return {
    app,
    store,
    observations,
    async call(method, path, { body, headers = {}, token = ownerToken } = {}) {
      const answer = await app.inject({
        method,
        url: path.startsWith("/") ? `/admin/v1${path}` : path,
        headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
        ...(body === undefined ? {} : { payload: body as object }),
      });
      const isJson = String(answer.headers["content-type"]).includes("json");
      return {
        status: answer.statusCode,
        headers: answer.headers,
        text: answer.body,
        json: isJson ? answer.json() : null,
      };
    },
  };
}

function readPrice(entry: object): ReturnType<AdminPorts["prices"]["read"]> {
  try {
    return { ok: true, row: operatorRow(entry as PriceEntry, "admin") };
  } catch (error) {
    if (!(error instanceof PriceEntryError)) throw error;
    return { ok: false, field: error.field, message: error.message };
  }
}

const builtIn: readonly PriceRow[] = [
  {
    id: "openai/gpt-5-mini@2025-08-07T00:00:00Z",
    provider: "openai",
    model: "gpt-5-mini",
    from: Date.parse("2025-08-07T00:00:00Z"),
    tiers: [{ aboveInputTokens: 0, prices: { input: parseUsd("0.00000025"), output: parseUsd("0.000002") } }],
    serviceTiers: {},
    contextWindow: 400_000,
    maxInputTokens: null,
    maxOutputTokens: 128_000,
    origin: "test",
  },
];

const unreachable: Awaited<ReturnType<AdminPorts["probeEndpoint"]>> = {
  ok: false,
  code: "endpoint_unreachable",
  message: "Cannot probe: nothing answers.",
  deployment: null,
  spent: { known: zeroPico, atMost: zeroPico },
};

const endpoints = [
  {
    name: "azure-east",
    kind: "azure",
    baseUrl: "https://example.openai.azure.com",
    apiVersion: "2024-12-01-preview",
    state: "healthy",
    until: null,
    lastError: null,
    deployments: [{ deployment: "mini", model: "gpt-5-mini", servedAs: ["gpt-5-mini"], quirks: [] }],
  },
] as const;
