/**
 * How late the simulator's tokens are with many paced streams at once: `node bench/run.mjs simulator-pacing`.
 * The
 * simulator has a thread of its own, and so at most one core; the clients are in this one and begin within
 * two seconds.
 */
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { startSimulator } from "../src/simulator/server.ts";

/** Fewer streams prove that the benchmark still runs. */
export interface PacingOptions {
  readonly port: number;
  readonly streams: number;
  readonly tokensPerSecond: number;
  readonly tokens: number;
  /** The streams begin within this time. */
  readonly rampMs: number;
}

const tokens = 200;
const tokensPerSecond = 20;
const rampMs = 2_000;

export async function main(): Promise<void> {
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  print(
    `${tokens} tokens at ${tokensPerSecond} a second per stream; all figures but the first ` +
      "and the last in ms",
  );
  print("          first byte after         stream longer than it should     token departs late");
  print("streams   median      p99      max   median      p99      max     mean      max   thread busy");
  for (const streams of [200, 1_000, 2_000, 3_000]) {
    const { worker, port } = await startWorker();
    try {
      const before = worker.performance.eventLoopUtilization();
      const row = await measurePacing({ port, streams, tokensPerSecond, tokens, rampMs });
      const { utilization } = worker.performance.eventLoopUtilization(before);
      const lag = await askLag(worker);
      print(`${row}${cell(lag.meanMs)}${cell(lag.maxMs)}${cell(utilization * 100)} %`);
    } finally {
      await worker.terminate();
    }
  }
}

/**
 * Runs the streams side by side; returns a row of figures: how late they began, and how much too long they
 * were.
 */
export async function measurePacing(options: PacingOptions): Promise<string> {
  const times = await Promise.all(Array.from({ length: options.streams }, (_, at) => runStream(options, at)));
  // The first byte comes at once, so the rest takes the time of all tokens.
  const idealMs = (options.tokens / options.tokensPerSecond) * 1_000;
  const figures = [
    spread(times.map((time) => time.firstMs)),
    spread(times.map((time) => time.restMs - idealMs)),
  ];
  return [options.streams, ...figures.flat()].map(cell).join("");
}

function spread(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return [at(0.5), at(0.99), at(1)];
}

interface StreamTimes {
  /** From the request to the first byte, and from there to the end. */
  readonly firstMs: number;
  readonly restMs: number;
}

/** One stream over a bare socket, from its request to its end. */
async function runStream(options: PacingOptions, number: number): Promise<StreamTimes> {
  await new Promise((resolve) => setTimeout(resolve, (options.rampMs * number) / options.streams));
  const content = `[[sim:tokens=${options.tokens} tps=${options.tokensPerSecond}]] ${number}`;
  const body = JSON.stringify({ model: "gpt-4o", stream: true, messages: [{ role: "user", content }] });
  const head =
    "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\nconnection: close\r\n";
  return new Promise((resolve, reject) => {
    const startMs = performance.now();
    let firstAtMs: number | null = null;
    const socket = connect(options.port, "127.0.0.1", () => {
      socket.write(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    });
    socket.on("data", () => {
      firstAtMs ??= performance.now();
    });
    socket.on("error", reject);
    socket.on("close", () => {
      const firstMs = (firstAtMs ?? Number.NaN) - startMs;
      resolve({ firstMs, restMs: performance.now() - startMs - firstMs });
    });
  });
}

function cell(value: number): string {
  return (Number.isInteger(value) ? String(value) : value.toFixed(1)).padStart(9);
}

interface Lag {
  readonly meanMs: number;
  readonly maxMs: number;
}

function startWorker(): Promise<{ worker: Worker; port: number }> {
  const worker = new Worker(fileURLToPath(import.meta.url));
  return new Promise((resolve, reject) => {
    worker.once("error", reject);
    worker.once("message", (port: number) => resolve({ worker, port }));
  });
}

function askLag(worker: Worker): Promise<Lag> {
  return new Promise((resolve) => {
    worker.once("message", (lag: Lag) => resolve(lag));
    worker.postMessage("lag");
  });
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  const simulator = await startSimulator({ profile: "openai" });
  port.on("message", () => port.postMessage(simulator.lag()));
  port.postMessage(simulator.port);
}
