import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import type { Db } from "../../src/store/db.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openPglite } from "../../src/store/pglite.ts";
import { openPostgres } from "../../src/store/postgres.ts";

/** An empty database on the run's PostgreSQL server. */
export async function newPostgresUrl(): Promise<string> {
  const admin = new pg.Client({ connectionString: inject("postgresUrl") });
  await admin.connect();
  const name = `t_${randomBytes(6).toString("hex")}`;
  await admin.query(`create database ${name}`);
  await admin.end();
  const url = new URL(inject("postgresUrl"));
  url.pathname = `/${name}`;
  return url.href;
}

/** A migrated database of the kind, for one suite. */
export async function newDatabase(kind: "postgres" | "pglite"): Promise<Db> {
  const db =
    kind === "pglite"
      ? await openPglite(null)
      : openPostgres({ url: await newPostgresUrl(), poolSize: 4, statementTimeoutMs: 30_000 });
  await migrate(db);
  return db;
}

export const databaseKinds = ["postgres", "pglite"] as const;
