import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { addServerLeaf, type Session, timeOption, wholeOption, withoutUndefined } from "../command.ts";
import { type Column, column, printList, printThing } from "../output.ts";
import { CliError, exitCodes } from "../terminal.ts";

const columns: readonly Column[] = [
  column("MODEL", "model"),
  column("VENDOR", "provider"),
  column("FROM", "from"),
  { title: "INPUT", of: "prices.input", align: "right" },
  { title: "CACHED", of: "prices.cached_input", align: "right" },
  { title: "OUTPUT", of: "prices.output", align: "right" },
  { title: "CONTEXT", of: "context_window", align: "right" },
  { title: "MAX OUTPUT", of: "max_output_tokens", align: "right" },
  column("SAYS", "origin"),
];
const tokens = { min: 1, max: 1_000_000_000 };

interface SetOptions {
  readonly input: string;
  readonly cachedInput?: string;
  readonly cacheWrite?: string;
  readonly output?: string;
  readonly from?: string;
  readonly contextWindow?: number;
  readonly maxInputTokens?: number;
  readonly maxOutputTokens?: number;
}

export function definePrices(parent: Command, session: Session): void {
  addServerLeaf<{ model?: string; vendor?: string }>(parent, session, {
    usage: "list",
    summary: "list prices, USD per million tokens, built-in ones too",
    examples: ["tollgate prices list --model gpt-5-mini", "tollgate prices list --vendor operator"],
    options: (command) =>
      command
        .option("--model <name>", "only this model's")
        .option("--vendor <name>", "only this price list: openai, azure, …, or operator for your own"),
    run: async ({ client, terminal, options, asJson }) => {
      const rows = client.list("/prices", { model: options.model, provider: options.vendor });
      await printList(terminal, {
        rows,
        columns,
        asJson,
        whenEmpty: "There are no such prices. Set one: tollgate prices set <model> --input …",
      });
    },
  });
  addServerLeaf<SetOptions>(parent, session, {
    usage: "set <model>",
    summary: "publish a price of your own; a later one supersedes it, none is ever edited",
    examples: [
      "tollgate prices set my-tuned --input 0.25 --cached-input 0.025 --output 2.00",
      "tollgate prices set gpt-5-mini --input 0.30 --output 2.40 --from 2027-01-01",
    ],
    options: (command) =>
      command
        .requiredOption("--input <usd>", "USD per million input tokens")
        .option("--cached-input <usd>", "… of cached input")
        .option("--cache-write <usd>", "… of input written to the cache")
        .option("--output <usd>", "… of output, reasoning included")
        .addOption(timeOption("--from <time>", "in force from then on (default: now)"))
        .addOption(wholeOption("--context-window <tokens>", "input and output together", tokens))
        .addOption(wholeOption("--max-input-tokens <tokens>", "largest input", tokens))
        .addOption(wholeOption("--max-output-tokens <tokens>", "largest output", tokens)),
    run: async ({ client, terminal, args, options, asJson }) => {
      const { input, cachedInput, cacheWrite, output, from, contextWindow, maxInputTokens, maxOutputTokens } =
        options;
      const limits = {
        context_window: contextWindow,
        max_input_tokens: maxInputTokens,
        max_output_tokens: maxOutputTokens,
      };
      const prices = { input, cached_input: cachedInput, cache_write: cacheWrite, output };
      printThing(
        terminal,
        await client.post("/prices", withoutUndefined({ model: args[0], from, ...prices, ...limits })),
        asJson,
      );
    },
  });
  addServerLeaf(parent, session, {
    usage: "import <file>",
    summary: "publish the prices of a YAML or JSON file, written as `prices:` in tollgate.yaml",
    examples: ["tollgate prices import prices.yaml"],
    run: async ({ client, terminal, args, asJson }) => {
      const { importPrices } = await import("../import-prices.ts");
      const text = readText(resolve(terminal.cwd, args[0] ?? ""), args[0] ?? "");
      const result = await importPrices({ client, terminal, text, file: args[0] ?? "" });
      if (asJson) terminal.print(JSON.stringify(result));
      else terminal.print(`Published ${result.published}, known already ${result.known}.`);
    },
  });
}

function readText(path: string, name: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CliError(
      exitCodes.usage,
      `Cannot read ${name}: ${error instanceof Error && "code" in error ? String(error.code) : "unknown reason"}.`,
      { cause: error },
    );
  }
}
