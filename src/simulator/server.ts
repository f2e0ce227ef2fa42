import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Attempt } from "./attempt.ts";
import { refuseKey } from "./auth.ts";
import type { BillLine } from "./bill.ts";
import { pathError } from "./errors.ts";
import type { FaultName } from "./faults.ts";
import { generate } from "./generate.ts";
import { listModels } from "./model-list.ts";
import { readOptions, type SimulatorOptions } from "./options.ts";
import { answerSimulator } from "./own-routes.ts";
import type { Lag } from "./pacing.ts";
import type { RecordedRequest } from "./recorder.ts";
import { answerStored } from "./responses.ts";
import { type Route, readRoute } from "./routes.ts";
import { createVendor, forgetAll, type Vendor } from "./vendor.ts";

/** A running vendor simulator. */
export interface Simulator {
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly url: string;
  readonly port: number;
  /** One line per attempt the vendor is done with, in the order in which they ended. */
  bill(): BillLine[];
  /** The newest requests as they arrived, the oldest of them first. */
  requests(): RecordedRequest[];
  /** Attempts that are not on the bill yet. */
  open(): number;
  /** Resolves when no attempt is open. */
  idle(): Promise<void>;
  /** From now on every attempt gets this fault; null ends it. A request's own directive goes first. */
  setOutage(fault: FaultName | null): void;
  /** How late paced tokens left. */
  lag(): Lag;
  /** Forgets bill, requests, caches and stored responses. */
  reset(): void;
  /** Closes the server and every connection. */
  close(): Promise<void>;
}

/** Thousands of clients may connect in the same moment. */
const backlogMax = 8_192;
const bodyBytesMax = 64 * 1_048_576;

/** Starts the simulator. Rejects when an option cannot be met or the port is taken. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const vendor = createVendor(readOptions(options));
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    receive(vendor, request, response).catch((error: unknown) =>
      response.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  });
  const port = await listen(server, vendor.settings.port, vendor.settings.host);
  return {
    url: `http://${vendor.settings.host}:${port}`,
    port,
    bill: () => vendor.bill.lines(),
    requests: () => vendor.recorder.list(),
    open: () => vendor.open,
    idle: () => waitUntilIdle(vendor),
    setOutage: (fault) => {
      vendor.outage = fault;
    },
    lag: () => vendor.pacer.lag(),
    reset: () => forgetAll(vendor),
    close: () => close(server, vendor),
  };
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host, backlog: backlogMax }, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

async function receive(vendor: Vendor, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { profile } = vendor.settings;
  const method = request.method ?? "GET";
  const url = new URL(request.url ?? "/", "http://simulator");
  const route = readRoute(method, url, profile.isAzure);
  const body = await readBody(request);
  if (body === null) {
    response.writeHead(413).end();
    return;
  }
  if (route.kind === "simulator") {
    answerSimulator(vendor, { action: route.action, url, body }, response);
    return;
  }
  vendor.recorder.add({
    at: new Date(vendor.settings.clock()).toISOString(),
    method,
    path: request.url ?? "/",
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    body,
  });
  answer(new Attempt(vendor, request, response, body), route, url);
}

function answer(attempt: Attempt, route: Route, url: URL): void {
  const { settings } = attempt.vendor;
  const style = settings.profile.errors;
  if (route.kind === "unknown" || route.kind === "simulator") {
    attempt.refuse(pathError(style, attempt.request.method ?? "GET", url.pathname));
    return;
  }
  const refusal = refuseKey(settings, attempt.request.headers, route.form);
  if (refusal !== null) {
    attempt.refuse(refusal);
    return;
  }
  if (route.kind === "generate") generate(attempt, route);
  else if (route.kind === "models") listModels(attempt, route.model);
  else answerStored(attempt, route.id, route.action);
}

/** The whole body, or null when it is larger than 64 MiB. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function waitUntilIdle(vendor: Vendor): Promise<void> {
  while (vendor.open > 0) await new Promise((resolve) => setTimeout(resolve, 2));
}

function close(server: Server, vendor: Vendor): Promise<void> {
  vendor.pacer.close();
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
    server.closeAllConnections();
  });
}
