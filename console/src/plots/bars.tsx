import type { ReactNode } from "react";
import type { Range } from "../lib/range.ts";
import { useZone } from "../lib/zone.ts";
import { type Frame, plotHeight, plotWidth, TimeAxis, xAt, YAxis, yAt } from "./axes.tsx";
import { bucketLabel } from "./buckets.ts";
import { Figure } from "./figure.tsx";
import { axisFor, shareOf } from "./scale.ts";
import type { Reading, Series, Span } from "./types.ts";

/** What one bar is made of: exact decimal text by series id. A series that is absent has no part in it. */
export interface Bar extends Span {
  readonly parts: Readonly<Record<string, string>>;
  /** Sum of the parts, exact. */
  readonly total: string;
}

interface BarsProps {
  readonly title: string;
  readonly note?: ReactNode;
  readonly range: Range;
  readonly series: readonly Series[];
  readonly bars: readonly Bar[];
  /** For ticks and readings: short, with its unit. */
  readonly format: (value: string) => string;
  /** Bars fill the height and show shares: for counts of outcomes. */
  readonly isShare?: boolean;
  readonly empty: string;
  readonly actions?: ReactNode;
}

/** Stacked bars over time, from zero. Where nothing happened there is no bar. */
export function Bars(props: BarsProps): ReactNode {
  const { title, note, range, series, bars, format, isShare = false, empty, actions } = props;
  const zone = useZone();
  const span = { from: bars[0]?.from ?? Date.parse(range.from), to: bars.at(-1)?.to ?? Date.parse(range.to) };
  const largest = bars.reduce(
    (most, bar) => (shareOf(bar.total, most) > 1 || most === "0" ? bar.total : most),
    "0",
  );
  const axis = isShare ? { top: "1", ticks: ["0", "0.25", "0.5", "0.75", "1"] } : axisFor(largest);
  const place = (one: Span): readonly [number, number] => [
    (one.from - span.from) / (span.to - span.from),
    (one.to - span.from) / (span.to - span.from),
  ];
  const readings = bars.map(
    (bar): Reading => ({
      ...bar,
      label: bucketLabel(bar.from, range.bucket, zone),
      texts: textsOf(bar, { series, format, isShare }),
    }),
  );
  return (
    <Figure
      title={title}
      note={note}
      series={series}
      readings={readings}
      placeOf={place}
      firstColumn={`${range.bucket === "day" ? "Day" : "Hour"} (${zone})`}
      empty={empty}
      actions={actions}
      draw={(drawing) => (
        <>
          <YAxis frame={drawing} axis={axis} format={isShare ? percent : format} />
          {bars.map((bar, index) => (
            <Stack
              key={bar.from}
              bar={bar}
              frame={drawing}
              series={series}
              place={place(bar)}
              top={isShare ? bar.total : axis.top}
              isActive={drawing.cursor === index}
            />
          ))}
          <TimeAxis
            frame={drawing}
            span={span}
            starts={bars.map((bar) => bar.from)}
            zone={zone}
            bucket={range.bucket}
          />
        </>
      )}
    />
  );
}

const percent = (share: string): string => `${Math.round(Number(share) * 100)}%`;

function textsOf(
  bar: Bar,
  { series, format, isShare }: Pick<BarsProps, "series" | "format" | "isShare">,
): Record<string, string | null> {
  const text = (value: string | undefined): string | null => {
    if (value === undefined) return null;
    return isShare === true
      ? `${format(value)} (${(shareOf(value, bar.total) * 100).toFixed(1)}%)`
      : format(value);
  };
  return Object.fromEntries(series.map(({ id }) => [id, text(bar.parts[id])]));
}

interface StackProps {
  readonly bar: Bar;
  readonly frame: Frame;
  readonly series: readonly Series[];
  readonly place: readonly [number, number];
  readonly top: string;
  readonly isActive: boolean;
}

function Stack({ bar, frame, series, place, top, isActive }: StackProps): ReactNode {
  const gap = Math.min(3, ((place[1] - place[0]) * plotWidth(frame)) / 5);
  const x = xAt(frame, place[0]) + gap / 2;
  const width = Math.max(1, (place[1] - place[0]) * plotWidth(frame) - gap);
  let base = 0;
  return (
    <g>
      {isActive ? (
        <rect
          className="cursor"
          x={x - gap / 2}
          width={width + gap}
          y={yAt(frame, 1)}
          height={plotHeight(frame)}
        />
      ) : null}
      {series.map(({ id, colour }) => {
        const part = bar.parts[id];
        if (part === undefined) return null;
        const share = shareOf(part, top);
        const y = yAt(frame, base + share);
        base += share;
        // What is more than nothing is seen, however little it is.
        const height = share > 0 ? Math.max(share * plotHeight(frame), 0.75) : 0;
        return <rect key={id} className={`c${colour}`} x={x} width={width} y={y} height={height} />;
      })}
    </g>
  );
}
