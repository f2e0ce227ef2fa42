import { type Command, Option } from "commander";
import type { Config } from "../../config/config.ts";
import { addLeaf, type Session } from "../command.ts";
import { type ExitCode, exitCodes, type Terminal } from "../terminal.ts";

export function defineMigrate(command: Command, session: Session): void {
  addLeaf<{ config?: string; check?: true; to?: string }>(command, session, {
    usage: "",
    summary:
      "bring the store's schema up to date (serve does so by itself), or move the embedded database to PostgreSQL",
    examples: [
      "tollgate migrate",
      "DATABASE_URL=postgres://… tollgate migrate --check",
      "tollgate migrate --to postgres://tollgate@db.example.com/tollgate",
    ],
    options: (leaf) =>
      leaf
        .option("--config <file>", "configuration file (default: TOLLGATE_CONFIG, else ./tollgate.yaml)")
        .option("--check", "change nothing; exit code 3 when migrations are pending")
        .addOption(
          new Option(
            "--to <url>",
            "copy the embedded database into this empty PostgreSQL database and prove the copy; env:NAME takes the URL from a variable",
          ).conflicts("check"),
        ),
    run: async ({ terminal, options }) => {
      const { readConfig } = await import("../settings.ts");
      const { applyMigrations, findPending } = await import("../migrations.ts");
      const config = readConfig(terminal, { config: options.config });
      if (options.to !== undefined)
        return move(config, terminal, { to: options.to, json: options.json === true });
      const isCheck = options.check === true;
      const names = isCheck ? await findPending(config) : await applyMigrations(config, terminal);
      const state = isCheck ? "pending" : "applied";
      if (options.json === true) terminal.print(JSON.stringify({ [state]: names }));
      else if (names.length === 0) terminal.print("The schema is up to date.");
      else
        terminal.print(
          `${names.length === 1 ? "1 migration" : `${names.length} migrations`} ${state}: ${names.join(", ")}`,
        );
      return isCheck && names.length > 0 ? exitCodes.findings : exitCodes.ok;
    },
  });
}

async function move(
  config: Config,
  terminal: Terminal,
  { to, json }: { to: string; json: boolean },
): Promise<ExitCode> {
  const { moveToPostgres } = await import("../move.ts");
  const result = await moveToPostgres(config, terminal, to);
  if (json) terminal.print(JSON.stringify(result));
  else {
    terminal.print(
      `Moved ${result.rows} rows of ${result.tables} tables. The copy is the same row by row, the sums of ${result.accounts} accounts agree, and all ${result.checks} checks of \`ledger verify\` pass.`,
    );
    terminal.note(
      `The embedded database is kept in ${result.kept}, closed; remove it when you no longer need it.`,
    );
    terminal.note("Next: set DATABASE_URL (or store) to the new database, then tollgate serve");
  }
  return exitCodes.ok;
}
