import type { Ports, SettleOperation } from "../ports.ts";

/** How long the end of an answer waits for its charge to be committed, ms. The settlement itself goes on after that. */
const settlePatienceMs = 15_000;

/** Whether the charge was committed in time; `late` tells when it is committed after all (false: never). */
export interface Settling {
  readonly isInTime: boolean;
  readonly late: Promise<boolean>;
}

/** Commits the charge. When that takes too long the client is told, and the settlement goes on by itself. */
export async function settleInTime(ports: Ports, settlement: SettleOperation): Promise<Settling> {
  const settled = ports.ledger.settle(settlement).then(
    () => true,
    (error: unknown) => {
      ports.observe({ event: "fault", where: "settle", error: String(error) });
      ports.ledger.abandon(settlement.id);
      return false;
    },
  );
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), settlePatienceMs);
  });
  const isInTime = await Promise.race([settled, late]);
  clearTimeout(timer);
  return { isInTime, late: settled };
}
