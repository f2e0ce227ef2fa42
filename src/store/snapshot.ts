import { createHash } from "node:crypto";
import { migrate, migrations } from "./migrate.ts";
import { openPglite } from "./pglite.ts";

/** Changes whenever the schema does, so that a stale snapshot is made anew. */
export function schemaFingerprint(): string {
  const hash = createHash("sha256");
  for (const migration of migrations) hash.update(migration.sha256);
  return hash.digest("hex").slice(0, 16);
}

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
