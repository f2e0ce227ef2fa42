import { useCallback, useEffect, useState } from "react";

/** Cursors of a list that runs from the newest to the oldest, so that one can go back. */
export interface Pages {
  readonly cursor: string | null;
  readonly number: number;
  next(cursor: string): void;
  back(): void;
}

/** Starts anew when `address` (the filters) changes. */
export function usePages(address: string): Pages {
  const [cursors, setCursors] = useState<readonly string[]>([]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: other filters, another list.
  useEffect(() => setCursors([]), [address]);
  const next = useCallback((cursor: string) => setCursors((old) => [...old, cursor]), []);
  const back = useCallback(() => setCursors((old) => old.slice(0, -1)), []);
  return { cursor: cursors.at(-1) ?? null, number: cursors.length + 1, next, back };
}
