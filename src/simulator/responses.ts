import type { Count } from "./answers.ts";
import type { Message } from "./ask.ts";
import { type Attempt, noCount } from "./attempt.ts";
import { refusalError } from "./errors.ts";
import type { Job } from "./job.ts";
import { type JsonObject, parseJsonObject } from "./json.ts";
import { perform, readPace } from "./perform.ts";
import type { Played } from "./player.ts";
import {
  finishedResponse,
  responseErrorEvent,
  responseFailedEvent,
  responseSteps,
} from "./responses-events.ts";
import { makeItemIds, type ResponseJob, type ResponseStatus, responseObject } from "./responses-object.ts";
import { bodyScript, faultScript } from "./script.ts";

/** Answers `POST /v1/responses`: streamed, whole, or in the background. */
export function answerResponses(plain: Job): void {
  const job: ResponseJob = { ...plain, ids: makeItemIds(plain) };
  const { attempt, ask, answer, directives } = job;
  if (ask.isBackground && !ask.isStream) {
    runInBackground(job);
    return;
  }
  const done = (count: Count, played: Played): void => store(job, count, played);
  if (ask.isStream) {
    const script = faultScript(responseSteps(job), {
      fault: attempt.fault,
      directives,
      random: attempt.random,
      output: answer.count.output,
      errorFrame: responseErrorEvent(),
      doneFrame: responseFailedEvent(job),
      hasUsageChunk: true,
    });
    perform(job, { script, headers: { "content-type": "text/event-stream; charset=utf-8" }, done });
    return;
  }
  const response = finishedResponse(job, job.context.reported);
  const isPretty = !attempt.vendor.settings.profile.isAzure;
  const body = isPretty ? `${JSON.stringify(response, null, 2)}\n` : JSON.stringify(response);
  const error = {
    error: {
      message: "The server had an error while processing your request.",
      type: "server_error",
      param: null,
      code: null,
    },
  };
  const { script, headers } = bodyScript(body, {
    count: answer.count,
    fault: attempt.fault,
    error: JSON.stringify(error),
  });
  perform(job, { script, headers: { "content-type": "application/json", ...headers }, done });
}

/** `GET`, `DELETE` and `POST …/cancel` of a stored response. */
export function answerStored(attempt: Attempt, id: string, action: "get" | "delete" | "cancel"): void {
  const { responses, settings } = attempt.vendor;
  const stored = responses.find(id);
  if (stored === null) {
    attempt.refuse(
      refusalError(settings.profile.errors, { status: 404, message: `Response with id '${id}' not found.` }),
    );
    return;
  }
  if (action === "cancel" && stored.cancel === null) {
    const message = "Cannot cancel a synchronous response.";
    attempt.refuse(refusalError(settings.profile.errors, { status: 400, message }));
    return;
  }
  if (action === "cancel") stored.cancel?.();
  if (action === "delete") responses.remove(id);
  reply(attempt, action === "delete" ? { id, object: "response", deleted: true } : stored.read());
  attempt.discard();
}

/**
 * Keeps the response as it ended, with the usage that was billed, even when the stream broke before it said
 * so.
 */
function store(job: ResponseJob, count: Count, played: Played): void {
  const { attempt, answer } = job;
  if (parseJsonObject(attempt.body.toString("utf8"))?.store === false) return;
  const isWhole = played.output >= answer.count.output;
  const finished = finishedResponse(job, count);
  const response = isWhole ? finished : { ...finished, status: "incomplete", output: [] };
  attempt.vendor.responses.put(job.context.id, {
    read: () => response,
    cancel: null,
    messages: conversation(job),
  });
}

/** Answers at once with the queued response, then generates; the bill comes when it is done or cancelled. */
function runInBackground(job: ResponseJob): void {
  const { attempt, answer, context } = job;
  const { pacer, responses, settings } = attempt.vendor;
  const pace = readPace(settings, job.directives, attempt.fault);
  const startMs = pacer.now() + pace.latencyMs;
  const total = answer.count.output;
  const endMs = startMs + (pace.tokensPerSecond === null ? 0 : (total / pace.tokensPerSecond) * 1_000);
  let ended: JsonObject | null = null;
  const running = (status: ResponseStatus): JsonObject =>
    responseObject(job, { status, incompleteReason: null, output: [], usage: null });
  const finish = (): void => {
    ended = finishedResponse(job, context.reported);
    const reason = attempt.fault === null ? "complete" : "fault";
    attempt.settle({ count: answer.count, reason, status: 200, aborted: false });
  };
  const ticket = pacer.at(endMs, finish);
  const cancel = (): void => {
    if (ended !== null) return;
    pacer.cancel(ticket);
    const share = Math.max(0, pacer.now() - startMs) / Math.max(1, endMs - startMs);
    const output = Math.min(total, Math.floor(total * share));
    const count = { ...answer.count, output, reasoning: Math.min(answer.count.reasoning, output) };
    ended = running("cancelled");
    attempt.settle({
      count: output === 0 ? noCount : count,
      reason: "cancelled",
      status: 200,
      aborted: false,
    });
  };
  const read = (): JsonObject => ended ?? running(pacer.now() < startMs ? "queued" : "in_progress");
  responses.put(context.id, { read, cancel, messages: conversation(job) });
  reply(attempt, running("queued"));
}

function conversation(job: Job): Message[] {
  const text = (job.answer.choices[0]?.pieces ?? []).map((piece) => piece.text).join("");
  return [...job.ask.messages, { role: "assistant", name: null, text, images: 0 }];
}

function reply(attempt: Attempt, body: JsonObject): void {
  const text = JSON.stringify(body);
  const length = String(Buffer.byteLength(text));
  attempt.response.writeHead(200, {
    ...attempt.headers,
    "content-type": "application/json",
    "content-length": length,
  });
  attempt.response.end(text);
}
