import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { fileURLToPath } from "node:url";

export interface GatewayPlan {
  readonly name: string;
  readonly config: string;
  readonly port: number;
  /** Added to the process's clock, ms. */
  readonly skewMs: number;
  readonly log: string;
}

/** What is decided anew each time the process ended. */
export interface Supervision {
  /** The place at which the next one kills itself ("after_hold:3"); null = nowhere. */
  crashPoint(): string | null;
  /** It killed itself there. */
  onCrash(point: string): void;
  /** It ended though nobody killed it and it had served: a gateway must outlive whatever its database does. */
  onExit(how: string): void;
  /** How long until it is started again after it was killed, ms. */
  pauseMs(): number;
}

// Compiled, the gateway is the code beside this one; as TypeScript (in tests), the project's build.
const here = import.meta.url;
const program = fileURLToPath(
  here.endsWith(".ts") ? new URL("../../bin/tollgate.js", here) : new URL("../gateway-main.js", here),
);

/** A start may fail again and again while the database is away; that long it is tried, ms. */
const startPatienceMs = 90_000;
/** A start that fails is tried again after this, ms. */
const startPauseMs = 200;
/** Ending what runs takes no longer than this, ms. */
const stopPatienceMs = 30_000;

/** One gateway under a supervisor: whenever its process ends it is started again under the same address. */
export class GatewayProcess {
  readonly plan: GatewayPlan;
  readonly url: string;
  private readonly supervision: Supervision;
  private readonly log: ReturnType<typeof createWriteStream>;
  private child: ChildProcess | null = null;
  private isServing = false;
  private isWanted = false;
  private isKilled = false;
  private fault: Error | null = null;
  private supervising: Promise<void> = Promise.resolve();

  constructor(plan: GatewayPlan, supervision: Supervision) {
    this.plan = plan;
    this.supervision = supervision;
    this.url = `http://127.0.0.1:${plan.port}`;
    this.log = createWriteStream(plan.log, { flags: "a" });
  }

  /** Null while there is none. */
  pid(): number | null {
    return this.child?.pid ?? null;
  }

  /** Whether it takes requests, as far as its supervisor knows. */
  isReady(): boolean {
    return this.isServing;
  }

  /** Throws what keeps it from being started. */
  check(): void {
    if (this.fault !== null) throw this.fault;
  }

  /** Resolves when it takes requests for the first time. */
  async start(): Promise<void> {
    this.isWanted = true;
    this.supervising = this.supervise().catch((error: unknown) => {
      this.fault = error instanceof Error ? error : new Error(String(error));
    });
    while (!this.isServing) {
      this.check();
      await pause(20);
    }
  }

  /** Ends the process without a chance to clean up. False when there was none. */
  async kill(): Promise<boolean> {
    const { child } = this;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return false;
    this.isKilled = true;
    const ended = endOf(child);
    child.kill("SIGKILL");
    await ended;
    return true;
  }

  /** Ends it for good and lets running requests end. False when it had to be killed. */
  async stop(): Promise<boolean> {
    this.isWanted = false;
    const { child } = this;
    child?.kill("SIGTERM");
    const timer = setTimeout(() => void this.kill(), stopPatienceMs);
    await this.supervising;
    clearTimeout(timer);
    return !this.isKilled;
  }

  /** Ends it for good at once. */
  async dispose(): Promise<void> {
    this.isWanted = false;
    await this.kill();
    await this.supervising;
    await new Promise<void>((resolve) => this.log.end(resolve));
  }

  private async supervise(): Promise<void> {
    let downSinceMs = performance.now();
    while (this.isWanted) {
      const crashAt = this.supervision.crashPoint();
      this.isKilled = false;
      const child = this.spawn(crashAt);
      this.child = child;
      const ended = endOf(child);
      await this.waitForReady(child);
      const hasServed = this.isServing;
      const how = await ended;
      this.isServing = false;
      this.child = null;
      if (!this.isWanted) return;
      if (hasServed) downSinceMs = performance.now();
      if (how === "SIGKILL") {
        if (!this.isKilled && crashAt !== null) this.supervision.onCrash(crashAt.replace(/:.*/, ""));
        await pause(this.supervision.pauseMs());
        continue;
      }
      if (hasServed) this.supervision.onExit(`${this.plan.name} ended with ${how}`);
      if (performance.now() - downSinceMs > startPatienceMs)
        throw new Error(`Cannot start ${this.plan.name}: it ended with ${how}; see ${this.plan.log}`);
      await pause(startPauseMs);
    }
  }

  private spawn(crashAt: string | null): ChildProcess {
    const { config, port, skewMs } = this.plan;
    const skew = `const now = Date.now; Date.now = () => now() + ${skewMs}; globalThis.Date = class extends Date {
      constructor(...parts) { parts.length === 0 ? super(Date.now()) : super(...parts); } static now() { return now() + ${skewMs}; } };`;
    const preload = skewMs === 0 ? [] : ["--import", `data:text/javascript,${encodeURIComponent(skew)}`];
    const child = spawn(
      process.execPath,
      [...preload, program, "serve", "--config", config, "--port", String(port)],
      {
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, TOLLGATE_CRASH_AT: crashAt ?? "", NODE_ENV: "test" },
      },
    );
    child.stdout?.pipe(this.log, { end: false });
    child.stderr?.pipe(this.log, { end: false });
    return child;
  }

  /** Until it serves or has ended. */
  private async waitForReady(child: ChildProcess): Promise<void> {
    while (child.exitCode === null && child.signalCode === null) {
      if (await isHealthy(this.url)) {
        this.isServing = child.exitCode === null && child.signalCode === null;
        return;
      }
      await pause(25);
    }
  }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5_000) })).ok;
  } catch {
    return false; // it does not listen yet
  }
}

/** The signal by which it ended, or its exit code. */
const endOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null)
      return resolve(String(child.signalCode ?? child.exitCode));
    child.once("exit", (code, signal) => resolve(String(signal ?? code)));
    child.once("error", (error) => resolve(error.message));
  });

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
