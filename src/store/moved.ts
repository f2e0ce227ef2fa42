import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";

/** The data went to another database: two that go on from the same books would each spend the same credit. */
export class DatabaseMoved extends Error {
  override readonly name = "DatabaseMoved";
}

const fileName = "MOVED-TO-POSTGRESQL";

/** The file whose presence closes the data in `directory`. */
export const movedFile = (directory: string): string => join(directory, "db", fileName);

/** Closes the data in `directory` for good. `place`: where it went, without secrets. */
export function markMoved(directory: string, place: string): void {
  const file = openSync(movedFile(directory), "wx", 0o600);
  try {
    writeSync(file, `${place}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

export function refuseMoved(directory: string): void {
  const file = movedFile(directory);
  if (!existsSync(file)) return;
  throw new DatabaseMoved(
    `Cannot open ${directory}: its data was moved to ${readFileSync(file, "utf8").trim()}; set store or DATABASE_URL to that.`,
  );
}
