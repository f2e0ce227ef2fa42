import { createHash } from "node:crypto";
import { mkdirSync, statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Another process has the directory open. */
export class DirectoryLocked extends Error {
  override readonly name = "DirectoryLocked";
}

/**
 * Takes `directory` for this process until it exits, however it exits: the lock is a bound local socket, which the
 * operating system frees with the process, so there is no stale lock to clean up. Two openers would silently lose
 * acknowledged rows (docs/decisions/0003-embedded-database.md).
 */
export async function lockDirectory(directory: string): Promise<{ release(): Promise<void> }> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { dev, ino } = statSync(directory);
  const name = `tollgate-${createHash("sha256").update(`${dev}:${ino}`).digest("hex").slice(0, 24)}`;
  const server = await listen(addressOf(name), directory);
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** Abstract on Linux and a pipe on Windows: neither leaves a file behind. Elsewhere a socket file. */
function addressOf(name: string): string {
  if (process.platform === "linux") return `\0${name}`;
  if (process.platform === "win32") return `\\\\.\\pipe\\${name}`;
  return join(tmpdir(), `${name}.sock`);
}

function listen(address: string, directory: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new DirectoryLocked(
              `Cannot open ${directory}: another Tollgate process is using it; stop that one first, or use PostgreSQL for several processes.`,
            )
          : error,
      );
    });
    server.listen(address, () => resolve(server));
  });
}
