/** A vendor that answers a probe ideally, for tests that change one thing about it at a time. */
import { encodingFor } from "../../src/core/tokens/encodings.ts";
import { planInput } from "../../src/core/tokens/input.ts";
import { estimateInput } from "../../src/core/tokens/plan.ts";
import type { Vendor, VendorAnswer, VendorRequest } from "../../src/ports.ts";
import { prompts } from "../../src/probe/prompts.ts";
import { createTokenCounter } from "../../src/tokens/token-counter.ts";

export type Json = Record<string, unknown>;

/** What a test may look at, and change, before it is sent. */
export interface Scripted {
  status: number;
  headers: Record<string, string>;
  /** Of an answer in one piece. */
  body: Json | string | null;
  /** Of a stream: whole frames without their blank line; what is no `data:` is sent as it is. */
  frames: (Json | string)[] | null;
  /** The stream breaks off instead of ending. */
  cut?: string;
}

/** One request of the probe, read. */
export interface Asked {
  readonly call: number;
  readonly deployment: string;
  readonly body: Json;
  readonly isStream: boolean;
  readonly asksUsage: boolean;
}

const tokens = createTokenCounter();
const texts = new Map<string, string>([
  [prompts.a[1].content, "Hello from Azure OpenAI!"],
  [prompts.b[1].content, "Hello from Standard Provider on Azure OpenAI!"],
  [prompts.c[3].content, "one, two, three, four, five"],
]);

/** `change` gets every answer before it is sent; `now` is the vendor's clock, ms. */
export function idealVendor(
  change: (answer: Scripted, asked: Asked) => void = () => undefined,
  now: () => number = Date.now,
): Vendor {
  let calls = 0;
  return {
    async call(request) {
      calls += 1;
      const asked = readRequest(request, calls);
      const answer = asked === null ? refusal(400, "the JSON cannot be read") : await answerTo(asked, now);
      if (asked !== null) change(answer, asked);
      return send(answer);
    },
  };
}

export const refusal = (status: number, message: string, param: string | null = null): Scripted => ({
  status,
  headers: { "content-type": "application/json", "x-request-id": "req_1" },
  body: { error: { message, type: "invalid_request_error", param, code: null } },
  frames: null,
});

function readRequest(request: VendorRequest, call: number): Asked | null {
  try {
    const body = JSON.parse(new TextDecoder().decode(request.body ?? new Uint8Array())) as Json;
    const options = body.stream_options as Json | undefined;
    return {
      call,
      deployment: request.deployment.deployment,
      body,
      isStream: body.stream === true,
      asksUsage: options?.include_usage === true,
    };
  } catch {
    return null;
  }
}

async function answerTo(asked: Asked, now: () => number): Promise<Scripted> {
  const { body } = asked;
  const messages = body.messages as { content: string }[] | undefined;
  if (asked.deployment.includes("no-such")) return refusal(404, "there is no such model");
  if (messages === undefined) return refusal(400, "messages are missing", "messages");
  const model = asked.deployment;
  const { encoding } = encodingFor(model);
  const plan = planInput("chat/completions", body, model);
  const input = estimateInput(plan, await tokens.countAll(plan.texts, encoding)).tokens;
  let text = texts.get(messages.at(-1)?.content ?? "") ?? "";
  for (const stop of (body.stop as string[] | undefined) ?? []) text = text.split(stop)[0] ?? "";
  if (body.response_format !== undefined) text = '{"answer":"hello"}';
  const choices = typeof body.n === "number" ? body.n : 1;
  const output = choices * (await tokens.countAll([text], encoding)).tokens;
  const usage = {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
  const head = { id: `chatcmpl-${asked.call}`, created: Math.floor(now() / 1_000), model };
  const headers = {
    "content-type": asked.isStream ? "text/event-stream" : "application/json",
    "x-request-id": "req_1",
  };
  if (!asked.isStream) {
    const logprobs = body.logprobs === true ? { content: [] } : null;
    const list = Array.from({ length: choices }, (_, index) => ({
      ...{ index, logprobs, finish_reason: "stop", message: { role: "assistant", content: text } },
    }));
    return {
      status: 200,
      headers,
      frames: null,
      body: { ...head, object: "chat.completion", choices: list, usage },
    };
  }
  const chunk = (delta: Json, finish: string | null): Json => ({
    ...{ ...head, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: finish }] },
  });
  const pieces = text.match(/\S+\s*/g) ?? [];
  const frames = [
    chunk({ role: "assistant", content: "" }, null),
    ...pieces.map((piece) => chunk({ content: piece }, null)),
    chunk({}, "stop"),
    { ...head, object: "chat.completion.chunk", choices: [], usage },
    "data: [DONE]",
  ];
  return { status: 200, headers, body: null, frames };
}

function send({ status, headers, body, frames, cut }: Scripted): VendorAnswer {
  const text =
    frames === null
      ? typeof body === "string"
        ? body
        : JSON.stringify(body)
      : frames
          .map((frame) => `${typeof frame === "string" ? frame : `data: ${JSON.stringify(frame)}`}\n\n`)
          .join("");
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(text);
    if (cut !== undefined) throw new Error(cut);
  }
  return {
    status,
    headers,
    body: Object.assign(bytes(), { destroy: () => undefined }),
    hide: (text) => text,
  };
}

/** The frames of a stream that are JSON, to be changed in place. */
export const chunksOf = ({ frames }: Scripted): Json[] =>
  (frames ?? []).filter((frame): frame is Json => typeof frame !== "string");

/** The chunk or the body that has the usage. */
export function usageHolder(answer: Scripted): Json | null {
  if (answer.frames !== null) return chunksOf(answer).find((chunk) => chunk.usage != null) ?? null;
  return typeof answer.body === "object" && answer.body?.usage != null ? answer.body : null;
}

// ---------------------------------------------------------------- changes

export const replace = (answer: Scripted, by: Scripted): void => void Object.assign(answer, by);
export const usageOf = (answer: Scripted): Json | null =>
  (usageHolder(answer)?.usage as Json | undefined) ?? null;
export const dropUsage = (answer: Scripted): void => {
  if (answer.frames !== null)
    answer.frames = answer.frames.filter((frame) => typeof frame === "string" || frame.usage == null);
  else if (typeof answer.body === "object") delete answer.body?.usage;
};
export const bill = (
  answer: Scripted,
  change: (usage: Json & { prompt_tokens: number; completion_tokens: number; total_tokens: number }) => void,
): void => {
  const usage = usageOf(answer);
  if (usage !== null) change(usage as never);
};
export const insert = (answer: Scripted, place: number, frame: Json | string): void =>
  void answer.frames?.splice(place, 0, frame);

export function serveAs(answer: Scripted, name: string | undefined): void {
  for (const holder of [...chunksOf(answer), answer.body])
    if (typeof holder === "object" && holder !== null) holder.model = name;
}
