import { createHmac, randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { FastifyInstance } from "fastify";
import { authenticate } from "../admin/auth.ts";
import { AdminError } from "../admin/errors.ts";
import { loginPath, registerConsole } from "../console/register.ts";
import { createSessions, type Sessions } from "../console/sessions.ts";
import { formatUsd, pico } from "../core/money.ts";
import type { ConsoleLogins, Person } from "../ports-console.ts";
import { createConsoleReports } from "../store/console-reports.ts";
import type { GatewayParts } from "./gateway-process.ts";
import { version } from "./version.ts";

/** Where the build puts the console's files, beside the compiled gateway; the same place when it runs from its sources. */
const builtConsole = fileURLToPath(new URL("../../dist/console/web", import.meta.url));

/**
 * Sessions of this installation: all its processes share them, and a new admin token ends them. `logins` of a transaction
 * make what is written part of it.
 */
export function consoleSessions(
  { adminToken, store }: Pick<GatewayParts, "adminToken" | "store">,
  logins: ConsoleLogins = store.logins,
): Sessions {
  const derive = (purpose: string): string => createHmac("sha256", adminToken).update(purpose).digest("hex");
  return createSessions({
    logins,
    random: randomBytes,
    epoch: derive("console sessions").slice(0, 32),
    cookieName: `tollgate_${derive("console cookie").slice(0, 8)}`,
  });
}

/** Adds the console's pages and login to a server. */
export function addConsole(app: FastifyInstance, parts: GatewayParts, sessions: Sessions): void {
  const { config } = parts;
  registerConsole(app, {
    clock: parts.clock,
    sessions,
    authenticate: (token) => personOf(token, parts),
    directory: builtConsole,
    portal: {
      tables: parts.store,
      portalTokens: parts.store.portalTokens,
      reports: createConsoleReports(parts.db),
      clock: parts.clock,
      credit: config.credit.unit,
      creditName: config.credit.name,
      timeZone: config.timeZone,
    },
    about: {
      version,
      isDemo: parts.isDemo,
      timeZone: config.timeZone,
      credit: { name: config.credit.name, usd: formatUsd(pico(config.credit.unit.picoPerCredit)) },
    },
  });
}

/** A one-time address that logs its opener in as the owner. A server that listens everywhere is reached by loopback here. */
export async function loginUrl(url: string, sessions: Sessions): Promise<string> {
  const near = url.replace("://0.0.0.0:", "://127.0.0.1:").replace("://[::]:", "://[::1]:");
  return `${near}${loginPath(await sessions.createLink({ name: "owner", role: "owner", tokenId: null }))}`;
}

async function personOf(token: string, parts: GatewayParts): Promise<Person | null> {
  try {
    return await authenticate(token, parts.adminToken, parts.store.tokens);
  } catch (error) {
    if (error instanceof AdminError && error.status === 401) return null;
    throw error;
  }
}
