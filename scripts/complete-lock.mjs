// Adds to package-lock.json the optional packages of other platforms that npm left out. npm drops an optional package that
// the registry at hand does not have, and `npm ci` then calls the lockfile incomplete, on every platform. Run after a change
// of dependencies: `node scripts/complete-lock.mjs`. With `--check` it only says what is missing (exit 1).
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const file =
  process.argv.find((word) => word.endsWith(".json")) ??
  fileURLToPath(new URL("../package-lock.json", import.meta.url));
const lock = JSON.parse(readFileSync(file, "utf8"));
const missing = [];
for (const [path, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  if (path === "") continue;
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const isThere = lock.packages[`${path}/node_modules/${name}`] ?? lock.packages[`node_modules/${name}`];
    if (isThere === undefined && /^\d/.test(version)) missing.push({ name, version, dev });
  }
}
if (process.argv.includes("--check")) {
  for (const { name } of missing)
    process.stderr.write(`package-lock.json lacks ${name}; run \`node scripts/complete-lock.mjs\`\n`);
  process.exit(missing.length === 0 ? 0 : 1);
}
for (const { name, version, dev } of missing) {
  // "cli-linux-x64-musl": the platform is in the name. No integrity: the package was not to be had.
  const [, os, cpu, libc] =
    /(android|darwin|linux|win32|freebsd)-(arm64|x64|arm|ia32)(?:-(musl|gnu|glibc))?/.exec(name) ?? [];
  lock.packages[`node_modules/${name}`] = {
    version,
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(dev === true ? { dev: true } : {}),
    ...(libc === undefined ? {} : { libc: [libc === "musl" ? "musl" : "glibc"] }),
    optional: true,
    ...(os === undefined ? {} : { os: [os] }),
  };
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
if (missing.length > 0) writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stderr.write(`${missing.length} packages added\n`);
