import { expect, test } from "vitest";
import { fixtures, readFixture } from "../../test/support/replay.ts";
import { type SseEvent, SseFault, SseSplitter } from "./sse.ts";

const split = (...pieces: readonly Uint8Array[]): SseEvent[] => {
  const splitter = new SseSplitter(1_000);
  const events = pieces.flatMap((piece) => splitter.push(piece.slice()));
  const { event } = splitter.finish();
  return event === null ? events : [...events, event];
};
const shown = (events: readonly SseEvent[]): string[] =>
  events.map(({ bytes, data }) => `${JSON.stringify(Buffer.from(bytes).toString())} = ${data}`);

/** A stream, and its events: their bytes and their data. */
const streams: readonly (readonly [string, string, readonly string[]])[] = [
  ["LF", "data: a\n\ndata: b\n\n", ['"data: a\\n\\n" = a', '"data: b\\n\\n" = b']],
  ["CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", ['"data: a\\r\\n\\r\\n" = a', '"data: b\\r\\n\\r\\n" = b']],
  ["CR", "data: a\r\rdata: b\r\r", ['"data: a\\r\\r" = a', '"data: b\\r\\r" = b']],
  [
    "comments, names, no blank after the colon",
    ": hi\n\nevent: x\nid: 1\ndata:a\n\n",
    ['": hi\\n\\n" = null', '"event: x\\nid: 1\\ndata:a\\n\\n" = a'],
  ],
  ["several data lines", "data: a\ndata: b\ndata\n\n", ['"data: a\\ndata: b\\ndata\\n\\n" = a\nb\n']],
  ["a BOM", "\ufeffdata: a\n\n", ['"\ufeffdata: a\\n\\n" = a']],
  ["characters of four bytes", "data: 👋🏽\n\n", ['"data: 👋🏽\\n\\n" = 👋🏽']],
  [
    "a last event without its blank line",
    "data: 1\n\ndata: 2\n",
    ['"data: 1\\n\\n" = 1', '"data: 2\\n\\n" = 2'],
  ],
  ["a last CRLF event without its blank line", "data: 2\r\n", ['"data: 2\\r\\n\\n" = 2']],
  ["a last event without its line end", "data: [DONE]", ['"data: [DONE]\\n\\n" = [DONE]']],
  ["half an event", 'data: 1\n\ndata: {"a', ['"data: 1\\n\\n" = 1']],
];

test.each(streams)("%s: the same events however the network cuts them", (_name, text, want) => {
  const bytes = Buffer.from(text);
  expect(shown(split(bytes))).toEqual(want);
  expect(shown(split(...[...bytes].map((byte) => Uint8Array.of(byte))))).toEqual(want);
  for (let at = 1; at < bytes.length; at += 1)
    expect(shown(split(bytes.subarray(0, at), bytes.subarray(at)))).toEqual(want);
});

test("an event is given out with its last byte, not later", () => {
  for (const text of ["data: a\n\n", "data: a\r\n\r\n", "data: a\r\r"]) {
    const splitter = new SseSplitter(1_000);
    expect(shown(splitter.push(Buffer.from(text)))).toHaveLength(1);
  }
});

test("an event over the limit is a fault, however it comes", () => {
  expect(() => split(Buffer.alloc(1_001, "a"))).toThrow(SseFault);
  expect(() => split(...Array.from({ length: 1_001 }, () => Buffer.from("a")))).toThrow(
    "one event exceeds 1000 bytes",
  );
});

test.each(
  fixtures
    .filter(({ split: at }) => at !== undefined)
    .map((one) => [one.file, Object.values(one.split ?? {})] as const),
)("%s is read alike when it is cut within its characters", (file, offsets) => {
  const bytes = readFixture(file);
  const textOf = (events: readonly SseEvent[]): string =>
    events
      .flatMap(({ data }) => (data === null || data === "[DONE]" ? [] : [JSON.parse(data)]))
      .map((chunk) => chunk.choices[0]?.delta.content ?? "")
      .join("");
  expect(offsets.length).toBeGreaterThan(5);
  for (const at of offsets) {
    const events = split(bytes.subarray(0, at), bytes.subarray(at));
    expect(textOf(events)).toBe("Grüße, 日本 👋🏽 – fine");
    expect(Buffer.concat(events.map((event) => event.bytes)).equals(bytes)).toBe(true);
  }
});
