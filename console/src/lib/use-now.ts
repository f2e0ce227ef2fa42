import { useEffect, useState } from "react";

/** The time of this machine, ms, looked at again every `everyMs`: for "ago" and for periods that end now. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
