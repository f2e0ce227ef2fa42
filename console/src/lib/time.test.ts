import { expect, test } from "vitest";
import { dateStart, dateText, formatDuration, midnight, monthStart, shortCount } from "./time.ts";

const iso = (ms: number | null): string => (ms === null ? "none" : new Date(ms).toISOString());

test.each([
  ["UTC", "2026-03-29T12:00:00Z", "2026-03-29T00:00:00.000Z"],
  ["Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00.000Z"],
  ["Europe/Berlin", "2026-03-30T12:00:00Z", "2026-03-29T22:00:00.000Z"],
  ["Asia/Kolkata", "2026-03-29T20:00:00Z", "2026-03-29T18:30:00.000Z"],
  ["Pacific/Auckland", "2026-04-05T20:00:00Z", "2026-04-05T12:00:00.000Z"],
  // The clocks of this zone skip midnight on this day.
  ["America/Santiago", "2026-09-06T12:00:00Z", "2026-09-06T04:00:00.000Z"],
])("midnight in %s before %s is %s", (zone, at, expected) =>
  expect(iso(midnight(Date.parse(at), zone))).toBe(expected),
);

test("days and months are counted on the zone's calendar, over changes of its clocks", () => {
  const at = Date.parse("2026-04-01T12:00:00Z");
  expect(iso(midnight(at, "Europe/Berlin", -7))).toBe("2026-03-24T23:00:00.000Z");
  expect(iso(monthStart(at, "Europe/Berlin", -1))).toBe("2026-02-28T23:00:00.000Z");
  expect(iso(monthStart(at, "Europe/Berlin", 1))).toBe("2026-04-30T22:00:00.000Z");
});

test("a date field speaks the zone's dates", () => {
  const start = dateStart("2026-11-20", "Asia/Kolkata");
  expect(iso(start)).toBe("2026-11-19T18:30:00.000Z");
  expect(dateText(start ?? 0, "Asia/Kolkata")).toBe("2026-11-20");
  expect(dateStart("soon", "UTC")).toBeNull();
});

test("durations and counts are short", () => {
  expect([0.4, 950, 1_500, 59_000, 90_000, 5_400_000, 100_000_000].map(formatDuration)).toEqual([
    "0 ms",
    "950 ms",
    "1.50 s",
    "59.0 s",
    "1 min 30 s",
    "1 h 30 min",
    "1 d 4 h",
  ]);
  expect([0, 9_999, 12_345, 1_200_000, 3_000_000_000].map(shortCount)).toEqual([
    "0",
    "9,999",
    "12.3 k",
    "1.2 M",
    "3 G",
  ]);
});
