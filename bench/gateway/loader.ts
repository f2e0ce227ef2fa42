/** The load generator, as its own process: keeps `concurrent` requests going for a time and measures each from outside. */
import { Agent, request as httpRequest } from "node:http";

export interface LoadOrder {
  readonly url: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly model: string;
  readonly stream: boolean;
  readonly concurrent: number;
  /** No new request starts after this, ms; those that run are waited for. */
  readonly forMs: number;
  readonly bodyBytes: number;
  /** Requests that may start per second, over all workers; null = as many as come to an end. */
  readonly ratePerSecond: number | null;
  /** The first requests of the workers are spread over this, ms: nobody's customers all come in the same instant. */
  readonly spreadMs: number;
  /** Share of streams whose client leaves in the middle. */
  readonly abortShare: number;
}

export interface LoadResult {
  readonly requests: number;
  readonly failed: number;
  readonly aborted: number;
  readonly events: number;
  readonly elapsedMs: number;
  /** Sorted, ms: to the first byte of content, and to the end. */
  readonly firstByteMs: readonly number[];
  readonly totalMs: readonly number[];
}

interface Tally {
  requests: number;
  failed: number;
  aborted: number;
  events: number;
  readonly firstByteMs: number[];
  readonly totalMs: number[];
}

export async function runLoad(order: LoadOrder): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: order.concurrent });
  const target = new URL(order.url + order.path);
  const text = "x".repeat(Math.max(order.bodyBytes - 150, 20));
  const body = Buffer.from(
    JSON.stringify({
      model: order.model,
      stream: order.stream,
      max_tokens: 300,
      messages: [{ role: "user", content: text }],
    }),
  );
  const tally: Tally = { requests: 0, failed: 0, aborted: 0, events: 0, firstByteMs: [], totalMs: [] };
  const startedAt = performance.now();
  let number = 0;
  const worker = async (index: number): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, (index * order.spreadMs) / order.concurrent));
    while (performance.now() - startedAt < order.forMs) {
      number += 1;
      if (order.ratePerSecond !== null) {
        const dueMs = (number * 1_000) / order.ratePerSecond - (performance.now() - startedAt);
        if (dueMs > 0) await new Promise((resolve) => setTimeout(resolve, dueMs));
      }
      const leaves = order.abortShare > 0 && number % Math.round(1 / order.abortShare) === 0;
      await sendOne({ agent, target, body, headers: order.headers, tally, leaves });
    }
  };
  await Promise.all(Array.from({ length: order.concurrent }, (_, index) => worker(index)));
  agent.destroy();
  const sorted = (values: number[]): number[] => values.sort((a, b) => a - b);
  return {
    ...tally,
    elapsedMs: performance.now() - startedAt,
    firstByteMs: sorted(tally.firstByteMs),
    totalMs: sorted(tally.totalMs),
  };
}

interface One {
  readonly agent: Agent;
  readonly target: URL;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly tally: Tally;
  readonly leaves: boolean;
}

function sendOne({ agent, target, body, headers, tally, leaves }: One): Promise<void> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    let seen = 0;
    const request = httpRequest(
      target,
      {
        method: "POST",
        agent,
        headers: { ...headers, "content-type": "application/json", "content-length": body.length },
      },
      (response) => {
        response.on("data", (chunk: Buffer) => {
          if (seen === 0) tally.firstByteMs.push(performance.now() - startedAt);
          seen += chunk.length;
          tally.events += countEvents(chunk);
          if (leaves && seen > 20_000) request.destroy();
        });
        response.on("end", () => {
          tally.requests += 1;
          if (response.statusCode !== 200) tally.failed += 1;
          else tally.totalMs.push(performance.now() - startedAt);
          resolve();
        });
        response.on("error", () => resolve());
        response.on("close", () => {
          if (leaves) tally.aborted += 1;
          resolve();
        });
      },
    );
    request.on("error", () => {
      if (!leaves) tally.failed += 1;
      resolve();
    });
    request.end(body);
  });
}

function countEvents(chunk: Buffer): number {
  let count = 0;
  for (let at = chunk.indexOf("\n\n"); at >= 0; at = chunk.indexOf("\n\n", at + 2)) count += 1;
  return count;
}

export function main(): void {
  process.on(
    "message",
    (order: LoadOrder) => void runLoad(order).then((result) => process.send?.({ result })),
  );
  process.on("disconnect", () => process.exit());
  process.send?.({ port: 0 });
}
