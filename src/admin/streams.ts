import type { FastifyReply } from "fastify";
import { AdminError } from "./errors.ts";
import type { Call, StreamRoute } from "./route.ts";

/** Streams that may be open at once in one process; a person has one per window. */
const streamsMax = 100;
/** Proxies cut what is silent for a minute. */
const keepAliveMs = 15_000;
/** A reader that has not taken this much is gone for all practical purposes; it is cut off and connects again. */
const unsentBytesMax = 1_048_576;

/** The streams that are open in this process. */
export interface Streams {
  /** Answers with server-sent events until the reader leaves. Events carry no names and no ids. */
  answer(route: StreamRoute, call: Call<unknown, unknown, unknown>, reply: FastifyReply): FastifyReply;
  /** Ends them all, so that the server can stop. */
  close(): void;
}

export function createStreams(): Streams {
  const open = new Set<FastifyReply["raw"]>();
  return {
    answer(route, call, reply) {
      if (open.size >= streamsMax) {
        const message = `Cannot open another stream: ${streamsMax} are open in this process; close one.`;
        throw new AdminError({ status: 503, code: "overloaded", message, headers: { "retry-after": "10" } });
      }
      const { raw } = reply.hijack();
      open.add(raw);
      const stop = begin(raw, (send) => route.start(call, send));
      raw.on("close", () => {
        stop();
        open.delete(raw);
      });
      return reply;
    },
    close() {
      for (const raw of open) raw.destroy();
    },
  };
}

function begin(raw: FastifyReply["raw"], start: (send: (event: unknown) => void) => () => void): () => void {
  raw.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-accel-buffering": "no",
  });
  const write = (text: string): void => {
    raw.write(text);
    if (raw.writableLength > unsentBytesMax) raw.destroy();
  };
  write(": open\n\n");
  const stop = start((event) => write(`data: ${JSON.stringify(event)}\n\n`));
  const beat = setInterval(() => write(": still here\n\n"), keepAliveMs).unref();
  return () => {
    clearInterval(beat);
    stop();
  };
}
