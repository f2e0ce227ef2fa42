import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Db, type Queryable, sql } from "./db.ts";

const folder = fileURLToPath(new URL("./migrations/", import.meta.url));

export interface Migration {
  readonly name: string;
  readonly text: string;
  readonly sha256: string;
}

export const migrations: readonly Migration[] = readdirSync(folder)
  .filter((file) => file.endsWith(".sql"))
  .sort()
  .map((file) => {
    const text = readFileSync(`${folder}${file}`, "utf8");
    return {
      name: file.replace(/\.sql$/, ""),
      text,
      sha256: createHash("sha256").update(text).digest("hex"),
    };
  });

/** Changes whenever the schema does, so that a snapshot of another one is not taken for it. */
export function schemaFingerprint(): string {
  const hash = createHash("sha256");
  for (const migration of migrations) hash.update(migration.sha256);
  return hash.digest("hex").slice(0, 16);
}

const createTable = sql`
  create table if not exists schema_migrations (
    name text primary key, sha256 text not null, applied_at timestamptz not null default clock_timestamp())`;
const selectApplied = sql`select name, sha256 from schema_migrations order by name`;
const insertApplied = sql`insert into schema_migrations (name, sha256) values ($1, $2)`;
// "tollgate" as a number: one migrating process at a time, the others wait and then find nothing to do.
export const lockMigrations = sql`select pg_advisory_xact_lock(8402840284)`;

/** Brings the schema up to date, each migration in its own transaction. Returns the names applied now. */
export async function migrate(
  db: Db,
  note: (name: string) => void = () => undefined,
): Promise<readonly string[]> {
  await db.transaction(async (tx) => {
    await tx.query(lockMigrations);
    await tx.query(createTable);
  });
  const appliedNow: string[] = [];
  for (const migration of migrations) {
    const isNew = await db.transaction(async (tx) => {
      await tx.query(lockMigrations);
      if (await isApplied(tx, migration)) return false;
      for (const statement of splitStatements(migration.text)) await tx.query(statement);
      await tx.query(insertApplied, [migration.name, migration.sha256]);
      return true;
    });
    if (isNew) {
      appliedNow.push(migration.name);
      note(migration.name);
    }
  }
  return appliedNow;
}

/** Names of migrations that the database lacks. Throws when it has one that this version does not know or has changed. */
export async function pendingMigrations(db: Queryable): Promise<readonly string[]> {
  const exists = await db.query<{ present: boolean }>(
    sql`select to_regclass('schema_migrations') is not null as present`,
  );
  if (exists[0]?.present !== true) return migrations.map((one) => one.name);
  const pending: string[] = [];
  for (const migration of migrations) if (!(await isApplied(db, migration))) pending.push(migration.name);
  return pending;
}

async function isApplied(db: Queryable, migration: Migration): Promise<boolean> {
  const applied = await db.query<{ name: string; sha256: string }>(selectApplied);
  const newest = applied.at(-1);
  if (newest !== undefined && !migrations.some((one) => one.name === newest.name)) {
    throw new Error(
      `Cannot use this database: it has migration ${newest.name}, which is newer than this Tollgate; upgrade Tollgate.`,
    );
  }
  const same = applied.find((one) => one.name === migration.name);
  if (same !== undefined && same.sha256 !== migration.sha256) {
    throw new Error(
      `Cannot use this database: migration ${migration.name} was applied in another form; install the version that made it.`,
    );
  }
  return same !== undefined;
}

/** Cuts a file at semicolons that end a line, outside `$$` bodies: the extended protocol takes one statement at a time. */
function splitStatements(text: string): string[] {
  const statements: string[] = [];
  let current = "";
  let isInBody = false;
  for (const line of text.split("\n")) {
    if (!isInBody && /^\s*(--.*)?$/.test(line)) continue;
    if ((line.match(/\$\$/g)?.length ?? 0) % 2 === 1) isInBody = !isInBody;
    current += `${line}\n`;
    if (!isInBody && /;\s*(--.*)?$/.test(line)) {
      statements.push(current);
      current = "";
    }
  }
  if (current.trim() !== "") statements.push(current);
  return statements;
}
