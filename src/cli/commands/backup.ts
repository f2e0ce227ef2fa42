import type { Command } from "commander";
import { addLeaf, type Session } from "../command.ts";

const configFlag = [
  "--config <file>",
  "configuration file (default: TOLLGATE_CONFIG, else ./tollgate.yaml)",
] as const;

export function defineBackup(command: Command, session: Session): void {
  addLeaf<{ config?: string; output?: string }>(command, session, {
    usage: "",
    summary: "write the embedded database into one file; stop the server first",
    examples: ["tollgate backup", "tollgate backup --output /backups/monday.tar.gz"],
    options: (leaf) =>
      leaf.option(...configFlag).option("--output <file>", "a new file (default: tollgate-DATE-TIME.tar.gz)"),
    run: async ({ terminal, options }) => {
      const { readConfig } = await import("../settings.ts");
      const { backUp } = await import("../backup.ts");
      const result = await backUp(readConfig(terminal, { config: options.config }), terminal, options.output);
      terminal.print(
        options.json === true ? JSON.stringify(result) : `Wrote ${result.file} (${result.bytes} bytes).`,
      );
    },
  });
}

export function defineRestore(command: Command, session: Session): void {
  addLeaf<{ config?: string; replace?: true }>(
    command.argument("<file>", "what `tollgate backup` wrote"),
    session,
    {
      usage: "",
      summary: "put a backup in the place of the embedded database; stop the server first",
      examples: [
        "tollgate restore tollgate-20261121-030000.tar.gz",
        "tollgate restore monday.tar.gz --replace",
      ],
      options: (leaf) =>
        leaf.option(...configFlag).option("--replace", "set the database aside that is there"),
      run: async ({ terminal, args, options }) => {
        const { readConfig } = await import("../settings.ts");
        const { restore } = await import("../backup.ts");
        const work = { file: args[0] ?? "", isReplacing: options.replace === true };
        const result = await restore(readConfig(terminal, { config: options.config }), terminal, work);
        if (options.json === true) terminal.print(JSON.stringify(result));
        else {
          terminal.print(`Restored into ${result.directory}.`);
          if (result.previous !== null)
            terminal.note(
              `What was there is kept in ${result.previous}; remove it when you no longer need it.`,
            );
          terminal.note("Next: tollgate serve, then tollgate ledger verify");
        }
      },
    },
  );
}
