import { Command } from "commander";
import { addLeaf, type CommandEntry, type Session, wholeOption } from "./command.ts";

/** Every command, in the order of the overview. What a command needs is loaded only when it is called. */
export const commands: readonly CommandEntry[] = [
  { name: "serve", summary: "run the gateway, the admin API and the console", load: async () => defineServe },
  {
    name: "demo",
    summary: "run with a simulated vendor and generated traffic",
    load: async () => defineDemo,
  },
  {
    name: "probe",
    summary: "measure how an endpoint streams, counts and refuses",
    load: async () => (await import("./commands/probe.ts")).defineProbe,
  },
  {
    name: "accounts",
    summary: "create, list, show, freeze and thaw accounts",
    load: async () => (await import("./commands/accounts.ts")).defineAccounts,
  },
  {
    name: "grants",
    summary: "give accounts credit, list it, take it back",
    load: async () => (await import("./commands/grants.ts")).defineGrants,
  },
  {
    name: "keys",
    summary: "create, list, rotate and revoke keys",
    load: async () => (await import("./commands/keys.ts")).defineKeys,
  },
  {
    name: "requests",
    summary: "watch, list and explain requests",
    load: async () => (await import("./commands/requests.ts")).defineRequests,
  },
  {
    name: "usage",
    summary: "tokens and charges in buckets of time",
    load: async () => (await import("./commands/usage.ts")).defineUsage,
  },
  {
    name: "ledger",
    summary: "prove and export the ledger",
    load: async () => (await import("./commands/ledger.ts")).defineLedger,
  },
  {
    name: "prices",
    summary: "list, set and import prices",
    load: async () => (await import("./commands/prices.ts")).definePrices,
  },
  {
    name: "simulate",
    summary: "run the vendor simulator alone",
    load: async () => (await import("./commands/simulate.ts")).defineSimulate,
  },
  {
    name: "migrate",
    summary: "bring the store's schema up to date",
    load: async () => (await import("./commands/migrate.ts")).defineMigrate,
  },
  {
    name: "config",
    summary: "check and show the configuration, print its JSON Schema",
    load: async () => (await import("./commands/config.ts")).defineConfig,
  },
  {
    name: "backup",
    summary: "write the embedded database into one file",
    load: async () => (await import("./commands/backup.ts")).defineBackup,
  },
  {
    name: "restore",
    summary: "put a backup in the place of the embedded database",
    load: async () => (await import("./commands/backup.ts")).defineRestore,
  },
  {
    name: "doctor",
    summary: "look at everything that could be wrong",
    load: async () => (await import("./commands/doctor.ts")).defineDoctor,
  },
];

/**
 * The program with all commands known by name, and those that `isWanted` defined in full: reading the help of one
 * command must not load the others.
 */
export async function createProgram(
  session: Session,
  version: string,
  isWanted: (name: string) => boolean,
): Promise<Command> {
  const { terminal } = session;
  const program = new Command("tollgate");
  program
    .description("An LLM gateway that bills exactly.")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print the help of a command")
    .exitOverride()
    .showHelpAfterError("(add --help for what there is)")
    .configureHelp({ helpWidth: 110 })
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
      getOutHasColors: () => terminal.hasColour,
      getErrHasColors: () => false,
    });
  program.addHelpText("after", overviewEnd);
  for (const { name, summary, load } of commands) {
    const command = program.command(name).description(summary);
    if (isWanted(name)) (await load())(command, session);
  }
  return program;
}

const overviewEnd = `
Examples:
  tollgate serve                       start; without a configuration in demo mode
  tollgate accounts create acme        then: tollgate grants add acme 10, tollgate keys create acme
  tollgate requests tail               watch what is charged, and why
  tollgate ledger verify               prove that the books are right

Commands that administer reach the server by --server or TOLLGATE_URL, with TOLLGATE_ADMIN_TOKEN; on the
machine of the server they find the token that it keeps in its data directory.
Exit codes: 0 ok, 1 failed, 2 usage or configuration, 3 findings, 4 not authorised, 5 unreachable, 130 interrupted.`;

interface ServeOptions {
  readonly config?: string;
  readonly host?: string;
  readonly port?: number;
  readonly workers?: number;
}

const addServeOptions = (command: Command): Command =>
  command
    .option("--config <file>", "configuration file (default: TOLLGATE_CONFIG, else ./tollgate.yaml)")
    .option("--host <address>", "address to listen on (default: HOST, else 127.0.0.1)")
    .addOption(
      wholeOption("--port <port>", "TCP port (default: PORT, else 8402); 0 takes any free one", {
        min: 0,
        max: 65_535,
      }),
    )
    .addOption(
      wholeOption("--workers <number>", "processes that serve; more than 1 needs PostgreSQL (default: 1)", {
        min: 1,
        max: 64,
      }),
    );

/** As the configuration takes flags: text. */
const flagsOf = ({ config, host, port, workers }: ServeOptions) => ({
  config,
  host,
  port: port?.toString(),
  workers: workers?.toString(),
});

function defineServe(command: Command, session: Session): void {
  addLeaf<ServeOptions>(command, session, {
    usage: "",
    summary: "run the gateway, the admin API and the console",
    examples: [
      "tollgate serve",
      "tollgate serve --config tollgate.yaml --host 0.0.0.0 --port 8080",
      "OPENAI_API_KEY=… tollgate serve",
    ],
    options: addServeOptions,
    run: async ({ terminal, options }) => {
      const { runServe } = await import("./serve.ts");
      await runServe({ ...flagsOf(options), json: options.json === true }, terminal);
    },
  });
}

function defineDemo(command: Command, session: Session): void {
  addLeaf<ServeOptions>(command, session, {
    usage: "",
    summary: "run with a simulated vendor and generated traffic, so that every page has something to show",
    examples: ["tollgate demo", "tollgate demo --port 0"],
    options: addServeOptions,
    run: async ({ terminal, options }) => {
      const { runDemo } = await import("./demo.ts");
      await runDemo({ ...flagsOf(options), json: options.json === true }, terminal);
    },
  });
}
