import { useCallback, useEffect, useState } from "react";
import { ApiError, call } from "./client.ts";

/** An answer on its way or here. `value` stays while a newer one is fetched, so that pages do not flicker. */
export interface Loaded<Value> {
  readonly value: Value | null;
  readonly error: ApiError | null;
  readonly isLoading: boolean;
  reload(): void;
}

interface State<Value> {
  readonly address: string | null;
  readonly value: Value | null;
  readonly error: ApiError | null;
  readonly isLoading: boolean;
}

interface QueryOptions {
  readonly everyMs?: number;
  /** Where no session cookie speaks for the reader. */
  readonly token?: string;
}

/** Fetches JSON from `address`, again when it changes, on `reload()` and every `everyMs`. Null fetches nothing. */
export function useQuery<Value>(address: string | null, options: QueryOptions = {}): Loaded<Value> {
  const { everyMs, token } = options;
  const [state, setState] = useState<State<Value>>(() => startOf(address));
  const [turn, setTurn] = useState(0);
  const reload = useCallback(() => setTurn((count) => count + 1), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a turn asks for the same address again.
  useEffect(() => {
    if (address === null) return setState(startOf(null));
    const controller = new AbortController();
    setState((old) => ({ ...old, error: null, isLoading: true }));
    call<Value>(address, {
      signal: controller.signal,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    }).then(
      (value) => setState({ address, value, error: null, isLoading: false }),
      (error: unknown) => {
        if (controller.signal.aborted) return;
        setState((old) => ({
          address,
          value: old.address === address ? old.value : null,
          error: asApiError(error),
          isLoading: false,
        }));
      },
    );
    return () => controller.abort();
  }, [address, turn, token]);
  useEffect(() => {
    if (everyMs === undefined || address === null) return;
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, everyMs);
    return () => clearInterval(timer);
  }, [address, everyMs, reload]);
  return { value: state.value, error: state.error, isLoading: state.isLoading, reload };
}

const startOf = (address: string | null): State<never> => ({
  address,
  value: null,
  error: null,
  isLoading: address !== null,
});

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError(0, "unknown", error instanceof Error ? error.message : String(error));
}
