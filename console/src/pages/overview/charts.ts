import type { Traffic, UsageBucket } from "../../api/types.ts";
import { compareAmounts, sumAmounts } from "../../lib/amount.ts";
import type { Bar } from "../../plots/bars.tsx";
import type { Point } from "../../plots/lines.tsx";
import type { Series, Span } from "../../plots/types.ts";

/** Models with a colour of their own; the rest is one "other". */
const shownMost = 8;
const other = "other";

type ChargedRow = Pick<UsageBucket, "bucket" | "model" | "charge">;

interface Chart {
  readonly series: readonly Series[];
  readonly bars: readonly Bar[];
}

/** Charged per bucket by model, the largest first; every charge is in one of the parts. */
export function chargedByModel(
  rows: readonly ChargedRow[],
  spans: readonly Span[],
  format: (amount: string) => string,
): Chart {
  const totals = groupSums(rows.map((row) => ({ group: row.model ?? "", amount: row.charge })));
  const ranked = [...totals].sort(([, a], [, b]) => compareAmounts(b, a)).map(([model]) => model);
  const shown = new Set(ranked.slice(0, ranked.length > shownMost ? shownMost - 1 : shownMost));
  const seriesOf = (model: string): string => (shown.has(model) ? model : other);
  const sums = groupSums(rows.map((row) => ({ group: seriesOf(row.model ?? ""), amount: row.charge })));
  const names = [...shown, ...(sums.has(other) ? [other] : [])];
  return {
    series: names.map((name, index) => ({
      id: name,
      name: name === other ? "Other models" : name,
      colour: name === other ? 8 : index,
      note: format(sums.get(name) ?? "0"),
    })),
    bars: barsOf(spans, rows, (row) => [{ group: seriesOf(row.model ?? ""), amount: row.charge }]),
  };
}

/** Kinds that do not overlap: cached input is taken out of input, reasoning out of output. */
export const tokenSeries: readonly Series[] = [
  { id: "input", name: "Input, not cached", colour: 5 },
  { id: "cached", name: "Input, cached", colour: 0 },
  { id: "write", name: "Input, written to the cache", colour: 6 },
  { id: "output", name: "Output, visible", colour: 1 },
  { id: "reasoning", name: "Output, reasoning", colour: 2 },
];

export const tokensByKind = (rows: readonly UsageBucket[], spans: readonly Span[]): readonly Bar[] =>
  barsOf(spans, rows, (row) =>
    [
      { group: "input", amount: row.input - row.cached_input - row.cache_write },
      { group: "cached", amount: row.cached_input },
      { group: "write", amount: row.cache_write },
      { group: "output", amount: row.output - row.reasoning },
      { group: "reasoning", amount: row.reasoning },
    ].map(({ group, amount }) => ({ group, amount: amount.toString() })),
  );

export const outcomeSeries: readonly Series[] = [
  { id: "complete", name: "Complete", colour: 3 },
  { id: "client_left", name: "Client left", colour: 1 },
  { id: "vendor_cut", name: "Vendor cut", colour: 2 },
  { id: "vendor_error", name: "Vendor error", colour: 4 },
  { id: "recovered", name: "Recovered", colour: 6 },
  { id: "refused", name: "Refused", colour: 8 },
];

export const outcomeBars = (rows: readonly Traffic[], spans: readonly Span[]): readonly Bar[] => {
  const byStart = new Map(rows.map((row) => [Date.parse(row.bucket), row]));
  return spans.map((span) => {
    const entries = Object.entries(byStart.get(span.from)?.outcomes ?? {}).map(
      ([name, count]) => [name, count.toString()] as const,
    );
    return {
      ...span,
      parts: Object.fromEntries(entries),
      total: sumAmounts(entries.map(([, count]) => count)),
    };
  });
};

export const firstTokenSeries: readonly Series[] = [
  { id: "p50", name: "Half of them within", colour: 0 },
  { id: "p95", name: "95% within", colour: 1 },
];

export const firstTokenPoints = (rows: readonly Traffic[], spans: readonly Span[]): readonly Point[] => {
  const byStart = new Map(rows.map((row) => [Date.parse(row.bucket), row]));
  return spans.map((span) => {
    const row = byStart.get(span.from);
    return { ...span, values: { p50: row?.ttft_p50_ms ?? null, p95: row?.ttft_p95_ms ?? null } };
  });
};

interface Part {
  readonly group: string;
  readonly amount: string;
}

function barsOf<Row extends { readonly bucket: string }>(
  spans: readonly Span[],
  rows: readonly Row[],
  partsOf: (row: Row) => readonly Part[],
): readonly Bar[] {
  const byStart = new Map<number, Part[]>();
  for (const row of rows) {
    const start = Date.parse(row.bucket);
    byStart.set(start, [...(byStart.get(start) ?? []), ...partsOf(row)]);
  }
  return spans.map((span) => {
    const parts = groupSums(byStart.get(span.from) ?? []);
    return { ...span, parts: Object.fromEntries(parts), total: sumAmounts([...parts.values()]) };
  });
}

/** Exact sums by group. */
function groupSums(parts: readonly Part[]): ReadonlyMap<string, string> {
  const groups = new Map<string, string[]>();
  for (const { group, amount } of parts) {
    const known = groups.get(group);
    if (known === undefined) groups.set(group, [amount]);
    else known.push(amount);
  }
  return new Map([...groups].map(([group, amounts]) => [group, sumAmounts(amounts)]));
}
