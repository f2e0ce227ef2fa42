// What `npm start` and `npm test` need first: installed packages and a build. Node built-ins only, because on a fresh
// clone there is nothing else yet.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Messages and progress; stdout is for results. */
export const say = (text) => process.stderr.write(`${text}\n`);

/** Stops with a message when this Node cannot run Tollgate. */
export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  say(`Cannot run Tollgate: this is Node ${process.versions.node}; install Node 20.19 or newer.`);
  process.exit(2);
}

/** Runs a program of this package with Node; its output goes to stderr. Returns its exit code. */
export function runNode(script, args, options = {}) {
  try {
    execFileSync(process.execPath, [script, ...args], { cwd: root, stdio: ["ignore", 2, 2], ...options });
    return 0;
  } catch (error) {
    if (typeof error.status === "number") return error.status;
    if (typeof error.signal === "string") return 130;
    throw error;
  }
}

/** Installs what package-lock.json asks for, when something of it is missing. */
export function install() {
  if (isInstalled()) return;
  say("Installing packages…");
  // Development packages too, whatever NODE_ENV says: the compiler is one of them. No package needs its scripts.
  const flags = [
    "--include=dev",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--no-progress",
    "--loglevel=error",
  ];
  if (runNpm(["ci", ...flags])) return;
  // `npm ci` wants a lock file without the least doubt; `npm install` takes the same versions from it and goes on.
  say("npm ci failed; trying npm install…");
  if (runNpm(["install", "--no-save", ...flags])) return;
  say("Cannot install the packages: npm failed with the message above; check the network and try again.");
  process.exit(1);
}

function runNpm(args) {
  const npm = process.env.npm_execpath;
  const options = { cwd: root, stdio: ["ignore", 2, 2] };
  try {
    if (npm?.endsWith("npm-cli.js")) execFileSync(process.execPath, [npm, ...args], options);
    else execFileSync("npm", args, { ...options, shell: process.platform === "win32" });
    return true;
  } catch (error) {
    if (typeof error.status !== "number") throw error;
    return false;
  }
}

/** Whether node_modules has every package in the version that package-lock.json names; optional ones depend on the machine. */
function isInstalled() {
  const installed = readPackages(join(root, "node_modules", ".package-lock.json"));
  const wanted = readPackages(join(root, "package-lock.json"));
  if (wanted === null) return true;
  if (installed === null) return false;
  return Object.entries(wanted).every(
    ([path, { version, optional, link }]) =>
      path === "" || optional || link || installed[path]?.version === version,
  );
}

function readPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).packages : null;
}

/** Builds when there is no build, or when something it was made from is newer. */
export function build() {
  if (!existsSync(join(root, "src")) || isBuilt()) return;
  const code = runNode(join(root, "scripts", "build.mjs"), []);
  if (code !== 0) process.exit(code);
}

const sources = [
  "src",
  "console",
  "scripts/build.mjs",
  "tsconfig.json",
  "tsconfig.build.json",
  "package-lock.json",
];

function isBuilt() {
  const stamp = join(root, "dist", ".built");
  if (!existsSync(stamp)) return false;
  const builtAt = statSync(stamp).mtimeMs;
  return sources.every((name) => newestIn(join(root, name)) <= builtAt);
}

/** When the newest file under `path` was changed, ms since the epoch. A removed file changes its folder. */
function newestIn(path) {
  if (!existsSync(path)) return 0;
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  const inside = readdirSync(path).filter((name) => !/^(node_modules|dist)$|\.(test|bench)\.ts$/.test(name));
  return Math.max(stats.mtimeMs, ...inside.map((name) => newestIn(join(path, name))));
}
