import fc from "fast-check";
import { expect, test } from "vitest";
import { axisFor, decadesFor, shareOf } from "./scale.ts";

test.each([
  ["0", "1", ["0"]],
  ["5", "5", ["0", "1", "2", "3", "4", "5"]],
  ["7", "8", ["0", "2", "4", "6", "8"]],
  ["0.02737", "0.03", ["0", "0.01", "0.02", "0.03"]],
  ["1234.5", "1500", ["0", "500", "1000", "1500"]],
])("the axis for %s ends at %s", (largest, top, ticks) => expect(axisFor(largest)).toEqual({ top, ticks }));

test("an axis holds its largest value in at most six steps of a round number", () =>
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 10n ** 24n }), fc.integer({ min: 0, max: 12 }), (units, scale) => {
      const digits = units.toString().padStart(scale + 1, "0");
      const largest = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
      const { top, ticks } = axisFor(largest);
      const share = shareOf(largest, top);
      expect([share > 0.49, share <= 1, ticks.length <= 6]).toEqual([true, true, true]);
      expect(ticks[1]).toMatch(/^0?\.?0*[125]0*$/);
    }),
  ));

test("shares are exact to a millionth", () => {
  expect([
    shareOf("1", "4"),
    shareOf("0.000000000001", "0.000000000002"),
    shareOf("3", "0"),
    shareOf("-1", "4"),
  ]).toEqual([0.25, 0.5, 0, -0.25]);
});

test("decades enclose their values", () => {
  expect([decadesFor([12, 340]), decadesFor([]), decadesFor([1, 1])]).toEqual([
    { from: 1, to: 3 },
    { from: 1, to: 2 },
    { from: 0, to: 1 },
  ]);
});
