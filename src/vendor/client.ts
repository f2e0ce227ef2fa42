import { type Dispatcher, Pool } from "undici";
import { ChunkQueue } from "../lib/chunk-queue.ts";
import type { OneShotSignal } from "../lib/one-shot.ts";
import { type Vendor, type VendorAnswer, VendorFault, type VendorRequest } from "../ports.ts";
import { type Decoder, type Encoding, encodingOf, startDecoder } from "./decoder.ts";
import { targetOf, type VendorEndpoint } from "./endpoint.ts";

/** How much of an answer may wait unread before the vendor's socket is paused. */
const highWaterBytes = 256 * 1024;

export interface VendorClient extends Vendor {
  close(): Promise<void>;
}

/**
 * One client for every vendor. Headers are built here from scratch: nothing of the customer's request but the body goes
 * upstream. One request at a time per socket, no redirects; compression is not asked for, and undone where it comes all the
 * same; a socket is closed on any surplus byte.
 */
export function createVendorClient(endpoints: ReadonlyMap<string, VendorEndpoint>): VendorClient {
  const pools = new Map<string, Pool>();
  const poolOf = (endpoint: VendorEndpoint, origin: string): Pool => {
    const name = `${endpoint.name} ${origin}`;
    const existing = pools.get(name);
    if (existing !== undefined) return existing;
    const pool = new Pool(origin, {
      pipelining: 1,
      connections: null,
      allowH2: false,
      connect: { timeout: endpoint.connectTimeoutMs },
      headersTimeout: endpoint.firstByteTimeoutMs,
      bodyTimeout: endpoint.idleTimeoutMs,
      maxHeaderSize: 65_536,
    });
    pools.set(name, pool);
    return pool;
  };
  return {
    async call(request) {
      const endpoint = endpoints.get(request.deployment.endpoint);
      if (endpoint === undefined) throw new Error(`Bug: there is no endpoint ${request.deployment.endpoint}`);
      const { origin, path } = targetOf(endpoint, request.deployment.deployment, request.operation);
      const credential = await credentialOf(endpoint);
      const headers = headersOf(endpoint, request, credential);
      const hide = hiderOf([credential, ...Object.values(endpoint.extraHeaders)]);
      return dispatch(
        poolOf(endpoint, origin),
        { path, method: request.method, headers, body: request.body, hide },
        request.signal,
      );
    },
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

/** Shorter ones (`none`, a project's number) are words that stand in texts for other reasons. */
const leastSecretLength = 8;

function hiderOf(credentials: readonly string[]): (text: string) => string {
  const secrets = credentials.filter((one) => one.length >= leastSecretLength);
  return (text) => secrets.reduce((rest, secret) => rest.replaceAll(secret, "[hidden]"), text);
}

async function credentialOf(endpoint: VendorEndpoint): Promise<string> {
  try {
    return await endpoint.credential();
  } catch (cause) {
    throw new VendorFault("unreachable", "there is no credential for the endpoint", {
      mayHaveReached: false,
      cause,
    });
  }
}

function headersOf(
  endpoint: VendorEndpoint,
  request: VendorRequest,
  credential: string,
): Record<string, string> {
  const headers: Record<string, string> = {
    "x-client-request-id": request.requestId,
    ...endpoint.extraHeaders,
    accept: "application/json, text/event-stream",
    "accept-encoding": "identity",
    "user-agent": "tollgate",
  };
  if (request.body !== null) headers["content-type"] = "application/json";
  if (endpoint.auth === "api-key") headers["api-key"] = credential;
  else headers["authorization"] = `Bearer ${credential}`;
  return headers;
}

interface Call {
  readonly path: string;
  readonly method: "POST" | "GET" | "DELETE";
  readonly headers: Record<string, string>;
  readonly body: Uint8Array | null;
  readonly hide: (text: string) => string;
}

function dispatch(pool: Pool, call: Call, signal: OneShotSignal): Promise<VendorAnswer> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | null = null;
    let queue: ChunkQueue | null = null;
    let decoder: Decoder | null = null;
    let hasStarted = false;
    const onAbort = (): void => controller?.abort(new Error("aborted"));
    const detach = (): void => signal.removeEventListener("abort", onAbort);
    if (signal.aborted)
      return reject(new VendorFault("aborted", "the call was given up", { mayHaveReached: false }));
    signal.addEventListener("abort", onAbort);
    pool.dispatch(
      { path: call.path, method: call.method, headers: call.headers, body: call.body as Buffer | null },
      {
        onRequestStart(given) {
          controller = given;
          hasStarted = true;
          if (signal.aborted) given.abort(new Error("aborted"));
        },
        onResponseStart(given, status, headers) {
          if (status < 200) return; // informational heads precede the real one
          const flat = flatten(headers, call.hide);
          const encoding = encodingOf(flat["content-encoding"]);
          if (encoding === null) queue = plainQueue(given);
          else if (encoding === "unknown") {
            queue = plainQueue(given);
            queue.fail(broken(`its answer is compressed as ${flat["content-encoding"]?.slice(0, 40)}`));
            given.abort(new Error("compressed"));
          } else ({ queue, decoder } = decodedQueue(given, encoding));
          resolve({ status, headers: flat, body: queue, hide: call.hide });
        },
        onResponseData(given, chunk) {
          if (decoder === null) queue?.push(chunk);
          else if (!decoder.write(chunk)) given.pause();
        },
        onResponseEnd() {
          detach();
          if (decoder === null) queue?.end();
          else decoder.end();
        },
        onResponseError(_given, error) {
          detach();
          decoder?.destroy();
          const fault = faultOf(error, hasStarted, signal.aborted);
          if (queue === null) reject(fault);
          else queue.fail(fault);
        },
      },
    );
  });
}

function plainQueue(given: Dispatcher.DispatchController): ChunkQueue {
  return new ChunkQueue(highWaterBytes, {
    pause: () => given.pause(),
    resume: () => given.resume(),
    abandon: (error) => given.abort(error),
  });
}

/** The reader's pace holds the decoder, and the decoder's the socket: a small body that unpacks to a huge one waits. */
function decodedQueue(
  given: Dispatcher.DispatchController,
  encoding: Encoding,
): { queue: ChunkQueue; decoder: Decoder } {
  const decoder = startDecoder(encoding, {
    onChunk: (chunk) => queue.push(chunk),
    onEnd: () => queue.end(),
    onDrain: () => given.resume(),
    onError: (error) => {
      queue.fail(broken(`its answer is no whole ${encoding} (${error.message})`));
      given.abort(error);
    },
  });
  const queue = new ChunkQueue(highWaterBytes, {
    pause: () => decoder.pause(),
    resume: () => decoder.resume(),
    abandon: (error) => {
      decoder.destroy();
      queue.fail(error);
      given.abort(error);
    },
  });
  return { queue, decoder };
}

const broken = (what: string): VendorFault =>
  new VendorFault("protocol", `the vendor broke the HTTP protocol: ${what}`, { mayHaveReached: true });

const unreachableCodes = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
  "ETIMEDOUT",
]);

function faultOf(error: Error & { code?: string }, hasStarted: boolean, isAborted: boolean): VendorFault {
  const options = { mayHaveReached: hasStarted, cause: error };
  if (isAborted) return new VendorFault("aborted", "the call was given up", options);
  const code = error.code ?? "";
  if (/TIMEOUT/.test(code) && hasStarted)
    return new VendorFault("timeout", "the vendor did not answer in time", options);
  // The parser gives some of its errors no code.
  if (error.name === "HTTPParserError" || /^(HPE_|UND_ERR_(RES_CONTENT|HEADERS_OVERFLOW))/.test(code)) {
    return new VendorFault(
      "protocol",
      `the vendor broke the HTTP protocol (${code || error.message.slice(0, 100)})`,
      options,
    );
  }
  const isUnreachable = unreachableCodes.has(code) || /CERT|TLS|SSL/.test(code);
  return new VendorFault("unreachable", `the connection to the vendor failed (${code || error.message})`, {
    ...options,
    mayHaveReached: hasStarted && !isUnreachable,
  });
}

function flatten(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  hide: (text: string) => string,
): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name.toLowerCase()] = hide(Array.isArray(value) ? value.join(", ") : value);
  }
  return flat;
}
