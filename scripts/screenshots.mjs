// Takes the pictures of docs/images anew: every page of the console in a real browser. `node scripts/screenshots.mjs`
import { startVitest } from "vitest/node";
import { provideBrowser } from "./browser.mjs";
import { build, install, requireNode, root } from "./prepare.mjs";

requireNode();
install();
build();
provideBrowser();
const run = await startVitest("test", [], {
  root,
  config: false,
  watch: false,
  include: ["test/browser/pictures.ts"],
  globalSetup: ["test/support/global-setup.ts"],
  pool: "forks",
  hookTimeout: 300_000,
});
await run.close();
