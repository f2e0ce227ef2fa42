// `npm run check`: types, lint and format, the walls between rooms, generated pages fresh. `--all`: every test too, with a
// million fuzz cases for each reader instead of ten thousand (about an hour; TOLLGATE_FUZZ_CASES asks for another number).
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build, install, requireNode, root, runNode, say } from "./prepare.mjs";

requireNode();
install();
build();
const tool = (path) => join(root, "node_modules", path);
const isAll = process.argv.includes("--all");
const quickTests = ["test/architecture.test.ts", "test/reference.test.ts", "test/hostile/rows.test.ts"];
if (isAll) process.env.TOLLGATE_FUZZ_CASES ??= "1000000";

const steps = [
  ["lock file", join(root, "scripts", "complete-lock.mjs"), ["--check"]],
  ["types", tool("typescript/bin/tsc"), ["-p", join(root, "tsconfig.json")]],
  ...(existsSync(join(root, "console", "tsconfig.json"))
    ? [["types of the console", tool("typescript/bin/tsc"), ["-p", join(root, "console", "tsconfig.json")]]]
    : []),
  ["lint and format", tool("@biomejs/biome/bin/biome"), ["check", "--error-on-warnings", root]],
  [
    isAll ? "tests" : "walls and generated pages",
    tool("vitest/vitest.mjs"),
    ["run", ...(isAll ? [] : quickTests)],
  ],
];

// Some tests try ten times as many inputs then: the counter of tokens against tiktoken.
const env = isAll ? { ...process.env, TOLLGATE_CHECK_ALL: "1" } : process.env;
const failed = [];
for (const [name, script, args] of steps) {
  say(`\n== ${name}`);
  if (runNode(script, args, { env }) !== 0) failed.push(name);
}
say(failed.length === 0 ? "\nAll is well." : `\nFailed: ${failed.join(", ")}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
