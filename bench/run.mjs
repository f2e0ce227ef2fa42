// Bundles and runs one of the TypeScript benchmarks beside this file, from the project's root: `node
// bench/run.mjs tokens`. A bundle, because a module runner's indirection at every import slows hot loops by
// half.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";

const name = process.argv[2] ?? "";
if (!/^[a-z-]+$/.test(name)) {
  process.stderr.write(
    "Cannot run a benchmark without its name; say for example `node bench/run.mjs tokens`.\n",
  );
  process.exit(2);
}
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
