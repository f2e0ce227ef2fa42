// Compiles src/ to dist/, copies what is not TypeScript, makes the snapshot of an empty, migrated embedded database,
// and builds the console when there is one. `--clean` starts from nothing.
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { root, runNode, say } from "./prepare.mjs";

const dist = join(root, "dist");
const stamp = join(dist, ".built");
/** The console as browsers get it; `dist/console` beside it is what serves it. */
const webFiles = join(dist, "console", "web");
// Taken before the compiler reads: whatever is changed while it runs is newer than this build.
const startedAt = new Date();

if (process.argv.includes("--clean")) rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
rmSync(stamp, { force: true });

say("Compiling…");
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
if (runNode(tsc, ["-p", join(root, "tsconfig.build.json")]) !== 0) {
  say("Cannot build: the types above are wrong; correct them and build again.");
  process.exit(1);
}
removeOrphans(dist, join(root, "src"));
copyAssets(join(root, "src"), dist);
await makeSnapshot();
buildConsole();
writeFileSync(stamp, "");
utimesSync(stamp, startedAt, startedAt);

/** Removes what was made from a file that is gone: a migration left behind would be applied. */
function removeOrphans(made, from) {
  for (const entry of readdirSync(made, { withFileTypes: true })) {
    const path = join(made, entry.name);
    const source = join(from, entry.name);
    if (entry.isDirectory()) {
      if (path === webFiles) continue;
      if (existsSync(source)) removeOrphans(path, source);
      else rmSync(path, { recursive: true });
    } else if (/\.(js|js\.map|sql|json)$/.test(entry.name)) {
      const hasSource = existsSync(source) || existsSync(source.replace(/\.js(\.map)?$/, ".ts"));
      if (!hasSource) rmSync(path);
    }
  }
}

/** Everything under src/ that the compiler leaves behind: SQL, JSON. */
function copyAssets(from, to) {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const path = join(from, entry.name);
    if (entry.isDirectory()) copyAssets(path, join(to, entry.name));
    else if (/\.(sql|json)$/.test(entry.name)) {
      mkdirSync(to, { recursive: true });
      copyFileSync(path, join(to, entry.name));
    }
  }
}

async function makeSnapshot() {
  const snapshot = join(dist, "store", "snapshot.tar.gz");
  const store = await import(pathToFileURL(join(dist, "store", "snapshot.js")).href);
  const made = `${snapshot}.${store.schemaFingerprint()}`;
  if (existsSync(made) && existsSync(snapshot)) return;
  say("Making the snapshot of an empty database…");
  for (const old of readdirSync(dirname(snapshot)).filter((file) => file.startsWith("snapshot.tar.gz"))) {
    rmSync(join(dirname(snapshot), old));
  }
  writeFileSync(snapshot, await store.makeSnapshot());
  writeFileSync(made, "");
}

/** The web console: static files in dist/console/web. Made again only when something it is made from has changed. */
function buildConsole() {
  const home = join(root, "console");
  const config = join(home, "vite.config.ts");
  if (!existsSync(config)) return;
  const madeFrom = fingerprintOf([home, join(root, "package-lock.json")]);
  const note = join(dist, "console", ".web-made-from");
  if (existsSync(join(webFiles, "index.html")) && existsSync(note) && readFileSync(note, "utf8") === madeFrom)
    return;
  say("Building the console…");
  const vite = join(root, "node_modules", "vite", "bin", "vite.js");
  const args = [
    "build",
    home,
    "--config",
    config,
    "--outDir",
    webFiles,
    "--emptyOutDir",
    "--logLevel",
    "warn",
  ];
  if (runNode(vite, args) !== 0) {
    say("Cannot build: the console failed with the message above.");
    process.exit(1);
  }
  writeFileSync(note, madeFrom);
}

/** Of all files under these paths, names and content. */
function fingerprintOf(paths) {
  const hash = createHash("sha256");
  const add = (path) => {
    if (!statSync(path).isDirectory()) return hash.update(`${path}\0`).update(readFileSync(path));
    for (const name of readdirSync(path).sort()) if (!/\.test\.tsx?$/.test(name)) add(join(path, name));
  };
  for (const path of paths) add(path);
  return hash.digest("hex");
}
