import { randomBytes } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { createIntegrityWatch } from "../admin/integrity.ts";
import { registerAdmin } from "../admin/register.ts";
import { createTail } from "../admin/tail.ts";
import { showOrigin, showPath } from "../config/config.ts";
import { operatorRow, type PriceEntry, PriceEntryError } from "../config/price-entry.ts";
import { loginPath } from "../console/register.ts";
import type { PriceDesk } from "../ports-admin.ts";
import type { SessionReader } from "../ports-console.ts";
import type { EndpointState, Endpoints } from "../ports-reports.ts";
import { createConsoleReports } from "../store/console-reports.ts";
import { createRequestTailSource } from "../store/request-tail.ts";
import { consoleSessions } from "./console-wiring.ts";
import type { GatewayParts } from "./gateway-process.ts";
import { probePort } from "./probe-port.ts";
import { version } from "./version.ts";

/** Adds the admin API to a server: its ports are the process's own. */
export function addAdmin(app: FastifyInstance, parts: GatewayParts, readSession: SessionReader): void {
  const { clock, config } = parts;
  const { observe } = parts.ports;
  const reports = createConsoleReports(parts.db);
  registerAdmin(app, {
    store: parts.store,
    prices: priceDesk(parts),
    endpoints: endpointStates(parts),
    probeEndpoint: probePort(parts),
    recoveryMs: parts.config.ledger.recoveryMs,
    creditName: parts.config.credit.name,
    clock,
    ids: parts.ids,
    random: randomBytes,
    credit: parts.config.credit.unit,
    observe,
    ownerToken: parts.adminToken,
    readSession,
    tail: createTail({ source: createRequestTailSource(parts.db), clock, observe }),
    reports,
    integrity: createIntegrityWatch({ reports, clock, observe }),
    routes: () => parts.catalog.models(),
    settings: () => ({
      file: config.file,
      store: config.store.kind,
      values: config.origins.map(({ path, value, origin }) => ({
        path: showPath(path),
        value,
        origin: showOrigin(origin),
      })),
    }),
    createLoginPath: async (logins, person) =>
      loginPath(await consoleSessions(parts, logins).createLink(person)),
    version,
  });
}

function priceDesk(parts: GatewayParts): PriceDesk {
  return {
    book: () => parts.catalog.prices(),
    read(entry) {
      try {
        return { ok: true, row: operatorRow(entry as unknown as PriceEntry, "admin") };
      } catch (error) {
        if (!(error instanceof PriceEntryError)) throw error;
        return { ok: false, field: error.field, message: error.message };
      }
    },
    refresh: () => parts.catalog.refresh(),
  };
}

function endpointStates(parts: GatewayParts): Endpoints {
  return {
    list: () => [...parts.config.endpoints.values()].map((endpoint) => stateOf(parts, endpoint)),
  };
}

function stateOf(
  parts: GatewayParts,
  endpoint: GatewayParts["config"]["endpoints"] extends ReadonlyMap<string, infer One> ? One : never,
): EndpointState {
  const cooling = [...parts.coolDowns.list(parts.clock.now())]
    .filter(([name]) => name.startsWith(`${endpoint.name}/`))
    .map(([, until]) => until);
  const deployments = new Map<string, { deployment: string; model: string; servedAs: string[] }>();
  for (const model of parts.catalog.models()) {
    for (const route of model.deployments) {
      if (route.endpoint !== endpoint.name) continue;
      const known = deployments.get(route.deployment);
      if (known === undefined)
        deployments.set(route.deployment, {
          deployment: route.deployment,
          model: route.model,
          servedAs: [model.name],
        });
      else known.servedAs.push(model.name);
    }
  }
  return {
    name: endpoint.name,
    kind: endpoint.kind,
    baseUrl: endpoint.baseUrl,
    apiVersion: endpoint.apiVersion,
    state: cooling.length > 0 ? "cooling" : parts.health.wasUsed(endpoint.name) ? "healthy" : "unused",
    until: cooling.length > 0 ? new Date(Math.max(...cooling)).toISOString() : null,
    lastError: parts.health.lastErrorOf(endpoint.name),
    deployments: [...deployments.values()].map((one) => ({
      ...one,
      quirks: parts.catalog.lessons(endpoint.name, one.deployment),
    })),
  };
}
