/**
 * A vendor that says whatever a test tells it to, byte by byte. The last message of a request chooses the script by
 * `[[evil:NAME]]`. It keeps the exact bytes of every request.
 */
import { type AddressInfo, createServer, type Socket } from "node:net";

export interface SeenRequest {
  readonly head: string;
  readonly body: string;
  readonly path: string;
  /** Connections are numbered from 1. */
  readonly connection: number;
}

export type Script = (socket: Socket, request: SeenRequest) => void | Promise<void>;

export interface EvilVendor {
  readonly url: string;
  readonly port: number;
  readonly seen: SeenRequest[];
  readonly scripts: Map<string, Script>;
  close(): Promise<void>;
}

export async function startEvilVendor(): Promise<EvilVendor> {
  const seen: SeenRequest[] = [];
  const scripts = new Map<string, Script>();
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    connections += 1;
    const connection = connections;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    let pending: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      for (let read = takeRequest(pending); read !== null; read = takeRequest(pending)) {
        pending = read.rest;
        const request: SeenRequest = { ...read.request, connection };
        seen.push(request);
        const name = [...request.body.matchAll(/\[\[evil:([^\]]+)\]\]/g)].at(-1)?.[1] ?? "none";
        const script = scripts.get(name) ?? ((to: Socket) => void to.write(wholeAnswer(usual)));
        void script(socket, request);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    seen,
    scripts,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function takeRequest(bytes: Buffer): { request: Omit<SeenRequest, "connection">; rest: Buffer } | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return null;
  const head = bytes.toString("latin1", 0, end + 2);
  const length = Number(/\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1] ?? 0);
  if (bytes.length < end + 4 + length) return null;
  const body = bytes.toString("utf8", end + 4, end + 4 + length);
  const path = head.split(" ")[1] ?? "";
  return { request: { head, body, path }, rest: bytes.subarray(end + 4 + length) };
}

/** A chat completion of one choice; `usage` of undefined leaves the member out. */
export function chatAnswer(
  about: { content?: string; usage?: unknown; model?: unknown; more?: object } = {},
): object {
  return {
    id: "chatcmpl-evil",
    object: "chat.completion",
    created: 1_760_000_000,
    model: about.model ?? "evil",
    choices: [
      { index: 0, message: { role: "assistant", content: about.content ?? "Hi" }, finish_reason: "stop" },
    ],
    ...("usage" in about ? { usage: about.usage } : {}),
    ...about.more,
  };
}

const usual = chatAnswer({ usage: usage(10, 5) });

/** A usage object as OpenAI sends it. */
export function usage(prompt: unknown, completion: unknown, more: object = {}): object {
  const total = typeof prompt === "number" && typeof completion === "number" ? prompt + completion : prompt;
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total, ...more };
}

/** A whole JSON answer on a connection that stays open. `json` may be text, for numbers that JSON.stringify cannot write. */
export function wholeAnswer(
  json: object | string,
  headers: Readonly<Record<string, string>> = {},
  status = "200 OK",
): string {
  const body = typeof json === "string" ? json : JSON.stringify(json);
  return `HTTP/1.1 ${status}\r\n${headerLines({ "content-type": "application/json", ...headers, "content-length": String(Buffer.byteLength(body)) })}\r\n${body}`;
}

/** The head of an event stream that ends with its connection. */
export const streamHead = (headers: Readonly<Record<string, string>> = {}): string =>
  `HTTP/1.1 200 OK\r\n${headerLines({ "content-type": "text/event-stream", connection: "close", ...headers })}\r\n`;

const headerLines = (headers: Readonly<Record<string, string>>): string =>
  Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");

export const event = (json: object | string): string =>
  `data: ${typeof json === "string" ? json : JSON.stringify(json)}\n\n`;

/** A chunk of a streamed chat completion. */
export function chunk(
  about: {
    content?: string;
    finish?: string | null;
    usage?: unknown;
    model?: string;
    choices?: unknown[];
  } = {},
): object {
  const delta = about.content === undefined ? {} : { content: about.content };
  return {
    id: "chatcmpl-evil",
    object: "chat.completion.chunk",
    created: 1_760_000_000,
    model: about.model ?? "evil",
    choices: about.choices ?? [{ index: 0, delta, finish_reason: about.finish ?? null }],
    ...("usage" in about ? { usage: about.usage } : {}),
  };
}

/** The end of a stream: finish, usage, [DONE]. */
export const usageEvents = (prompt: number, completion: number): string =>
  [chunk({ finish: "stop" }), chunk({ choices: [], usage: usage(prompt, completion) })].map(event).join("") +
  event("[DONE]");

/** A plain stream: "Hi", finish, usage, [DONE]. */
export const usualStream = (stated: unknown = usage(10, 5)): string =>
  [chunk({ content: "Hi" }), chunk({ finish: "stop" }), chunk({ choices: [], usage: stated })]
    .map(event)
    .join("") + event("[DONE]");

/** Until the socket takes more, or is closed. */
export const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    const go = (): void => {
      socket.off("drain", go).off("close", go);
      resolve();
    };
    socket.on("drain", go).on("close", go);
  });
