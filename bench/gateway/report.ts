import type { LoadResult } from "./loader.ts";
import type { Vitals } from "./vitals.ts";

export type Cell =
  | { readonly load: string; readonly contestant: string; readonly skipped: true; readonly difference: null }
  | {
      readonly load: string;
      readonly contestant: string;
      readonly skipped: false;
      readonly result: LoadResult;
      readonly vitals: Vitals | null;
      /** Charged tokens − the vendor's bill; null for contestants that bill nothing. */
      readonly difference: number | null;
    };

/** A contestant that answered not one request of a load's kind before the first round. */
export interface LeftOut {
  readonly load: string;
  readonly contestant: string;
}

export interface Report {
  readonly machine: string;
  readonly commit: string;
  readonly rounds: number;
  readonly cells: readonly Cell[];
  readonly leftOut: readonly LeftOut[];
}

/** One contestant under one load: medians over the rounds, with their spread. */
export interface Row {
  readonly load: string;
  readonly contestant: string;
  readonly perSecond: Figure;
  readonly eventsPerSecond: Figure;
  readonly cpuMsPerRequest: Figure | null;
  readonly cpuUsPerEvent: Figure | null;
  readonly firstByteMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  readonly totalMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  readonly rssPeakMb: number | null;
  readonly loopP99Ms: number | null;
  readonly failed: number;
  readonly difference: number | null;
}

export interface Figure {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export function rowsOf(report: Report): Row[] {
  const groups = new Map<string, Extract<Cell, { skipped: false }>[]>();
  for (const cell of report.cells) {
    if (cell.skipped) continue;
    const name = `${cell.load}\0${cell.contestant}`;
    groups.set(name, [...(groups.get(name) ?? []), cell]);
  }
  return [...groups.values()].map(rowOf);
}

function rowOf(cells: Extract<Cell, { skipped: false }>[]): Row {
  const first = cells[0];
  if (first === undefined) throw new Error("Bug: a row without cells");
  const vitals = cells.flatMap((cell) =>
    cell.vitals === null ? [] : [{ vitals: cell.vitals, result: cell.result }],
  );
  const differences = cells.flatMap(({ difference }) => (difference === null ? [] : [difference]));
  return {
    load: first.load,
    contestant: first.contestant,
    perSecond: figure(cells.map(({ result }) => (result.requests * 1_000) / result.elapsedMs)),
    eventsPerSecond: figure(cells.map(({ result }) => (result.events * 1_000) / result.elapsedMs)),
    cpuMsPerRequest:
      vitals.length === 0
        ? null
        : figure(vitals.map(({ vitals: one, result }) => one.cpuMs / Math.max(result.requests, 1))),
    cpuUsPerEvent:
      vitals.length === 0 || vitals.some(({ result }) => result.events === 0)
        ? null
        : figure(vitals.map(({ vitals: one, result }) => (one.cpuMs * 1_000) / result.events)),
    firstByteMs: percentiles(cells.map(({ result }) => result.firstByteMs)),
    totalMs: percentiles(cells.map(({ result }) => result.totalMs)),
    rssPeakMb:
      vitals.length === 0 ? null : Math.max(...vitals.map(({ vitals: one }) => one.rssPeakBytes)) / 1_048_576,
    loopP99Ms: vitals.length === 0 ? null : Math.max(...vitals.map(({ vitals: one }) => one.loopP99Ms)),
    failed: cells.reduce((sum, { result }) => sum + result.failed, 0),
    difference: differences.length === 0 ? null : differences.reduce((sum, one) => sum + Math.abs(one), 0),
  };
}

function figure(values: readonly number[]): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: at(sorted, 0.5), least: at(sorted, 0), most: at(sorted, 1) };
}

function percentiles(rounds: readonly (readonly number[])[]): { p50: number; p95: number; p99: number } {
  const median = (share: number): number => figure(rounds.map((sorted) => at(sorted, share))).median;
  return { p50: median(0.5), p95: median(0.95), p99: median(0.99) };
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

const columns = [
  "contestant",
  "req/s",
  "events/s",
  "CPU ms/req",
  "CPU µs/event",
  "first byte p50/p95/p99 ms",
  "total p50/p95/p99 ms",
  "RSS MB",
  "loop p99 ms",
  "failed",
  "charged − billed",
];

/** A Markdown page: one table a load, ratios to the bare relay in brackets. */
export function renderReport(report: Report): string {
  const rows = rowsOf(report);
  const lines = [
    `Machine: ${report.machine}. Commit ${report.commit}. Medians of ${report.rounds} interleaved rounds; in brackets the ratio to the bare relay.`,
    "",
  ];
  for (const load of new Set(rows.map((row) => row.load))) {
    const group = rows.filter((row) => row.load === load);
    const relay = group.find((row) => row.contestant === "bare relay") ?? null;
    lines.push(`### ${load}`, "", `| ${columns.join(" | ")} |`, `|${columns.map(() => " --- ").join("|")}|`);
    for (const row of group) lines.push(`| ${line(row, relay).join(" | ")} |`);
    lines.push("");
    for (const { contestant } of report.leftOut.filter((one) => one.load === load))
      lines.push(`${contestant} is left out: it answered no request of this kind.`, "");
  }
  return `${lines.join("\n")}\n`;
}

function line(row: Row, relay: Row | null): string[] {
  const ratio = (own: Figure | null, base: Figure | null | undefined): string =>
    own === null || base === null || base === undefined || row === relay
      ? ""
      : ` (${(own.median / base.median).toFixed(2)}×)`;
  const shown = (one: Figure | null, digits: number): string =>
    one === null ? "—" : one.median.toFixed(digits);
  const three = (one: Row["totalMs"]): string =>
    [one.p50, one.p95, one.p99].map((value) => (Number.isNaN(value) ? "—" : value.toFixed(1))).join(" / ");
  return [
    row.contestant,
    shown(row.perSecond, 0) + ratio(row.perSecond, relay?.perSecond),
    shown(row.eventsPerSecond, 0),
    shown(row.cpuMsPerRequest, 2) + ratio(row.cpuMsPerRequest, relay?.cpuMsPerRequest),
    shown(row.cpuUsPerEvent, 1) + ratio(row.cpuUsPerEvent, relay?.cpuUsPerEvent),
    three(row.firstByteMs),
    three(row.totalMs),
    row.rssPeakMb === null ? "—" : row.rssPeakMb.toFixed(0),
    row.loopP99Ms === null ? "—" : row.loopP99Ms.toFixed(1),
    String(row.failed),
    row.difference === null ? "—" : String(row.difference),
  ];
}
