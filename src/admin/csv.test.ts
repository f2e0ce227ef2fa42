import fc from "fast-check";
import Type from "typebox";
import { expect, test } from "vitest";
import { cell, columnsOf, csvHead, csvLine } from "./csv.ts";

test.each([
  ["plain", "plain"],
  ["", ""],
  ["-12.5", "-12.5"],
  ["0.0000125", "0.0000125"],
  ["+1", "'+1"],
  ["=1+1", "'=1+1"],
  ["-1+1", "'-1+1"],
  ["@SUM(A1)", "'@SUM(A1)"],
  ["\tx", "'\tx"],
  ["a,b", '"a,b"'],
  ['say "hi"', '"say ""hi"""'],
  ["two\nlines", '"two\nlines"'],
  ['=cmd|"x"', '"\'=cmd|""x"""'],
])("the cell of %j is %j", (text, written) => expect(cell(text)).toBe(written));

test("no cell begins a formula, and each reads back as it was", () =>
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."=+-@\t\r\n\",'a1.") })),
      (text) => {
        const written = cell(text);
        const read = written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written;
        expect(/^[=+\-@\t\r]/.test(read) && !/^-?\d+(\.\d+)?$/.test(read)).toBe(false);
        expect([text, `'${text}`]).toContain(read);
      },
    ),
  ));

test("columns follow the schema, nested ones joined, whatever a row leaves out", () => {
  const item = Type.Object({
    id: Type.String(),
    balance: Type.Object({ posted: Type.String(), held: Type.String() }),
    usage: Type.Union([Type.Object({ input: Type.Integer() }), Type.Null()]),
    tags: Type.Array(Type.String()),
    free: Type.Unknown(),
  });
  const columns = columnsOf(item);
  expect(csvHead(columns)).toBe("id,balance_posted,balance_held,usage_input,tags,free\r\n");
  expect(
    csvLine(columns, {
      id: "a",
      balance: { posted: "1", held: "-0.5" },
      usage: null,
      tags: ["x", "y"],
      free: { b: 1 },
    }),
  ).toBe('a,1,-0.5,,"[""x"",""y""]","{""b"":1}"\r\n');
});
