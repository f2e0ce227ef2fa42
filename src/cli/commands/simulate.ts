import { type Command, InvalidArgumentError, Option } from "commander";
import { faults, isFaultName } from "../../simulator/faults.ts";
import { type ProfileName, profileNames } from "../../simulator/profiles.ts";
import { startSimulator } from "../../simulator/server.ts";
import { addLeaf, choiceOption, collect, type Session, wholeOption } from "../command.ts";
import { CliError, exitCodes, type Terminal } from "../terminal.ts";

interface SimulateOptions {
  readonly port: number;
  readonly host: string;
  readonly profile: ProfileName;
  readonly seed: number;
  readonly latencyMs: number;
  readonly tokensPerSecond?: number;
  readonly faultRate: number;
  readonly fault?: readonly string[];
  readonly deployment?: readonly string[];
  readonly model?: readonly string[];
  readonly billOnAbort: "generated" | "full";
}

export function defineSimulate(command: Command, session: Session): void {
  addLeaf<SimulateOptions>(command, session, {
    usage: "",
    summary: "run the vendor simulator: it answers like a vendor and keeps its own bill (GET /_sim/bill)",
    examples: [
      "tollgate simulate --port 9000 --profile azure --deployment my-gpt5=gpt-5-mini",
      "tollgate simulate --profile openai --tokens-per-second 50 --fault-rate 0.1 --fault 429 --fault cut_before_usage",
      "curl -s http://127.0.0.1:9000/_sim/bill",
    ],
    options: addOptions,
    run: async ({ terminal, options }) => {
      const { fault, deployment, model, tokensPerSecond, json: asJson, ...rest } = options;
      const simulator = await startSimulator({
        ...rest,
        tokensPerSecond: tokensPerSecond ?? null,
        models: model ?? null,
        deployments: Object.fromEntries((deployment ?? []).map(readDeployment)),
        ...(fault === undefined ? {} : { faults: fault.filter(isFaultName) }),
      }).catch((error: unknown) => {
        throw new CliError(exitCodes.usage, explain(error, options), { cause: error });
      });
      const { url } = simulator;
      if (asJson === true)
        terminal.print(JSON.stringify({ url, profile: options.profile, bill: `${url}/_sim/bill` }));
      else terminal.print(`The ${options.profile} simulator listens on ${url} (bill: ${url}/_sim/bill)`);
      await untilInterrupted(terminal);
      await simulator.close();
      return exitCodes.interrupted;
    },
  });
}

const addOptions = (command: Command): Command =>
  command
    .addOption(
      wholeOption("--port <port>", "TCP port; 0 takes any free one", { min: 0, max: 65_535 }).default(9000),
    )
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .addOption(choiceOption("--profile <vendor>", "which vendor it is", profileNames).default("openai"))
    .addOption(
      wholeOption("--seed <number>", "the same seed gives the same answers, ids and faults", {
        min: 0,
        max: 2 ** 32 - 1,
      }).default(1),
    )
    .addOption(
      wholeOption("--latency-ms <ms>", "time before the first byte of an answer", {
        min: 0,
        max: 600_000,
      }).default(0),
    )
    .addOption(
      wholeOption("--tokens-per-second <number>", "speed of an answer (default: as fast as it is read)", {
        min: 1,
        max: 1_000_000,
      }),
    )
    .addOption(
      new Option("--fault-rate <share>", "share of the attempts that get a fault, 0 to 1")
        .argParser(readShare)
        .default(0),
    )
    .addOption(
      new Option(
        "--fault <name>",
        `a fault for --fault-rate; may be repeated: ${Object.keys(faults).join(", ")}`,
      ).argParser(collectFault),
    )
    .option("--deployment <name=model>", "a deployment and the model behind it; may be repeated", collect)
    .option("--model <name>", "serve only this model; may be repeated (default: all of the profile)", collect)
    .addOption(
      choiceOption("--bill-on-abort <what>", "what a stream costs when the client leaves", [
        "generated",
        "full",
      ]).default("generated"),
    );

function readShare(text: string): number {
  const share = /^[01](\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (share <= 1) return share;
  throw new InvalidArgumentError("Write a share from 0 to 1, like 0.05.");
}

function collectFault(text: string, before: readonly string[] | undefined): readonly string[] {
  if (isFaultName(text)) return collect(text, before);
  throw new InvalidArgumentError(`There is no such fault; use one of ${Object.keys(faults).join(", ")}.`);
}

function readDeployment(text: string): [string, string] {
  const cut = text.indexOf("=");
  if (cut < 1 || cut === text.length - 1) {
    throw new CliError(
      exitCodes.usage,
      `Cannot read the deployment ${JSON.stringify(text)}: write --deployment name=model.`,
    );
  }
  return [text.slice(0, cut), text.slice(cut + 1)];
}

function explain(error: unknown, { host, port }: SimulateOptions): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  if (code === "EADDRINUSE")
    return `Cannot listen on ${host}:${port}: another program does; name another port with --port.`;
  return error instanceof Error ? error.message : String(error);
}

const untilInterrupted = ({ interrupted }: Terminal): Promise<void> =>
  new Promise((resolve) => {
    if (interrupted.aborted) resolve();
    else interrupted.addEventListener("abort", () => resolve(), { once: true });
  });
