// Compiles src/ to dist/, copies what is not TypeScript, and makes the snapshot of an empty, migrated embedded database.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");
const say = (text) => process.stderr.write(`${text}\n`);

if (process.argv.includes("--clean")) rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

say("Compiling…");
execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", join(root, "tsconfig.build.json")], {
  stdio: ["ignore", 2, 2],
});
copyAssets(join(root, "src"), dist);

const snapshot = join(dist, "store", "snapshot.tar.gz");
const { schemaFingerprint, makeSnapshot } = await import(join(dist, "store", "snapshot.js"));
const stamp = `${snapshot}.${schemaFingerprint()}`;
if (!existsSync(stamp) || !existsSync(snapshot)) {
  say("Making the snapshot of an empty database…");
  for (const old of readdirSync(dirname(snapshot)).filter((file) => file.startsWith("snapshot.tar.gz"))) {
    rmSync(join(dirname(snapshot), old));
  }
  writeFileSync(snapshot, await makeSnapshot());
  writeFileSync(stamp, "");
}
writeFileSync(join(dist, ".built"), "");

/** Everything under src/ that the compiler leaves behind: SQL, JSON. */
function copyAssets(from, to) {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isDirectory()) copyAssets(join(from, entry.name), join(to, entry.name));
    else if (/\.(sql|json)$/.test(entry.name)) cpSync(join(from, entry.name), join(to, entry.name));
  }
}
