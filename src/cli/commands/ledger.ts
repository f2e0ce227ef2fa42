import { open } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { AdminClient, Query } from "../client.ts";
import { addServerLeaf, choiceOption, type Session, timeOption } from "../command.ts";
import { amountColumn, type Column, column, formatFields, formatTable, isRow } from "../output.ts";
import { CliError, exitCodes, type Terminal } from "../terminal.ts";

const checkColumns: readonly Column[] = [
  column("CHECK", "name"),
  column("RESULT", (row) => (row.ok === true ? "holds" : "BROKEN")),
  amountColumn("ROWS", "checked"),
  amountColumn("MS", "duration_ms"),
  column("WHAT", "description"),
];

/** Proving every invariant reads the whole ledger. */
const verifyTimeoutMs = 3_600_000;

interface ExportOptions {
  readonly account?: string;
  readonly from?: string;
  readonly to?: string;
  readonly format: "csv" | "jsonl";
  readonly output?: string;
}

export function defineLedger(parent: Command, session: Session): void {
  addServerLeaf(parent, session, {
    usage: "verify",
    summary: "prove every invariant of the ledger; exit code 3 when one is broken",
    examples: ["tollgate ledger verify", "tollgate ledger verify --json | jq .ok"],
    run: async ({ client, terminal, asJson }) => {
      const result = await client.get("/ledger/verify", {}, verifyTimeoutMs);
      const checks = Array.isArray(result.checks) ? result.checks.filter(isRow) : [];
      const isSound = result.ok === true;
      if (asJson) terminal.print(JSON.stringify(result));
      else {
        await terminal.write(formatTable(checks, checkColumns, terminal.hasColour));
        for (const check of checks) {
          if (isRow(check.first_bad))
            terminal.print(`\nFirst row that breaks ${check.name}:\n${formatFields(check.first_bad, "  ")}`);
        }
        terminal.note(isSound ? "Every invariant holds." : "The ledger breaks an invariant.");
      }
      return isSound ? exitCodes.ok : exitCodes.findings;
    },
  });
  addServerLeaf<ExportOptions>(parent, session, {
    usage: "export",
    summary: "write out ledger entries, newest first",
    examples: [
      "tollgate ledger export --from 2026-11-01 --to 2026-12-01 --output november.csv",
      "tollgate ledger export --account acc_01J… --json | jq .amount",
    ],
    options: (command) =>
      command
        .option("--account <id>", "only this account's")
        .addOption(timeOption("--from <time>", "booked from then on"))
        .addOption(timeOption("--to <time>", "booked before"))
        .addOption(choiceOption("--format <format>", "how it is written", ["csv", "jsonl"]).default("csv"))
        .option("--output <file>", "a new file, instead of stdout"),
    run: async ({ client, terminal, options, asJson }) => {
      const { account, from, to } = options;
      const pieces =
        asJson || options.format === "jsonl"
          ? jsonLines(client, { account, from, to })
          : client.csv("/ledger/entries", { account, from, to });
      if (options.output === undefined) for await (const piece of pieces) await terminal.write(piece);
      else await writeNew(terminal, options.output, pieces);
    },
  });
}

async function* jsonLines(client: AdminClient, query: Query): AsyncGenerator<string> {
  for await (const entry of client.list("/ledger/entries", query)) yield `${JSON.stringify(entry)}\n`;
}

async function writeNew(
  terminal: Terminal,
  name: string,
  pieces: AsyncIterable<string | Uint8Array>,
): Promise<void> {
  const path = resolve(terminal.cwd, name);
  const file = await open(path, "wx", 0o600).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === "EEXIST" ? "it exists already; name a new file" : String(error.code);
    throw new CliError(exitCodes.failed, `Cannot write ${name}: ${reason}.`, { cause: error });
  });
  try {
    for await (const piece of pieces) await file.writeFile(piece);
  } finally {
    await file.close();
  }
  terminal.note(`Wrote ${name}`);
}
