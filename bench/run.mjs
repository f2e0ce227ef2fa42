// Runs one of the TypeScript benchmarks beside this file: `npm run bench -- tokens`, `npm run bench -- ledger`. Most
// run as a bundle, because a module runner's indirection at every import slows hot loops by half; those that start processes
// of their own are compiled file by file.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { install } from "../scripts/prepare.mjs";

// Without a name it is the whole path: `npm run bench -- --quick`.
if (process.argv[2] === undefined || process.argv[2].startsWith("--")) process.argv.splice(2, 0, "gateway");
const name = process.argv[2] ?? "";
const names = readdirSync(fileURLToPath(new URL(".", import.meta.url)))
  .filter((file) => /^[a-z-]+\.ts$/.test(file) && !/^ledger-/.test(file))
  .map((file) => file.slice(0, -".ts".length));
if (!names.includes(name)) {
  process.stderr.write(
    `Cannot run ${JSON.stringify(name)}: there are ${names.join(", ")}; bench/README.md has their options.\n`,
  );
  process.exit(2);
}
if (["ledger", "gateway", "console", "verify"].includes(name)) {
  process.argv.splice(2, 1, `bench/${name}.ts`);
  await import("../scripts/run-compiled.mjs");
} else {
  await runBundle();
}

async function runBundle() {
  install();
  const { build } = await import("vite");
  // Inside node_modules, so that the bundle finds the packages it leaves out.
  const cache = fileURLToPath(new URL("../node_modules/.cache/", import.meta.url));
  mkdirSync(cache, { recursive: true });
  const outDir = mkdtempSync(`${cache}bench-`);
  try {
    await build({
      configFile: false,
      logLevel: "error",
      build: { ssr: fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), outDir, target: "node20" },
    });
    const bench = await import(pathToFileURL(`${outDir}/${name}.js`).href);
    await bench.main();
  } finally {
    rmSync(outDir, { recursive: true });
  }
}
