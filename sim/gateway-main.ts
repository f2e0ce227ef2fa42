/** The gateway as the proof starts it when it runs compiled: the same command line as `tollgate`. */
import { runCli } from "../src/cli/main.ts";

process.exitCode = await runCli(process.argv.slice(2));
