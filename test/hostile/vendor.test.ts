/** A vendor that lies, breaks framing, redirects, injects, never ends. No customer pays for it, and none sees another's answer. */
import { type AddressInfo, createServer, type Socket } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  chatAnswer,
  chunk,
  drained,
  event,
  type Script,
  streamHead,
  usage,
  usualStream,
  wholeAnswer,
} from "./support/evil-vendor.ts";
import { pause, requestText, sendRaw } from "./support/raw-client.ts";
import { type Customer, evilChat, openWorld, type RecordRow, verdict, type World } from "./support/world.ts";

let world: World;
let customer: Customer;
let canaryHost: string;
let canaryCalls = 0;
const canaryServer = createServer((socket: Socket) => {
  canaryCalls += 1;
  socket.destroy();
});
beforeAll(async () => {
  world = await openWorld({
    models: `
  taught: { deployments: [{ endpoint: evil, deployment: taught }] }`,
    yaml: `
  - { model: taught, input: "1.00", output: "2.00", context_window: 1000, max_output_tokens: 100 }`,
  });
  customer = await world.customer("1000");
  await new Promise<void>((resolve) => canaryServer.listen(0, "127.0.0.1", resolve));
  canaryHost = `http://127.0.0.1:${(canaryServer.address() as AddressInfo).port}`;
});
afterAll(async () => {
  canaryServer.close();
  await world.close();
});

const path = "/v1/chat/completions";
const send = (script: string, more: object = {}): Promise<Response> =>
  world.post(path, customer.key, evilChat(script, more));
/** Answers the next request of this script with the bytes as they are. */
const says = (name: string, bytes: string | Uint8Array, thenEnd = false): void => {
  const script: Script = (socket) => void (thenEnd ? socket.end(bytes) : socket.write(bytes));
  world.evil.scripts.set(name, script);
};
async function newest(): Promise<RecordRow> {
  const [row] = await world.records(customer.accountId);
  if (row === undefined) throw new Error("There is no request yet");
  return row;
}
const price = (input: bigint, output: bigint): string => String(input * 1_250_000n + output * 2_500_000n);

/** An answer whose body is packed as its head says. */
const packedAnswer = (encoding: string, body: Buffer, type = "application/json"): Buffer =>
  Buffer.concat([
    Buffer.from(
      `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-encoding: ${encoding}\r\ncontent-length: ${body.length}\r\n\r\n`,
    ),
    body,
  ]);

test("row 37: an answer that came compressed unasked is billed as what is in it, and passed on plain", async () => {
  says("packed", packedAnswer("gzip", gzipSync(JSON.stringify(chatAnswer({ usage: usage(10, 5) })))));
  says(
    "packed stream",
    packedAnswer("br", brotliCompressSync(usualStream(usage(10, 5))), "text/event-stream"),
  );
  for (const [script, stream] of [
    ["packed", false],
    ["packed stream", true],
  ] as const) {
    const answer = await send(script, { stream });
    expect([answer.status, answer.headers.get("content-encoding")]).toEqual([200, null]);
    expect(await answer.text()).toContain(stream ? "[DONE]" : '"choices"');
    expect(await newest()).toMatchObject({ source: "vendor", charge: price(10n, 5n) });
  }
});

const bomb = gzipSync(Buffer.alloc(300_000_000));
const compressed: [string, string, Buffer][] = [
  ["a bomb of 300 MB", "gzip", bomb],
  ["a chain", "gzip, gzip, br", brotliCompressSync(gzipSync(gzipSync("{}")))],
  ["what nobody knows", "snappy", Buffer.from("{}")],
  ["what it is not", "gzip", Buffer.from(JSON.stringify(chatAnswer({ usage: usage(10, 5) })))],
  ["half of it", "gzip", gzipSync(JSON.stringify(chatAnswer({ usage: usage(10, 5) }))).subarray(0, 60)],
];
test.each(compressed)(
  "row 37: an answer compressed as %s is an error, in bounded memory",
  async (_, encoding, body) => {
    const before = world.gateways[0]?.residentBytes() ?? 0;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, world.gateways[0]?.residentBytes() ?? 0);
    }, 20);
    for (const [type, stream] of [
      ["application/json", false],
      ["text/event-stream", true],
    ] as const) {
      says("packed", packedAnswer(encoding, body, type));
      const answer = await send("packed", { stream });
      const text = await answer.text();
      expect(text).toContain('"error"');
      expect(text).not.toContain("[DONE]");
      if (!stream) expect(answer.status).toBe(502);
      expect((await newest()).source).not.toBe("vendor");
    }
    clearInterval(watch);
    expect(most - before).toBeLessThan(250_000_000);
  },
);

/** Usage as the vendor states it, and what must come of it: "input/output", or why it cannot be true. */
const stated: [string, unknown, string][] = [
  ["negative input", usage(-10, 5), "estimated"],
  ["negative output", usage(10, -5), "estimated"],
  ["text", usage("10", "5"), "estimated"],
  ["fractions", usage(10.5, 5), "estimated"],
  ["10^18", usage(1e18, 5), "estimated"],
  ["output of 10^18", usage(10, 1e18), "estimated"],
  ["more than the model can hold", usage(200_000, 5), "estimated"],
  ["an empty object", {}, "estimated"],
  ["a list", [10, 5], "estimated"],
  ["text for the object", "10/5", "estimated"],
  ["null", null, "estimated"],
  ["booleans", usage(true, false), "estimated"],
  ["cached beyond the input", usage(10, 5, { prompt_tokens_details: { cached_tokens: 11 } }), "estimated"],
  ["negative cached", usage(10, 5, { prompt_tokens_details: { cached_tokens: -1 } }), "estimated"],
  [
    "reasoning beyond the output",
    usage(10, 5, { completion_tokens_details: { reasoning_tokens: 6 } }),
    "estimated",
  ],
  ["a total that is no sum", { ...usage(10, 5), total_tokens: 99_999 }, "10/5"],
  ["no total", { prompt_tokens: 10, completion_tokens: 5 }, "10/5"],
  ["fields nobody knows", usage(10, 5, { surcharge_tokens: 1e12, cost: -5, __proto__: 1 }), "10/5"],
];
test.each(stated)("row 38: usage with %s, whole and streamed", async (_, object, expected) => {
  says("states", wholeAnswer(chatAnswer({ usage: object })));
  says("streams", streamHead() + usualStream(object), true);
  for (const [script, stream] of [
    ["states", false],
    ["streams", true],
  ] as const) {
    await (await send(script, { stream })).text();
    const row = await newest();
    expect(row.state).toBe("settled");
    expect(BigInt(row.charge)).toBeLessThanOrEqual(BigInt(row.hold));
    expect(row.loss).toBe("0");
    if (expected === "estimated") expect(row.source).toBe("estimated");
    else
      expect([row.source, `${row.input}/${row.output}`, row.charge]).toEqual([
        "vendor",
        expected,
        price(10n, 5n),
      ]);
  }
});

test("row 38: numbers that JSON cannot hold are no usage", async () => {
  for (const number of ["NaN", "Infinity", "-0", "1e400", "0x10", "10n"]) {
    says("odd", wholeAnswer(JSON.stringify(chatAnswer({ usage: usage(7777, 5) })).replace("7777", number)));
    await (await send("odd")).text();
    const row = await newest();
    expect(row.source).not.toBe(number === "-0" ? "none" : "vendor");
    expect(BigInt(row.charge)).toBeLessThanOrEqual(BigInt(row.hold));
  }
});

test("row 38: the last usage counts, and none after the end", async () => {
  const streams: [string, string, string][] = [
    [
      "two",
      event(chunk({ choices: [], usage: usage(90, 90) })) +
        event(chunk({ choices: [], usage: usage(10, 5) })) +
        event("[DONE]"),
      price(10n, 5n),
    ],
    [
      "after the end",
      event(chunk({ choices: [], usage: usage(10, 5) })) +
        event("[DONE]") +
        event(chunk({ choices: [], usage: usage(9_000, 900) })),
      price(10n, 5n),
    ],
    [
      "on content",
      event(chunk({ content: "Hi", usage: usage(10, 1) })) +
        event(chunk({ finish: "stop", usage: usage(10, 5) })) +
        event("[DONE]"),
      price(10n, 5n),
    ],
  ];
  for (const [name, text, charge] of streams) {
    says(
      "usages",
      streamHead() + event(chunk({ content: "Hi" })) + event(chunk({ finish: "stop" })) + text,
      true,
    );
    await (await send("usages", { stream: true })).text();
    expect([name, (await newest()).charge]).toEqual([name, charge]);
  }
});

test("row 38: what the vendor bills beyond the hold is the operator's loss, and an alarm", async () => {
  says("dear", wholeAnswer(chatAnswer({ usage: usage(90_000, 9_000) })));
  await (await send("dear", { max_tokens: 10 })).text();
  const row = await newest();
  expect(row).toMatchObject({
    source: "vendor",
    charge: row.hold,
    loss: String(BigInt(price(90_000n, 9_000n)) - BigInt(row.hold)),
  });
  const metrics = await fetch(`${world.url}/metrics`).then((answer) => answer.text());
  expect(metrics).toMatch(/tollgate_events_total\{event="billed_beyond_hold"\} [1-9]/);
  expect(metrics).toMatch(/tollgate_events_total\{event="usage_rejected"\} [1-9]/);
});

const poison = wholeAnswer(chatAnswer({ content: "the answer of another customer", usage: usage(1, 1) }));
const usual = wholeAnswer(chatAnswer({ usage: usage(10, 5) }));
const surplus: [string, Script][] = [
  ["a second answer at once", (socket) => void socket.write(usual + poison)],
  [
    "a second answer later",
    async (socket) => {
      socket.write(usual);
      await pause(60);
      socket.write(poison);
    },
  ],
  ["bytes that are no answer", (socket) => void socket.write(`${usual}garbage`)],
  [
    "a body longer than its length",
    (socket) => void socket.write(usual.replace(/\r\n\r\n.*/s, (body) => `${body}${poison}`)),
  ],
  [
    "chunks after the last chunk",
    (socket) => {
      const body = JSON.stringify(chatAnswer({ usage: usage(10, 5) }));
      socket.write(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n${poison}`,
      );
    },
  ],
  [
    "an interim answer that never ends",
    (socket) =>
      void socket.write(
        `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${usual}${poison}`,
      ),
  ],
];
test.each(surplus)("row 39: %s never reaches the next customer", async (_, script) => {
  world.evil.scripts.set("surplus", script);
  world.evil.scripts.set(
    "mine",
    (socket) => void socket.write(wholeAnswer(chatAnswer({ content: "my own answer", usage: usage(2, 2) }))),
  );
  const other = await world.customer("10");
  for (let round = 0; round < 3; round += 1) {
    await (await send("surplus")).text();
    if (round > 0) await pause(90);
    const answer = await world.post(path, other.key, evilChat("mine"));
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("my own answer")]);
  }
  const rows = await world.records(other.accountId);
  expect(rows.map((row) => row.charge)).toEqual([price(2n, 2n), price(2n, 2n), price(2n, 2n)]);
});

test.each([301, 302, 303, 307, 308, 300, 304])(
  "row 40: a redirect with status %i is an error, and nobody is called",
  async (status) => {
    says(
      "away",
      wholeAnswer(
        {},
        {
          location: `${canaryHost}/v1/chat/completions`,
          refresh: `0; url=${canaryHost}`,
          "alt-svc": 'h2="evil:1"',
        },
        `${status} Moved`,
      ),
    );
    for (const stream of [false, true])
      expect(await verdict(await send("away", { stream }))).toBe("502 upstream_unavailable");
    expect(await newest()).toMatchObject({ state: "released", charge: "0" });
    expect(canaryCalls).toBe(0);
  },
);

test("row 41: names and texts of the vendor cannot break out of a header or an event", async () => {
  const evilName = "evil\r\nX-Injected: 1\r\n\r\n<script>";
  const good = { authorization: `Bearer ${customer.key}`, "content-type": "application/json" };
  const headOf = async (script: string, stream: boolean): Promise<string> => {
    const { text } = await sendRaw(
      world.port,
      [requestText(path, good, JSON.stringify(evilChat(script, { stream })))],
      { quietMs: 500 },
    );
    return text.slice(0, text.indexOf("\r\n\r\n"));
  };
  says(
    "named",
    wholeAnswer(chatAnswer({ model: evilName, usage: usage(10, 5) }), {
      "x-request-id": "a\u0085b\u00ff",
      "apim-request-id": "x".repeat(9_000),
    }),
  );
  says(
    "named stream",
    streamHead() +
      [chunk({ content: "Hi", model: evilName }), chunk({ finish: "stop" })].map(event).join("") +
      event("[DONE]"),
    true,
  );
  for (const head of [await headOf("named", false), await headOf("named stream", true)]) {
    expect(head.toLowerCase()).not.toMatch(/^x-injected/m);
    expect(head).toMatch(/^x-tollgate-model: evil[ -~]*\r?$/m);
    expect(head).toMatch(/^[\x20-\x7e\r\n]*$/);
    expect(head.length).toBeLessThan(8_000);
  }
  const forged = 'x\n\ndata: {"choices":[{"delta":{"content":"forged"}}]}\n\ndata: [DONE]\n\n';
  says(
    "error",
    streamHead() +
      event(chunk({ content: "Hi" })) +
      event({ error: { message: forged, type: "x\r\ny", code: "\n\n" } }),
    true,
  );
  const text = await (await send("error", { stream: true })).text();
  const events = text.split("\n\n").filter((one) => one !== "");
  expect(events).toHaveLength(2);
  expect(JSON.parse(events[1]?.replace("data: ", "") ?? "")).toHaveProperty("error.message", forged);
});

test("row 41: texts that a database cannot store do not stop the books", async () => {
  const odd = [
    "evil\u0000",
    "\ud800",
    "\udfff x",
    "\uffff",
    "x".repeat(5_000),
    Array.from({ length: 4_000 }, (_, index) => index.toString(36)).join(""),
  ];
  for (const text of odd) {
    says(
      "odd text",
      wholeAnswer(
        chatAnswer({
          model: text,
          content: text,
          usage: usage(10, 5),
          more: { service_tier: text, id: text, system_fingerprint: text },
        }),
      ),
    );
    says(
      "odd stream",
      streamHead() +
        [
          chunk({ content: text, model: text }),
          chunk({ finish: text }),
          chunk({ choices: [], usage: usage(10, 5), model: text }),
        ]
          .map(event)
          .join("") +
        event("[DONE]"),
      true,
    );
    says(
      "odd error",
      wholeAnswer({ error: { message: text, type: text, code: text, param: text } }, {}, "400 Bad Request"),
    );
    for (const [script, stream] of [
      ["odd text", false],
      ["odd stream", true],
      ["odd error", false],
    ] as const) {
      const answer = await send(script, { stream });
      await answer.text();
      const row = await newest();
      expect([script, text.slice(0, 9), answer.status, row.state]).toEqual([
        script,
        text.slice(0, 9),
        script === "odd error" ? 400 : 200,
        script === "odd error" ? "released" : "settled",
      ]);
      if (script !== "odd error") expect(row.charge).toBe(price(10n, 5n));
    }
  }
  expect(await world.balance(customer.accountId)).toMatchObject({ held: 0n });
});

/** What a vendor's 400 would teach if it were believed: the request is crafted so that its refusal names the parameter. */
const lessons: [string, object, (body: Record<string, unknown>) => object | null][] = [
  [
    "a parameter whose name ends alike",
    { foo_stream_options: 1 },
    () => ({
      message: "Unknown parameter: 'foo_stream_options'.",
      param: "foo_stream_options",
      code: "unknown_parameter",
    }),
  ],
  [
    "a role of that name",
    { stream_options: { include_usage: true } },
    () => ({
      message: "Invalid value: 'stream_options'. Supported values are: 'user'.",
      param: "messages[0].role",
      code: "invalid_value",
    }),
  ],
  [
    "an option of its own",
    { stream_options: { include_usage: true, foo: 1 } },
    (body) =>
      body["stream_options"] === undefined
        ? null
        : {
            message: "Unknown parameter: 'stream_options.foo'.",
            param: "stream_options.foo",
            code: "unknown_parameter",
          },
  ],
  [
    "a quoted text",
    {},
    () => ({
      message: "Your prompt is bad: Unrecognized request argument supplied: stream_options",
      param: null,
      code: null,
    }),
  ],
  [
    "a preference of a wrong type",
    { temperature: "x unsupported" },
    (body) =>
      body["temperature"] === undefined
        ? null
        : {
            message: "Unsupported value: 'temperature' does not support 'x unsupported'.",
            param: "temperature",
            code: "unsupported_value",
          },
  ],
  [
    "a limit that is only too large",
    { max_tokens: 9_999_999 },
    () => ({
      message: "max_tokens is too large and not supported: 9999999.",
      param: "max_tokens",
      code: "invalid_value",
    }),
  ],
];
test.each(lessons)(
  "row 59: %s teaches the deployment nothing that holds for others",
  async (_, fields, refusalOf) => {
    world.evil.scripts.set("crafted", (socket, request) => {
      const error = refusalOf(JSON.parse(request.body) as Record<string, unknown>);
      if (error === null) socket.end(streamHead() + usualStream());
      else
        socket.write(
          wholeAnswer({ error: { type: "invalid_request_error", ...error } }, {}, "400 Bad Request"),
        );
    });
    for (let round = 0; round < 2; round += 1)
      await (await send("crafted", { model: "taught", stream: true, ...fields })).text();
    expect(
      await world.db.query(
        "select lesson from lessons where deployment = 'taught' and lesson not like 'input%'",
      ),
    ).toEqual([]);
    says("honest", streamHead() + usualStream(), true);
    const other = await world.customer("10");
    await (
      await world.post(
        path,
        other.key,
        evilChat("honest", { model: "taught", stream: true, temperature: 0.5 }),
      )
    ).text();
    expect(JSON.parse(world.evil.seen.at(-1)?.body ?? "")).toMatchObject({
      stream_options: { include_usage: true },
      temperature: 0.5,
      max_tokens: 50,
    });
    expect((await world.records(other.accountId))[0]?.source).toBe("vendor");
  },
);

/** Writes `piece` until the other side has had enough. */
const endless =
  (head: string, piece: Buffer): Script =>
  async (socket) => {
    socket.write(head);
    while (!socket.destroyed) if (!socket.write(piece)) await drained(socket);
  };
const json = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
const endlessOnes: [string, boolean, Script][] = [
  ["events", true, endless(streamHead(), Buffer.from(event(chunk({ content: "x".repeat(200_000) }))))],
  ["one line", true, endless(`${streamHead()}data: {"a":"`, Buffer.alloc(200_000, "x"))],
  [
    "comments and blank lines",
    true,
    endless(streamHead(), Buffer.from(`: ${"x".repeat(2_000)}\n\n\r\n\n`.repeat(100))),
  ],
  ["one body", false, endless(`${json}{"a":"`, Buffer.alloc(200_000, "x"))],
  ["an error", false, endless("HTTP/1.1 500 No\r\n\r\n", Buffer.alloc(200_000, "<"))],
  ["a head", false, endless("HTTP/1.1 200 OK\r\n", Buffer.from(`x: ${"y".repeat(2_000)}\r\n`))],
];
test.each(endlessOnes)("row 60: %s without end is cut, in bounded memory", async (_, stream, script) => {
  world.evil.scripts.set("endless", script);
  const poor = await world.customer("1");
  const answer = await world.post(path, poor.key, evilChat("endless", { stream }));
  let received = 0;
  let tail = "";
  for await (const piece of answer.body ?? []) {
    received += piece.length;
    tail = Buffer.from(piece).toString("latin1").slice(-400);
  }
  expect(received).toBeLessThan(300_000_000);
  expect(tail).toContain('"error"');
  expect(tail).not.toContain("[DONE]");
  expect(world.gateways[0]?.residentBytes() ?? 0).toBeLessThan(900_000_000);
  const [row] = await world.records(poor.accountId);
  expect(BigInt(row?.charge ?? -1)).toBeLessThanOrEqual(BigInt(row?.hold ?? -2));
  expect(await world.balance(poor.accountId)).toMatchObject({ held: 0n });
});
