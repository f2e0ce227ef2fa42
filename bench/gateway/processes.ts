import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { LoadOrder, LoadResult } from "./loader.ts";
import type { Vitals } from "./vitals.ts";

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const runner = here("./child.js");
const vitals = new URL("./vitals.js", import.meta.url).href;

/** A process of the benchmark that answers questions over its channel. */
export class Child {
  readonly port: number;
  readonly key: string | null;
  private readonly process: ChildProcess;

  private constructor(process: ChildProcess, ready: { port: number; key?: string }) {
    this.process = process;
    this.port = ready.port;
    this.key = ready.key ?? null;
  }

  /** Starts one of the programs beside this file. */
  static async start(program: string, args: readonly string[] = []): Promise<Child> {
    const options = {
      execArgv: ["--import", vitals],
      stdio: ["ignore", 2, 2, "ipc"] as ("ignore" | "ipc" | number)[],
    };
    const process = fork(runner, [program, ...args], options);
    return new Child(
      process,
      (await answerOf(process, (message) => "port" in message)) as { port: number; key?: string },
    );
  }

  /** Starts a foreign program that says nothing over the channel; it is ready when its port answers. */
  static async startForeign(file: string, args: readonly string[], port: number): Promise<Child> {
    const process = fork(file, [...args], {
      execArgv: ["--import", vitals],
      stdio: ["ignore", "ignore", 2, "ipc"],
      env: { ...globalThis.process.env, NODE_ENV: "production" },
    });
    const deadline = performance.now() + 20_000;
    while (performance.now() < deadline) {
      const isUp = await fetch(`http://127.0.0.1:${port}/`).then(
        () => true,
        () => false,
      );
      if (isUp) return new Child(process, { port });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`Cannot measure ${file}: it does not answer on port ${port}`);
  }

  async ask<Answer>(question: string, field: string): Promise<Answer> {
    const answer = answerOf(this.process, (message) => field in message);
    this.process.send(question);
    return ((await answer) as Record<string, Answer>)[field] as Answer;
  }

  vitals(): Promise<Vitals> {
    return this.ask<Vitals>("vitals", "vitals");
  }

  async load(order: LoadOrder): Promise<LoadResult> {
    const answer = answerOf(this.process, (message) => "result" in message);
    this.process.send(order as unknown as string);
    return ((await answer) as { result: LoadResult }).result;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGKILL");
    await ended;
  }
}

function answerOf(process: ChildProcess, isIt: (message: object) => boolean): Promise<object> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void =>
      reject(new Error(`Cannot measure: a process ended with ${code}`));
    process.once("exit", onExit);
    const onMessage = (message: unknown): void => {
      if (typeof message !== "object" || message === null || !isIt(message)) return;
      process.off("message", onMessage);
      process.off("exit", onExit);
      resolve(message);
    };
    process.on("message", onMessage);
  });
}

/** Portkey's gateway, installed from npm into a scratch folder the first time. Null when it cannot be had. */
export function installPortkey(note: (text: string) => void): string | null {
  const folder = fileURLToPath(new URL("../../../portkey/", import.meta.url));
  const program = `${folder}node_modules/@portkey-ai/gateway/build/start-server.js`;
  if (existsSync(program)) return program;
  note("Installing @portkey-ai/gateway into a scratch folder…");
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}package.json`, '{"private":true}');
  try {
    execFileSync("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "@portkey-ai/gateway@1"], {
      cwd: folder,
      stdio: "ignore",
    });
  } catch {
    return null;
  }
  return existsSync(program) ? program : null;
}
