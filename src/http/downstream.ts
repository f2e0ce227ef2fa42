import type { ServerResponse } from "node:http";
import type { AnswerHead, Client, Refusal } from "../gateway/types.ts";
import { OneShot } from "../lib/one-shot.ts";
import { answerHeaders } from "./headers.ts";
import { type AnswerSettings, answerOf, type ErrorAnswer } from "./refusal-answers.ts";

/** Above this many unsent bytes the vendor is read no further until the client has taken some. */
const highWaterBytes = 512 * 1024;
/** A client that takes nothing for so long has left, ms. */
const usualPatienceMs = 120_000;

/** The customer's side of one request on Node's response. Losing the socket only stops the writing. */
export function createDownstream(
  response: ServerResponse,
  settings: AnswerSettings,
  stalledMs: number = usualPatienceMs,
): Client {
  const gone = new OneShot();
  let hasBegun = false;
  response.on("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  // A reset socket is a client that left; `close` follows and says so.
  response.on("error", () => gone.abort());
  const send = (answer: ErrorAnswer): void => sendError(response, answer);
  return {
    gone,
    isGone: () => gone.aborted,
    hasBegun: () => hasBegun,
    begin(head: AnswerHead) {
      hasBegun = true;
      if (gone.aborted) return;
      response.writeHead(head.status, answerHeaders(head, settings.credit));
    },
    write(chunks) {
      if (gone.aborted || response.writableEnded) return;
      // One write, one HTTP chunk, one system call, however many events came together.
      response.write(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    },
    end() {
      if (gone.aborted) return;
      response.end();
      // What is still unsent must not be kept for a client that never reads: a socket without progress is destroyed.
      if (!response.writableFinished) response.socket?.setTimeout(stalledMs);
    },
    refuse(refusal: Refusal) {
      hasBegun = true;
      if (!gone.aborted) send(answerOf(refusal, settings));
    },
    render(refusal: Refusal) {
      const { status, headers, body } = answerOf(refusal, settings);
      return { status, headers, body: Buffer.from(JSON.stringify(body)) };
    },
    whenWritable() {
      if (gone.aborted || response.writableLength < highWaterBytes) return null;
      return new Promise((resolve) => {
        const timer = setTimeout(() => response.destroy(), stalledMs);
        const go = (): void => {
          clearTimeout(timer);
          response.off("drain", go);
          gone.removeEventListener("abort", go);
          resolve();
        };
        response.once("drain", go);
        gone.addEventListener("abort", go);
      });
    },
  };
}

export function sendError(response: ServerResponse, answer: ErrorAnswer): void {
  const body = Buffer.from(JSON.stringify(answer.body));
  response.writeHead(answer.status, { ...answer.headers, "content-length": String(body.length) });
  response.end(body);
}
