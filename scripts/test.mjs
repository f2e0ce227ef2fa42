// `npm test`: installs and builds what is missing, then runs the tests; arguments go to vitest.
import { join } from "node:path";
import { provideBrowser } from "./browser.mjs";
import { build, install, requireNode, root, runNode } from "./prepare.mjs";

requireNode();
install();
build();
provideBrowser();
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
process.exitCode = runNode(vitest, ["run", ...process.argv.slice(2)], { stdio: "inherit" });
