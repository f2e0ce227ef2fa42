/** HTTP by hand: the bytes of a request as a hostile client would send them, and the bytes that come back. */
import { connect, type Socket } from "node:net";

export interface Exchange {
  /** Everything received, as Latin-1: one character for each byte. */
  readonly text: string;
  /** The other side ended the connection. */
  readonly isClosed: boolean;
  /** Status codes of the answers, in order, as far as their heads can be told apart. */
  readonly statuses: readonly number[];
}

export interface SendOptions {
  /** Ends the exchange after this long without a byte, ms. */
  readonly quietMs?: number;
  /** Between two pieces, ms. */
  readonly pauseMs?: number;
}

/** Sends the pieces one by one and collects the answer until the other side closes or falls quiet. */
export async function sendRaw(
  port: number,
  pieces: readonly (string | Uint8Array)[],
  options: SendOptions = {},
): Promise<Exchange> {
  const { quietMs = 300, pauseMs = 0 } = options;
  const socket = await open(port);
  const received: Buffer[] = [];
  let isClosed = false;
  const ended = new Promise<void>((resolve) => {
    let timer = setTimeout(resolve, quietMs);
    const wake = (): void => {
      clearTimeout(timer);
      timer = setTimeout(resolve, quietMs);
    };
    socket.on("data", (chunk: Buffer) => {
      received.push(chunk);
      wake();
    });
    const close = (): void => {
      isClosed = true;
      clearTimeout(timer);
      resolve();
    };
    socket.on("end", close);
    socket.on("close", close);
    void (async () => {
      for (const piece of pieces) {
        if (isClosed) return;
        socket.write(piece);
        wake();
        if (pauseMs > 0) await pause(pauseMs);
      }
    })();
  });
  await ended;
  socket.destroy();
  const text = Buffer.concat(received).toString("latin1");
  return {
    text,
    isClosed,
    statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1])),
  };
}

/** A connected socket whose errors are expected: the other side may cut it at any time. */
export async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.on("error", () => undefined);
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return socket;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A POST with a body, headers in the order given. `Content-Length` is added. */
export function requestText(path: string, headers: Readonly<Record<string, string>>, body: string): string {
  const lines = Object.entries({
    host: "gateway",
    ...headers,
    "content-length": String(Buffer.byteLength(body)),
  });
  return `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
}
