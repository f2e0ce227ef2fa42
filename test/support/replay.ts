/** A vendor that answers with recorded bytes: `model` in the body names the fixture, the path says how it is cut. */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface FixtureEntry {
  readonly file: string;
  readonly vendor: string;
  readonly api: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly request?: string;
  readonly end?: "done" | "terminal-event" | "cut" | "error";
  /** Byte offsets within characters and other places where a cut hurts. */
  readonly split?: Readonly<Record<string, number>>;
  readonly truncated?: boolean;
  readonly expect: Readonly<{
    source: string;
    prompt?: number | null;
    cached?: number;
    cache_write?: number;
    completion?: number;
    reasoning?: number | null;
    total?: number | null;
    service_tier?: string;
    billed_model?: string;
    billed_deployment?: string;
    file_search_calls?: number;
    containers?: number;
  }>;
}

const folder = new URL("../fixtures/", import.meta.url);
export const readFixture = (file: string): Buffer => readFileSync(new URL(file, folder));
export const fixtures: readonly FixtureEntry[] = (
  JSON.parse(readFixture("manifest.json").toString()) as { fixtures: FixtureEntry[] }
).fixtures;

export const cuts = ["whole", "bytes", "random"] as const;
export type Cut = (typeof cuts)[number];

/** A small seeded generator, so that "random" pieces are the same in every run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export function piecesOf(body: Buffer, cut: Cut, seed: number): Buffer[] {
  if (cut === "whole") return [body];
  if (cut === "bytes") return [...body].map((_, index) => body.subarray(index, index + 1));
  const random = seeded(seed);
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const size = 1 + Math.floor(random() * 200);
    pieces.push(body.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

export interface Replay {
  readonly url: string;
  /** Bodies received, newest last. */
  readonly received: Record<string, unknown>[];
  close(): Promise<void>;
}

export async function startReplay(): Promise<Replay> {
  const received: Record<string, unknown>[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => void answer());
    const answer = async (): Promise<void> => {
      // Nothing is stored here.
      if (request.method !== "POST") return void response.writeHead(404).end();
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
      received.push(body);
      const cut = request.url?.split("/")[1] as Cut;
      const entry = fixtures.find((one) => one.file === body["model"]);
      if (entry === undefined) return void response.writeHead(404).end();
      response.socket?.setNoDelay(true);
      response.writeHead(entry.status, entry.headers);
      const file = readFixture(entry.file);
      for (const piece of piecesOf(file, cut, file.length)) {
        response.write(piece);
        // A turn of the event loop between the pieces, so that they leave one by one.
        if (cut !== "whole") await new Promise((resolve) => setImmediate(resolve));
      }
      if (entry.end !== "cut") return void response.end();
      // A cut stream ends without the end of its chunked body, once what was written is with the system.
      response.write("", () => response.destroy());
    };
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
