import { expect, test } from "vitest";
import { exactShare, formatHoursLeft, sumCertainty } from "./certainty.ts";

test("a share is 100% only when nothing was estimated, and 0% only when everything was", () => {
  expect(
    [
      [0, 0],
      [5, 0],
      [0, 5],
      [99_999, 1],
      [1, 99_999],
      [2, 1],
    ].map(([vendor = 0, estimated = 0]) => exactShare({ vendor, estimated })),
  ).toEqual([null, "100%", "0%", "99.9%", "0.1%", "66.7%"]);
});

test("sums say what they are made of", () => {
  expect([
    sumCertainty({ vendor: 3, estimated: 0 }),
    sumCertainty({ vendor: 3, estimated: 1 }),
    sumCertainty({ vendor: 0, estimated: 0 }),
  ]).toEqual(["all exact", "1 of 4 estimated", "nothing settled"]);
});

test("hours left are rounded to what one can act on", () => {
  expect([null, 0, 47, 48, 24_000].map(formatHoursLeft)).toEqual([
    "—",
    "under 1 h",
    "47 h",
    "2 d",
    "over 1,000 d",
  ]);
});
