import type { Command } from "commander";
import { addLeaf, type Session } from "../command.ts";
import { exitCodes } from "../terminal.ts";

export function defineMigrate(command: Command, session: Session): void {
  addLeaf<{ config?: string; check?: true }>(command, session, {
    usage: "",
    summary: "bring the store's schema up to date (serve does so by itself)",
    examples: ["tollgate migrate", "DATABASE_URL=postgres://… tollgate migrate --check"],
    options: (leaf) =>
      leaf
        .option("--config <file>", "configuration file (default: TOLLGATE_CONFIG, else ./tollgate.yaml)")
        .option("--check", "change nothing; exit code 3 when migrations are pending"),
    run: async ({ terminal, options }) => {
      const { readConfig } = await import("../settings.ts");
      const { applyMigrations, findPending } = await import("../migrations.ts");
      const config = readConfig(terminal, { config: options.config });
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
