import type { ReactNode } from "react";
import { daysOf, type Range, type RangeId, rangeNames, readRange } from "./lib/range.ts";
import { type Place, setParams, usePlace } from "./lib/router.ts";
import { useConsole } from "./lib/session.ts";
import { useNow } from "./lib/use-now.ts";

/** The period that the address names; it moves on with the clock. */
export function useRange(): Range {
  const { params } = usePlace();
  const { zone } = useConsole();
  return readRange(params, zone, useNow(60_000));
}

export function RangePicker({ place }: { place: Place }): ReactNode {
  const { zone } = useConsole();
  const range = readRange(place.params, zone, useNow(60_000));
  const days = daysOf(range, zone);
  const choose = (id: RangeId): void =>
    setParams(id === "custom" ? { range: id, ...days } : { range: id, from: null, to: null });
  return (
    <fieldset className="range">
      <legend className="hidden">Period</legend>
      <select
        aria-label="Period"
        value={range.id}
        onChange={(event) => choose(event.target.value as RangeId)}
      >
        {Object.entries(rangeNames).map(([id, name]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      {range.id === "custom" ? (
        <>
          <input
            type="date"
            aria-label="First day"
            value={days.from}
            max={days.to}
            onChange={(event) => setParams({ from: event.target.value })}
          />
          <span className="muted">to</span>
          <input
            type="date"
            aria-label="Last day"
            value={days.to}
            min={days.from}
            onChange={(event) => setParams({ to: event.target.value })}
          />
        </>
      ) : null}
    </fieldset>
  );
}
