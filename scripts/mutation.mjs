// `npm run mutation`: makes every small mistake of `scripts/mutation/mutants.mjs` in the money code, one at a time, in a copy of
// the sources, and runs the tests beside that code. A mistake that no test finds has survived. `--json` for machines; names of
// files limit the run. Results are in docs/mutation.md.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createVitest } from "vitest/node";
import { instrument } from "./mutation/mutants.mjs";
import { root } from "./prepare.mjs";

/** The money code, and the tests that must find a mistake in it. */
const suites = {
  "src/core/money.ts": ["src/core/money.test.ts", "src/core/rating.test.ts"],
  "src/core/rating.ts": ["src/core/rating.test.ts", "src/gateway/pricing.test.ts"],
  "src/core/upper-bound.ts": ["src/core/upper-bound.test.ts", "src/gateway/pricing.test.ts"],
  "src/core/usage.ts": ["src/core/usage.test.ts", "src/core/rating.test.ts"],
  "src/core/price-book.ts": ["src/core/price-book.test.ts"],
  "src/core/price-providers.ts": ["src/core/price-providers.test.ts"],
  "src/core/held-request.ts": ["src/core/held-request.test.ts"],
  "src/gateway/pricing.ts": ["src/gateway/pricing.test.ts"],
};
const asJson = process.argv.includes("--json");
const wanted = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const chosen = Object.keys(suites).filter(
  (file) => wanted.length === 0 || wanted.some((word) => file.includes(word)),
);

const copy = mkdtempSync(join(tmpdir(), "tollgate-mutation-"));
const results = [];
try {
  cpSync(join(root, "src"), join(copy, "src"), { recursive: true });
  mkdirSync(join(copy, "scripts"));
  cpSync(join(root, "scripts", "mutation"), join(copy, "scripts", "mutation"), { recursive: true });
  cpSync(join(root, "package.json"), join(copy, "package.json"));
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  for (const file of chosen) results.push(await tryFile(file));
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.stdout.write(asJson ? `${JSON.stringify(results)}\n` : table(results));
process.exit(results.some(({ survivors }) => survivors.length > 0) ? 3 : 0);

async function tryFile(file) {
  const path = join(copy, file);
  const original = readFileSync(path, "utf8");
  const { text, mutants } = instrument(file, original);
  writeFileSync(path, text);
  const vitest = await createVitest("test", {
    root: copy,
    config: false,
    include: suites[file],
    setupFiles: ["scripts/mutation/setup.mjs"],
    watch: false,
    bail: 1,
    retry: 0,
    pool: "threads",
    maxWorkers: 1,
    reporters: [{}],
    testTimeout: 20_000,
  });
  const survivors = [];
  try {
    if (!(await passes(vitest, 0)))
      throw new Error(`Cannot mutate ${file}: its tests fail without any mistake.`);
    for (const mutant of mutants) {
      if (await passes(vitest, mutant.id)) {
        survivors.push(mutant);
        process.stderr.write(`${described(file, mutant)}\n`);
      }
      if (mutant.id % 25 === 0) process.stderr.write(`${file}: ${mutant.id} of ${mutants.length}\n`);
    }
  } finally {
    await vitest.close();
    writeFileSync(path, original);
  }
  return { file, mutants: mutants.length, killed: mutants.length - survivors.length, survivors };
}

async function passes(vitest, mutant) {
  vitest.getRootProject().provide("mutant", mutant);
  const specifications = await vitest.globTestSpecifications();
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications, true);
  return unhandledErrors.length === 0 && testModules.length > 0 && testModules.every((module) => module.ok());
}

function table(all) {
  const lines = all.map(
    ({ file, mutants, killed }) => `| \`${file}\` | ${mutants} | ${killed} | ${score(killed, mutants)} |`,
  );
  const sum = (key) => all.reduce((total, one) => total + one[key], 0);
  const list = all.flatMap(({ file, survivors }) => survivors.map((mutant) => described(file, mutant)));
  const total = `| all | ${sum("mutants")} | ${sum("killed")} | ${score(sum("killed"), sum("mutants"))} |`;
  return `| file | mistakes | found | score |\n| --- | --- | --- | --- |\n${[...lines, total].join("\n")}\n\n${list.join("\n")}\n`;
}

function score(killed, mutants) {
  return mutants === 0 ? "none to make" : `${((100 * killed) / mutants).toFixed(1)} %`;
}

function described(file, { line, column, original, replacement }) {
  return `- \`${file}:${line}:${column}\` \`${short(original)}\` → \`${short(replacement)}\``;
}

function short(text) {
  return text.replace(/\s+/g, " ").slice(0, 100);
}
