import cluster from "node:cluster";
import { CliError, exitCodes, type Terminal } from "./terminal.ts";

/** A worker that dies sooner than this after its start is not replaced at once: something is wrong with all of them. */
const crashLoopMs = 5_000;

/** Whether this process is one of several that share the port. */
export const isWorker = (): boolean => cluster.isWorker;

/**
 * Runs `count` gateway processes behind one port, each with its own batcher and lease, until a signal stops them. One that
 * dies is replaced, and what it held is settled by the others. Resolves when all have ended.
 */
export async function runWorkers(count: number, terminal: Terminal, onReady: () => void): Promise<void> {
  let isStopping = false;
  let listening = 0;
  let failed: Error | null = null;
  const started = new Map<number, number>();
  const fork = (): void => {
    const worker = cluster.fork();
    started.set(worker.id, performance.now());
  };
  cluster.on("listening", () => {
    listening += 1;
    if (listening === count) onReady();
  });
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) process.exit(exitCodes.interrupted);
    isStopping = true;
    terminal.note(`${signal}: no new requests; running ones may end (again to stop now)`);
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill("SIGTERM");
  };
  for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, stop);
  for (let index = 0; index < count; index += 1) fork();
  await new Promise<void>((resolve) => {
    cluster.on("exit", (worker, code, signal) => {
      const lived = performance.now() - (started.get(worker.id) ?? 0);
      started.delete(worker.id);
      if (!isStopping && lived < crashLoopMs && listening < count) {
        isStopping = true;
        failed = new CliError(
          code === exitCodes.usage ? exitCodes.usage : exitCodes.failed,
          "Cannot start the workers: one ended at once; its message is above.",
        );
        for (const other of Object.values(cluster.workers ?? {})) other?.process.kill("SIGTERM");
      } else if (!isStopping) {
        terminal.note(`Worker ${worker.id} ended (${signal ?? code}); starting another`);
        fork();
      }
      if (started.size === 0) resolve();
    });
  });
  if (failed !== null) throw failed;
}
