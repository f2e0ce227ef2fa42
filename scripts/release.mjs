// `node scripts/release.mjs`: what a release is made of, into `release/`: the package as npm would publish it, a CycloneDX list
// of every package that runs or was built into it (SBOM), and SHA-256 sums. It checks everything first, and publishes nothing.
// `--sbom` writes the list alone; `--out DIR` names another folder.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { install, requireNode, root, runNode, say } from "./prepare.mjs";

const { argv } = process;
const out = resolve(argv.includes("--out") ? (argv[argv.indexOf("--out") + 1] ?? "") : join(root, "release"));
const { name, version } = readJson("package.json");

requireNode();
mkdirSync(out, { recursive: true });
if (!argv.includes("--sbom")) {
  refuseDirtyTree();
  install();
  run("build.mjs", ["--clean"]);
  run("check.mjs", ["--all"]);
  npm(["pack", "--ignore-scripts", "--pack-destination", out]);
}
writeSbom();
writeSums();

/** What is released must be what the tag says. */
function refuseDirtyTree() {
  const changed = execFileSync("git", ["status", "--porcelain"], { cwd: root, encoding: "utf8" });
  if (changed === "") return;
  say(`Cannot release: these files are not committed; commit them or put them away.\n${changed}`);
  process.exit(1);
}

function run(script, args) {
  const code = runNode(join(root, "scripts", script), args);
  if (code !== 0) process.exit(code);
}

/**
 * The packages that are installed with this one, and those whose code is in the console's files: browsers run them, and npm
 * takes them for tools. Which are which says the lockfile: `npm sbom --omit=dev` also leaves out what a tool needs too.
 */
function writeSbom() {
  const list = JSON.parse(npm(["sbom", "--sbom-format", "cyclonedx", "--package-lock-only"]));
  const [installed, bundled] = [installedPackages(), builtIn()];
  const isInstalled = (one) => installed.has(`${one.name}@${one.version}`);
  list.components = list.components
    .filter((one) => isInstalled(one) || bundled.has(one.name))
    .map((one) => (isInstalled(one) ? one : asBuiltIn(one)));
  const root = list.metadata.component;
  root.name = name; // npm says the name of the folder
  const refs = new Set([root, ...list.components].map((one) => one["bom-ref"]));
  list.dependencies = list.dependencies
    .filter((one) => refs.has(one.ref))
    .map((one) => ({ ...one, dependsOn: one.dependsOn.filter((ref) => refs.has(ref)) }));
  const file = join(out, `${name}-${version}.cdx.json`);
  writeFileSync(file, `${JSON.stringify(list, null, 2)}\n`);
  say(`Wrote ${file}: ${list.components.length} packages`);
}

function asBuiltIn({ scope: _scope, ...one }) {
  return { ...one, properties: [{ name: "tollgate:built-into", value: "dist/console/web" }] };
}

/** `name@version` of what an installation without tools has. */
function installedPackages() {
  const entries = Object.entries(readJson("package-lock.json").packages);
  return new Set(
    entries.flatMap(([path, one]) =>
      path === "" || one.dev === true ? [] : [`${path.split("node_modules/").at(-1)}@${one.version}`],
    ),
  );
}

/** Names of the packages that the console's own code imports, and of what they depend on. */
function builtIn() {
  const { packages } = readJson("package-lock.json");
  const found = new Set();
  const add = (one) => {
    const entry = packages[`node_modules/${one}`];
    if (entry === undefined || found.has(one)) return;
    found.add(one);
    for (const next of Object.keys(entry.dependencies ?? {})) add(next);
  };
  const files = readdirSync(join(root, "console", "src"), { recursive: true, encoding: "utf8" });
  for (const file of files.filter((one) => /(?<!\.test)\.tsx?$/.test(one))) {
    const text = readFileSync(join(root, "console", "src", file), "utf8");
    for (const [, typeOnly, from] of text.matchAll(
      /^import (type )?[^;]*?from "((?:@[^/"]+\/)?[^./"][^/"]*)/gm,
    ))
      if (typeOnly === undefined) add(from);
  }
  return found;
}

function writeSums() {
  const files = readdirSync(out)
    .filter((file) => file.startsWith(`${name}-${version}.`))
    .sort();
  const sums = files.map(
    (file) =>
      `${createHash("sha256")
        .update(readFileSync(join(out, file)))
        .digest("hex")}  ${file}\n`,
  );
  writeFileSync(join(out, "SHA256SUMS"), sums.join(""));
  say(`Wrote ${join(out, "SHA256SUMS")}: ${files.join(", ")}`);
}

function npm(args) {
  return execFileSync("npm", args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", 2],
    maxBuffer: 100_000_000,
    shell: process.platform === "win32",
  });
}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}
