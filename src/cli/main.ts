import { CommanderError } from "commander";
import type { Session } from "./command.ts";
import { createProgram } from "./program.ts";
import { CliError, type ExitCode, exitCodes, openTerminal, type Terminal } from "./terminal.ts";
import { version } from "./version.ts";

/** Runs one command line (without the program's name) and gives its exit code. Never throws for what a user can do. */
export async function runCli(argv: readonly string[], given?: Terminal): Promise<ExitCode> {
  const opened = given === undefined ? openTerminal() : null;
  const terminal = given ?? (opened as Terminal);
  const session: Session = { terminal, exitCode: exitCodes.ok };
  try {
    const program = await createProgram(session, version, (name) => isNamed(argv, name));
    // Without a command the overview is what was asked for.
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync([...argv], { from: "user" });
    return session.exitCode;
  } catch (error) {
    return await explain(error, terminal);
  } finally {
    opened?.close();
  }
}

/** The command is the first word that is no option, or after `help` the second. */
function isNamed(argv: readonly string[], name: string): boolean {
  const words = argv.filter((word) => !word.startsWith("-"));
  return words[0] === name || (words[0] === "help" && words[1] === name);
}

async function explain(error: unknown, terminal: Terminal): Promise<ExitCode> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof CliError) {
    terminal.note(error.message);
    return error.exitCode;
  }
  const { ConfigError } = await import("../config/config.ts");
  if (error instanceof ConfigError) {
    terminal.note(error.message);
    return exitCodes.usage;
  }
  const { DirectoryLocked } = await import("../store/directory-lock.ts");
  const { DatabaseMoved } = await import("../store/moved.ts");
  if (error instanceof DirectoryLocked || error instanceof DatabaseMoved) {
    terminal.note(error.message);
    return exitCodes.failed;
  }
  // A bug, or a fault of the machine: with its trace, so that it can be found.
  terminal.note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return exitCodes.failed;
}
