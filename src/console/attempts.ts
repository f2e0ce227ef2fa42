/** How many failed logins are let pass in a minute, from one address and altogether. Secrets of 256 bits need no more. */
const perAddress = 10;
const altogether = 100;
const windowMs = 60_000;

export interface Attempts {
  /** Ms to wait before the next try, or null when one may be made now. */
  wait(address: string): number | null;
  failed(address: string): void;
}

/** Counts failures in windows of a minute; a window that is over is forgotten, so that memory stays bounded. */
export function createAttempts(now: () => number): Attempts {
  let startedAt = now();
  let total = 0;
  const byAddress = new Map<string, number>();
  const turn = (): void => {
    if (now() - startedAt < windowMs) return;
    startedAt = now();
    total = 0;
    byAddress.clear();
  };
  return {
    wait(address) {
      turn();
      const isOver = total >= altogether || (byAddress.get(address) ?? 0) >= perAddress;
      return isOver ? Math.max(windowMs - (now() - startedAt), 1_000) : null;
    },
    failed(address) {
      turn();
      total += 1;
      byAddress.set(address, (byAddress.get(address) ?? 0) + 1);
    },
  };
}
