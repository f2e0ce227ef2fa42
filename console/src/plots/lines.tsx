import type { ReactNode } from "react";
import type { Range } from "../lib/range.ts";
import { useZone } from "../lib/zone.ts";
import { type Frame, TimeAxis, xAt, YAxis, yAt } from "./axes.tsx";
import { bucketLabel } from "./buckets.ts";
import { Figure } from "./figure.tsx";
import { axisFor } from "./scale.ts";
import type { Reading, Series, Span } from "./types.ts";

/** Measures at one time; null where there is none, which is a gap and not 0. */
export interface Point extends Span {
  readonly values: Readonly<Record<string, number | null>>;
}

interface LinesProps {
  readonly title: string;
  readonly note?: ReactNode;
  readonly range: Range;
  readonly series: readonly Series[];
  readonly points: readonly Point[];
  readonly format: (value: number) => string;
  readonly empty: string;
}

/** Straight lines from measure to measure, from zero; broken where there is no measure. */
export function Lines({ title, note, range, series, points, format, empty }: LinesProps): ReactNode {
  const zone = useZone();
  const span = {
    from: points[0]?.from ?? Date.parse(range.from),
    to: points.at(-1)?.to ?? Date.parse(range.to),
  };
  const known = points.flatMap((point) => Object.values(point.values)).filter((value) => value !== null);
  const axis = axisFor(Math.ceil(Math.max(0, ...known)).toString());
  const shareAt = (at: number): number => (at - span.from) / (span.to - span.from);
  const readings = points.map(
    (point): Reading => ({
      ...point,
      label: bucketLabel(point.from, range.bucket, zone),
      texts: Object.fromEntries(series.map(({ id }) => [id, textOf(point.values[id] ?? null, format)])),
    }),
  );
  return (
    <Figure
      title={title}
      note={note}
      series={series}
      readings={readings}
      placeOf={(one) => [shareAt(one.from), shareAt(one.to)]}
      firstColumn={`${range.bucket === "day" ? "Day" : "Hour"} (${zone})`}
      empty={empty}
      draw={(drawing) => (
        <>
          <YAxis frame={drawing} axis={axis} format={(tick) => format(Number(tick))} />
          {series.map((one) => (
            <Line
              key={one.id}
              series={one}
              points={points}
              frame={drawing}
              top={axis.top}
              shareAt={shareAt}
            />
          ))}
          <Cursor
            point={drawing.cursor === null ? undefined : points[drawing.cursor]}
            frame={drawing}
            shareAt={shareAt}
          />
          <TimeAxis
            frame={drawing}
            span={span}
            starts={points.map((point) => point.from)}
            zone={zone}
            bucket={range.bucket}
          />
        </>
      )}
    />
  );
}

const textOf = (value: number | null, format: (value: number) => string): string | null =>
  value === null ? null : format(value);
const middle = ({ from, to }: Span): number => (from + to) / 2;

interface LineProps {
  readonly series: Series;
  readonly points: readonly Point[];
  readonly frame: Frame;
  readonly top: string;
  readonly shareAt: (at: number) => number;
}

function Line({ series, points, frame, top, shareAt }: LineProps): ReactNode {
  const runs: string[] = [];
  let run = "";
  const dots: { x: number; y: number }[] = [];
  for (const point of points) {
    const value = point.values[series.id] ?? null;
    if (value === null) {
      if (run !== "") runs.push(run);
      run = "";
      continue;
    }
    const x = xAt(frame, shareAt(middle(point)));
    const y = yAt(frame, value / Number(top));
    run += `${run === "" ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`;
    dots.push({ x, y });
  }
  if (run !== "") runs.push(run);
  return (
    <g className={`c${series.colour}`}>
      {runs.map((path) => (
        <path key={path} className="line" d={path} />
      ))}
      {dots.map(({ x, y }) => (
        <circle key={x} cx={x} cy={y} r={2.25} />
      ))}
    </g>
  );
}

function Cursor({
  point,
  frame,
  shareAt,
}: {
  point: Point | undefined;
  frame: Frame;
  shareAt: (at: number) => number;
}): ReactNode {
  if (point === undefined) return null;
  const x = xAt(frame, shareAt(middle(point)));
  return <line className="cursor-line" x1={x} x2={x} y1={yAt(frame, 1)} y2={yAt(frame, 0)} />;
}
