import type { Command } from "commander";
import { addLeaf, type Session } from "../command.ts";

interface FileOption {
  readonly config?: string;
}
const fileOption = (command: Command): Command =>
  command.option("--config <file>", "configuration file (default: TOLLGATE_CONFIG, else ./tollgate.yaml)");

export function defineConfig(parent: Command, session: Session): void {
  addLeaf<FileOption>(parent, session, {
    usage: "check",
    summary: "read the configuration as serve would; exit code 2 when something is wrong",
    examples: ["tollgate config check", "tollgate config check --config staging.yaml --json"],
    options: fileOption,
    run: async ({ terminal, options }) => {
      const { readConfig } = await import("../settings.ts");
      const config = readConfig(terminal, { config: options.config });
      const { file, isConfigured, endpoints, models } = config;
      if (options.json === true) {
        terminal.print(
          JSON.stringify({
            ok: true,
            file,
            demo: !isConfigured,
            endpoints: endpoints.size,
            models: models.length,
          }),
        );
      } else if (!isConfigured)
        terminal.print(
          "There is no configuration and no vendor in the environment: serve would start in demo mode.",
        );
      else
        terminal.print(
          `${file ?? "The environment"} is right: ${counted(endpoints.size, "endpoint")}, ${counted(models.length, "model")}.`,
        );
    },
  });
  addLeaf<FileOption & { origin?: true }>(parent, session, {
    usage: "show",
    summary: "print the configuration in force, secrets hidden",
    examples: ["tollgate config show --origin", "tollgate config show --json"],
    options: (command) => fileOption(command).option("--origin", "say where each value comes from"),
    run: async ({ terminal, options }) => {
      const { readConfig } = await import("../settings.ts");
      const { listConfig, showConfig } = await import("../../config/describe.ts");
      const config = readConfig(terminal, { config: options.config });
      if (options.json === true)
        terminal.print(JSON.stringify({ file: config.file, values: listConfig(config) }));
      else await terminal.write(showConfig(config, { withOrigin: options.origin === true }));
    },
  });
  addLeaf(parent, session, {
    usage: "schema",
    summary: "print the JSON Schema of tollgate.yaml, for editors",
    examples: ["tollgate config schema > tollgate.schema.json"],
    run: async ({ terminal, options }) => {
      const { jsonSchema } = await import("../../config/describe.ts");
      terminal.print(
        options.json === true ? JSON.stringify(jsonSchema()) : JSON.stringify(jsonSchema(), null, 2),
      );
    },
  });
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
