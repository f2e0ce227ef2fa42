#!/usr/bin/env node
import { existsSync } from "node:fs";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const main = new URL("../dist/cli/main.js", import.meta.url);

if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Cannot run Tollgate: this is Node ${process.versions.node}; install Node 20.19 or newer.`);
} else if (!existsSync(main)) {
  fail(
    "Cannot run Tollgate: it is not built yet; run `npm start`, or `npm ci && npm run build` and then this again.",
  );
} else {
  const { runCli } = await import(main.href);
  process.exitCode = await runCli(process.argv.slice(2));
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exitCode = 2;
}
