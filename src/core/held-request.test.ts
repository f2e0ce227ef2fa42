import { expect, test } from "vitest";
import { markupFromJson, markupToJson } from "./held-request.ts";
import { parseDecimal } from "./money.ts";

test.each(["1", "1.2", "0", "123456789012345678901234567890.5"])(
  "a markup of %s survives its row",
  (text) => {
    const markup = parseDecimal(text);
    expect(markupFromJson(JSON.parse(JSON.stringify(markupToJson(markup))))).toEqual(markup);
  },
);

test.each([
  ["nothing", undefined],
  ["null", null],
  ["text", "1.2"],
  ["an empty object", {}],
  ["no scale", { units: "12" }],
  ["a scale as text", { units: "12", scale: "1" }],
  ["no units", { scale: 1 }],
  ["units as a number", { units: 12, scale: 1 }],
  ["units below zero", { units: "-12", scale: 1 }],
  ["units in part", { units: "12x", scale: 1 }],
  ["units after something", { units: "x12", scale: 1 }],
  ["empty units", { units: "", scale: 1 }],
])("nobody guesses a markup from %s", (_what, value) => {
  expect(markupFromJson(value)).toBeNull();
});
