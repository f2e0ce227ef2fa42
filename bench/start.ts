/** `npm run bench -- start`: from `tollgate serve` to a gateway that serves, with the embedded database. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";

const rounds = 5;

export async function main(): Promise<void> {
  const first: number[] = [];
  const again: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const home = mkdtempSync(join(tmpdir(), "tollgate-start-"));
    try {
      first.push(await startMs(home));
      again.push(await startMs(home));
    } finally {
      rmSync(home, { recursive: true });
    }
  }
  const lines = [
    ["a new directory (from the snapshot)", first],
    ["a directory with data", again],
  ] as const;
  const rows = lines.map(([what, ms]) => {
    const sorted = ms.toSorted((a, b) => a - b);
    return `| ${what} | ${sorted[0]} | ${sorted[Math.floor(rounds / 2)]} | ${sorted.at(-1)} |`;
  });
  process.stdout.write(
    `${cpus().length} CPUs, Node ${process.versions.node}, ${rounds} starts each, ms\n\n| start in | best | median | worst |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n`,
  );
}

/** Until the command says where it serves, which it does when it is ready. `npm run` starts in the project's root. */
async function startMs(home: string): Promise<number> {
  const command = join(process.cwd(), "bin", "tollgate.js");
  const startedAt = performance.now();
  const child = spawn(process.execPath, [command, "serve", "--port", "0", "--json"], {
    cwd: home,
    env: { PATH: process.env["PATH"], OPENAI_API_KEY: "sk-none" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = once(child, "close");
  const said = await Promise.race([once(child.stdout, "data"), ended.then(() => null)]);
  const tookMs = Math.round(performance.now() - startedAt);
  if (said === null) throw new Error("Cannot measure: the command ended; run `tollgate serve` to see why.");
  child.kill("SIGTERM");
  await ended;
  return tookMs;
}
