import { type Command, InvalidArgumentError, Option } from "commander";
import { type AdminClient, connect } from "./client.ts";
import { CliError, type ExitCode, exitCodes, type Terminal } from "./terminal.ts";

/** What one run of the program shares. */
export interface Session {
  readonly terminal: Terminal;
  exitCode: ExitCode;
}

/** A command at the front: its one line in the overview, and where its definition is loaded from. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<(command: Command, session: Session) => void>;
}

export interface LeafOptions {
  readonly json?: true;
}

interface Leaf<Options> {
  /** Name and arguments: "show <account>". Empty for a command that has no subcommands. */
  readonly usage: string;
  readonly summary: string;
  readonly examples: readonly string[];
  readonly options?: (command: Command) => Command;
  run(call: {
    readonly terminal: Terminal;
    readonly args: readonly string[];
    readonly options: Options & LeafOptions;
  }): Promise<ExitCode | undefined>;
}

/** Adds a command with `--json`, its examples, and the exit code that its work gives. */
export function addLeaf<Options extends object>(
  parent: Command,
  session: Session,
  leaf: Leaf<Options>,
): void {
  const command = leaf.usage === "" ? parent : parent.command(leaf.usage);
  command.description(leaf.summary);
  leaf.options?.(command);
  command.option("--json", "print JSON: an object, or one object on each line for lists");
  command.addHelpText("after", `\nExamples:\n${leaf.examples.map((example) => `  ${example}`).join("\n")}`);
  command.action(async () => {
    // Variadic arguments come as lists.
    const args = command.processedArgs.flat().filter((one): one is string => typeof one === "string");
    const exitCode = await leaf.run({
      terminal: session.terminal,
      args,
      options: command.opts<Options & LeafOptions>(),
    });
    if (exitCode !== undefined) session.exitCode = exitCode;
  });
}

export interface ServerOptions extends LeafOptions {
  readonly server?: string;
  readonly config?: string;
}

interface ServerLeaf<Options> extends Omit<Leaf<Options>, "run"> {
  run(call: {
    readonly client: AdminClient;
    readonly terminal: Terminal;
    readonly args: readonly string[];
    readonly options: Options & ServerOptions;
    readonly asJson: boolean;
  }): Promise<ExitCode | undefined>;
}

/** Adds a command that works against the running server. */
export function addServerLeaf<Options extends object>(
  parent: Command,
  session: Session,
  leaf: ServerLeaf<Options>,
): void {
  addLeaf<Options & ServerOptions>(parent, session, {
    ...leaf,
    options: (command) => {
      leaf.options?.(command);
      return command
        .option("--server <url>", "the server (default: TOLLGATE_URL, else http://127.0.0.1:8402)")
        .option("--config <file>", "configuration file, to find the data directory with the admin token");
    },
    run: async ({ terminal, args, options }) => {
      const client = await connect(terminal, options);
      return leaf.run({ client, terminal, args, options, asJson: options.json === true });
    },
  });
}

/** An option that takes a whole number. */
export const wholeOption = (
  flags: string,
  description: string,
  { min, max }: { min: number; max: number },
): Option =>
  new Option(flags, description).argParser((text: string) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(`Write a whole number from ${min} to ${max}.`);
  });

/** An option that takes a time: RFC 3339, or a day, which means its start in UTC. */
export const timeOption = (flags: string, description: string): Option =>
  new Option(flags, `${description} (2026-01-31 or 2026-01-31T12:00:00Z)`).argParser((text: string) => {
    const time = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text;
    const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(time);
    if (isTime && !Number.isNaN(Date.parse(time))) return time;
    throw new InvalidArgumentError("Write a day or a time with its zone.");
  });

export const choiceOption = (flags: string, description: string, choices: readonly string[]): Option =>
  new Option(flags, description).choices(choices);

/** Repeated options pile up. */
export const collect = (text: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  text,
];

/**
 * The id of an account that is named by its id, by the operator's own id, or by its name when only one has it.
 */
export async function findAccountId(client: AdminClient, text: string): Promise<string> {
  if (/^acc_/.test(text)) return text;
  for await (const account of client.list("/accounts", { external_id: text }, 1)) return String(account.id);
  const named: string[] = [];
  for await (const account of client.list("/accounts"))
    if (account.name === text) named.push(String(account.id));
  const [id, ...others] = named;
  if (id === undefined)
    throw new CliError(
      exitCodes.failed,
      `Cannot find the account ${JSON.stringify(text)}: there is none with this id or name; list them with \`tollgate accounts list\`.`,
    );
  if (others.length > 0)
    throw new CliError(
      exitCodes.failed,
      `Cannot tell which account ${JSON.stringify(text)} is: ${named.join(", ")} have this name; use the id.`,
    );
  return id;
}

/** Leaves out what was not given. */
export const withoutUndefined = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
