import type { Clock, Observe } from "../ports.ts";
import type { ConsoleReports, Imbalance } from "../ports-console.ts";

/** A check of the whole ledger, and when it was made. */
export interface IntegrityCheck extends Imbalance {
  readonly checkedAt: string;
}

export interface IntegrityWatch {
  /** The last check; a newer one is started when it is a minute old. Null while the first one runs for long. */
  current(): Promise<IntegrityCheck | null>;
}

const goodForMs = 60_000;
/** A page waits this long for the first check of small books; large ones are shown as being checked. */
const patienceMs = 150;

/** Sums every entry once a minute at most, and only while somebody asks: on large books that takes seconds. */
export function createIntegrityWatch(ports: {
  readonly reports: Pick<ConsoleReports, "imbalance">;
  readonly clock: Clock;
  readonly observe: Observe;
}): IntegrityWatch {
  const { reports, clock, observe } = ports;
  let last: { readonly check: IntegrityCheck; readonly at: number } | null = null;
  let running: Promise<void> | null = null;
  const check = async (): Promise<void> => {
    try {
      const checkedAt = new Date(clock.now()).toISOString();
      last = { check: { ...(await reports.imbalance()), checkedAt }, at: clock.elapsed() };
    } catch (error) {
      observe({
        event: "fault",
        where: "integrity check",
        error: error instanceof Error ? error.message : String(error),
      });
    } finally {
      running = null;
    }
  };
  return {
    async current() {
      if (last === null || clock.elapsed() - last.at > goodForMs) running ??= check();
      if (last === null && running !== null) await Promise.race([running, pause(patienceMs)]);
      return last?.check ?? null;
    },
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
