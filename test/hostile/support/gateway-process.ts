/** Real `tollgate serve` processes, with everything they print. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

export interface GatewayProcess {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** stdout and stderr so far. */
  output(): string;
  /** Resident memory now, in bytes; null where it cannot be read. */
  residentBytes(): number | null;
  /** Ends it as an operator would; resolves with its exit code. */
  stop(): Promise<number | null>;
  /** `kill -9`. */
  kill(): Promise<void>;
}

export interface SpawnOptions {
  /** A folder of its own. */
  readonly home: string;
  readonly yaml: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Starts a gateway and waits until it says where it listens. Rejects with what it printed when it ends before. */
export async function spawnGateway(options: SpawnOptions): Promise<GatewayProcess> {
  const { child, output } = start(options, ["serve", "--json"]);
  const url = await new Promise<string>((resolve, reject) => {
    const look = (): void => {
      const match = /^\{.*"url":"(http:[^"]+)"/m.exec(output());
      if (match?.[1] !== undefined) resolve(match[1]);
    };
    child.stdout?.on("data", look);
    child.once("exit", (code) => reject(new Error(`The gateway ended with ${code}:\n${output()}`)));
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const pid = child.pid ?? 0;
  return {
    url,
    port: Number(new URL(url).port),
    pid,
    output,
    residentBytes: () => residentBytesOf(pid),
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
      const code = await exited;
      clearTimeout(timer);
      return code;
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Runs a command of `tollgate` to its end. */
export async function runTollgate(options: SpawnOptions, args: readonly string[]): Promise<Ended> {
  const { child, output } = start(options, args);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, output: output() };
}

function start(
  options: SpawnOptions,
  args: readonly string[],
): { child: ChildProcess; output: () => string } {
  const program = join(root, "bin", "tollgate.js");
  if (!existsSync(join(root, "dist", "cli", "main.js")))
    throw new Error("There is no build to test: run `npm run build`.");
  mkdirSync(options.home, { recursive: true });
  const file = join(options.home, "tollgate.yaml");
  writeFileSync(file, options.yaml);
  const child = spawn(process.execPath, [program, ...args], {
    cwd: options.home,
    env: { PATH: process.env.PATH ?? "", TOLLGATE_CONFIG: file, NODE_ENV: "production", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  return { child, output: () => text };
}

function residentBytesOf(pid: number): number | null {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) * 1_024;
  } catch {
    return null; // not Linux, or the process is gone
  }
}
