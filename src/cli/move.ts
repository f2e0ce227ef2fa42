import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { CopyRefused, type CopyResult, copyDatabase } from "../store/copy.ts";
import { lockDirectory } from "../store/directory-lock.ts";
import { markMoved } from "../store/moved.ts";
import { openPglite } from "../store/pglite.ts";
import { openReachable } from "./settings.ts";
import { CliError, exitCodes, type Terminal } from "./terminal.ts";

export interface MoveResult extends CopyResult {
  /** Where the embedded database still lies; it is closed. */
  readonly kept: string;
}

/**
 * Moves the embedded database to an empty PostgreSQL database. Either all of it is there and proven, and the embedded one
 * is closed for good, or nothing is there and the embedded one is as it was.
 */
export async function moveToPostgres(config: Config, terminal: Terminal, to: string): Promise<MoveResult> {
  if (config.store.kind !== "pglite") {
    throw new CliError(
      exitCodes.usage,
      "Cannot move the store: it is PostgreSQL already; unset DATABASE_URL, or name the file whose store is the directory with --config.",
    );
  }
  const url = targetOf(terminal, to);
  const { directory } = config.store;
  if (!existsSync(join(directory, "db", "PG_VERSION"))) {
    throw new CliError(
      exitCodes.failed,
      `Cannot move ${directory}: there is no database in it; check store or --config.`,
    );
  }
  const source = await openPglite(directory);
  let result: CopyResult;
  try {
    const target = await openReachable(url.href);
    try {
      const { recoveryMs } = config.ledger;
      result = await copyDatabase(source, target, { recoveryMs, progress: terminal.note });
    } catch (error) {
      throw explained(directory, error);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
  const lock = await lockDirectory(directory);
  try {
    markMoved(directory, placeOf(url));
  } finally {
    await lock.release();
  }
  return { ...result, kept: join(directory, "db") };
}

/** `postgres://…`, or `env:NAME` for a variable that holds one. A password in a flag could be seen by every user. */
function targetOf(terminal: Terminal, to: string): URL {
  const name = to.startsWith("env:") ? to.slice("env:".length) : null;
  const text = name === null ? to : terminal.env[name];
  const shown = name === null ? "--to" : `the variable ${name}`;
  if (text === undefined || text === "")
    throw new CliError(
      exitCodes.usage,
      `Cannot move the store: ${shown} is not set; set it to postgres://….`,
    );
  if (!/^postgres(ql)?:\/\//.test(text) || !URL.canParse(text))
    throw new CliError(
      exitCodes.usage,
      `Cannot move the store: ${shown} is no URL of PostgreSQL; write postgres://user@host/database.`,
    );
  const url = new URL(text);
  if (name === null && url.password !== "")
    throw new CliError(
      exitCodes.usage,
      "Cannot take a password from a flag: other users of this machine can see it; put the URL into a variable and say --to env:NAME, or use PGPASSWORD.",
    );
  return url;
}

const placeOf = (url: URL): string => `PostgreSQL, ${url.host}${url.pathname}`;

function explained(directory: string, error: unknown): unknown {
  if (error instanceof CopyRefused) {
    const hint =
      error.check?.name === "no_hold_is_forgotten"
        ? "; start `tollgate serve` on it once, which settles what a dead process left"
        : "";
    const code = error.check === null ? exitCodes.failed : exitCodes.findings;
    return new CliError(code, `Cannot move ${directory}: ${error.message}${hint}. Nothing was changed.`, {
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new CliError(
    exitCodes.failed,
    `Cannot move ${directory}: ${message}. It is as it was; the copy was given up, and is in the target whole or not at all.`,
    { cause: error },
  );
}
