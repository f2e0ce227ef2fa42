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

// Compiled, the gateway is the code beside this one; as TypeScript (in tests), the project's build.
const here = import.meta.url;
const program = fileURLToPath(
  here.endsWith(".ts") ? new URL("../../bin/tollgate.js", here) : new URL("../gateway-main.js", here),
);

/** One gateway process that can be killed at any instant and started again under the same address. */
export class GatewayProcess {
  readonly plan: GatewayPlan;
  readonly url: string;
  private child: ChildProcess | null = null;
  private readonly log: ReturnType<typeof createWriteStream>;

  constructor(plan: GatewayPlan) {
    this.plan = plan;
    this.url = `http://127.0.0.1:${plan.port}`;
    this.log = createWriteStream(plan.log, { flags: "a" });
  }

  isRunning(): boolean {
    return this.child !== null;
  }

  /** Resolves when it takes requests. `crashAt` names the place at which it kills itself. */
  async start(crashAt: string | null = null): Promise<void> {
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
    this.child = child;
    child.once("exit", () => {
      if (this.child === child) this.child = null;
    });
    child.stdout?.pipe(this.log, { end: false });
    child.stderr?.pipe(this.log, { end: false });
    for (;;) {
      if (child.exitCode !== null || child.signalCode !== null) {
        if (child.signalCode === "SIGKILL") return; // its crash point came before it was ready
        throw new Error(
          `Cannot start ${this.plan.name}: it ended with ${child.exitCode ?? child.signalCode}; see ${this.plan.log}`,
        );
      }
      if (await this.isReady()) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }

  private async isReady(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/healthz`)).ok;
    } catch {
      return false; // it does not listen yet
    }
  }

  /** Ends it without a chance to clean up. False when it was dead already. */
  kill(): Promise<boolean> {
    return this.end("SIGKILL");
  }

  /** Lets running requests end. */
  stop(): Promise<boolean> {
    return this.end("SIGTERM");
  }

  private end(signal: NodeJS.Signals): Promise<boolean> {
    const { child } = this;
    if (child === null) return Promise.resolve(false);
    return new Promise((resolve) => {
      child.once("exit", () => resolve(true));
      if (!child.kill(signal)) resolve(false);
    });
  }
}
