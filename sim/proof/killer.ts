import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CrashPoint } from "../../src/ports.ts";
import { createRandom, type Random } from "../../src/simulator/seeded.ts";
import type { GatewayProcess } from "./gateway.ts";
import type { ProofOptions } from "./options.ts";
import type { World } from "./world.ts";

const crashPoints: readonly CrashPoint[] = [
  "after_hold",
  "before_send",
  "after_first_byte",
  "after_usage",
  "before_settle",
  "after_settle",
  "inside_batch",
];

/** Ends processes at random instants and at named places, and starts them again, until as many died as asked for. */
export class Killer {
  /** By what was killed: "gateway", "postgres", or the place. */
  readonly deaths = new Map<string, number>();
  private readonly world: World;
  private readonly options: ProofOptions;
  private readonly random: Random;
  private readonly revivals = new Set<Promise<void>>();
  private fault: Error | null = null;

  constructor(world: World, options: ProofOptions) {
    this.world = world;
    this.options = options;
    this.random = createRandom("kills", options.seed);
  }

  count(): number {
    let sum = 0;
    for (const one of this.deaths.values()) sum += one;
    return sum;
  }

  /** Runs beside the requests; `progress` is the share of them that has been sent, 0 to 1. */
  async run(progress: () => number): Promise<void> {
    const { kills, diskFull } = this.options;
    let fills = 0;
    while (this.count() < kills || fills < diskFull) {
      if (this.fault !== null) throw this.fault;
      const due = progress() * (kills + 1);
      if (fills < diskFull && progress() * (diskFull + 1) >= fills + 1) {
        fills += 1;
        await this.fillDisk();
      } else if (this.count() < kills && due >= this.count() + 1) await this.killOne();
      else if (progress() >= 1 && this.count() < kills) await this.killOne();
      else await pause(5 + this.random.below(30));
    }
    await Promise.all(this.revivals);
    if (this.fault !== null) throw this.fault;
  }

  private async killOne(): Promise<void> {
    const { postgres, gateways } = this.world;
    if (postgres !== null && this.random.below(6) === 0) {
      this.note("postgres");
      await postgres.crash();
      await pause(this.random.below(400));
      await postgres.start();
      return;
    }
    const gateway = gateways[this.random.below(gateways.length)] as GatewayProcess;
    if (!gateway.isRunning()) return pause(20);
    if (!(await gateway.kill())) return;
    this.note("gateway");
    this.revive(gateway);
  }

  /** Starts it again after a moment; one time in three with a place at which it will kill itself. */
  private revive(gateway: GatewayProcess): void {
    const point = crashPoints[this.random.below(crashPoints.length)] as CrashPoint;
    const isArmed = this.random.below(3) === 0 && this.count() < this.options.kills;
    const at = isArmed ? `${point}:${1 + this.random.below(20)}` : null;
    const waitMs = this.random.below(300);
    const revival = (async () => {
      await pause(waitMs);
      await gateway.start(at);
      if (at === null) return;
      const died = await this.waitForDeath(gateway, 15_000);
      if (!died) return;
      this.note(point);
      await pause(waitMs);
      await gateway.start();
    })().catch((error: unknown) => {
      this.fault = error instanceof Error ? error : new Error(String(error));
    });
    this.revivals.add(revival);
    void revival.finally(() => this.revivals.delete(revival));
  }

  private async waitForDeath(gateway: GatewayProcess, patienceMs: number): Promise<boolean> {
    const begun = performance.now();
    while (gateway.isRunning() && performance.now() - begun < patienceMs) await pause(10);
    return !gateway.isRunning();
  }

  /** Takes the last byte of the database's file system, and gives it back after a while. */
  private async fillDisk(): Promise<void> {
    const { home } = this.options;
    if (home === null)
      throw new Error("Cannot fill the disk: --disk-full needs --home on a small file system");
    const filler = join(home, "filler");
    for (const size of [1 << 24, 1 << 20, 1 << 16, 4_096]) {
      for (let part = 0; ; part += 1) {
        try {
          writeFileSync(`${filler}-${size}-${part}`, Buffer.alloc(size, 1));
        } catch {
          break; // full
        }
      }
    }
    this.note("disk full");
    await pause(1_500 + this.random.below(1_500));
    for (const size of [1 << 24, 1 << 20, 1 << 16, 4_096]) {
      for (let part = 0; existsSync(`${filler}-${size}-${part}`); part += 1)
        rmSync(`${filler}-${size}-${part}`);
    }
  }

  private note(what: string): void {
    this.deaths.set(what, (this.deaths.get(what) ?? 0) + 1);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
