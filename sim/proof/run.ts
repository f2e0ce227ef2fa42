import { createVerification } from "../../src/store/verify.ts";
import { Clients } from "./clients.ts";
import { Killer } from "./killer.ts";
import type { ProofOptions } from "./options.ts";
import { planRequest } from "./requests.ts";
import { judge, type Verdict } from "./verdict.ts";
import { openWorld, recoveryMs, type World } from "./world.ts";

export interface ProofResult extends Verdict {
  readonly options: ProofOptions;
  readonly kills: Readonly<Record<string, number>>;
  /** Tries of clients, repetitions included. */
  readonly tries: number;
  readonly attemptsBilled: number;
  readonly lostReplies: number;
  /** Checks of `tollgate ledger verify` that failed. */
  readonly verify: readonly string[];
  readonly seconds: number;
}

/** How long after the last request everything must have been settled or released, ms. */
const quietMs = recoveryMs * 2 + 20_000;

/** One proof: requests, kills, quiet, and then the books against the bill. */
export async function runProof(
  options: ProofOptions,
  progress: (text: string) => void,
): Promise<ProofResult> {
  const begun = performance.now();
  progress(`starting: ${options.processes} gateways on ${options.store}`);
  const world = await openWorld(options);
  try {
    const clients = new Clients(world.gateways, world.keys);
    const killer = new Killer(world, options);
    let sent = 0;
    const lane = async (): Promise<void> => {
      while (sent < options.requests) {
        const number = sent++;
        if (number % 500 === 0 && number > 0) progress(`${number} requests, ${killer.count()} kills`);
        await clients.run(planRequest(options.seed, number));
      }
    };
    const lanes = Promise.all(Array.from({ length: options.concurrency }, lane));
    await Promise.all([lanes, killer.run(() => sent / options.requests)]);
    progress(`${sent} requests, ${killer.count()} kills; waiting for recovery`);
    await waitForQuiet(world);
    await clients.close();
    for (const gateway of world.gateways) await gateway.stop();
    return await conclude(world, { options, clients, killer, begun });
  } finally {
    await world.close();
  }
}

/** Until the vendors are done and nothing is held; gives up after the time that recovery has. */
async function waitForQuiet(world: World): Promise<void> {
  const begun = performance.now();
  const isLate = (): boolean => performance.now() - begun > quietMs;
  while (!isLate() && world.vendors.some((vendor) => vendor.open() > 0)) await pause(50);
  while (!isLate()) {
    try {
      if (!(await world.hasOpenHolds())) return;
    } catch {
      // A gateway that is just being started; it is asked again.
    }
    await pause(200);
  }
}

async function conclude(
  world: World,
  about: { options: ProofOptions; clients: Clients; killer: Killer; begun: number },
): Promise<ProofResult> {
  const { options, clients, killer, begun } = about;
  const bill = world.vendors.flatMap((vendor) => vendor.bill());
  const db = await world.openBooks();
  try {
    const verdict = await judge(db, { bill, seen: clients.seen });
    const checks = await createVerification(db).verify({ recoveryMs });
    return {
      ...verdict,
      options,
      kills: Object.fromEntries(killer.deaths),
      tries: clients.seen.length,
      attemptsBilled: bill.filter((line) => line.billed).length,
      lostReplies: world.lostReplies?.count() ?? 0,
      verify: checks.filter((check) => !check.ok).map((check) => `${check.name} ${JSON.stringify(check)}`),
      seconds: (performance.now() - begun) / 1_000,
    };
  } finally {
    await db.close();
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
