/** A vendor that answers each call as the test says, for what no simulator profile does. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export interface ScriptedCall {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at single fields.
  readonly body: any;
}

export interface ScriptedAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a text as it is. */
  readonly body?: unknown;
  /** Events of a stream, each sent as `data: …`. */
  readonly events?: readonly unknown[];
  /** Closes the connection after the events or the body's first half. */
  readonly isCut?: boolean;
}

export interface ScriptedVendor {
  readonly url: string;
  readonly calls: ScriptedCall[];
  close(): Promise<void>;
}

export async function startScripted(
  answer: (call: ScriptedCall, index: number) => ScriptedAnswer | "hang" | "reset",
): Promise<ScriptedVendor> {
  const calls: ScriptedCall[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const call = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body: text === "" ? null : JSON.parse(text),
      };
      const index = calls.push(call) - 1;
      const answered = answer(call, index);
      if (answered === "hang") return;
      if (answered === "reset") {
        request.socket.resetAndDestroy();
        return;
      }
      const { status = 200, events } = answered;
      const isText = typeof answered.body === "string";
      const type = events === undefined ? (isText ? "text/plain" : "application/json") : "text/event-stream";
      response.writeHead(status, { "content-type": type, ...answered.headers });
      const body = events
        ?.map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`)
        .join("");
      const whole = body ?? (isText ? (answered.body as string) : JSON.stringify(answered.body ?? {}));
      if (answered.isCut !== true) {
        response.end(whole);
        return;
      }
      const first = events === undefined ? whole.slice(0, whole.length / 2) : whole;
      response.flushHeaders();
      // The head alone has no callback: a moment lets it leave.
      if (first === "") setTimeout(() => response.destroy(), 20);
      else response.write(first, () => response.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A whole chat answer with usage. */
export const chatAnswer = (
  more: Readonly<Record<string, unknown>> = {},
  usage: Readonly<Record<string, unknown>> | null = {},
): unknown => ({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1_763_000_000,
  model: "gpt-4.1-nano",
  choices: [
    { index: 0, message: { role: "assistant", content: "fine", refusal: null }, finish_reason: "stop" },
  ],
  ...(usage === null
    ? {}
    : { usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12, ...usage } }),
  ...more,
});
