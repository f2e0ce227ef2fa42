import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/config.ts";

/** Where `serve` keeps what is not in the database: the admin token, the demo key. Mode 0700. */
export function dataDirectoryOf(config: Config): string {
  return config.store.kind === "pglite" ? config.store.directory : "tollgate-data";
}

/** The text in a private file of the directory; made on the first call. */
export function keepSecret(directory: string, file: string, make: () => string): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, file);
  if (existsSync(path)) return readFileSync(path, "utf8").trim();
  const text = make();
  writeFileSync(path, `${text}\n`, { mode: 0o600, flag: "wx" });
  return text;
}
