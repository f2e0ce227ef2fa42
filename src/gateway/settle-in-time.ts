import type { Ports, SettleOperation, SettleOutcome } from "../ports.ts";

/** How long the end of an answer waits for its charge to be committed, ms. The settlement itself goes on after that. */
const settlePatienceMs = 15_000;

/** Whether this very charge was committed in time; `late` tells when it is committed after all (false: never). */
export interface Settling {
  readonly isInTime: boolean;
  readonly late: Promise<boolean>;
}

/** Commits the charge. When that takes too long the client is told, and the settlement goes on by itself. */
export async function settleInTime(
  ports: Pick<Ports, "ledger" | "observe">,
  settlement: SettleOperation,
): Promise<Settling> {
  const settled = ports.ledger.settle(settlement).then(
    (result) => {
      if (result.code === "done" || isOurs(result, settlement)) return true;
      ports.observe({ event: "fault", where: "settle", error: superseded(result, settlement) });
      return false;
    },
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

type Ended = Extract<SettleOutcome, { code: "already" }>;

/** A batch whose answer was lost is sent again and finds its own work done; anything else was ended by somebody else. */
const isOurs = (ended: Ended, { outcome, charge }: SettleOperation): boolean =>
  ended.outcome === outcome && ended.charge === charge;

/** Says which request, what stands, and what the vendor's bill is, so that the operator sees what the two differ by. */
const superseded = (ended: Ended, { id, charge, vendorCost }: SettleOperation): string =>
  `Cannot settle ${id} with ${charge} pUSD (the vendor's price ${vendorCost}): another process took it for a dead one's and ended it as "${ended.outcome}" with ${ended.charge}; see why this process lost its lease.`;
