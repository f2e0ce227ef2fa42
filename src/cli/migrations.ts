import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { migrate, migrations, pendingMigrations } from "../store/migrate.ts";
import { openStore } from "./settings.ts";
import type { Terminal } from "./terminal.ts";

/** Names of the migrations that were applied now. */
export async function applyMigrations(config: Config, terminal: Terminal): Promise<readonly string[]> {
  const db = await openStore(config);
  try {
    return await migrate(db, (name) => terminal.note(`Applied ${name}`));
  } finally {
    await db.close();
  }
}

/** Names of the migrations that the store lacks. Opening an embedded database would make one, so that is not done. */
export async function findPending(config: Config): Promise<readonly string[]> {
  if (config.store.kind === "pglite" && !existsSync(join(config.store.directory, "db", "PG_VERSION"))) {
    return migrations.map(({ name }) => name);
  }
  const db = await openStore(config);
  try {
    return await pendingMigrations(db);
  } finally {
    await db.close();
  }
}
