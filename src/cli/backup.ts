import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { Config } from "../config/config.ts";
import { lockDirectory } from "../store/directory-lock.ts";
import { pendingMigrations } from "../store/migrate.ts";
import { openPglite } from "../store/pglite.ts";
import { CliError, exitCodes, type Terminal } from "./terminal.ts";

export interface BackupResult {
  readonly file: string;
  readonly bytes: number;
}

/** Writes the embedded database into one new file, as it is at this moment. The server must not be running. */
export async function backUp(
  config: Config,
  terminal: Terminal,
  output: string | undefined,
): Promise<BackupResult> {
  const directory = embeddedDirectory(config, (url) => `pg_dump --format=custom --file=tollgate.dump ${url}`);
  if (!existsSync(join(directory, "db", "PG_VERSION"))) {
    throw new CliError(
      exitCodes.failed,
      `Cannot back up ${directory}: there is no database in it; check store or --config.`,
    );
  }
  const name =
    output ??
    `tollgate-${new Date().toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}.tar.gz`;
  const path = resolve(terminal.cwd, name);
  // The file holds everything about everybody: only its owner may read it.
  const file = await open(path, "wx", 0o600).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === "EEXIST" ? "it exists already; name a new file" : String(error.code);
    throw new CliError(exitCodes.failed, `Cannot write ${name}: ${reason}.`, { cause: error });
  });
  try {
    const bytes = await dump(directory);
    await file.writeFile(bytes);
    await file.sync();
    return { file: path, bytes: bytes.length };
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

async function dump(directory: string): Promise<Uint8Array> {
  const db = await openPglite(directory);
  try {
    return await db.dump();
  } finally {
    await db.close();
  }
}

export interface RestoreResult {
  readonly directory: string;
  /** Where the data is that was there before; null when there was none. */
  readonly previous: string | null;
}

/**
 * Puts a backup in the place of the embedded database. What was there is kept beside it, and nothing is replaced before
 * the backup was opened and found to be one that this version can use.
 */
export async function restore(
  config: Config,
  terminal: Terminal,
  work: { file: string; isReplacing: boolean },
): Promise<RestoreResult> {
  const directory = embeddedDirectory(
    config,
    (url) => `pg_restore --clean --if-exists --dbname=${url} tollgate.dump`,
  );
  const file = resolve(terminal.cwd, work.file);
  await checkFile(file, work.file);
  const lock = await lockDirectory(directory);
  try {
    const data = join(directory, "db");
    if (existsSync(data) && !work.isReplacing) {
      throw new CliError(
        exitCodes.failed,
        `Cannot restore into ${directory}: there is a database already; add --replace to set it aside.`,
      );
    }
    const stamp = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "");
    const trial = join(directory, `restoring-${stamp}`);
    mkdirSync(trial, { mode: 0o700 });
    try {
      await openTrial(trial, file, basename(work.file));
      const previous = existsSync(data) ? join(directory, `db-before-${stamp}`) : null;
      if (previous !== null) renameSync(data, previous);
      renameSync(join(trial, "db"), data);
      return { directory, previous };
    } finally {
      rmSync(trial, { recursive: true, force: true });
    }
  } finally {
    await lock.release();
  }
}

async function checkFile(path: string, name: string): Promise<void> {
  const head = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new CliError(exitCodes.failed, `Cannot read ${name}: ${error.code}.`, { cause: error });
  });
  if (head[0] !== 0x1f || head[1] !== 0x8b)
    throw new CliError(
      exitCodes.failed,
      `Cannot restore ${name}: it is no file that \`tollgate backup\` made.`,
    );
}

async function openTrial(directory: string, startFrom: string, name: string): Promise<void> {
  try {
    const db = await openPglite(directory, { useSnapshot: false, startFrom });
    try {
      await pendingMigrations(db);
      await db.query("select count(*) from accounts");
    } finally {
      await db.close();
    }
  } catch (error) {
    throw new CliError(
      exitCodes.failed,
      `Cannot restore ${name}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

/** PostgreSQL has better tools of its own; the command is given as it must be typed, without the password. */
function embeddedDirectory(config: Config, command: (url: string) => string): string {
  if (config.store.kind === "pglite") return config.store.directory;
  const origin = config.origins.find(({ path }) => path.join(".") === "store")?.origin;
  const url = new URL(config.store.url.reveal());
  const hasPassword = url.password !== "";
  url.password = "";
  const isVariable = origin?.kind === "environment" && origin.name === "DATABASE_URL";
  const shown = isVariable ? '"$DATABASE_URL"' : `'${url.href.replaceAll("'", "%27")}'`;
  const hint = hasPassword && !isVariable ? " (it asks for the password, or reads PGPASSWORD)" : "";
  throw new CliError(
    exitCodes.failed,
    `Cannot do this for PostgreSQL: it has its own tools; run${hint}:\n  ${command(shown)}`,
  );
}
