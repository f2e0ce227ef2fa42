/** Times on the screen: always in the one reporting zone of the installation, never in the browser's. */

const formats = {
  full: { dateStyle: "medium", timeStyle: "medium" },
  minute: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" },
  second: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" },
  clock: { hour: "2-digit", minute: "2-digit" },
  day: { month: "short", day: "numeric" },
  date: { dateStyle: "medium" },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

export type TimeForm = keyof typeof formats;

/** `locale` en-GB: day before month is unambiguous with a month's name, and hours run to 24. */
export const formatTime = (at: string | number, zone: string, form: TimeForm): string =>
  new Intl.DateTimeFormat("en-GB", { ...formats[form], timeZone: zone }).format(new Date(at));

export function formatDuration(ms: number | null): string {
  if (ms === null) return "—";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
  if (ms < 86_400_000) return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`;
  return `${Math.floor(ms / 86_400_000)} d ${Math.round((ms % 86_400_000) / 3_600_000)} h`;
}

/** "5 s ago", "3 h ago": for what was a moment ago; the exact time goes into its tooltip. */
export function formatAgo(at: string, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - Date.parse(at)) / 1_000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

export const formatCount = (count: number | null): string =>
  count === null ? "—" : count.toString().replace(/\B(?=(\d{3})+$)/g, ",");

/** "1.2 M": for axes and tiles, where the exact count is in the table beside. */
export function shortCount(count: number | null): string {
  if (count === null) return "—";
  if (count < 10_000) return formatCount(count);
  const [size, name] =
    count < 1_000_000 ? [1_000, "k"] : count < 1_000_000_000 ? [1_000_000, "M"] : [1_000_000_000, "G"];
  const tenths = Math.floor((count * 10) / size);
  return `${formatCount(Math.floor(tenths / 10))}${tenths < 1_000 && tenths % 10 !== 0 ? `.${tenths % 10}` : ""} ${name}`;
}

/** How far `zone` is ahead of UTC at an instant, ms. */
function offsetAt(ms: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(ms);
  const get = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const wall = Date.UTC(get("year"), get("month") - 1, get("day"), get("hour"), get("minute"), get("second"));
  return wall - Math.floor(ms / 1_000) * 1_000;
}

/** The instant at which the clocks of `zone` show this date at midnight, or the first instant of that day after it. */
function startOf(year: number, monthIndex: number, day: number, zone: string): number {
  const wall = Date.UTC(year, monthIndex, day);
  const first = wall - offsetAt(wall, zone);
  const second = wall - offsetAt(first, zone);
  // Where the clocks skip midnight the two disagree for ever; the later one is the day's first instant.
  return offsetAt(second, zone) === offsetAt(first, zone) ? second : Math.max(first, second);
}

function dateIn(ms: number, zone: string): { year: number; month: number; day: number } {
  const wall = new Date(ms + offsetAt(ms, zone));
  return { year: wall.getUTCFullYear(), month: wall.getUTCMonth(), day: wall.getUTCDate() };
}

/** Midnight in `zone`, `days` after the day of `ms` (before it when negative). */
export function midnight(ms: number, zone: string, days = 0): number {
  const { year, month, day } = dateIn(ms, zone);
  return startOf(year, month, day + days, zone);
}

/** The first of the month in `zone`, `months` after the month of `ms`. */
export function monthStart(ms: number, zone: string, months = 0): number {
  const { year, month } = dateIn(ms, zone);
  return startOf(year, month + months, 1, zone);
}

/** "2026-11-20" in `zone`, as a date field shows it. */
export function dateText(ms: number, zone: string): string {
  const { year, month, day } = dateIn(ms, zone);
  return `${year}-${String(month + 1).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/** The midnight in `zone` of a date field's text; null when it is not a date. */
export function dateStart(text: string, zone: string): number | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  return match === null ? null : startOf(Number(match[1]), Number(match[2]) - 1, Number(match[3]), zone);
}
