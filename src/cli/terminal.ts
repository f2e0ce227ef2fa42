import type { Environment } from "../config/variables.ts";

/** Where a command's words go. stdout is the result, stderr is messages and progress. */
export interface Terminal {
  readonly env: Environment;
  readonly cwd: string;
  /** Whether stdout may have colour: a terminal, and nobody said NO_COLOR. */
  readonly hasColour: boolean;
  /** Writes to stdout as it is; resolves when it may take more. */
  write(chunk: string | Uint8Array): Promise<void>;
  /** A line of the result. */
  print(line: string): void;
  /** A line of explanation or progress. */
  note(line: string): void;
  /** Aborted when the user interrupts (Ctrl-C). */
  readonly interrupted: AbortSignal;
}

/** Exit codes, for scripts. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  /** Wrong usage or configuration. */
  usage: 2,
  /** It worked and found something: a broken invariant, a finding of a probe. */
  findings: 3,
  notAuthorised: 4,
  unreachable: 5,
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends a command with a message for people and an exit code for scripts. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exitCode: ExitCode;
  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** The real terminal. A reader that goes away (`| head`) ends the program quietly. */
export function openTerminal(): Terminal & { close(): void } {
  const interruption = new AbortController();
  // Only the first interruption is ours to answer; the second one ends the process as if nobody listened.
  const interrupt = (): void => interruption.abort();
  let isListening = false;
  const { stdout, stderr } = process;
  stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(exitCodes.ok);
    throw error;
  });
  return {
    env: process.env,
    cwd: process.cwd(),
    hasColour: stdout.isTTY === true && isUnset(process.env.NO_COLOR) && process.env.TERM !== "dumb",
    write: (chunk) =>
      new Promise((resolve, reject) => {
        stdout.write(chunk, (error) => (error ? reject(error) : resolve()));
      }),
    print: (line) => void stdout.write(`${line}\n`),
    note: (line) => void stderr.write(`${line}\n`),
    get interrupted() {
      if (!isListening) process.once("SIGINT", interrupt);
      isListening = true;
      return interruption.signal;
    },
    close: () => void process.off("SIGINT", interrupt),
  };
}

const isUnset = (text: string | undefined): boolean => text === undefined || text === "";
