import { existsSync, statSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { join } from "node:path";
import { type Config, ConfigError, type EndpointConfig } from "../config/config.ts";
import { loadPriceBook } from "../config/load-price-book.ts";
import { operatorRow } from "../config/price-entry.ts";
import { DirectoryLocked } from "../store/directory-lock.ts";
import { pendingMigrations } from "../store/migrate.ts";
import { type ConnectOptions, connect } from "./client.ts";
import { openStore, readConfig } from "./settings.ts";
import { CliError, exitCodes, type Terminal } from "./terminal.ts";

export interface Check {
  readonly name: string;
  /** `open`: it could not be looked at, or it is no fault by itself. */
  readonly result: "fine" | "open" | "wrong";
  readonly text: string;
}

const fine = (name: string, text: string): Check => ({ name, result: "fine", text });
const open = (name: string, text: string): Check => ({ name, result: "open", text });
const wrong = (name: string, text: string): Check => ({ name, result: "wrong", text });

/** Looks at the machine, the configuration, the store, the prices, the way to the vendors, and the server. Asks no vendor anything. */
export async function examine(terminal: Terminal, options: ConnectOptions): Promise<readonly Check[]> {
  const checks = [fine("node", `Node ${process.versions.node} on ${process.platform} ${process.arch}`)];
  let config: Config;
  try {
    config = readConfig(terminal, { config: options.config });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [...checks, wrong("configuration", error.message)];
  }
  checks.push(checkConfig(config), ...checkFiles(config), await checkStore(config), ...checkPrices(config));
  checks.push(...(await Promise.all([...config.endpoints.values()].map(checkEndpoint))));
  checks.push(await checkServer(terminal, options));
  return checks;
}

function checkConfig({ file, isConfigured, endpoints, models }: Config): Check {
  if (!isConfigured)
    return open(
      "configuration",
      "there is none, and no vendor in the environment: serve would start in demo mode",
    );
  const what = `${file ?? "the environment"}: ${endpoints.size} endpoints, ${models.length} models`;
  return models.length === 0
    ? wrong("configuration", `${what}; without models nothing can be served`)
    : fine("configuration", what);
}

function checkFiles(config: Config): readonly Check[] {
  if (config.store.kind !== "pglite") return [];
  const { directory } = config.store;
  if (!existsSync(directory))
    return [open("data directory", `${directory} is not there yet; serve makes it`)];
  const loose = [directory, join(directory, "admin-token")].find(
    (path) => process.platform !== "win32" && existsSync(path) && (statSync(path).mode & 0o077) !== 0,
  );
  if (loose === undefined) return [fine("data directory", directory)];
  return [
    wrong(
      "data directory",
      `${loose} can be read by other users; run: chmod go-rwx ${JSON.stringify(loose)}`,
    ),
  ];
}

async function checkStore(config: Config): Promise<Check> {
  const name = config.store.kind === "pglite" ? "embedded database" : "PostgreSQL";
  if (config.store.kind === "pglite" && !existsSync(join(config.store.directory, "db")))
    return open(name, "it is not there yet; serve makes it");
  try {
    const db = await openStore(config);
    try {
      const pending = await pendingMigrations(db);
      return pending.length === 0
        ? fine(name, "reachable, schema up to date")
        : open(name, `pending migrations: ${pending.join(", ")}; serve applies them`);
    } finally {
      await db.close();
    }
  } catch (error) {
    if (error instanceof DirectoryLocked)
      return open(name, "in use by a running server, which is as it should be");
    return wrong(name, error instanceof Error ? error.message : String(error));
  }
}

/** A model whose deployments have no price is refused to every client. */
function checkPrices(config: Config): readonly Check[] {
  const book = loadPriceBook({
    operatorRows: config.prices.map((entry) => operatorRow(entry)),
    adminRows: [],
  });
  const now = Date.now();
  const unpriced = config.models.flatMap((route) =>
    route.deployments
      .filter((one) => book.find(one.provider, one.model, now) === null)
      .map((one) => `${route.name} (${one.model} at ${one.endpoint})`),
  );
  if (config.models.length === 0) return [];
  if (unpriced.length === 0) return [fine("prices", book.version)];
  return [
    wrong("prices", `no price for ${unpriced.join(", ")}; add it under prices, or with: tollgate prices set`),
  ];
}

const connectMs = 5_000;

/** Opens a connection and closes it again: that costs nothing at any vendor. */
function checkEndpoint({ name, baseUrl }: EndpointConfig): Promise<Check> {
  const url = new URL(baseUrl);
  const port = Number(url.port !== "" ? url.port : url.protocol === "https:" ? 443 : 80);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve) => {
    const socket = connectSocket({ host, port });
    const end = (check: Check): void => {
      socket.destroy();
      resolve(check);
    };
    socket.setTimeout(connectMs, () =>
      end(wrong(`endpoint ${name}`, `${host}:${port} does not answer within ${connectMs} ms`)),
    );
    socket.once("connect", () => end(fine(`endpoint ${name}`, `${host}:${port} can be reached`)));
    socket.once("error", (error: NodeJS.ErrnoException) =>
      end(wrong(`endpoint ${name}`, `${host}:${port} cannot be reached (${error.code ?? error.message})`)),
    );
  });
}

async function checkServer(terminal: Terminal, options: ConnectOptions): Promise<Check> {
  try {
    const client = await connect(terminal, options);
    const me = await client.get("/me");
    return fine("server", `${client.url} knows this token (${me.role})`);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return error.exitCode === exitCodes.unreachable
      ? open("server", error.message)
      : wrong("server", error.message);
  }
}
