// `npm run docs`: writes the pages of docs/reference that are made from the code, and docs/security.md, which is made from
// the list of attacks and the names of the tests.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, install, requireNode, root, say } from "./prepare.mjs";

requireNode();
install();
build();
const { referencePages } = await import(pathToFileURL(join(root, "dist", "cli", "reference.js")).href);
// The tests are TypeScript, which Node 20 does not read; vite does, and is here because the console is built with it.
const { runnerImport } = await import("vite");
const { module } = await runnerImport(join(root, "test", "hostile", "support", "security-page.ts"));
const pages = new Map([...(await referencePages()), ["docs/security.md", module.securityPage()]]);
for (const [path, text] of pages) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  say(`Wrote ${path}`);
}
