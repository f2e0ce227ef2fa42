import type { Command } from "commander";
import { addLeaf, type Session } from "../command.ts";
import { column, formatTable } from "../output.ts";
import { exitCodes } from "../terminal.ts";

export function defineDoctor(command: Command, session: Session): void {
  addLeaf<{ config?: string; server?: string }>(command, session, {
    usage: "",
    summary: "look at everything that could be wrong; exit code 3 when something is",
    examples: ["tollgate doctor", "tollgate doctor --json"],
    options: (leaf) =>
      leaf
        .option("--config <file>", "configuration file (default: TOLLGATE_CONFIG, else ./tollgate.yaml)")
        .option("--server <url>", "the server (default: TOLLGATE_URL, else http://127.0.0.1:8402)"),
    run: async ({ terminal, options }) => {
      const { examine } = await import("../doctor.ts");
      const checks = await examine(terminal, options);
      if (options.json === true) for (const check of checks) terminal.print(JSON.stringify(check));
      else {
        const columns = [column("CHECK", "name"), column("RESULT", "result"), column("WHAT", "text")];
        await terminal.write(
          formatTable(
            checks.map((check) => ({ ...check })),
            columns,
            terminal.hasColour,
          ),
        );
      }
      return checks.some((check) => check.result === "wrong") ? exitCodes.findings : exitCodes.ok;
    },
  });
}
