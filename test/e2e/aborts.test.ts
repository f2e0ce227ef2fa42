/**
 * A client that leaves at every event, and in the middle of events, on ten recorded streams. Under `drain` the charge is
 * the vendor's own count; under `cancel` it is an estimate within the hold, marked, and the vendor's socket is closed.
 */
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createVerification } from "../../src/store/verify.ts";
import { type RequestRow, startTestGateway, type TestGateway } from "../support/gateway.ts";
import { type FixtureEntry, fixtures, readFixture } from "../support/replay.ts";

const recorded = [
  "openai-chat-stream-usage.sse",
  "openai-chat-stream-tool-calls.sse",
  "openai-chat-stream-reasoning.sse",
  "openai-chat-stream-n2.sse",
  "azure-chat-stream-gpt5chat-usage.sse",
  "azure-chat-stream-async-filter.sse",
  "groq-chat-stream.sse",
  "vllm-chat-stream-continuous-usage.sse",
  "openrouter-chat-stream.sse",
  "openai-responses-stream.sse",
];
const entries = recorded.map((file) => fixtures.find((one) => one.file === file) as FixtureEntry);

/** Sends each event when the last one has gone, and remembers when its client left. */
class SteppingVendor {
  readonly closedAfterMs: number[] = [];
  finished = 0;
  private readonly server: Server;
  constructor() {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { model } = JSON.parse(Buffer.concat(chunks).toString() || "{}") as { model: string };
        const frames =
          readFixture(model)
            .toString()
            .match(/[\s\S]*?\n\n/g) ?? [];
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.socket?.setNoDelay(true);
        let at = 0;
        const next = (): void => {
          if (response.destroyed) return;
          const frame = frames[at++];
          if (frame === undefined) {
            this.finished += 1;
            response.end();
            return;
          }
          response.write(frame, () => setTimeout(next, 2));
        };
        response.on("close", () => {
          if (!response.writableFinished) this.closedAfterMs.push(performance.now());
        });
        next();
      });
    });
  }
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }
  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

let vendor: SteppingVendor;
let gateway: TestGateway;
const customers = new Map<string, { accountId: string; key: string }>();
beforeAll(async () => {
  vendor = new SteppingVendor();
  const url = await vendor.start();
  const models = ["drain", "cancel"].flatMap((policy) =>
    recorded.map(
      (file) =>
        `  "${policy}/${file}": { deployments: [{ endpoint: ${policy}, deployment: "${file}", model: gpt-4o }] }`,
    ),
  );
  gateway = await startTestGateway({
    yaml: `
estimates: { sample_rate: 0 }
endpoints:
  drain: { kind: openai, base_url: "${url}/v1", api_key: k, on_disconnect: drain }
  cancel: { kind: openai, base_url: "${url}/v1", api_key: k, on_disconnect: cancel }
models:
${models.join("\n")}
`,
  });
  for (const policy of ["drain", "cancel"])
    for (const file of recorded) customers.set(`${policy}/${file}`, await gateway.customer("100000"));
});
afterAll(async () => {
  const checks = await createVerification(gateway.db).verify({ recoveryMs: 60_000 });
  expect(checks.filter((check) => !check.ok)).toEqual([]);
  await gateway.close(1_000);
  await vendor.close();
});

/** Sends the request on a socket of its own and closes it once this many bytes of the answer's body have come. */
function leaveAfter(model: string, key: string, path: string, bytes: number): Promise<{ leftAt: number }> {
  const { port } = new URL(gateway.url);
  const content =
    path === "/v1/responses"
      ? { input: "Hi" }
      : {
          messages: [{ role: "user", content: "Hi" }],
          max_tokens: 200,
          stream_options: { include_usage: true },
        };
  const body = JSON.stringify({ model, stream: true, ...content });
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), "127.0.0.1");
    let seen = Buffer.alloc(0);
    const leave = (): void => {
      socket.resetAndDestroy();
      resolve({ leftAt: performance.now() });
    };
    socket.on("error", reject);
    socket.on("data", (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
      const head = seen.indexOf("\r\n\r\n");
      if (head >= 0 && bodyBytes(seen.subarray(head + 4)) >= bytes) leave();
    });
    socket.on("end", () => resolve({ leftAt: performance.now() }));
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
  });
}

/** Bytes of the body without the framing of its chunks, as far as they have come. */
function bodyBytes(raw: Buffer): number {
  let total = 0;
  for (let at = 0; at < raw.length; ) {
    const end = raw.indexOf("\r\n", at);
    if (end < 0) return total;
    const size = Number.parseInt(raw.subarray(at, end).toString(), 16);
    if (Number.isNaN(size) || size === 0) return total;
    total += Math.min(size, raw.length - end - 2);
    at = end + 2 + size + 2;
  }
  return total;
}

/** The place after each event, and one in the middle of each. */
function placesOf(entry: FixtureEntry): number[] {
  const frames =
    readFixture(entry.file)
      .toString()
      .match(/[\s\S]*?\n\n/g) ?? [];
  const places: number[] = [];
  let at = 0;
  for (const frame of frames) {
    const length = Buffer.byteLength(frame);
    places.push(at + Math.floor(length / 2), at + length);
    at += length;
  }
  // The last event is held back until the charge is committed: who has it has everything.
  return places.slice(0, -1);
}

const pathOf = (entry: FixtureEntry): string =>
  entry.api === "responses" ? "/v1/responses" : "/v1/chat/completions";
async function rowsOf(accountId: string, count: number): Promise<RequestRow[]> {
  for (;;) {
    const rows = await gateway.records(accountId);
    if (rows.length >= count) return rows;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe.each(entries.map((entry) => [entry.file, entry] as const))("%s", (_file, entry) => {
  const places = placesOf(entry);
  const { expect: want } = entry;

  test("left at every event and in the middle of each, drained: charged what the vendor counts", async () => {
    const model = `drain/${entry.file}`;
    const { accountId, key } = customers.get(model) ?? { accountId: "", key: "" };
    for (let from = 0; from < places.length; from += 10) {
      await Promise.all(
        places.slice(from, from + 10).map((bytes) => leaveAfter(model, key, pathOf(entry), bytes)),
      );
    }
    const rows = await rowsOf(accountId, places.length);
    const read = new Set(
      rows.map((row) =>
        [
          row.state,
          row.source,
          row.input,
          row.cached_input,
          row.output,
          row.reasoning,
          row.charge !== "0",
        ].join(" "),
      ),
    );
    expect([...read]).toEqual([
      ["settled", "vendor", want.prompt, want.cached, want.completion, want.reasoning, true].join(" "),
    ]);
    expect(rows.filter((row) => row.outcome === "client_left").length).toBeGreaterThan(places.length / 4);
  });

  test("left at every event and in the middle of each, cancelled: an estimate within the hold, the vendor closed within 100 ms", async () => {
    const model = `cancel/${entry.file}`;
    const { accountId, key } = customers.get(model) ?? { accountId: "", key: "" };
    const waits: number[] = [];
    let calls = 0;
    /** How long the vendor's socket stayed open after the client's; null when the vendor was done before. */
    const leave = async (bytes: number): Promise<number | null> => {
      calls += 1;
      vendor.closedAfterMs.length = 0;
      const before = vendor.finished;
      const { leftAt } = await leaveAfter(model, key, pathOf(entry), bytes);
      while (vendor.closedAfterMs.length === 0 && vendor.finished === before)
        await new Promise((resolve) => setTimeout(resolve, 1));
      return vendor.closedAfterMs[0] === undefined ? null : vendor.closedAfterMs[0] - leftAt;
    };
    for (const bytes of places) {
      let wait = await leave(bytes);
      // A busy machine only adds to what is measured: the least of a few is nearest to our own.
      for (let again = 0; again < 3 && wait !== null && wait >= 100; again += 1) {
        const next = await leave(bytes);
        wait = next === null ? wait : Math.min(wait, next);
      }
      if (wait !== null) waits.push(wait);
    }
    const rows = await rowsOf(accountId, calls);
    for (const row of rows) {
      expect(BigInt(row.charge) <= BigInt(row.hold)).toBe(true);
      expect(BigInt(row.charge) > 0n).toBe(true);
      if (row.source === "vendor") continue; // the usage had come before the client left
      expect([row.outcome, row.source, row.record.usage.reason, row.record.usage.bound]).toEqual([
        "client_left",
        "estimated",
        "client_left",
        "lower_bound",
      ]);
    }
    // Running totals are the vendor's own count of what came: no estimate is needed.
    const isCounted = entry.file.includes("continuous");
    expect(rows.some((row) => row.source === "estimated")).toBe(!isCounted);
    expect(waits.length).toBeGreaterThan(0);
    expect(Math.max(...waits)).toBeLessThan(100);
  });
});
