/**
 * Random and mutated bytes for everything that reads what others wrote: the splitter of event streams, the gate for
 * bodies, the meter, the configuration. `TOLLGATE_FUZZ_CASES` is the number of cases of each, `TOLLGATE_FUZZ_SEED` the seed.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { ConfigError } from "../../src/config/config.ts";
import { readDocument } from "../../src/config/read.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { type ConfigDocument, configSchema } from "../../src/config/schema.ts";
import { parseSource } from "../../src/config/source.ts";
import { usageFault } from "../../src/core/usage.ts";
import { readVendorError, repeatsAny } from "../../src/core/vendor-errors.ts";
import { AnswerMeter } from "../../src/protocol/answer-meter.ts";
import { withoutMember } from "../../src/protocol/json-edit.ts";
import { readJsonObject } from "../../src/protocol/json-gate.ts";
import { billingNames, operations, readRequest } from "../../src/protocol/request.ts";
import { SseFault, SseSplitter } from "../../src/protocol/sse.ts";
import { fixtures, readFixture } from "../support/replay.ts";
import { readStrictly } from "./support/strict-json.ts";

const cases = Number(process.env.TOLLGATE_FUZZ_CASES ?? 10_000);
const settings = { numRuns: cases, seed: Number(process.env.TOLLGATE_FUZZ_SEED ?? 20_261_121) };
const longMs = 3_600_000;
const stallMs = 50;

/** Runs `work`; it must not take longer than a stall may. A pause of the machine is not its fault: it gets more tries. */
function timed<Result>(work: () => Result): Result {
  for (let tries = 0; ; tries += 1) {
    const started = performance.now();
    const result = work();
    const took = performance.now() - started;
    if (took < stallMs) return result;
    if (tries === 4) throw new Error(`It took ${took} ms`);
  }
}

const encoder = new TextEncoder();

/** Bytes of a text with some of them changed, put in or taken out. */
const mutated = (texts: fc.Arbitrary<string>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(texts, fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.nat(2)), { maxLength: 6 }))
    .map(([text, edits]) => {
      const bytes = [...encoder.encode(text)];
      for (const [place, byte, kind] of edits) {
        const at = bytes.length === 0 ? 0 : place % bytes.length;
        bytes.splice(at, kind === 1 ? 0 : 1, ...(kind === 2 ? [] : [byte]));
      }
      return Uint8Array.from(bytes);
    });

const sseFragment = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      "data: ",
      "data:",
      "data",
      "event: x",
      "id: 1",
      "retry: 0",
      ": note",
      "\n",
      "\r",
      "\r\n",
      "\n\n",
      "\r\n\r\n",
      "[DONE]",
      "\ufeff",
      " ",
      "é𝕏",
    ),
  },
  { weight: 2, arbitrary: fc.json({ maxDepth: 2 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
);
const sseText = fc.array(sseFragment, { maxLength: 30 }).map((parts) => parts.join(""));

/** What the events of a stream say, by the standard's rules, from its whole text. */
function readSlowly(text: string): string[] {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/);
  lines.pop(); // what has no line end yet
  const found: string[] = [];
  let data: string[] = [];
  for (const line of lines) {
    if (line === "") {
      if (data.length > 0) found.push(data.join("\n"));
      data = [];
    } else if (line === "data" || line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
  }
  return found;
}

test(
  "row 61: the splitter loses no byte and reads the same however the network cut it",
  () => {
    fc.assert(
      fc.property(
        mutated(sseText),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
        (bytes, sizes) => {
          const run = (
            pieces: readonly Uint8Array[],
          ): { data: string[]; seen: number; parts: Uint8Array[] } => {
            const splitter = new SseSplitter(1_000_000);
            const events = pieces.flatMap((piece) => timed(() => splitter.push(piece)));
            const data = events.flatMap((event) => (event.data === null ? [] : [event.data]));
            return {
              data,
              seen: events.reduce((sum, event) => sum + event.bytes.length, 0),
              parts: events.map((event) => event.bytes.slice()),
            };
          };
          const pieces: Uint8Array[] = [];
          for (let at = 0, index = 0; at < bytes.length; index += 1) {
            const size = sizes[index % sizes.length] ?? 1;
            pieces.push(bytes.slice(at, at + size));
            at += size;
          }
          const whole = run([bytes]);
          const cut = run(pieces);
          expect(cut.data).toEqual(whole.data);
          expect(Buffer.concat(cut.parts)).toEqual(Buffer.from(bytes.subarray(0, cut.seen)));
          const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, whole.seen));
          expect(whole.data).toEqual(readSlowly(`${text}`));
          new SseSplitter(1_000_000).finish();
        },
      ),
      settings,
    );
  },
  longMs,
);

test(
  "row 61: an event over the limit is a fault, and nothing else is ever thrown",
  () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 1, max: 60 }), (bytes, limit) => {
        const splitter = new SseSplitter(limit);
        try {
          for (const byte of bytes) splitter.push(Uint8Array.of(byte));
          splitter.finish();
        } catch (error) {
          expect(error).toBeInstanceOf(SseFault);
        }
      }),
      settings,
    );
  },
  longMs,
);

const name = fc.oneof(
  fc.constantFrom(...billingNames),
  fc.constantFrom(
    "Model",
    "mod\u0065l",
    "MAX_TOKENS",
    "ſtream",
    "__proto__",
    "constructor",
    "toString",
    "type",
    "Type",
    "",
    "a",
    "b",
  ),
  fc.string({ maxLength: 6 }),
);
const odd = fc.constantFrom(
  "1e400",
  "-0",
  "1.0",
  "0.1",
  "9007199254740993",
  "1E+2",
  "true",
  "null",
  '""',
  '"\\ud800"',
  '"\\u0000"',
  "[]",
  "{}",
  '[{"type":"image_url"}]',
  '{"include_usage":true}',
);
const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    odd,
    fc.json({ maxDepth: 1 }),
    fc.array(tie("value"), { maxLength: 3 }).map((parts) => `[${parts.join(",")}]`),
    tie("object"),
  ),
  object: fc
    .array(fc.tuple(name, tie("value")), { maxLength: 5 })
    .map((members) => `{${members.map(([key, value]) => `${JSON.stringify(key)}: ${value}`).join(",")}}`),
})).object;
const reasons = new Set(["duplicate_key", "ambiguous_key", "invalid_number", "invalid_json"]);

test(
  "row 61: the gate lets through what every strict reader reads, in the one way they read it, and nothing else",
  () => {
    const seen = { ok: 0, refused: 0 };
    fc.assert(
      fc.property(mutated(jsonText), (bytes) => {
        const gate = timed(() => readJsonObject(bytes, billingNames, { maxDepth: 10, maxKeys: 1_000 }));
        const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
        const strict = readStrictly(text);
        if (gate.ok) {
          seen.ok += 1;
          expect(strict).toMatchObject({ isValid: true, hasTwice: false });
          expect(strict.depth).toBeLessThanOrEqual(10);
          expect(gate.value).toEqual(JSON.parse(text));
          expect(Object.getPrototypeOf(gate.value)).toBe(Object.prototype);
          // Written again, it is read the same by everybody.
          expect(JSON.stringify(JSON.parse(JSON.stringify(gate.value)))).toBe(
            JSON.stringify(JSON.parse(text)),
          );
          for (const operation of Object.keys(operations) as (keyof typeof operations)[]) {
            const read = timed(() =>
              readRequest(operation, {
                body: gate.value,
                numbers: gate.numbers,
                bytes: bytes.length,
                model: null,
              }),
            );
            if (read.ok)
              expect(Number.isSafeInteger(read.facts.choices) && read.facts.choices >= 1).toBe(true);
          }
          return;
        }
        seen.refused += 1;
        expect(reasons).toContain(gate.fault.code);
        if (strict.isValid && strict.hasTwice) expect(gate.fault.code).not.toBe("ok");
      }),
      settings,
    );
    // The cases are worth something only when both happen often.
    expect(Math.min(seen.ok, seen.refused)).toBeGreaterThan(cases / 20);
  },
  longMs,
);

test(
  "row 61: a member is taken out of a text and nothing else is",
  () => {
    const plain = fc.dictionary(
      fc.constantFrom("usage", "a", "b", "choices", 'us"age', "{"),
      fc.jsonValue({ maxDepth: 2 }),
      { maxKeys: 5 },
    );
    fc.assert(
      fc.property(
        plain,
        fc.constantFrom(undefined, 1, "\t"),
        fc.constantFrom("", "data: "),
        (object, indent, before) => {
          const text = before + JSON.stringify(object, null, indent);
          const without = timed(() => withoutMember(text, "usage"));
          const { usage: _usage, ...rest } = object;
          if (without === null) expect(Object.hasOwn(object, "usage")).toBe(false);
          else expect(JSON.parse(without.slice(before.length))).toEqual(JSON.parse(JSON.stringify(rest)));
        },
      ),
      settings,
    );
    fc.assert(
      fc.property(mutated(jsonText), (bytes) => {
        timed(() => withoutMember(new TextDecoder().decode(bytes), "usage"));
      }),
      settings,
    );
  },
  longMs,
);

const count = fc.oneof(
  fc.nat(1_000_000),
  fc.constantFrom(-1, 1.5, 1e18, "10", null, true, {}, [], Number.MAX_SAFE_INTEGER),
);
const details = fc.record(
  { cached_tokens: count, reasoning_tokens: count, audio_tokens: count, cache_write_tokens: count },
  { requiredKeys: [] },
);
const usageObject = fc.oneof(
  fc.record(
    {
      prompt_tokens: count,
      completion_tokens: count,
      total_tokens: count,
      prompt_tokens_details: details,
      completion_tokens_details: details,
      input_tokens: count,
      output_tokens: count,
      cached_tokens: count,
    },
    { requiredKeys: [] },
  ),
  fc.anything({ maxDepth: 1 }),
);
const answer = fc.record(
  {
    model: fc.oneof(fc.constantFrom("gpt-5", "gemini-3"), fc.anything({ maxDepth: 1 })),
    type: fc.constantFrom(
      "response.completed",
      "response.output_text.delta",
      "error",
      "response.failed",
      "x",
    ),
    usage: usageObject,
    response: fc.record(
      {
        usage: usageObject,
        status: fc.constantFrom("completed", "failed", 5),
        output: fc.anything({ maxDepth: 2 }),
      },
      { requiredKeys: [] },
    ),
    choices: fc.array(
      fc.record(
        {
          index: count,
          delta: fc.anything({ maxDepth: 2 }),
          message: fc.anything({ maxDepth: 2 }),
          finish_reason: fc.anything({ maxDepth: 1 }),
          usage: usageObject,
          text: fc.anything({ maxDepth: 1 }),
        },
        { requiredKeys: [] },
      ),
      { maxLength: 3 },
    ),
    error: fc.anything({ maxDepth: 2 }),
    service_tier: fc.anything({ maxDepth: 1 }),
    tool_usage: fc.anything({ maxDepth: 3 }),
    delta: fc.anything({ maxDepth: 1 }),
    item: fc.anything({ maxDepth: 2 }),
  },
  { requiredKeys: [] },
);

test(
  "row 61: the meter reads anything, and what it calls usage are token counts",
  () => {
    fc.assert(
      fc.property(fc.array(answer, { maxLength: 6 }), (events) => {
        const meter = new AnswerMeter();
        for (const one of events) timed(() => meter.event(JSON.stringify(one) ?? "x"));
        const usage = timed(() => meter.usage());
        // What cannot be true is taken out before anything is charged.
        if (usage !== null && usageFault(usage, { contextWindow: null, maxOutputTokens: null }) === null) {
          for (const tokens of Object.values(usage))
            expect(Number.isSafeInteger(tokens) && tokens >= 0).toBe(true);
        }
        for (const uses of Object.values(meter.fees))
          expect(Number.isSafeInteger(uses) && uses >= 0).toBe(true);
        timed(() => meter.output());
      }),
      settings,
    );
  },
  longMs,
);

const recorded = fixtures
  .filter((one) => one.file.endsWith(".sse") || one.file.endsWith(".json"))
  .map((one) => readFixture(one.file).toString("latin1").slice(0, 3_000));

test(
  "row 61: recorded answers with changed bytes are split, metered and explained without a crash",
  () => {
    const latin1 = (text: string): string => Buffer.from(text, "latin1").toString("utf8");
    fc.assert(
      fc.property(mutated(fc.constantFrom(...recorded).map(latin1)), (bytes) => {
        const splitter = new SseSplitter(1_000_000);
        const meter = new AnswerMeter();
        for (const event of timed(() => splitter.push(bytes)))
          if (event.data !== null) meter.event(event.data);
        const { event } = splitter.finish();
        if (event?.data !== undefined && event.data !== null) meter.event(event.data);
        meter.usage();
        const text = new TextDecoder().decode(bytes);
        const error = timed(() => readVendorError(400, text));
        expect(typeof error.message).toBe("string");
        timed(() => repeatsAny(error.message, [text]));
      }),
      settings,
    );
  },
  longMs,
);

const configText = `
server: { host: 127.0.0.1, port: 8402 }
store: ./data
credits: { usd: "0.01", name: credit }
markup: "1.20"
endpoints:
  a: { kind: azure, base_url: "https://x.openai.azure.com", api_key: \${KEY}, api_version: 2024-12-01-preview, headers: { x: y } }
  b: { kind: openai, base_url: "http://127.0.0.1:1/v1", api_key: none }
models:
  m: { markup: "1.25", deployments: [{ endpoint: a, deployment: d, model: gpt-5-mini, weight: 1 }, { endpoint: b, deployment: e }] }
prices:
  - { model: m, from: 2026-01-01T00:00:00Z, input: "0.25", output: "2.00", context_window: 400000 }
limits: { body_bytes: 10485760 }
`;
const configPieces = fc.constantFrom(
  "&a ",
  "*a",
  "<<: *a",
  "${KEY}",
  "${X:-y}",
  "${",
  "- ",
  "  ",
  "\t",
  "?",
  ": ",
  "{",
  "}",
  "[",
  "]",
  "|",
  ">",
  "!!js/function x",
  "!!binary x",
  "\u0000",
  "\ue000",
  "'",
  '"',
  "#",
  "---\n",
  "...\n",
  "~",
  "1e999",
  "__proto__: x\n",
  "0o17",
);

function readConfigText(text: string): "right" | "problems" {
  const { root, problems } = parseSource(text, "tollgate.yaml", { KEY: "secret" });
  const reading = readDocument(configSchema, root);
  if (problems.length + reading.problems.length > 0) return "problems";
  try {
    const about = {
      cwd: "/",
      file: "tollgate.yaml",
      isConfigured: true,
      origins: reading.origins,
      place: reading.place,
    };
    return resolveConfig(reading.value as ConfigDocument, about).problems.length > 0 ? "problems" : "right";
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return "problems";
  }
}

test(
  "row 61: any text as a configuration is read or refused with reasons",
  () => {
    expect(readConfigText(configText)).toBe("right");
    const edited = fc
      .array(fc.tuple(fc.nat(configText.length), configPieces), { maxLength: 3 })
      .map((edits) =>
        edits.reduce((text, [at, piece]) => text.slice(0, at) + piece + text.slice(at), configText),
      );
    fc.assert(
      fc.property(
        fc.oneof(
          edited,
          mutated(fc.constant(configText)).map((bytes) => new TextDecoder().decode(bytes)),
        ),
        (text) => {
          timed(() => readConfigText(text));
        },
      ),
      settings,
    );
    const laughs = [
      "a: &a [x,x,x,x,x,x,x,x,x]",
      ..."bcdefghi"
        .split("")
        .map(
          (key, index) =>
            `${key}: &${key} [${Array.from({ length: 9 }, () => `*${"abcdefghi"[index]}`).join(",")}]`,
        ),
    ].join("\n");
    const started = performance.now();
    expect(readConfigText(laughs)).toBe("problems");
    expect(performance.now() - started).toBeLessThan(10_000);
  },
  longMs,
);
