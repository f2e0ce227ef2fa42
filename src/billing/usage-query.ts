import type { UsageGroup, UsageQuery } from "../ports-reports.ts";
import { done, type Outcome, refuse } from "./refusals.ts";

/** What may be asked of a usage report, as text. */
export interface UsageTexts {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly bucket?: string | undefined;
  readonly tz?: string | undefined;
  readonly group_by?: string | undefined;
}

const bad = (field: string, given: string, advice: string): Outcome<never> =>
  refuse(
    "invalid_query",
    `Cannot use ${JSON.stringify(given.slice(0, 100))} as \`${field}\`: ${advice}.`,
    field,
  );

/** The times, buckets and groups of a usage report; `groups` are those that may be asked for. */
export function readUsageQuery(
  texts: UsageTexts,
  groups: readonly UsageGroup[],
): Outcome<Pick<UsageQuery, "from" | "to" | "bucket" | "tz" | "groupBy">> {
  const from = readInstant("from", texts.from);
  if (!from.ok) return from;
  const to = readInstant("to", texts.to);
  if (!to.ok) return to;
  const bucket = texts.bucket ?? "day";
  if (bucket !== "hour" && bucket !== "day") return bad("bucket", bucket, "write hour or day");
  const tz = texts.tz ?? "UTC";
  if (!isZone(tz)) return bad("tz", tz, "write an IANA name like Europe/Berlin");
  const groupBy: UsageGroup[] = [];
  for (const name of (texts.group_by ?? "").split(",").filter((one) => one !== "")) {
    const group = groups.find((one) => one === name);
    if (group === undefined)
      return bad("group_by", name, `write any of ${groups.join(", ")}, with commas between`);
    groupBy.push(group);
  }
  return done({ from: from.value, to: to.value, bucket, tz, groupBy });
}

const instantForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/i;

function readInstant(field: string, text: string | undefined): Outcome<string | null> {
  if (text === undefined) return done(null);
  const at = instantForm.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) return bad(field, text, "write an instant like 2026-01-31T00:00:00Z");
  return done(new Date(at).toISOString());
}

/** An IANA name. Offsets like "+05:30" are refused: databases read their sign the other way round. */
function isZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).format(0) !== "";
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
