import { useCallback, useState } from "react";
import type { ApiError } from "./client.ts";
import { asApiError } from "./use-query.ts";

/** Something that is done on demand: whether it runs, and what went wrong the last time. */
export interface Action<Input> {
  readonly isRunning: boolean;
  readonly error: ApiError | null;
  run(input: Input): Promise<boolean>;
}

/** `work` runs once at a time; `run` gives whether it succeeded. */
export function useAction<Input>(work: (input: Input) => Promise<void>): Action<Input> {
  const [isRunning, setRunning] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const run = useCallback(
    async (input: Input): Promise<boolean> => {
      setRunning(true);
      setError(null);
      try {
        await work(input);
        return true;
      } catch (problem) {
        setError(asApiError(problem));
        return false;
      } finally {
        setRunning(false);
      }
    },
    [work],
  );
  return { isRunning, error, run };
}
