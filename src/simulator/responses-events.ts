import type { Choice, Count } from "./answers.ts";
import { type Step, still } from "./chunks.ts";
import type { JsonObject } from "./json.ts";
import {
  callItem,
  hasMessage,
  type ItemIds,
  messageItem,
  outputItems,
  type ResponseJob,
  type ResponseStatus,
  reasoningItem,
  responseObject,
  responseUsage,
  textPart,
} from "./responses-object.ts";

/** Writes events: `event: TYPE`, the type again inside, numbered from 0. No [DONE] follows (cap-R). */
class EventWriter {
  #number = 0;

  write(type: string, fields: JsonObject): string {
    const event = { type, sequence_number: this.#number, ...fields };
    this.#number += 1;
    return `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
  }
}

/** A streamed response, step by step (openai-responses-stream.sse). */
export function* responseSteps(job: ResponseJob): Generator<Step> {
  const events = new EventWriter();
  const { ids } = job;
  const choice = job.answer.choices[0];
  if (choice === undefined) throw new Error("Cannot stream a response: its answer has no choice.");
  const state = (status: ResponseStatus): JsonObject => ({
    response: responseObject(job, { status, incompleteReason: null, output: [], usage: null }),
  });
  const { isBackground } = job.ask;
  const first = isBackground
    ? events.write("response.created", state("queued")) + events.write("response.queued", state("queued"))
    : events.write("response.created", state("in_progress"));
  yield still("opening", first + events.write("response.in_progress", state("in_progress")));
  yield* reasoningSteps(choice, ids, events);
  const at = choice.reasoning > 0 ? 1 : 0;
  if (choice.calls.length === 0) yield* messageSteps(job, choice, { ids, events, at });
  else yield* callSteps(job, choice, { ids, events, at });
  yield { kind: "finish", data: "", output: choice.hidden, reasoning: 0 };
  const end = endOf(choice);
  const output = outputItems(choice, ids, end.status === "completed" ? "completed" : "incomplete");
  const { reported } = job.context;
  const usage = reported === null ? null : responseUsage(job, reported);
  const whole = responseObject(job, { ...end, output, usage });
  const response = isBackground ? { ...whole, completed_at: null } : whole;
  yield still("usage", events.write(`response.${end.status}`, { response: withToolUsage(job, response) }));
}

/** The whole response in its last state, as a body or for GET; `count` null states no usage. */
export function finishedResponse(job: ResponseJob, count: Count | null): JsonObject {
  const choice = job.answer.choices[0];
  if (choice === undefined) throw new Error("Cannot write a response: its answer has no choice.");
  const end = endOf(choice);
  const status = end.status === "completed" ? "completed" : "incomplete";
  const output = outputItems(choice, job.ids, status);
  const usage = count === null ? null : responseUsage(job, count);
  return responseObject(job, { ...end, output, usage });
}

/** The flat error event of the specification (openai-responses-stream-error-flat.sse). */
export function responseErrorEvent(): string {
  const event = {
    type: "error",
    sequence_number: 1,
    code: "server_error",
    message: "The server had an error while processing your request.",
    param: null,
  };
  return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
}

/** What follows an error event instead of [DONE]: the response as failed, without usage. */
export function responseFailedEvent(job: ResponseJob): string {
  const response = {
    ...responseObject(job, { status: "failed", incompleteReason: null, output: [], usage: null }),
    error: { code: "server_error", message: "The server had an error while processing your request." },
  };
  const event = { type: "response.failed", sequence_number: 2, response };
  return `event: response.failed\ndata: ${JSON.stringify(event)}\n\n`;
}

interface Line {
  readonly ids: ItemIds;
  readonly events: EventWriter;
  /** The output index of the first item after reasoning. */
  readonly at: number;
}

function* reasoningSteps(choice: Choice, ids: ItemIds, events: EventWriter): Generator<Step> {
  if (choice.reasoning === 0) return;
  const item = { output_index: 0, item: reasoningItem(ids) };
  yield still("role", events.write("response.output_item.added", item));
  for (let spent = 0; spent < choice.reasoning; spent += 16) {
    const tokens = Math.min(16, choice.reasoning - spent);
    yield { kind: "reasoning", data: "", output: tokens, reasoning: tokens };
  }
  yield still("role", events.write("response.output_item.done", item));
}

function* messageSteps(job: ResponseJob, choice: Choice, line: Line): Generator<Step> {
  const { ids, events, at } = line;
  if (!hasMessage(choice)) return;
  const place = { item_id: ids.message, output_index: at, content_index: 0 };
  const added = { output_index: at, item: messageItem(ids, "in_progress", []) };
  yield still(
    "role",
    events.write("response.output_item.added", added) +
      events.write("response.content_part.added", { ...place, part: textPart("") }),
  );
  for (const piece of choice.pieces) {
    const obfuscation = job.ask.obfuscate
      ? job.attempt.random.text(16 - (piece.text.length % 16))
      : undefined;
    const data = events.write("response.output_text.delta", {
      ...place,
      delta: piece.text,
      logprobs: [],
      obfuscation,
    });
    yield { kind: "text", data, output: piece.tokens, reasoning: 0 };
  }
  const text = textOf(choice);
  const done = { output_index: at, item: messageItem(ids, "completed", [textPart(text)]) };
  yield still(
    "finish",
    events.write("response.output_text.done", { ...place, text, logprobs: [] }) +
      events.write("response.content_part.done", { ...place, part: textPart(text) }) +
      events.write("response.output_item.done", done),
  );
}

function* callSteps(job: ResponseJob, choice: Choice, line: Line): Generator<Step> {
  const { ids, events, at } = line;
  for (const [number, call] of choice.calls.entries()) {
    const place = { item_id: ids.calls[number] ?? "", output_index: at + number };
    const describe = (text: string, status: string): JsonObject => {
      const item = callItem({ id: place.item_id, callId: call.id, name: call.name, text, status });
      return { output_index: place.output_index, item };
    };
    const added = events.write("response.output_item.added", describe("", "in_progress"));
    yield { kind: "call", data: added, output: call.framing, reasoning: 0 };
    for (const piece of call.fragments) {
      const obfuscation = job.ask.obfuscate
        ? job.attempt.random.text(16 - (piece.text.length % 16))
        : undefined;
      const data = events.write("response.function_call_arguments.delta", {
        ...place,
        delta: piece.text,
        obfuscation,
      });
      yield { kind: "arguments", data, output: piece.tokens, reasoning: 0 };
    }
    const text = call.fragments.map((piece) => piece.text).join("");
    yield still(
      "arguments",
      events.write("response.function_call_arguments.done", { ...place, arguments: text }) +
        events.write("response.output_item.done", describe(text, "completed")),
    );
  }
}

function endOf(choice: Choice): { status: "completed" | "incomplete"; incompleteReason: string | null } {
  if (choice.finish === "length") return { status: "incomplete", incompleteReason: "max_output_tokens" };
  if (choice.finish === "content_filter") return { status: "incomplete", incompleteReason: "content_filter" };
  return { status: "completed", incompleteReason: null };
}

/** OpenAI's terminal event also counts hosted tools; the simulator has none. */
function withToolUsage(job: ResponseJob, response: JsonObject): JsonObject {
  if (job.attempt.vendor.settings.profile.isAzure || response.status !== "completed" || job.ask.isBackground)
    return response;
  const images = { image_tokens: 0, text_tokens: 0 };
  const image_gen = {
    input_tokens: 0,
    input_tokens_details: images,
    output_tokens: 0,
    output_tokens_details: images,
    total_tokens: 0,
  };
  return { ...response, tool_usage: { image_gen, web_search: { num_requests: 0 } } };
}

function textOf(choice: Choice): string {
  return choice.pieces.map((piece) => piece.text).join("");
}
