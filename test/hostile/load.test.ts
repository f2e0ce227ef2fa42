/** Resources: clients that are slow, stuck or too many, and bodies made to cost more than they should. */
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { deflateSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatApiKey } from "../../src/core/api-key.ts";
import { createDownstream } from "../../src/http/downstream.ts";
import { chunk, drained, event, streamHead, usageEvents } from "./support/evil-vendor.ts";
import { gate, until } from "./support/gate.ts";
import { open, pause, requestText, sendRaw } from "./support/raw-client.ts";
import { type Customer, chat, credit, evilChat, openWorld, verdict, type World } from "./support/world.ts";

const bodyBytes = 1_048_576;
/** Nobody else may wait longer than this for the event loop. */
const stallMs = 50;
let world: World;
let customer: Customer;
beforeAll(async () => {
  world = await openWorld({
    yaml: `
limits: { body_bytes: ${bodyBytes}, headers_timeout_ms: 1000, body_timeout_ms: 2000, concurrent_requests: 30 }`,
  });
  customer = await world.customer("1000");
});
afterAll(() => world.close());

const path = "/v1/chat/completions";
const good = (): Record<string, string> => ({
  authorization: `Bearer ${customer.key}`,
  "content-type": "application/json",
});
const memory = (): number => world.gateways[0]?.residentBytes() ?? 0;

/** The longest that another client waited for an answer while `attack` ran, ms. */
async function longestWait(attack: () => Promise<unknown>): Promise<number> {
  let isOver = false;
  let longest = 0;
  const control = (async () => {
    const socket = await open(world.port);
    while (!isOver) {
      const started = performance.now();
      const answered = new Promise<void>((resolve) => socket.once("data", () => resolve()));
      socket.write("GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n");
      await answered;
      longest = Math.max(longest, performance.now() - started);
      await pause(2);
    }
    socket.destroy();
  })();
  await pause(30);
  await attack();
  isOver = true;
  await control;
  return longest;
}

/**
 * By how much `attack` made another client wait longer than the machine does by itself, ms. Other programs stall it too:
 * the best of a few tries counts.
 */
async function stallOf(attack: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 8 && least >= stallMs; round += 1) {
    const started = performance.now();
    const attacked = await longestWait(attack);
    const calm = await longestWait(() => pause(performance.now() - started));
    least = Math.min(least, Math.max(attacked - calm, 0));
  }
  return least;
}

describe.concurrent("row 35", () => {
  test("row 35: headers that trickle in are cut off", async () => {
    const { text, isClosed } = await sendRaw(
      world.port,
      [`POST ${path} HTTP/1.1\r\n`, ...Array.from({ length: 100 }, (_, index) => `X-${index}: y\r\n`)],
      { pauseMs: 150, quietMs: 12_000 },
    );
    expect([isClosed, text.slice(0, 12)]).toEqual([true, "HTTP/1.1 408"]);
  });

  test("row 35: a body that trickles in is cut off, and costs nothing", async () => {
    const head = requestText(path, good(), "x".repeat(5_000)).slice(0, -5_000);
    const { isClosed, statuses } = await sendRaw(
      world.port,
      [head, ...Array.from({ length: 100 }, () => " ")],
      { pauseMs: 150, quietMs: 12_000 },
    );
    expect([isClosed, statuses]).toEqual([true, [408]]);
  });

  test("row 35: a thousand silent connections and a hundred slow ones disturb nobody", async () => {
    const sockets: Socket[] = [];
    for (let from = 0; from < 1_000; from += 100)
      sockets.push(...(await Promise.all(Array.from({ length: 100 }, () => open(world.port)))));
    for (const socket of sockets.slice(0, 100))
      socket.write(`POST ${path} HTTP/1.1\r\nHost: gateway\r\nContent-Length: 100\r\n`);
    const before = memory();
    for (let round = 0; round < 5; round += 1)
      expect(await verdict(await world.post(path, customer.key, chat()))).toBe("200");
    expect(memory() - before).toBeLessThan(100_000_000);
    for (const socket of sockets) socket.destroy();
  });

  test("row 35: a client that does not read stops the vendor, not the memory, and pays what was billed", async () => {
    const slow = await world.customer("1000");
    let written = 0;
    world.evil.scripts.set("flood", async (socket) => {
      socket.write(streamHead());
      const piece = event(chunk({ content: "x".repeat(60_000) }));
      for (let index = 0; index < 1_000 && !socket.destroyed; index += 1) {
        written += piece.length;
        if (!socket.write(piece)) await drained(socket);
      }
      socket.end(usageEvents(100, 20));
    });
    const before = memory();
    const socket = await open(world.port);
    socket.pause();
    socket.write(
      requestText(
        path,
        { ...good(), authorization: `Bearer ${slow.key}` },
        JSON.stringify(evilChat("flood", { stream: true })),
      ),
    );
    await pause(1_500);
    const stoppedAt = written;
    await pause(500);
    expect(written).toBe(stoppedAt);
    expect(stoppedAt).toBeLessThan(30_000_000);
    expect(memory() - before).toBeLessThan(80_000_000);
    expect(await verdict(await world.post(path, customer.key, chat()))).toBe("200");
    socket.destroy();
    await until(async () => (await world.records(slow.accountId)).length === 1, "the request was settled");
    expect((await world.records(slow.accountId))[0]).toMatchObject({
      source: "vendor",
      outcome: "client_left",
      charge: String(100n * 1_250_000n + 20n * 2_500_000n),
    });
  });
});

test("row 35: a client that never takes the end of its answer is cut off", async () => {
  let wasClosed = false;
  const server: Server = createServer((_request, response) => {
    response.on("close", () => {
      wasClosed = true;
    });
    const client = createDownstream(response, { credit: credit, quotaStatus: 402 }, 300);
    client.begin({
      status: 200,
      contentType: "text/plain",
      requestId: "r",
      model: null,
      endpoint: null,
      hold: null,
      outputCap: null,
      rewrites: [],
      vendorHeaders: {},
      limits: null,
      charge: null,
      usageSource: null,
    } as never);
    client.write([Buffer.alloc(50_000_000)]);
    client.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = await open((server.address() as AddressInfo).port);
  socket.pause();
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await until(() => wasClosed, "the connection was closed", 5_000);
  socket.destroy();
  server.close();
});

test("row 35: what runs at once in a process is bounded; the rest is told to come again", async () => {
  const busy = await world.customer("1000");
  const held = gate(world, "busy", "");
  const running = Array.from({ length: 80 }, () =>
    world.post(path, busy.key, evilChat("busy", { max_tokens: 5 }), { headers: {} }).catch(() => null),
  );
  const refused = new Set<Response>();
  for (const one of running) void one.then((answer) => answer?.status === 503 && refused.add(answer));
  await until(() => held.waiting() + refused.size === 80, "every request was decided");
  expect(held.waiting()).toBe(30);
  const [one] = [...refused];
  expect([one?.headers.get("retry-after"), await verdict(one as Response)]).toEqual(["1", "503 overloaded"]);
  // They are never answered: the vendor's silence ends them.
  await Promise.all(running);
});

const sized: [string, number, () => Promise<number | undefined>][] = [
  [
    "a length of 1 GiB",
    413,
    async () =>
      (
        await sendRaw(world.port, [
          `POST ${path} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer ${customer.key}\r\nContent-Length: 1073741824\r\n\r\n{`,
        ])
      ).statuses[0],
  ],
  [
    "endless chunks",
    413,
    async () =>
      (
        await sendRaw(world.port, [
          `POST ${path} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer ${customer.key}\r\nTransfer-Encoding: chunked\r\n\r\n`,
          ...Array.from({ length: 40 }, () => `10000\r\n${" ".repeat(65_536)}\r\n`),
        ])
      ).statuses[0],
  ],
  [
    "gzip",
    415,
    async () =>
      (
        await world.post(path, customer.key, gzipSync(JSON.stringify(chat())), {
          headers: { "content-encoding": "gzip" },
        })
      ).status,
  ],
  [
    "a bomb",
    415,
    async () =>
      (
        await world.post(path, customer.key, gzipSync(Buffer.alloc(90_000_000)), {
          headers: { "content-encoding": "gzip" },
        })
      ).status,
  ],
  [
    "deflate, br",
    415,
    async () =>
      (
        await world.post(path, customer.key, deflateSync("{}"), {
          headers: { "content-encoding": "deflate, br" },
        })
      ).status,
  ],
  [
    "UTF-16",
    415,
    async () =>
      (
        await world.post(path, customer.key, chat(), {
          headers: { "content-type": "application/json; charset=utf-16" },
        })
      ).status,
  ],
  [
    "a form",
    415,
    async () =>
      (
        await world.post(path, customer.key, "model=evil", {
          headers: { "content-type": "application/x-www-form-urlencoded" },
        })
      ).status,
  ],
  [
    "several parts",
    415,
    async () =>
      (
        await world.post(path, customer.key, "--x", {
          headers: { "content-type": "multipart/form-data; boundary=x" },
        })
      ).status,
  ],
];

test.each(sized)("row 36: %s is refused with %i, and nobody waits", async (_, status, attack) => {
  const statuses: unknown[] = [];
  const stall = await stallOf(async () => statuses.push(await attack()));
  expect(new Set(statuses)).toEqual(new Set([status]));
  expect(stall).toBeLessThan(stallMs);
});

const most = bodyBytes - 200;
const fill = (unit: string, end = ""): string =>
  `{"model":"gpt-4.1-nano","messages":[],"x":${unit.repeat(Math.floor(most / unit.length))}${end}`;
const heavy: [string, string][] = [
  ["deep lists", fill("[")],
  ["deep objects", fill('{"a":')],
  ["empty lists", `${fill("[],").replace('"x":', '"x":[')}1]}`],
  ["numbers", `${fill("1,").replace('"x":', '"x":[')}1]}`],
  ["short texts", `${fill('"",').replace('"x":', '"x":[')}1]}`],
  ["many names", `{${Array.from({ length: 90_000 }, (_, index) => `"k${index}":0`).join(",")}}`],
  ["many odd names", `{${Array.from({ length: 60_000 }, (_, index) => `"K\u00e9${index}":0`).join(",")}}`],
  ["a long name", `{"${"\ufdfa".repeat(most / 3)}":1}`],
  ["a long number", `{"n":1.${"0".repeat(most)}1}`],
  ["a long exponent", `{"n":1e-${"9".repeat(most)}}`],
  ["escapes", `{"a":"${"\\u0041".repeat(most / 6)}"}`],
  ["backslashes", `{"a":"${"\\\\".repeat(most / 2)}"}`],
  ["quotes", `{"a":"${'\\"'.repeat(most / 2)}"}`],
  ["an open text", `{"a":"${"\\\\".repeat(most / 2)}`],
  ["blanks", `{${" ".repeat(most)}`],
  [
    "one long word",
    JSON.stringify(
      chat("", { messages: [{ role: "user", content: "a".repeat(most / 2) }], model: "unpriced" }),
    ),
  ],
];

test.each(heavy)("row 36: a megabyte of %s stalls nobody", async (_, body) => {
  const statuses: number[] = [];
  const stall = await stallOf(async () => statuses.push((await world.post(path, customer.key, body)).status));
  expect(new Set(statuses)).toEqual(new Set([400]));
  expect(stall).toBeLessThan(stallMs);
});

test("row 36: twenty thousand chunks of one byte are one body", async () => {
  const letters = "a".repeat(20_000);
  const body = JSON.stringify(
    chat("", { messages: [{ role: "user", content: letters }], model: "unpriced" }),
  );
  const head = `POST ${path} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer ${customer.key}\r\nContent-Type: application/json\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const bytes = Buffer.from(`${head}${[...body].map((letter) => `1\r\n${letter}\r\n`).join("")}0\r\n\r\n`);
  const statuses: unknown[] = [];
  const stall = await stallOf(async () =>
    statuses.push((await sendRaw(world.port, [bytes], { quietMs: 5_000 })).statuses[0]),
  );
  expect(new Set(statuses)).toEqual(new Set([400]));
  expect(stall).toBeLessThan(stallMs);
});

test("row 36: a million chunks of one byte take no more memory than the body they are", async () => {
  const head = `POST ${path} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer ${customer.key}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const before = memory();
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, memory());
  }, 20);
  const pieces = Array.from({ length: 100 }, () => "1\r\nx\r\n".repeat(10_000));
  const { statuses } = await sendRaw(world.port, [head, ...pieces, "0\r\n\r\n"], { quietMs: 10_000 });
  clearInterval(watch);
  expect(statuses).toEqual([400]);
  expect(most - before).toBeLessThan(100_000_000);
});

test("row 36: nothing is kept of a body that comes without a good key, however much of it comes", async () => {
  const unknown = formatApiKey("live", new Uint8Array(32).fill(36));
  for (const key of ["", "x", unknown]) {
    const head = `POST ${path} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer ${key}\r\nContent-Length: ${bodyBytes}\r\n\r\n`;
    // The answer comes before the body has: it is not waited for.
    expect((await sendRaw(world.port, [head, "{".repeat(1_000)], { quietMs: 1_000 })).statuses).toEqual([
      401,
    ]);
  }
  const before = memory();
  const piece = " ".repeat(bodyBytes - 1);
  await Promise.all(
    Array.from({ length: 100 }, () =>
      sendRaw(
        world.port,
        [
          `POST ${path} HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer ${unknown}\r\nContent-Length: ${bodyBytes}\r\n\r\n`,
          piece,
        ],
        { quietMs: 1_500 },
      ),
    ),
  );
  expect(memory() - before).toBeLessThan(80_000_000);
});
