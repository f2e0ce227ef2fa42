import fc from "fast-check";
import { expect, test } from "vitest";
import { expandVariables, shieldExpressions, unshield } from "./variables.ts";

const text = fc
  .array(
    fc.oneof(
      fc.constantFrom("$", "{", "}", "${A}", "${A:-b, c}", "$${", ":-", "\n", "\r\n", " ", "é", "😀"),
      fc.string(),
    ),
  )
  .map((parts) => parts.join("").replace(/[\u{e000}-\u{e07f}]/gu, ""));

test("shielding moves nothing and loses nothing", () =>
  fc.assert(
    fc.property(text, (written) => {
      const shielded = shieldExpressions(written);
      expect(shielded).toHaveLength(written.length);
      expect(shielded.split("\n").map((line) => line.length)).toEqual(
        written.split("\n").map((line) => line.length),
      );
      expect(unshield(shielded)).toBe(written);
    }),
  ));

test("text without expressions stays as it is, whatever the environment holds", () =>
  fc.assert(
    fc.property(fc.string(), fc.dictionary(fc.string(), fc.string()), (written, environment) => {
      fc.pre(!written.includes("${"));
      expect(expandVariables(written, environment)).toEqual({ text: written, names: [], problems: [] });
    }),
  ));

test("the content of a variable is never expanded again", () =>
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (content) => {
      expect(expandVariables("<${A}${B:-x}>", { A: content, B: "${A}" }).text).toBe(`<${content}\${A}>`);
    }),
  ));
