import { dateStart, dateText, formatTime, midnight, monthStart } from "./time.ts";

/** A period of time: from inclusive, to exclusive. */
export interface Range {
  readonly id: RangeId;
  readonly from: string;
  readonly to: string;
  readonly bucket: "hour" | "day";
}

export const rangeNames = {
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
  month: "This month",
  "last-month": "Last month",
  custom: "Custom",
} as const;
export type RangeId = keyof typeof rangeNames;

const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** Up to here bars are hours. */
const hourlyMs = 3 * dayMs;

/** The period that the address names. Days are days of the reporting zone; the running hour or day is part of it. */
export function readRange(params: Readonly<Record<string, string>>, zone: string, nowMs: number): Range {
  const { from, to } = params;
  const id = isRangeId(params.range)
    ? params.range
    : from !== undefined && to !== undefined
      ? "custom"
      : "24h";
  if (id === "custom") {
    const start = dateStart(from ?? "", zone);
    const last = dateStart(to ?? "", zone);
    if (start !== null && last !== null && start <= last) return range(id, start, midnight(last, zone, 1));
    return readRange({}, zone, nowMs);
  }
  const tomorrow = midnight(nowMs, zone, 1);
  switch (id) {
    case "24h": {
      const end = Math.floor(nowMs / hourMs) * hourMs + hourMs;
      return range(id, end - 24 * hourMs, end);
    }
    case "7d":
      return range(id, midnight(nowMs, zone, -6), tomorrow);
    case "30d":
      return range(id, midnight(nowMs, zone, -29), tomorrow);
    case "month":
      return range(id, monthStart(nowMs, zone), monthStart(nowMs, zone, 1));
    case "last-month":
      return range(id, monthStart(nowMs, zone, -1), monthStart(nowMs, zone));
  }
}

const isRangeId = (text: string | undefined): text is RangeId => text !== undefined && text in rangeNames;

const range = (id: RangeId, from: number, to: number): Range => ({
  id,
  from: new Date(from).toISOString(),
  to: new Date(to).toISOString(),
  bucket: to - from <= hourlyMs ? "hour" : "day",
});

/** First and last day of a range, as date fields show them. */
export const daysOf = ({ from, to }: Range, zone: string): { from: string; to: string } => ({
  from: dateText(Date.parse(from), zone),
  to: dateText(Date.parse(to) - 1, zone),
});

/** "20 Nov, 00:00 to 21 Nov, 00:00 (Europe/Berlin)": inclusive start, exclusive end. */
export const describeRange = ({ from, to }: Range, zone: string): string =>
  `${formatTime(from, zone, "minute")} to ${formatTime(to, zone, "minute")} (${zone})`;
