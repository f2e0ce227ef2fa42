/** What really happens on sockets: every way a vendor can fail before and within its answer. */
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { brotliCompressSync, createGzip, deflateSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, test } from "vitest";
import type { DeploymentRoute } from "../core/routing.ts";
import { VendorFault } from "../ports.ts";
import { createVendorClient, type VendorClient } from "./client.ts";
import type { VendorEndpoint } from "./endpoint.ts";

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const route = { endpoint: "vendor", deployment: "d" } as DeploymentRoute;

/** A client on a server of raw sockets; `talk` gets each connection with the number of requests seen before. */
async function vendorOf(
  talk: (socket: Socket, request: string, seen: number) => void,
  more: Partial<VendorEndpoint> = {},
) {
  let requests = 0;
  let connections = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      const text = data.toString();
      if (/^(POST|GET|DELETE) /.test(text)) talk(socket, text, requests++);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = clientOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, more);
  open.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  });
  return { client, requests: () => requests, connections: () => connections };
}

function clientOf(baseUrl: string, more: Partial<VendorEndpoint>): VendorClient {
  const endpoint: VendorEndpoint = {
    name: "vendor",
    kind: "openai",
    baseUrl,
    apiVersion: null,
    auth: "bearer",
    credential: async () => "secret",
    extraHeaders: {},
    connectTimeoutMs: 1_000,
    firstByteTimeoutMs: 5_000,
    idleTimeoutMs: 5_000,
    ...more,
  };
  const client = createVendorClient(new Map([["vendor", endpoint]]));
  open.push({ close: () => client.close() });
  return client;
}

const call = (client: VendorClient, signal: AbortSignal = new AbortController().signal) =>
  client.call({
    deployment: route,
    operation: "chat/completions",
    method: "POST",
    body: Buffer.from("{}"),
    requestId: "req_1",
    signal,
  });

async function readAll(client: VendorClient): Promise<string> {
  const answer = await call(client);
  const pieces: Uint8Array[] = [];
  try {
    for await (const chunk of answer.body) pieces.push(chunk);
  } catch (error) {
    return `${answer.status} ${Buffer.concat(pieces)} then ${shown(error)}`;
  }
  return `${answer.status} ${Buffer.concat(pieces)}`;
}

const shown = (error: unknown): string =>
  error instanceof VendorFault
    ? `${error.code}${error.mayHaveReached ? ", may have reached the vendor" : ", nothing was sent"}`
    : String(error);
const outcome = (client: VendorClient): Promise<string> => readAll(client).catch(shown);
const head = (rest = ""): string => `HTTP/1.1 200 OK\r\n${rest}`;
const whole = (text: string): string => head(`content-length: ${text.length}\r\n\r\n${text}`);

describe("a vendor that fails before its answer", () => {
  test("refuses the connection: nothing was sent", async () => {
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    expect(await outcome(clientOf(`http://127.0.0.1:${port}/v1`, {}))).toBe("unreachable, nothing was sent");
  });

  test("has no name", async () => {
    expect(await outcome(clientOf("http://no-such-host.invalid/v1", {}))).toBe(
      "unreachable, nothing was sent",
    );
  });

  test("resets the connection after the request", async () => {
    const { client } = await vendorOf((socket) => socket.resetAndDestroy());
    expect(await outcome(client)).toBe("unreachable, may have reached the vendor");
  });

  test("closes the connection after the request", async () => {
    const { client, requests } = await vendorOf((socket) => socket.end());
    expect(await outcome(client)).toBe("unreachable, may have reached the vendor");
    expect(requests()).toBe(1); // no hidden second try: it would be billed
  });

  test("says nothing: times out", async () => {
    const { client } = await vendorOf(() => undefined, { firstByteTimeoutMs: 50 });
    expect(await outcome(client)).toBe("timeout, may have reached the vendor");
  });

  test("answers with something that is no HTTP", async () => {
    const { client } = await vendorOf((socket) => socket.end("SSH-2.0-OpenSSH_9.9\r\n"));
    expect(await outcome(client)).toBe("protocol, may have reached the vendor");
  });

  test("sends a head of 100 kB", async () => {
    const { client } = await vendorOf((socket) =>
      socket.write(head(`x-padding: ${"a".repeat(100_000)}\r\n\r\n`)),
    );
    expect(await outcome(client)).toBe("protocol, may have reached the vendor");
  });

  test("sends two different lengths", async () => {
    const { client } = await vendorOf((socket) =>
      socket.write(head("content-length: 2\r\ncontent-length: 5\r\n\r\nhello")),
    );
    expect(await outcome(client)).toBe("protocol, may have reached the vendor");
  });
});

describe("a vendor's answer", () => {
  test("comes whole, after heads that only inform", async () => {
    const { client } = await vendorOf((socket) =>
      socket.write(
        `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${whole("fine")}`,
      ),
    );
    expect(await outcome(client)).toBe("200 fine");
  });

  test("that sends elsewhere is not followed", async () => {
    const { client, requests } = await vendorOf((socket) =>
      socket.write("HTTP/1.1 307 Temporary Redirect\r\nlocation: /v2\r\ncontent-length: 0\r\n\r\n"),
    );
    expect(await outcome(client)).toBe("307 ");
    expect(requests()).toBe(1);
  });

  test.each([
    [
      "is reset in the middle",
      (socket: Socket) =>
        socket.write(head("content-length: 10\r\n\r\nhello"), () =>
          setTimeout(() => socket.resetAndDestroy(), 20),
        ),
    ],
    [
      "closes before its promised length",
      (socket: Socket) => socket.end(head("content-length: 10\r\n\r\nhello")),
    ],
    [
      "closes within its chunks",
      (socket: Socket) => socket.end(head("transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")),
    ],
  ])("that %s is a broken answer", async (_name, talk) => {
    const { client } = await vendorOf(talk);
    expect(await outcome(client)).toBe("200 hello then unreachable, may have reached the vendor");
  });

  test("with a broken chunk size breaks the protocol", async () => {
    const { client } = await vendorOf((socket) =>
      socket.write(head("transfer-encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n")),
    );
    expect(await outcome(client)).toBe("200 hello then protocol, may have reached the vendor");
  });

  test("that falls silent times out", async () => {
    const { client } = await vendorOf(
      (socket) => socket.write(head("transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")),
      { idleTimeoutMs: 50 },
    );
    expect(await outcome(client)).toBe("200 hello then timeout, may have reached the vendor");
  });

  test("with surplus bytes never becomes the next request's answer", async () => {
    const surplus = whole("stolen");
    const { client } = await vendorOf((socket, _request, seen) =>
      socket.write(seen === 0 ? whole("mine") + surplus : whole("yours")),
    );
    expect(await outcome(client)).toBe("200 mine");
    expect(await outcome(client)).toBe("200 yours");
  });

  test("with surplus bytes a moment later never becomes the next request's answer either", async () => {
    const { client } = await vendorOf((socket, _request, seen) => {
      socket.write(whole(seen === 0 ? "mine" : "yours"));
      if (seen === 0) setTimeout(() => socket.write(whole("stolen")), 10);
    });
    expect(await outcome(client)).toBe("200 mine");
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(await outcome(client)).toBe("200 yours");
  });

  const packed = (bytes: Buffer, encoding: string): Buffer =>
    Buffer.concat([
      Buffer.from(head(`content-encoding: ${encoding}\r\ncontent-length: ${bytes.length}\r\n\r\n`)),
      bytes,
    ]);

  test.each([
    ["gzip", gzipSync("fine")],
    ["GZIP", gzipSync("fine")],
    ["deflate", deflateSync("fine")],
    ["br", brotliCompressSync("fine")],
    ["identity", Buffer.from("fine")],
  ])("that is compressed as %s though nobody asked for it is unpacked", async (encoding, bytes) => {
    const { client } = await vendorOf((socket) => socket.write(packed(bytes, encoding)));
    expect(await outcome(client)).toBe("200 fine");
    expect(await outcome(client)).toBe("200 fine");
  });

  test.each([
    ["in a way nobody knows", packed(Buffer.from("fine"), "snappy")],
    ["but is not", packed(Buffer.from("fine"), "gzip")],
    ["but not whole", packed(gzipSync("fine").subarray(0, 12), "gzip")],
  ])("that is said to be compressed %s breaks the protocol", async (_how, bytes) => {
    const { client } = await vendorOf((socket) => socket.write(bytes));
    expect(await outcome(client)).toMatch(/^200 .*then protocol, may have reached the vendor$/);
  });

  test("that is compressed comes out event by event, and waits for a slow reader", async () => {
    const gzip = createGzip();
    const { client } = await vendorOf((socket) => {
      socket.write(head("content-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n"));
      gzip.on("data", (chunk: Buffer) => {
        socket.write(`${chunk.length.toString(16)}\r\n`);
        socket.write(chunk);
        socket.write("\r\n");
      });
      gzip.on("end", () => socket.write("0\r\n\r\n"));
      gzip.write("one");
      gzip.flush();
    });
    const answer = await call(client);
    let size = 0;
    for await (const chunk of answer.body) {
      if (size === 0) {
        expect(Buffer.from(chunk).toString()).toBe("one");
        gzip.end(Buffer.alloc(20_000_000)); // some 20 kB on the wire
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      size += chunk.length;
    }
    expect(size).toBe(20_000_003);
  });

  test("that is given up closes the socket within 100 ms", async () => {
    let closedAt = 0;
    const { client } = await vendorOf((socket) => {
      socket.on("close", () => {
        closedAt = performance.now();
      });
      socket.write(head("transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"));
    });
    const abort = new AbortController();
    const answer = await call(client, abort.signal);
    const reading = (async () => {
      for await (const _chunk of answer.body) abort.abort();
    })();
    const at = performance.now();
    await expect(reading).rejects.toThrow("given up");
    while (closedAt === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(closedAt - at).toBeLessThan(100);
  });
});

test("a call that is given up before its head says whether it may have reached the vendor", async () => {
  const { client } = await vendorOf(() => undefined);
  const abort = new AbortController();
  const waiting = call(client, abort.signal).catch(shown);
  setTimeout(() => abort.abort(), 20);
  expect(await waiting).toBe("aborted, may have reached the vendor");
  expect(await call(client, AbortSignal.abort()).catch(shown)).toBe("aborted, nothing was sent");
});

test("connections are used again, one request at a time", async () => {
  const { client, connections } = await vendorOf((socket) => socket.write(whole("fine")));
  for (let i = 0; i < 5; i += 1) expect(await outcome(client)).toBe("200 fine");
  // A request that starts in the very turn the last one ended in may find its socket not yet free.
  expect(connections()).toBeLessThan(3);
});

test("a closed client refuses calls as unreachable", async () => {
  const { client } = await vendorOf((socket) => socket.write(whole("fine")));
  expect(await outcome(client)).toBe("200 fine");
  await client.close();
  expect(await outcome(client)).toBe("unreachable, nothing was sent");
});

test("nothing of a slow reader's answer is lost, and the vendor is made to wait", async () => {
  const text = "x".repeat(5_000_000);
  const server = createHttpServer((_request, response) => response.end(text));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push({ close: () => new Promise((resolve) => server.close(resolve)) });
  const client = clientOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, {
    idleTimeoutMs: 100,
  });
  const answer = await call(client);
  let size = 0;
  for await (const chunk of answer.body) {
    // Longer than the idle time: the reader is slow, not the vendor.
    if (size === 0) await new Promise((resolve) => setTimeout(resolve, 1_500));
    size += chunk.length;
  }
  expect(size).toBe(text.length);
});
