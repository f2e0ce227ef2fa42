/** Streams that no recorded vendor sends but a server may: what the client sees of them, and what is charged. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  breaksAfter,
  cut,
  done,
  event,
  events,
  exact,
  finished,
  guessed,
  type OddWorld,
  plain,
  rejected,
  said,
  sends,
  shownStart,
  start,
  startOddWorld,
  streamed,
  type Talk,
  usageChunk,
  usageOfTwo,
  withNulls,
} from "../support/odd-vendor.ts";

let world: OddWorld;
beforeAll(async () => {
  world = await startOddWorld();
});
afterAll(() => world.close());
const ask: OddWorld["ask"] = (...about) => world.ask(...about);

const usageText = (json: string): string =>
  `${start}data: {"id":"c1","model":"gpt-4.1-nano","choices":[],"usage":${json}}\n\n${done}`;

/** What the vendor sends, what a client that did not ask for usage sees, and what is recorded. */
const streams: readonly (readonly [string, string, string, string])[] = [
  [
    "CRLF and comments",
    `: hi\r\n\r\n${plain.replaceAll("\n", "\r\n")}`,
    `: hi\r\n\r\n${(shownStart + done).replaceAll("\n", "\r\n")}`,
    exact,
  ],
  ["CR alone", plain.replaceAll("\n", "\r"), (shownStart + done).replaceAll("\n", "\r"), exact],
  ["a BOM", `\ufeff${plain}`, `\ufeff${shownStart}${done}`, exact],
  [
    "ids, retries and names of events",
    `id: 7\nretry: 9\nevent: message\n${plain}`,
    `id: 7\nretry: 9\nevent: message\n${shownStart}${done}`,
    exact,
  ],
  [
    "an event on two data lines",
    `data: {"model":"gpt-4.1-nano",\ndata: "choices":[{"index":0,"delta":{"content":"fine"},"finish_reason":"stop"}],"usage":null}\n\n${event(usageChunk())}${done}`,
    `data: {"model":"gpt-4.1-nano",\ndata: "choices":[{"index":0,"delta":{"content":"fine"},"finish_reason":"stop"}]}\n\n${done}`,
    exact,
  ],
  [
    "usage where choices are null",
    start + event(usageChunk(usageOfTwo, { choices: null })) + done,
    shownStart + done,
    exact,
  ],
  ["usage without choices", start + event(usageChunk(usageOfTwo, {})) + done, shownStart + done, exact],
  [
    "usage on the finish chunk, and a null after it",
    events(said("fine"), finished("stop", 0, { usage: usageOfTwo }), usageChunk(null), "[DONE]"),
    events(said("fine"), finished("stop", 0, { usage: usageOfTwo })) +
      '{"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-4.1-nano","choices":[]}'.replace(
        /^/,
        "data: ",
      ) +
      `\n\n${done}`,
    exact,
  ],
  [
    "usage, and then an empty one",
    start + events(usageChunk(), usageChunk({}), "[DONE]"),
    shownStart + done,
    exact,
  ],
  [
    "fields nobody knows and nested nulls in the usage",
    start +
      event(
        usageChunk({
          ...usageOfTwo,
          prompt_tokens_details: null,
          completion_tokens_details: { reasoning_tokens: null, x: null },
          cost: 0.1,
          more: { of: [1] },
        }),
      ) +
      done,
    shownStart + done,
    exact,
  ],
  [
    "counts written as 2.0",
    usageText('{"prompt_tokens":8.0,"completion_tokens":2.0,"total_tokens":10.0}'),
    shownStart + done,
    exact,
  ],
  [
    "no output count beside its total",
    usageText('{"prompt_tokens":8,"total_tokens":10}'),
    shownStart + done,
    exact,
  ],
  [
    "an output count of null",
    usageText('{"prompt_tokens":8,"completion_tokens":null,"total_tokens":10}'),
    shownStart + done,
    exact,
  ],
  [
    "a count beyond all numbers",
    usageText('{"prompt_tokens":8,"completion_tokens":99999999999999999999,"total_tokens":10}'),
    shownStart + done,
    rejected,
  ],
  [
    "counts as texts",
    usageText('{"prompt_tokens":"8","completion_tokens":"2"}'),
    shownStart + done,
    rejected,
  ],
  ["a total alone", usageText('{"total_tokens":10}'), shownStart + done, rejected],
  ["an empty usage", usageText("{}"), shownStart + done, guessed],
  [
    "[DONE] with blanks around it",
    `${start + event(usageChunk())}data:   [DONE]  \n\n`,
    `${shownStart}data:   [DONE]  \n\n`,
    exact,
  ],
  [
    "[DONE] without a blank before it, and no usage",
    `${start}data:[DONE]\n\n`,
    `${shownStart}data:[DONE]\n\n`,
    guessed,
  ],
  ["[DONE] without its blank line", `${start + event(usageChunk())}data: [DONE]`, shownStart + done, exact],
  [
    "[DONE] with a blank and no line end",
    `${start + event(usageChunk())}data: [DONE] `,
    `${shownStart}data: [DONE] \n\n`,
    exact,
  ],
  [
    "data that is no object",
    events(
      withNulls(said("fine")),
      "null",
      "1",
      "[]",
      "not json",
      withNulls(finished()),
      usageChunk(),
      "[DONE]",
    ),
    events(said("fine"), "null", "1", "[]", "not json", finished(), "[DONE]"),
    exact,
  ],
  [
    "an error of null beside the choices",
    events({ ...said("fine"), error: null }, finished(), usageChunk(), "[DONE]"),
    events({ ...said("fine"), error: null }, finished(), "[DONE]"),
    exact,
  ],
  [
    "text that looks like usage",
    events({ usage: null, ...said('say "usage":null, ok') }, finished(), usageChunk(), "[DONE]"),
    events(said('say "usage":null, ok'), finished(), "[DONE]"),
    exact,
  ],
  [
    "an end after a finish, without usage and [DONE]",
    start,
    shownStart + cut,
    "settled vendor_cut estimated tokenizer lower_bound vendor_cut customer 8/1",
  ],
  [
    "an end after usage, without a finish",
    events(said("fine"), usageChunk()),
    event(said("fine")) + cut,
    "settled vendor_cut vendor customer 8/2",
  ],
  [
    "one of two choices filtered, the other not finished",
    events(said("fine"), said("good", 1), finished("content_filter")),
    events(said("fine"), said("good", 1), finished("content_filter")) + cut,
    "settled vendor_cut estimated tokenizer lower_bound vendor_cut customer 8/2",
  ],
];

describe("a stream with", () => {
  test.each(streams)("%s", async (_what, sent, shown, want) => {
    const more = sent.includes('"index":1') ? { ...streamed, n: 2 } : streamed;
    const { text, verdict, answer } = await ask(sends(sent), more);
    expect([answer.status, text, verdict]).toEqual([200, shown, want]);
  });

  test("a piece that ends inside a character", async () => {
    const bytes = Buffer.from(events(said("日本👋"), finished(), usageChunk(), "[DONE]"));
    const at = bytes.indexOf("👋") + 2;
    const { text, verdict } = await ask((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(bytes.subarray(0, at));
      setTimeout(() => response.end(bytes.subarray(at)), 30);
    }, streamed);
    expect([text, verdict]).toEqual([events(said("日本👋"), finished(), "[DONE]"), exact]);
  });

  test("trailers after its body", async () => {
    const { text, verdict } = await ask((response) => {
      response.writeHead(200, { "content-type": "text/event-stream", trailer: "x-late" });
      response.write(plain);
      response.addTrailers({ "x-late": "1" });
      response.end();
    }, streamed);
    expect([text, verdict]).toEqual([shownStart + done, exact]);
  });

  test("one of two choices finished when the connection breaks", async () => {
    const { text, verdict } = await ask(breaksAfter(events(said("fine"), said("good", 1), finished())), {
      ...streamed,
      n: 2,
    });
    expect([text, verdict]).toEqual([
      events(said("fine"), said("good", 1), finished()) + cut,
      "settled vendor_cut estimated tokenizer lower_bound vendor_cut customer 8/2",
    ]);
  });

  test("everything said, and a connection that stays open", async () => {
    const open =
      (body: string): Talk =>
      (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(body);
      };
    const ended = await ask(open(plain), streamed);
    expect([ended.text, ended.verdict]).toEqual([shownStart + done, exact]);
    // Without [DONE] it is waited for, and the usage that came is exact all the same.
    const waiting = await ask(open(start + event(usageChunk())), streamed);
    expect([waiting.text, waiting.verdict]).toEqual([
      shownStart + cut,
      "settled vendor_cut vendor customer 8/2",
    ]);
  });

  test("running totals of the whole request on chunks of two choices: they are not added up", async () => {
    const total = (output: number): object => ({
      model: "gemini-2.5-flash",
      usage: { prompt_tokens: 8, completion_tokens: output, total_tokens: 8 + output },
    });
    const sent = [
      { ...said("a"), ...total(1) },
      { ...said("b", 1), ...total(2) },
      { ...said("c"), ...total(3) },
    ];
    const { verdict } = await ask(breaksAfter(events(...sent)), { ...streamed, n: 2 });
    expect(verdict).toBe("settled vendor_cut vendor customer 8/3");
  });

  test("tool calls alone, and no usage", async () => {
    const call = (fragment: object): object => ({
      id: "c1",
      model: "gpt-4.1-nano",
      choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...fragment }] }, finish_reason: null }],
    });
    const sent = [
      call({ id: "call_1", type: "function", function: { name: "open", arguments: "" } }),
      call({ function: { arguments: '{"a":' } }),
      call({ function: { arguments: "1}" } }),
      finished("tool_calls"),
      "[DONE]",
    ];
    const { text, verdict } = await ask(sends(events(...sent)), streamed);
    expect(text).toBe(events(...sent));
    // open {"a":1} are six tokens; how a vendor frames calls is not known, so it is a lower bound.
    expect(verdict).toBe("settled complete estimated tokenizer lower_bound vendor_sends_none customer 8/6");
  });
});

describe("Azure's chunks", () => {
  const first = (more: object): object => ({
    choices: [],
    created: 0,
    id: "",
    model: "",
    object: "",
    ...more,
  });
  test("a first one of a preview, with usage that is null unasked, is passed on without it", async () => {
    const note = { prompt_annotations: [{ prompt_index: 0 }] };
    const { text, verdict } = await ask(sends(event(first({ ...note, usage: null })) + plain), {
      ...streamed,
      model: "azure",
    });
    expect([text, verdict]).toEqual([event(first(note)) + shownStart + done, exact]);
  });
  test("an asynchronous filter that blocks what was shown: whole, a lower bound", async () => {
    const block = {
      ...first({}),
      choices: [
        {
          index: 0,
          finish_reason: "content_filter",
          content_filter_offsets: { check_offset: 1 },
          content_filter_results: { hate: { filtered: true } },
        },
      ],
    };
    const sent = events(first({ prompt_filter_results: [] }), said("fine"), block, "[DONE]");
    const { text, verdict } = await ask(sends(sent), { ...streamed, model: "azure" });
    expect([text, verdict]).toEqual([
      sent,
      "settled complete estimated tokenizer lower_bound vendor_sends_none customer 8/1",
    ]);
  });
});
