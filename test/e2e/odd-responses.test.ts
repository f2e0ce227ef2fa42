/** Responses and legacy completions in forms that no recorded vendor gives: what the client sees, and what is charged. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  breaksAfter,
  cut,
  done,
  event,
  events,
  type OddWorld,
  sends,
  startOddWorld,
  streamed,
} from "../support/odd-vendor.ts";

let world: OddWorld;
beforeAll(async () => {
  world = await startOddWorld();
});
afterAll(() => world.close());
const ask: OddWorld["ask"] = (...about) => world.ask(...about);

const usage = { input_tokens: 8, output_tokens: 2, total_tokens: 10 };
const response = (more: object): object => ({
  id: "resp_1",
  object: "response",
  status: "in_progress",
  model: "gpt-4.1-nano",
  output: [],
  usage: null,
  error: null,
  ...more,
});
const named = (type: string, more: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const begun =
  named("response.created", { sequence_number: 0, response: response({}) }) +
  named("response.output_text.delta", { sequence_number: 1, delta: "fine" });
const ended = (type: string, more: object): string =>
  named(`response.${type}`, { sequence_number: 2, response: response({ status: type, ...more }) });
const run = (bytes: string, isCut = false): ReturnType<OddWorld["ask"]> =>
  ask(
    isCut ? breaksAfter(bytes) : sends(bytes),
    { ...streamed, input: "Hi", store: false, messages: undefined, max_tokens: undefined },
    "/v1/responses",
  );
const exact = "settled complete vendor customer 8/2";

describe("a response that is streamed", () => {
  test.each<[string, string, string, string]>([
    [
      "ends with [DONE] too",
      begun + ended("completed", { usage }) + done,
      begun + ended("completed", { usage }),
      exact,
    ],
    [
      "has CRLF, comments and keep-alives",
      `: hi\n\n${begun}${event({ type: "keepalive", sequence_number: 9 })}${ended("completed", { usage })}`.replaceAll(
        "\n",
        "\r\n",
      ),
      `: hi\n\n${begun}${event({ type: "keepalive", sequence_number: 9 })}${ended("completed", { usage })}`.replaceAll(
        "\n",
        "\r\n",
      ),
      exact,
    ],
    [
      "was stopped by the filter",
      begun + ended("incomplete", { usage, incomplete_details: { reason: "content_filter" } }),
      begun + ended("incomplete", { usage, incomplete_details: { reason: "content_filter" } }),
      exact,
    ],
    [
      "failed after some text, with usage",
      begun + ended("failed", { usage, error: { code: "server_error", message: "oh" } }),
      begun + ended("failed", { usage, error: { code: "server_error", message: "oh" } }),
      "settled vendor_error vendor customer 8/2",
    ],
    [
      "completed, and says no usage",
      begun + ended("completed", {}),
      begun + ended("completed", {}),
      "settled complete estimated tokenizer exact_in_practice vendor_sends_none customer 8/1",
    ],
    [
      "failed after some text, flat and without usage",
      begun + named("error", { code: null, message: "oh", param: null, sequence_number: 2 }),
      begun + named("error", { code: null, message: "oh", param: null, sequence_number: 2 }),
      "settled vendor_error estimated tokenizer lower_bound vendor_error customer 8/1",
    ],
    [
      "ends in the middle",
      begun,
      begun + cut,
      "settled vendor_cut estimated tokenizer lower_bound vendor_cut customer 8/1",
    ],
  ])("%s", async (_what, sent, shown, want) => {
    const { text, verdict } = await run(sent);
    expect([text, verdict]).toEqual([shown, want]);
  });

  test("breaks off inside an event: no half of it is shown", async () => {
    const half = named("response.output_text.delta", { delta: "more" }).slice(0, -10);
    const { text, verdict } = await run(begun + half, true);
    expect([text, verdict]).toEqual([
      begun + cut,
      "settled vendor_cut estimated tokenizer lower_bound vendor_cut customer 8/1",
    ]);
  });
});

describe("a legacy completion that is streamed", () => {
  const piece = (text: string, more: object = {}): object => ({
    id: "cmpl-1",
    object: "text_completion",
    created: 1,
    model: "gpt-4.1-nano",
    choices: [{ text, index: 0, finish_reason: null, logprobs: null }],
    ...more,
  });
  const last = { id: "cmpl-1", object: "text_completion", model: "gpt-4.1-nano", choices: [] };
  const counts = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
  const stop = { choices: [{ text: "", index: 0, finish_reason: "stop", logprobs: null }] };
  const sent = events(
    piece("fine", { usage: null }),
    piece("", { ...stop, usage: null }),
    { ...last, usage: counts },
    "[DONE]",
  );
  const complete = (more: object = {}): ReturnType<OddWorld["ask"]> =>
    ask(sends(sent), { ...streamed, prompt: "Hi", messages: undefined, ...more }, "/v1/completions");

  test("hides the usage from a client that did not ask", async () => {
    const { text, verdict } = await complete();
    expect([text, verdict]).toEqual([
      events(piece("fine"), piece("", stop), "[DONE]"),
      "settled complete vendor customer 1/2",
    ]);
    expect(world.vendor.bodies.at(-1)).toMatchObject({
      stream_options: { include_usage: true },
      max_tokens: 50,
    });
  });

  test("shows every byte to one that did", async () => {
    const { text } = await complete({ stream_options: { include_usage: true } });
    expect(text).toBe(sent);
  });
});
