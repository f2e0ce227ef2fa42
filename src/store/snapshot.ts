import { migrate } from "./migrate.ts";
import { openPglite } from "./pglite.ts";

export { schemaFingerprint } from "./migrate.ts";

/**
 * A gzip tar of a migrated, empty data directory. Starting from it takes a fraction of the time of a first start,
 * which has to create a database cluster (docs/decisions/0003-embedded-database.md).
 */
export async function makeSnapshot(): Promise<Uint8Array> {
  const db = await openPglite(null, { useSnapshot: false });
  await migrate(db);
  const snapshot = await db.dump();
  await db.close();
  return snapshot;
}
