// `npm start`: installs and builds what is missing, then runs `tollgate serve` with the arguments given.
// `npm run tollgate -- …` comes here with `--cli` and runs any command.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { followNpm } from "./follow-npm.mjs";
import { build, install, requireNode, root } from "./prepare.mjs";

requireNode();
const [first, ...rest] = process.argv.slice(2);
const isAnyCommand = first === "--cli";
const args = isAnyCommand ? rest : ["serve", ...process.argv.slice(2)];
install();
build();

// In this process, not in a child: signals then reach the server as they were sent, and its exit code is ours.
const program = join(root, "bin", "tollgate.js");
process.argv = [process.execPath, program, ...args];
followNpm();
await import(pathToFileURL(program).href);
