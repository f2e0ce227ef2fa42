import type { Command } from "commander";
import { addLeaf, choiceOption, type Session, wholeOption } from "../command.ts";
import type { ProbeCommandOptions } from "../probe.ts";

export function defineProbe(command: Command, session: Session): void {
  command.argument(
    "[target...]",
    "configured endpoints, or addresses (default: the only configured endpoint)",
  );
  addLeaf<ProbeCommandOptions>(command, session, {
    usage: "",
    summary:
      "measure how an endpoint streams, counts and refuses; exit code 3 when there are findings (docs/reference/findings.md)",
    examples: [
      "AZURE_OPENAI_API_KEY=… tollgate probe --base-url https://NAME.openai.azure.com --kind azure --deployment my-gpt5 --model gpt-5-mini --api-version 2024-12-01-preview",
      "OPENAI_API_KEY=… tollgate probe https://api.openai.com/v1 --model gpt-4o-mini --json > before.json",
      "tollgate probe azure-east --deployment my-gpt5 --save",
      "tollgate probe azure-east --deployment my-gpt5 --compare before.json",
      "tollgate probe http://127.0.0.1:8000/v1 --model llama-3.1-8b --price 0.05/0.10 --volume 5000000 --save quirks.yaml",
    ],
    options: addOptions,
    run: async ({ terminal, args, options }) => {
      const { runProbeCommand } = await import("../probe.ts");
      return runProbeCommand(terminal, args, options);
    },
  });
}

const addOptions = (command: Command): Command =>
  command
    .option("--base-url <url>", "the API's address, for an endpoint that is not configured")
    .addOption(
      choiceOption("--kind <kind>", "whose API it is (default: by the address)", ["azure", "openai"]),
    )
    .option("--deployment <name>", "what the vendor calls it")
    .option(
      "--model <name>",
      "the model behind it: decides price and tokenizer (default: what the answers say)",
    )
    .option(
      "--api-version <version>",
      "Azure's (default: AZURE_OPENAI_API_VERSION or OPENAI_API_VERSION, else v1)",
    )
    .option("--key-env <name>", "variable with the key (default: AZURE_OPENAI_API_KEY or OPENAI_API_KEY)")
    .option(
      "--save [file]",
      "let the gateway use what was learned; with a file (.yaml, .json), write it there instead",
    )
    .option("--dry-run", "list the calls and the most each can cost, and send nothing")
    .option("--compare <file>", "say what changed since a report that was written with --json")
    .option("--max-cost <usd>", "spend at most this (default: 0.05)")
    .addOption(
      wholeOption("--volume <requests>", "requests that the money section multiplies by", {
        min: 1,
        max: 999_999_999_999,
      }).default(1_000_000),
    )
    .option(
      "--price <in/out>",
      "USD per million tokens: input/output or input/cached/output (default: the price book)",
    )
    .addOption(wholeOption("--timeout <seconds>", "of each call", { min: 1, max: 600 }).default(30))
    .option("--config <file>", "configuration file (default: TOLLGATE_CONFIG, else ./tollgate.yaml)")
    .option(
      "--server <url>",
      "the server that --save asks when it has the store open (default: TOLLGATE_URL)",
    );
