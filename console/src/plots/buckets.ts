import type { Range } from "../lib/range.ts";
import { formatTime, midnight } from "../lib/time.ts";
import type { Span } from "./types.ts";

/** The hours or days of a range, on the clocks of `zone`; the first one may begin before the range. */
export function bucketsOf(range: Range, zone: string): readonly Span[] {
  const end = Date.parse(range.to);
  const spans: Span[] = [];
  for (let from = startOfBucket(Date.parse(range.from), range.bucket, zone); from < end; ) {
    const to = range.bucket === "day" ? midnight(from, zone, 1) : from + 3_600_000;
    spans.push({ from, to });
    from = to;
  }
  return spans;
}

/** Hours of zones like India's begin at half past UTC's. */
function startOfBucket(ms: number, bucket: "hour" | "day", zone: string): number {
  if (bucket === "day") return midnight(ms, zone);
  const sinceMidnight = ms - midnight(ms, zone);
  return ms - (sinceMidnight % 3_600_000);
}

export const bucketLabel = (from: number, bucket: "hour" | "day", zone: string): string =>
  formatTime(from, zone, bucket === "day" ? "date" : "minute");
