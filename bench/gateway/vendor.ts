/**
 * The vendor of the benchmark, as its own process: one answer, whole or in 200 tokens, paced or as fast as it is read.
 * Its bytes are made once. It keeps its bill: tokens of every attempt it answered to the end.
 */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const promptTokens = 20;
export const streamTokens = 200;
const firstByteMs = 60;
const tokensPerSecond = 50;
const head = {
  id: "chatcmpl-bench",
  object: "chat.completion.chunk",
  created: 1_780_000_000,
  model: "gpt-4.1-nano-2025-04-14",
  service_tier: "default",
  system_fingerprint: null,
};
const usage = {
  prompt_tokens: promptTokens,
  completion_tokens: streamTokens,
  total_tokens: promptTokens + streamTokens,
};

const event = (value: object): Buffer => Buffer.from(`data: ${JSON.stringify(value)}\n\n`);
const delta = (text: object, finish: string | null): object => ({
  choices: [{ index: 0, delta: text, logprobs: null, finish_reason: finish }],
});
const tokens = Array.from({ length: streamTokens }, (_, index) =>
  event({ ...head, ...delta({ content: ` word${index}` }, null), usage: null }),
);
const opening = event({
  ...head,
  ...delta({ role: "assistant", content: "", refusal: null }, null),
  usage: null,
});
const closing = Buffer.concat([
  event({ ...head, ...delta({}, "stop"), usage: null }),
  event({ ...head, choices: [], usage }),
  Buffer.from("data: [DONE]\n\n"),
]);
const whole = Buffer.from(
  JSON.stringify({
    ...head,
    object: "chat.completion",
    choices: [
      { index: 0, message: { role: "assistant", content: "word ".repeat(360) }, finish_reason: "stop" },
    ],
    usage,
  }),
);
const everything = Buffer.concat([opening, ...tokens, closing]);

interface Paced {
  readonly response: ServerResponse;
  readonly startedAt: number;
  sent: number;
}

/** Starts the vendor; it reports its port and, when asked, its bill. */
export function main(): void {
  let billed = 0;
  const paced = new Set<Paced>();
  // One timer for all streams: each tick sends every stream what is due.
  setInterval(() => {
    const now = performance.now();
    for (const stream of paced) {
      const due = Math.min(
        Math.floor(((now - stream.startedAt - firstByteMs) * tokensPerSecond) / 1_000) + 1,
        streamTokens,
      );
      while (stream.sent < due) stream.response.write(tokens[stream.sent++]);
      if (stream.sent === streamTokens) {
        stream.response.end(closing);
        paced.delete(stream);
      }
    }
  }, 5);
  const server = createServer((request, response) => {
    const isPaced = request.url?.startsWith("/paced/") === true;
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      billed += promptTokens + streamTokens;
      if (!/"stream":\s*true/.test(Buffer.concat(chunks).subarray(0, 2_000).toString("latin1"))) {
        response.writeHead(200, { "content-type": "application/json", "content-length": whole.length });
        return response.end(whole);
      }
      response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
      if (!isPaced) return response.end(everything);
      response.write(opening);
      const stream = { response, startedAt: performance.now(), sent: 0 };
      paced.add(stream);
      response.on("close", () => paced.delete(stream));
    });
  });
  server.keepAliveTimeout = 120_000;
  server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
  process.on("message", (message) => {
    if (message === "bill") process.send?.({ billed });
  });
  process.on("disconnect", () => process.exit());
}
