import { type KeyboardEvent, type PointerEvent, type ReactNode, useId, useState } from "react";
import { Button } from "../ui/parts.tsx";
import { Table } from "../ui/table.tsx";
import type { Reading, Series } from "./types.ts";
import { useWidth } from "./use-width.ts";

export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** Index into `readings` of what the cursor is on. */
  readonly cursor: number | null;
}

interface FigureProps {
  readonly title: string;
  readonly note?: ReactNode;
  readonly series: readonly Series[];
  readonly readings: readonly Reading[];
  /** Where a reading lies, as shares of the plot's width; for the pointer. */
  readonly placeOf: (reading: Reading) => readonly [number, number];
  readonly draw: (drawing: Drawing) => ReactNode;
  /** Name of the first column of the table twin. */
  readonly firstColumn: string;
  readonly height?: number;
  readonly empty: string;
  readonly actions?: ReactNode;
}

/** Space around the plot, px: labels of the y axis stand left, of the x axis below, with its name. */
export const margins = { left: 58, right: 10, top: 8, bottom: 40 } as const;

/**
 * A plot that can be seen, read and heard: the drawing, a cursor for pointer and arrow keys whose values are said, a legend,
 * and a table with the same figures.
 */
export function Figure(props: FigureProps): ReactNode {
  const { title, note, series, readings, draw, height = 224, empty, actions } = props;
  const [isTable, setTable] = useState(false);
  const titleId = useId();
  const isEmpty = readings.every((reading) => series.every(({ id }) => (reading.texts[id] ?? null) === null));
  return (
    <section className="card figure-card" aria-labelledby={titleId}>
      <header className="card-head">
        <div>
          <h2 id={titleId}>{title}</h2>
          {note === undefined ? null : <p className="note">{note}</p>}
        </div>
        <div className="actions">
          {actions}
          <Button
            kind="quiet"
            icon="table"
            isPressed={isTable}
            onClick={() => setTable(!isTable)}
            label={`${title} as a table`}
          >
            Table
          </Button>
        </div>
      </header>
      {isEmpty ? (
        <p className="plot-empty">{empty}</p>
      ) : isTable ? (
        <Twin {...props} />
      ) : (
        <Stage {...props} draw={draw} height={height} />
      )}
      {isEmpty || isTable ? null : <Legend series={series} />}
    </section>
  );
}

function Stage({ title, series, readings, placeOf, draw, height = 224 }: FigureProps): ReactNode {
  const [host, width] = useWidth<HTMLDivElement>();
  const [cursor, setCursor] = useState<number | null>(null);
  const move = (event: PointerEvent): void => {
    const box = event.currentTarget.getBoundingClientRect();
    const share =
      (event.clientX - box.left - margins.left) / Math.max(1, box.width - margins.left - margins.right);
    setCursor(nearest(readings, placeOf, share));
  };
  const key = (event: KeyboardEvent): void => {
    const next = moved(event.key, cursor, readings.length);
    if (next === undefined) return;
    event.preventDefault();
    setCursor(next);
  };
  const reading = cursor === null ? undefined : readings[cursor];
  return (
    <>
      <div
        ref={host}
        className="stage"
        style={{ height }}
        role="slider"
        tabIndex={0}
        aria-label={`${title}: move with the arrow keys`}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, readings.length - 1)}
        aria-valuenow={cursor ?? 0}
        aria-valuetext={reading === undefined ? "No place chosen" : spoken(reading, series)}
        onPointerMove={move}
        onPointerLeave={() => setCursor(null)}
        onKeyDown={key}
        onBlur={() => setCursor(null)}
      >
        {width === 0 ? null : (
          <svg width={width} height={height} aria-hidden="true" focusable="false">
            {draw({ width, height, cursor })}
          </svg>
        )}
      </div>
      <Readout reading={reading} series={series} />
    </>
  );
}

/** Always there, so that nothing moves when the cursor comes. */
function Readout({
  reading,
  series,
}: {
  reading: Reading | undefined;
  series: readonly Series[];
}): ReactNode {
  if (reading === undefined)
    return <p className="readout muted">Point at the plot, or use the arrow keys, for its figures.</p>;
  const shown = series.filter(({ id }) => (reading.texts[id] ?? null) !== null);
  return (
    <p className="readout">
      <strong>{reading.label}</strong>
      {shown.length === 0 ? <span className="muted">no data</span> : null}
      {shown.map(({ id, name, colour }) => (
        <span key={id}>
          <Swatch colour={colour} /> {name} <b>{reading.texts[id]}</b>
        </span>
      ))}
    </p>
  );
}

function Legend({ series }: { series: readonly Series[] }): ReactNode {
  return (
    <ul className="legend">
      {series.map(({ id, name, colour, note, to }) => (
        <li key={id}>
          <Swatch colour={colour} /> {to === undefined ? name : <a href={to}>{name}</a>}
          {note === undefined ? null : <span className="muted"> {note}</span>}
        </li>
      ))}
    </ul>
  );
}

const Swatch = ({ colour }: { colour: number }): ReactNode => (
  <span className={`swatch c${colour}`} aria-hidden="true" />
);

function Twin({ title, series, readings, firstColumn }: FigureProps): ReactNode {
  const columns = [
    { id: "label", head: firstColumn, cell: (reading: Reading) => reading.label },
    ...series.map(({ id, name }) => ({
      id,
      head: name,
      isNumber: true,
      cell: (reading: Reading) => reading.texts[id] ?? "—",
    })),
  ];
  return (
    <div className="twin">
      <Table
        caption={title}
        columns={columns}
        rows={readings}
        keyOf={(reading) => `${reading.from} ${reading.label}`}
        isDense
      />
    </div>
  );
}

const spoken = (reading: Reading, series: readonly Series[]): string =>
  `${reading.label}: ${series
    .filter(({ id }) => (reading.texts[id] ?? null) !== null)
    .map(({ id, name }) => `${name} ${reading.texts[id]}`)
    .join(", ")}`;

function nearest(
  readings: readonly Reading[],
  placeOf: FigureProps["placeOf"],
  share: number,
): number | null {
  let best: number | null = null;
  let distance = Number.POSITIVE_INFINITY;
  for (const [index, reading] of readings.entries()) {
    const [from, to] = placeOf(reading);
    const away = share < from ? from - share : share > to ? share - to : 0;
    if (away < distance) [best, distance] = [index, away];
  }
  return best;
}

/** Where a key leads; undefined for keys that are not ours. */
function moved(key: string, cursor: number | null, count: number): number | null | undefined {
  const last = count - 1;
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return cursor === null ? 0 : Math.min(last, cursor + 1);
    case "ArrowLeft":
    case "ArrowDown":
      return cursor === null ? last : Math.max(0, cursor - 1);
    case "Home":
      return 0;
    case "End":
      return last;
    case "Escape":
      return null;
    default:
      return undefined;
  }
}
