import type { ReactNode } from "react";
import { formatCount } from "../lib/time.ts";
import { type Frame, nameDrop, tickDrop, xAt, yAt } from "./axes.tsx";
import { Figure, margins } from "./figure.tsx";
import { decadesFor } from "./scale.ts";
import type { Reading, Series } from "./types.ts";

/** One thing measured twice. */
export interface Dot {
  readonly id: string;
  readonly label: string;
  readonly series: string;
  readonly x: number;
  readonly y: number;
}

interface ScatterProps {
  readonly title: string;
  readonly note?: ReactNode;
  readonly series: readonly Series[];
  readonly dots: readonly Dot[];
  readonly xName: string;
  readonly yName: string;
  readonly empty: string;
}

type Decades = ReturnType<typeof decadesFor>;

/** Dots on two logarithmic axes of one scale; on the line both are the same. Zero stands at one. */
export function Scatter({ title, note, series, dots, xName, yName, empty }: ScatterProps): ReactNode {
  const decades = decadesFor(dots.flatMap((dot) => [dot.x, dot.y]));
  const share = (value: number): number =>
    (Math.log10(Math.max(1, value)) - decades.from) / (decades.to - decades.from);
  const colours = new Map(series.map((one) => [one.id, one.colour]));
  const sorted = [...dots].sort((a, b) => a.x - b.x || a.y - b.y);
  const readings = sorted.map(
    (dot): Reading => ({
      from: dot.x,
      to: dot.x,
      label: dot.label,
      texts: { [dot.series]: `${xName} ${formatCount(dot.x)}, ${yName} ${formatCount(dot.y)}` },
    }),
  );
  return (
    <Figure
      title={title}
      note={note}
      series={series}
      readings={readings}
      placeOf={(reading) => [share(reading.from), share(reading.from)]}
      firstColumn="Request"
      empty={empty}
      height={340}
      draw={(drawing) => (
        <>
          <Grid frame={drawing} decades={decades} names={{ xName, yName }} />
          <line
            className="same"
            x1={xAt(drawing, 0)}
            y1={yAt(drawing, 0)}
            x2={xAt(drawing, 1)}
            y2={yAt(drawing, 1)}
          />
          {sorted.map((dot, index) => (
            <circle
              key={dot.id}
              className={`dot c${colours.get(dot.series) ?? 8}`}
              cx={xAt(drawing, share(dot.x))}
              cy={yAt(drawing, share(dot.y))}
              r={drawing.cursor === index ? 7 : 3.5}
            />
          ))}
        </>
      )}
    />
  );
}

function Grid({
  frame,
  decades,
  names,
}: {
  frame: Frame;
  decades: Decades;
  names: { xName: string; yName: string };
}): ReactNode {
  const steps = Array.from({ length: decades.to - decades.from + 1 }, (_, index) => index);
  return (
    <g className="axis">
      {steps.map((step) => {
        const at = step / (decades.to - decades.from);
        const value = formatCount(10 ** (decades.from + step));
        return (
          <g key={step}>
            <line
              x1={margins.left}
              x2={frame.width - margins.right}
              y1={yAt(frame, at)}
              y2={yAt(frame, at)}
            />
            <line x1={xAt(frame, at)} x2={xAt(frame, at)} y1={yAt(frame, 0)} y2={yAt(frame, 1)} />
            <text x={margins.left - 8} y={yAt(frame, at) + 4} textAnchor="end">
              {value}
            </text>
            <text x={xAt(frame, at)} y={yAt(frame, 0) + tickDrop} textAnchor={step === 0 ? "start" : "end"}>
              {value}
            </text>
          </g>
        );
      })}
      <text className="axis-name" x={margins.left + 6} y={margins.top + 12}>
        ↑ {names.yName}
      </text>
      <text
        className="axis-name"
        x={frame.width - margins.right}
        y={yAt(frame, 0) + tickDrop + nameDrop}
        textAnchor="end"
      >
        {names.xName} →
      </text>
    </g>
  );
}
