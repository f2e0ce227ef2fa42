import type { ReactNode } from "react";
import { formatTime } from "../lib/time.ts";
import { margins } from "./figure.tsx";
import { type Axis, shareOf } from "./scale.ts";
import type { Span } from "./types.ts";

export interface Frame {
  readonly width: number;
  readonly height: number;
}

export const plotWidth = ({ width }: Frame): number => Math.max(1, width - margins.left - margins.right);
export const plotHeight = ({ height }: Frame): number => height - margins.top - margins.bottom;
/** Of a share of the plot, from the left and from the bottom. */
export const xAt = (frame: Frame, share: number): number => margins.left + share * plotWidth(frame);
export const yAt = (frame: Frame, share: number): number => margins.top + (1 - share) * plotHeight(frame);

/** Lines across and their values. */
export function YAxis({
  frame,
  axis,
  format,
}: {
  frame: Frame;
  axis: Axis;
  format: (tick: string) => string;
}): ReactNode {
  return (
    <g className="axis">
      {axis.ticks.map((tick) => {
        const y = yAt(frame, shareOf(tick, axis.top));
        return (
          <g key={tick}>
            <line x1={margins.left} x2={frame.width - margins.right} y1={y} y2={y} />
            <text x={margins.left - 8} y={y + 4} textAnchor="end">
              {format(tick)}
            </text>
          </g>
        );
      })}
    </g>
  );
}

const labelWidth = 74;
/** From the plot's lower edge to the labels, and from them to the name of the axis, px. */
export const tickDrop = 18;
export const nameDrop = 15;

interface TimeAxisProps {
  readonly frame: Frame;
  readonly span: Span;
  /** Starts of hours or days, ms. */
  readonly starts: readonly number[];
  readonly zone: string;
  readonly bucket: "hour" | "day";
}

/** Times below the plot, in the reporting zone, whose name stands at the end. */
export function TimeAxis({ frame, span, starts, zone, bucket }: TimeAxisProps): ReactNode {
  const room = Math.max(2, Math.floor(plotWidth(frame) / labelWidth));
  const every = Math.max(1, Math.ceil(starts.length / room));
  const y = yAt(frame, 0) + tickDrop;
  return (
    <g className="axis">
      <text className="axis-name" x={frame.width - margins.right} y={y + nameDrop} textAnchor="end">
        {zone}
      </text>
      {starts
        .filter((_, index) => index % every === 0)
        .map((start) => (
          <text key={start} x={xAt(frame, (start - span.from) / (span.to - span.from))} y={y}>
            {bucket === "day"
              ? formatTime(start, zone, "day")
              : formatTime(start, zone, isMidnight(start, zone) ? "day" : "clock")}
          </text>
        ))}
    </g>
  );
}

const isMidnight = (ms: number, zone: string): boolean => formatTime(ms, zone, "clock") === "00:00";
