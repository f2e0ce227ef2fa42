import { writeFileSync } from "node:fs";
import { type Report, type Row, renderReport, rowsOf } from "./report.ts";

/** One target of the project, judged on the rows of a run. */
interface Target {
  readonly figure: string;
  readonly target: string;
  readonly measured: (rows: readonly Row[]) => { readonly text: string; readonly isMet: boolean } | null;
}

const find = (rows: readonly Row[], load: string, contestant: string): Row | null =>
  rows.find((row) => row.load === load && row.contestant === contestant) ?? null;
const postgres = "Tollgate on PostgreSQL";
const relay = "bare relay";

/** What the two rows of a load give together, or null when one of them was not measured. */
function compare(
  rows: readonly Row[],
  load: string,
  judge: (own: Row, base: Row) => { text: string; isMet: boolean },
  base = relay,
): { text: string; isMet: boolean } | null {
  const own = find(rows, load, postgres);
  const other = find(rows, load, base);
  return own === null || other === null ? null : judge(own, other);
}

const atMost = (value: number, most: number, unit = "×"): { text: string; isMet: boolean } => ({
  text: `${value.toFixed(2)}${unit === "×" ? "" : " "}${unit}`,
  isMet: value <= most,
});

const targets: readonly Target[] = [
  {
    figure: "CPU per request that is not streamed",
    target: "≤ 1.8 × bare relay",
    measured: (rows) =>
      compare(rows, "whole, 50 at once", (own, base) =>
        atMost(
          (own.cpuMsPerRequest?.median ?? Number.NaN) / (base.cpuMsPerRequest?.median ?? Number.NaN),
          1.8,
        ),
      ),
  },
  {
    figure: "CPU per streamed event, paced, 200 streams",
    target: "≤ 1.4 × bare relay",
    measured: (rows) =>
      compare(rows, "paced streams, 200 at once", (own, base) =>
        atMost((own.cpuUsPerEvent?.median ?? Number.NaN) / (base.cpuUsPerEvent?.median ?? Number.NaN), 1.4),
      ),
  },
  {
    figure: "requests/s that are not streamed",
    target: "≥ 10 × Portkey",
    measured: (rows) =>
      compare(
        rows,
        "whole, 50 at once",
        (own, base) => {
          const ratio = own.perSecond.median / base.perSecond.median;
          return { text: `${ratio.toFixed(1)}×`, isMet: ratio >= 10 };
        },
        "Portkey",
      ),
  },
  {
    figure: "added time to first token, 200 paced streams, median",
    target: "≤ 1.5 ms over the bare relay",
    measured: (rows) =>
      compare(rows, "paced streams, 200 at once", (own, base) =>
        atMost(own.firstByteMs.p50 - base.firstByteMs.p50, 1.5, "ms"),
      ),
  },
  {
    figure: "added time to first token, 200 paced streams, p99",
    target: "≤ 8 ms over the bare relay",
    measured: (rows) =>
      compare(rows, "paced streams, 200 at once", (own, base) =>
        atMost(own.firstByteMs.p99 - base.firstByteMs.p99, 8, "ms"),
      ),
  },
  {
    figure: "last token of 1 000 paced streams, median",
    target: "within 2 % of the vendor directly",
    measured: (rows) =>
      compare(
        rows,
        "paced streams, 1000 at once",
        (own, base) => {
          const over = (own.totalMs.p50 / base.totalMs.p50 - 1) * 100;
          return { text: `${over.toFixed(1)} % later`, isMet: over <= 2 };
        },
        "vendor directly",
      ),
  },
  {
    figure: "RSS with 1 000 paced streams",
    target: "≤ 250 MB",
    measured: (rows) => {
      const row = find(rows, "paced streams, 1000 at once", postgres);
      return row?.rssPeakMb === null || row === null ? null : atMost(row.rssPeakMb, 250, "MB");
    },
  },
  {
    figure: "event-loop delay p99 under 1 MB bodies",
    target: "≤ 20 ms",
    measured: (rows) => {
      const row = find(rows, "1 MB bodies, 10 a second", postgres);
      return row?.loopP99Ms === null || row === null ? null : atMost(row.loopP99Ms, 20, "ms");
    },
  },
  {
    figure: "charged − billed, every row",
    target: "0",
    measured: (rows) => {
      const all = rows.flatMap(({ difference }) => (difference === null ? [] : [difference]));
      const sum = all.reduce((total, one) => total + one, 0);
      return { text: `${sum} tokens over ${all.length} rows`, isMet: sum === 0 };
    },
  },
];

/** Writes the page and its picture. `notes` is what a person found behind the figures; it is kept as it is. */
export function writePage(report: Report, files: { page: string; picture: string; notes: string }): void {
  const rows = rowsOf(report);
  const judged = targets.map(({ figure, target, measured }) => {
    const result = measured(rows);
    return `| ${figure} | ${target} | ${result === null ? "not measured in this run" : result.text} | ${result === null ? "—" : result.isMet ? "met" : "**missed**"} |`;
  });
  const page = `# Performance

Made by \`npm run bench -- gateway --write\`. Every figure of Tollgate includes a durable hold before and a durable settlement
after the vendor's call; no other contestant bills anything. Trust the ratios: vendor, load generator, database and contestant
share two cores.

![CPU of the gateway process per request that is not streamed](images/performance.svg)

## Targets

| figure | target | measured | |
| --- | --- | --- | --- |
${judged.join("\n")}

${files.notes.trim()}

## The run

${renderReport(report).replaceAll("### ", "### ")}`;
  writeFileSync(files.page, page);
  writeFileSync(
    files.picture,
    pictureOf(rows.filter((row) => row.load === "whole, 50 at once" && row.cpuMsPerRequest !== null)),
  );
}

/** Horizontal bars, CPU ms per request; the figure stands beside each bar. */
function pictureOf(rows: readonly Row[]): string {
  const most = Math.max(...rows.map((row) => row.cpuMsPerRequest?.median ?? 0), 0.001);
  const bars = rows.map((row, index) => {
    const value = row.cpuMsPerRequest?.median ?? 0;
    const y = 34 + index * 34;
    const width = Math.max((value / most) * 420, 1).toFixed(0);
    return `<text x="196" y="${y + 15}" text-anchor="end">${row.contestant}</text><rect x="204" y="${y}" width="${width}" height="22" fill="${row.contestant.startsWith("Tollgate") ? "#2f6f4f" : "#9aa5a0"}"/><text x="${212 + Number(width)}" y="${y + 15}">${value.toFixed(2)} ms</text>`;
  });
  const height = 44 + rows.length * 34;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 ${height}" font-family="sans-serif" font-size="13" fill="#222">
<title>CPU of the gateway process per request that is not streamed, in ms</title><rect width="720" height="${height}" fill="#fff"/>
<text x="10" y="20" font-weight="bold">CPU per request that is not streamed, 50 at once (ms)</text>
${bars.join("\n")}
</svg>
`;
}
