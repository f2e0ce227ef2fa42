// `npm run docs`: writes the pages of docs/reference that are made from the code.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, install, requireNode, root, say } from "./prepare.mjs";

requireNode();
install();
build();
const { referencePages } = await import(pathToFileURL(join(root, "dist", "cli", "reference.js")).href);
for (const [path, text] of await referencePages()) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  say(`Wrote ${path}`);
}
