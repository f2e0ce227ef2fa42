import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { Db } from "../../src/store/db.ts";
import { createVerification } from "../../src/store/verify.ts";
import { Clients } from "./clients.ts";
import { Closers } from "./closers.ts";
import { Killer } from "./killer.ts";
import type { ProofOptions } from "./options.ts";
import { isClean } from "./report.ts";
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
  /** How often the database found its disk full. */
  readonly diskFaults: number;
  /** Gateways that ended though nobody killed them, or that had to be killed though they were asked to stop. */
  readonly exits: readonly string[];
  /** Clients that waited for an answer until their patience ended, and where. */
  readonly hangs: readonly string[];
  /** The machine it ran on, and the code. */
  readonly ground: Ground;
  /** Checks of `tollgate ledger verify` that failed. */
  readonly verify: readonly string[];
  readonly seconds: number;
}

export interface Ground {
  readonly commit: string;
  readonly cores: number;
  readonly node: string;
  readonly database: string;
}

/** How long after the last request everything must have been settled or released, ms. */
const quietMs = recoveryMs * 2 + 20_000;

/**
 * One proof: requests, kills, quiet, and then the books against the bill. Leaves no process and no file behind, but the
 * gateways' logs when it fails or finds something; says where they are. `signal` ends it early, as a failure.
 */
export async function runProof(
  options: ProofOptions,
  progress: (text: string) => void,
  signal: AbortSignal = new AbortController().signal,
): Promise<ProofResult> {
  const logs = mkdtempSync(join(tmpdir(), "tollgate-proof-"));
  const closers = new Closers();
  const interrupted = new Promise<never>((_, reject) =>
    signal.addEventListener("abort", () => reject(new Error("Cannot finish the proof: it was interrupted"))),
  );
  let isGood = false;
  try {
    const result = await Promise.race([prove(options, { progress, logs, closers }), interrupted]);
    isGood = isClean(result);
    return result;
  } finally {
    await closers.closeAll();
    if (isGood) rmSync(logs, { recursive: true, force: true });
    else progress(`the gateways' logs are in ${logs}`);
  }
}

async function prove(
  options: ProofOptions,
  { progress, logs, closers }: { progress: (text: string) => void; logs: string; closers: Closers },
): Promise<ProofResult> {
  const begun = performance.now();
  progress(`starting: ${options.processes} gateways on ${options.store}`);
  const killer = new Killer(options);
  const world = await openWorld(options, killer, { logs, closers });
  const clients = new Clients(world.gateways, world.keys);
  let isOver = false;
  closers.add(() => {
    isOver = true;
    killer.stop();
    return clients.close();
  });
  let sent = 0;
  const lane = async (): Promise<void> => {
    while (sent < options.requests && !isOver) {
      const number = sent++;
      if (number % 500 === 0 && number > 0) progress(`${number} requests, ${killer.count()} kills`);
      await clients.run(planRequest(options.seed, number));
    }
  };
  const lanes = Promise.all(Array.from({ length: options.concurrency }, lane));
  await Promise.all([lanes, killer.run(world, () => sent / options.requests)]);
  progress(`${sent} requests, ${killer.count()} kills; waiting for recovery`);
  await waitForQuiet(world);
  await clients.close();
  for (const gateway of world.gateways) {
    if (!(await gateway.stop())) killer.onExit(`${gateway.plan.name} had to be killed: it did not stop`);
  }
  return conclude(world, { options, clients, killer, begun, logs });
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
  about: { options: ProofOptions; clients: Clients; killer: Killer; begun: number; logs: string },
): Promise<ProofResult> {
  const { options, clients, killer, begun, logs } = about;
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
      exits: killer.exits,
      hangs: clients.seen.flatMap(({ number, requestId, hungAt }) =>
        hungAt === null ? [] : [`request ${number} (${requestId ?? "no head"}) at ${hungAt}`],
      ),
      ground: await describeGround(db),
      lostReplies: world.lostReplies?.count() ?? 0,
      diskFaults: countDiskFaults(logs),
      verify: checks.filter((check) => !check.ok).map((check) => `${check.name} ${JSON.stringify(check)}`),
      seconds: (performance.now() - begun) / 1_000,
    };
  } finally {
    await db.close();
  }
}

/** As the gateways logged it: PostgreSQL says the same words for every kind of file. */
function countDiskFaults(logs: string): number {
  const texts = readdirSync(logs).map((name) => readFileSync(join(logs, name), "utf8"));
  return texts.reduce(
    (sum, text) => sum + (text.match(/No space left on device|File too large/g)?.length ?? 0),
    0,
  );
}

async function describeGround(db: Db): Promise<Ground> {
  const [row] = await db.query<{ server_version: string }>("show server_version");
  return {
    commit: commitOf(),
    cores: availableParallelism(),
    node: process.version,
    database: `${db.kind === "pglite" ? "PGlite, PostgreSQL" : "PostgreSQL"} ${row?.server_version}`,
  };
}

/** "+" after it: something was changed since. */
function commitOf(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync("git", args, { encoding: "utf8", stdio: "pipe" }).trim();
    return (
      git("rev-parse", "--short", "HEAD") + (git("status", "--porcelain", "src", "sim") === "" ? "" : "+")
    );
  } catch {
    return "unknown"; // no clone
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
