// Compiles src/, sim/, bench/ and test/support/ to .cache/compiled and runs one of their programs there with plain Node:
// `node scripts/run-compiled.mjs sim/proof.ts …`. For programs that start processes of their own: Node 20 reads no
// TypeScript. Types are not checked here; `npm run check` does that.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { install, requireNode, root, runNode, say } from "./prepare.mjs";

const [program, ...args] = process.argv.slice(2);
if (program === undefined || !program.endsWith(".ts") || !existsSync(join(root, program))) {
  say("Cannot run: name a TypeScript program of this project, for example `sim/proof.ts`.");
  process.exit(2);
}
requireNode();
install();
compile();
process.argv = [process.execPath, join(root, program), ...args];
const { main } = await import(
  pathToFileURL(join(root, ".cache", "compiled", program.replace(/\.ts$/, ".js"))).href
);
try {
  process.exitCode = (await main(args)) ?? 0;
} catch (error) {
  if (!String(error?.code).startsWith("ERR_PARSE_ARGS_")) throw error;
  say(`Cannot run: ${error.message}`);
  process.exitCode = 2;
}

/** Makes a whole new folder and puts it in place at once, so that a run that has begun never sees half of one. */
function compile() {
  const made = join(root, ".cache", "compiled");
  const stamp = join(made, ".newest");
  const newest = String(
    Math.max(...["src", "sim", "bench", "test/support"].map((name) => newestIn(join(root, name)))),
  );
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === newest) return;
  const fresh = join(root, ".cache", `compiling-${process.pid}`);
  mkdirSync(fresh, { recursive: true });
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  runNode(tsc, ["-p", join(root, "tsconfig.compiled.json"), "--outDir", fresh]);
  copyAssets(join(root, "src"), join(fresh, "src"));
  copyFileSync(join(root, "package.json"), join(fresh, "package.json"));
  copySnapshot(join(root, "dist", "store"), join(fresh, "src", "store"));
  writeFileSync(join(fresh, ".newest"), newest);
  rmSync(made, { recursive: true, force: true });
  renameSync(fresh, made);
}

/** The build's snapshot of an empty embedded database, when there is one; without it a first start only takes longer. */
function copySnapshot(from, to) {
  if (!existsSync(from)) return;
  for (const file of readdirSync(from).filter((name) => name.startsWith("snapshot."))) {
    copyFileSync(join(from, file), join(to, file));
  }
}

/** Everything that the compiler leaves behind: SQL, JSON. */
function copyAssets(from, to) {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isDirectory()) copyAssets(join(from, entry.name), join(to, entry.name));
    else if (/\.(sql|json)$/.test(entry.name)) {
      mkdirSync(to, { recursive: true });
      copyFileSync(join(from, entry.name), join(to, entry.name));
    }
  }
}

function newestIn(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newestIn(join(path, name))));
}
