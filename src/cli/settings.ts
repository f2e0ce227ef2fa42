import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { loadPriceBook } from "../config/load-price-book.ts";
import type { ConfigFlags } from "../config/overlay.ts";
import { listPricedModels } from "../config/priced-models.ts";
import type { Db } from "../store/db.ts";
import { openPglite } from "../store/pglite.ts";
import { openPostgres } from "../store/postgres.ts";
import { CliError, exitCodes, type Terminal } from "./terminal.ts";

/** The configuration as the server would read it here. Throws `ConfigError`. */
export function readConfig(terminal: Terminal, flags: ConfigFlags): Config {
  return loadConfig({
    flags,
    env: terminal.env,
    cwd: terminal.cwd,
    pricedModels: (vendor) =>
      listPricedModels(loadPriceBook({ operatorRows: [], adminRows: [] }), vendor, Date.now()),
  });
}

/** Opens the store for an operator's command: few connections, long statements. */
export async function openStore(config: Config): Promise<Db> {
  if (config.store.kind === "pglite") return openPglite(config.store.directory);
  return openReachable(config.store.url.reveal());
}

/** PostgreSQL for an operator's command. Throws a `CliError` when it cannot be reached. */
export async function openReachable(url: string): Promise<Db> {
  const db = openPostgres({ url, poolSize: 2, statementTimeoutMs: 3_600_000 });
  try {
    await db.query("select 1");
    return db;
  } catch (error) {
    await db.close();
    throw new CliError(
      exitCodes.unreachable,
      `Cannot reach PostgreSQL: ${error instanceof Error ? error.message : String(error)}; check store or DATABASE_URL.`,
      { cause: error },
    );
  }
}
