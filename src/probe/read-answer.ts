import type { JsonBody } from "../core/parameters.ts";
import { type UsageLimits, usageFault } from "../core/usage.ts";
import type { VendorAnswer } from "../ports.ts";
import { AnswerMeter } from "../protocol/answer-meter.ts";
import { type SseEvent, SseFault, SseSplitter } from "../protocol/sse.ts";
import { asArray, asObject, asText, findUsage } from "../protocol/usage.ts";
import type { Answer, Frame, StreamSeen } from "./types.ts";

/** An answer to a capped request is small; one that is not is cut here. */
const bodyBytesMax = 4 * 1_048_576;
const eventBytesMax = 1_048_576;
/** Frames that are kept from each end of a stream. */
const framesKept = 200;

/** The body of an answer as text, and why it broke off, if it did. */
export async function readBody(
  answer: VendorAnswer,
): Promise<{ text: string; cut: string | null; firstByte: boolean }> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let text = "";
  let size = 0;
  let cut: string | null = null;
  try {
    for await (const chunk of answer.body) {
      text += decoder.decode(chunk, { stream: true });
      size += chunk.length;
      if (size > bodyBytesMax) {
        answer.body.destroy();
        cut = `it exceeds ${bodyBytesMax} bytes`;
        break;
      }
    }
  } catch (error) {
    cut = error instanceof Error ? error.message : String(error);
  }
  return { text: text + decoder.decode(), cut, firstByte: size > 0 };
}

/** A whole answer, or null when the body is no JSON object. */
export function readWholeAnswer(text: string, limits: UsageLimits): Answer | null {
  const json = parseObject(text);
  if (json === null) return null;
  const reading = new Reading();
  reading.add(json);
  return reading.answer(limits, null);
}

/** Reads a stream to its end. `elapsed` gives ms since the call. Never throws for what the vendor does. */
export async function readStreamAnswer(
  answer: VendorAnswer,
  elapsed: () => number,
  limits: UsageLimits,
): Promise<{ answer: Answer; firstByteMs: number | null }> {
  const reader = new StreamReader(elapsed);
  const splitter = new SseSplitter(eventBytesMax);
  let firstByteMs: number | null = null;
  let size = 0;
  try {
    for await (const chunk of answer.body) {
      firstByteMs ??= elapsed();
      size += chunk.length;
      for (const event of splitter.push(chunk)) reader.event(event);
      if (size > bodyBytesMax) {
        answer.body.destroy();
        reader.cut = `it exceeds ${bodyBytesMax} bytes`;
        break;
      }
    }
    const { event, isTruncated } = splitter.finish();
    if (event !== null) reader.event(event);
    if (isTruncated) reader.cut ??= "it ends in the middle of a frame";
  } catch (error) {
    answer.body.destroy();
    const reason = error instanceof SseFault || error instanceof Error ? error.message : String(error);
    reader.cut = reason;
  }
  return { answer: reader.reading.answer(limits, reader.seen()), firstByteMs };
}

/** What the parts of an answer say together; the usage is read by the gateway's own meter. */
class Reading {
  readonly #meter = new AnswerMeter();
  #rawUsage: JsonBody | null = null;
  #text = "";
  #reasoning = "";
  #created: number | null = null;
  readonly #choices = new Set<number>();
  #hasLogprobs = false;

  /** Takes one message; the visible text in it is returned. */
  add(json: JsonBody): string {
    this.#meter.message(json);
    this.#rawUsage = findUsage(json) ?? this.#rawUsage;
    if (typeof json.created === "number" && json.created > 0) this.#created = json.created;
    let seen = "";
    for (const choice of asArray(json.choices)) seen += this.#addChoice(asObject(choice));
    return seen;
  }

  get error(): string | null {
    return this.#meter.errorMessage;
  }

  answer(limits: UsageLimits, stream: StreamSeen | null): Answer {
    const output = this.#meter.output();
    const usage = this.#meter.usage();
    const fault =
      usage === null ? (this.#rawUsage === null ? null : this.#meter.unreadable) : usageFault(usage, limits);
    return {
      model: this.#meter.model,
      serviceTier: this.#meter.serviceTier,
      id: this.#meter.vendorId,
      created: this.#created,
      finishReasons: output.finishReasons,
      text: this.#text,
      reasoningText: this.#reasoning,
      choices: this.#choices.size,
      hasLogprobs: this.#hasLogprobs,
      hasToolCalls: output.hasTools,
      rawUsage: this.#rawUsage,
      usage: fault === null ? usage : null,
      usageFault: fault,
      stream,
    };
  }

  #addChoice(choice: JsonBody | null): string {
    if (choice === null) return "";
    const index = typeof choice.index === "number" ? choice.index : 0;
    this.#choices.add(index);
    if (asObject(choice.logprobs) !== null) this.#hasLogprobs = true;
    const delta = asObject(choice.delta) ?? asObject(choice.message);
    if (delta === null || index !== 0) return "";
    const seen = contentOf(delta);
    this.#text += seen;
    this.#reasoning += asText(delta.reasoning_content) ?? asText(delta.reasoning) ?? "";
    return seen;
  }
}

function contentOf(delta: JsonBody): string {
  const { content } = delta;
  // Mistral sends a list of parts, of which only the texts are shown.
  const parts = asArray(content).map((part) => asText(asObject(part)?.text) ?? "");
  return (asText(content) ?? parts.join("")) + (asText(delta.refusal) ?? "");
}

class StreamReader {
  readonly reading = new Reading();
  cut: string | null = null;
  readonly #elapsed: () => number;
  readonly #first: Frame[] = [];
  readonly #last: Frame[] = [];
  readonly #comments: string[] = [];
  readonly #names = new Set<string>();
  #chunks = 0;
  #framesAfterDone = 0;
  #hasDone = false;
  #textPieces = 0;
  #firstTextMs: number | null = null;
  #lastTextMs: number | null = null;

  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
  }

  event(event: SseEvent): void {
    if (event.data === null) {
      const text = new TextDecoder().decode(event.bytes).trim();
      if (text.startsWith(":") && this.#comments.length < 20) this.#comments.push(text.slice(0, 200));
      return;
    }
    if (event.name !== null) this.#names.add(event.name.slice(0, 100));
    if (this.#hasDone) this.#framesAfterDone += 1;
    else if (event.data === "[DONE]") this.#hasDone = true;
    else this.#chunk(event.data);
  }

  #chunk(data: string): void {
    const json = parseObject(data);
    const frame = { index: this.#chunks, text: data, json };
    this.#chunks += 1;
    if (this.#first.length < framesKept) this.#first.push(frame);
    else this.#last.push(frame);
    if (this.#last.length > framesKept) this.#last.shift();
    if (json === null || this.reading.add(json) === "") return;
    this.#textPieces += 1;
    this.#lastTextMs = this.#elapsed();
    this.#firstTextMs ??= this.#lastTextMs;
  }

  seen(): StreamSeen {
    return {
      chunks: this.#chunks,
      frames: [...this.#first, ...this.#last],
      comments: this.#comments,
      eventNames: [...this.#names],
      hasDone: this.#hasDone,
      framesAfterDone: this.#framesAfterDone,
      cut: this.cut,
      error: this.reading.error,
      isEventStream: true,
      textPieces: this.#textPieces,
      firstTextMs: this.#firstTextMs,
      lastTextMs: this.#lastTextMs,
    };
  }
}

/** A stream that was asked for and answered in one piece. */
export const unstreamed: StreamSeen = {
  ...{
    chunks: 0,
    frames: [],
    comments: [],
    eventNames: [],
    hasDone: false,
    framesAfterDone: 0,
    cut: null,
    error: null,
  },
  ...{ isEventStream: false, textPieces: 0, firstTextMs: null, lastTextMs: null },
};

export function parseObject(text: string): JsonBody | null {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return null;
  }
}
