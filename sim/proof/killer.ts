import type { CrashPoint } from "../../src/ports.ts";
import { createRandom, type Random } from "../../src/simulator/seeded.ts";
import type { GatewayProcess, Supervision } from "./gateway.ts";
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

/** Ends processes at random instants and at named places, until as many died as asked for. */
export class Killer implements Supervision {
  /** By what was killed: "gateway", "postgres", "disk full", or the place at which a gateway killed itself. */
  readonly deaths = new Map<string, number>();
  /** Gateways that ended though nobody killed them. */
  readonly exits: string[] = [];
  private readonly options: ProofOptions;
  private readonly random: Random;
  private isOn = false;

  constructor(options: ProofOptions) {
    this.options = options;
    this.random = createRandom("kills", options.seed);
  }

  count(): number {
    let sum = 0;
    for (const [what, count] of this.deaths) if (what !== "disk full") sum += count;
    return sum;
  }

  /** One start in three is armed while there is somebody to kill. */
  crashPoint(): string | null {
    if (!this.isOn || this.count() >= this.options.kills || this.random.below(3) > 0) return null;
    return `${crashPoints[this.random.below(crashPoints.length)] as CrashPoint}:${1 + this.random.below(20)}`;
  }

  onCrash(point: string): void {
    this.note(point);
  }

  onExit(how: string): void {
    this.exits.push(how);
  }

  pauseMs(): number {
    return this.random.below(300);
  }

  /** Runs beside the requests; `progress` is the share of them that has been sent, 0 to 1. */
  async run(world: World, progress: () => number): Promise<void> {
    const { kills, diskFull } = this.options;
    this.isOn = true;
    let fills = 0;
    while (this.isOn && (this.count() < kills || fills < diskFull)) {
      for (const gateway of world.gateways) gateway.check();
      if (fills < diskFull && progress() * (diskFull + 1) >= fills + 1) {
        fills += 1;
        await this.fill(world);
      } else if (this.count() < kills && progress() * (kills + 1) >= this.count() + 1)
        await this.killOne(world);
      else await pause(5 + this.random.below(30));
    }
    this.isOn = false;
  }

  stop(): void {
    this.isOn = false;
  }

  private async killOne({ postgres, gateways }: World): Promise<void> {
    // One kill in six, and one for certain, by the middle of the run.
    const isOverdue = !this.deaths.has("postgres") && this.count() >= this.options.kills / 2;
    if (postgres !== null && (isOverdue || this.random.below(6) === 0)) {
      this.note("postgres");
      await postgres.crash();
      // Now and then for so long that every lease lapses.
      await pause(this.random.below(this.random.below(4) === 0 ? 3_000 : 400));
      await postgres.start();
      return;
    }
    const gateway = gateways[this.random.below(gateways.length)] as GatewayProcess;
    if (await gateway.kill()) this.note("gateway");
    else await pause(20);
  }

  private async fill({ fillDisk, postgres }: World): Promise<void> {
    const free = fillDisk();
    this.note("disk full");
    await pause(1_500 + this.random.below(1_500));
    free();
    // It may have given up over it; then an operator starts it again.
    if (postgres !== null && !postgres.isRunning()) await postgres.start();
  }

  private note(what: string): void {
    this.deaths.set(what, (this.deaths.get(what) ?? 0) + 1);
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
