import fc from "fast-check";
import { expect, test } from "vitest";
import { probeOptions, probePorts, probeTarget } from "../../test/support/probe.ts";
import { type Asked, chunksOf, idealVendor, type Scripted } from "../../test/support/probe-vendor.ts";
import { code, plain, table } from "./markdown.ts";
import { runProbe } from "./probe.ts";
import { renderReport } from "./render.ts";
import { ProbeFailure } from "./types.ts";

const target = probeTarget({ kind: "openai", baseUrl: "http://127.0.0.1:1/v1", model: "gpt-4o-mini" });

/** Field names that are read, so that odd values land where they can do harm. */
const names = fc.constantFrom(
  "choices",
  "usage",
  "delta",
  "message",
  "content",
  "index",
  "error",
  "id",
  "model",
  "created",
  "logprobs",
  "finish_reason",
  "prompt_tokens",
  "completion_tokens",
  "total_tokens",
  "completion_tokens_details",
  "reasoning_tokens",
  "service_tier",
  "x_groq",
  "obfuscation",
);
const odd = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(null, true, "", "[DONE]", "\u0007|`x`", -1, 0, 1.5, 1e300, 7),
    tie("list"),
    tie("thing"),
  ),
  list: fc.array(tie("value"), { maxLength: 3 }),
  thing: fc.dictionary(names, tie("value"), { maxKeys: 4, noNullPrototype: true }),
}));

test(
  "whatever a vendor answers, the report is whole or the failure is one line",
  () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            at: fc.nat(30),
            place: fc.nat(12),
            value: odd.value,
            as: fc.constantFrom("frame", "body", "field", "text"),
          }),
          { maxLength: 12 },
        ),
        async (changes) => {
          const change = (answer: Scripted, asked: Asked): void => {
            for (const { at, place, value, as } of changes) {
              if (asked.call % 31 !== at && at > 2) continue;
              if (as === "text")
                Object.assign(
                  answer,
                  answer.frames === null ? { body: String(value) } : { frames: [`data: ${String(value)}`] },
                );
              else if (answer.frames !== null) {
                const holder = chunksOf(answer)[place];
                if (as === "field" && holder !== undefined)
                  Object.assign(holder, typeof value === "object" ? value : {});
                else answer.frames.splice(place, 1, `data: ${JSON.stringify(value)}`);
              } else
                Object.assign(answer, {
                  body:
                    as === "field" && typeof answer.body === "object"
                      ? { ...answer.body, ...(value as object) }
                      : value,
                });
            }
          };
          try {
            const report = await runProbe(probePorts(idealVendor(change)), target, probeOptions());
            const text = renderReport(JSON.parse(JSON.stringify(report)));
            expect(text).toContain("## 9. Recommendations by priority");
            // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may get through to a terminal.
            expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
          } catch (error) {
            if (!(error instanceof ProbeFailure)) throw error;
            expect(error.message).toMatch(/^Cannot probe .*\.$/);
          }
        },
      ),
      { numRuns: 100 },
    ),
  120_000,
);

test("a vendor's text cannot leave its place in the Markdown", () => {
  expect(code("a `b` ``c``")).toBe("``` a `b` ``c`` ```");
  expect(code("plain")).toBe("`plain`");
  expect(plain("<img src=x>\u001b[31m\nnext")).toBe("img src=x [31m next");
  expect(table(["a", "n"], [["x | y\nz", "1"]], [1])).toBe(
    "| a        |   n |\n| -------- | --: |\n| x \\| y z |   1 |",
  );
});
