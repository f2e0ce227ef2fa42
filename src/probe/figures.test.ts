import fc from "fast-check";
import { expect, test } from "vitest";
import { parseUsd } from "../core/money.ts";
import { medianOf, percentOf, showError, showUsd } from "./figures.ts";

test.each([
  [10, 36, 28],
  [52, 78, 67],
  [43, 78, 55],
  [1, 36, 3],
  [-2, 10, -20],
  [1, 200, 1],
  [1, 201, 0],
  [-1, 201, 0],
  [0, 5, 0],
  [3, 0, null],
])("%i of %i is %s %%", (part, base, percent) => {
  expect(percentOf(part, base)).toBe(percent);
});

test("a percentage is within half a point of the share", () =>
  fc.assert(
    fc.property(fc.bigInt(-(10n ** 12n), 10n ** 12n), fc.bigInt(1n, 10n ** 12n), (part, base) => {
      const off = 2n * (BigInt(Number(percentOf(part, base))) * base - 100n * part);
      expect(off <= base && off >= -base).toBe(true);
    }),
  ));

test("an error names its base", () => {
  expect(
    [
      [26, 36],
      [26, 78],
      [29, 28],
      [35, 35],
      [999, 1_000],
      [5, 0],
    ].map(([estimate = 0, billed = 0]) => showError(estimate, billed)),
  ).toEqual([
    "28 % under (base: the vendor's 36)",
    "67 % under (base: the vendor's 78)",
    "4 % over (base: the vendor's 28)",
    "exact (35)",
    "under 1 % under (base: the vendor's 1000)",
    "5 where the vendor has 0",
  ]);
});

test("dollars are shown exactly", () => {
  expect(["0.00010625", "85", "1.5", "0"].map((text) => showUsd(parseUsd(text)))).toEqual([
    "$0.00010625",
    "$85.00",
    "$1.50",
    "$0.00",
  ]);
});

test("the median is a number that was measured", () => {
  expect([medianOf([]), medianOf([3]), medianOf([9, 1, 5]), medianOf([4, 1, 3, 2])]).toEqual([null, 3, 5, 2]);
});
