/** What browsers get, and what the console may take from the server's sources. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { findImports } from "./support/source-files.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const web = join(root, "dist", "console", "web");
const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

test("all scripts together are under 260 kB as they are sent", () => {
  const scripts = filesIn(web).filter((path) => path.endsWith(".js"));
  const bytes = scripts.reduce((sum, path) => sum + gzipSync(readFileSync(path), { level: 9 }).length, 0);
  expect(scripts.length).toBeGreaterThan(0);
  expect(bytes).toBeLessThan(260_000);
});

test("pages link only to what lies beside them, and carry no script or style of their own", () => {
  for (const name of ["index.html", "portal.html"]) {
    const html = readFileSync(join(web, name), "utf8");
    const links = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1] ?? "");
    expect(links.length).toBeGreaterThan(1);
    expect(links.filter((link) => !link.startsWith("./assets/"))).toEqual([]);
    expect(html).not.toMatch(/<style|style=|<script(?![^>]*src=)|\son[a-z]+=/i);
  }
});

test("every file that is worth it lies there compressed, too", () => {
  const plain = filesIn(web).filter((path) => /\.(js|css|html)$/.test(path));
  for (const path of plain)
    for (const form of ["br", "gz"]) expect(statSync(`${path}.${form}`).size).toBeGreaterThan(0);
});

test("the console takes nothing but types from the server", () => {
  const sources = filesIn(join(root, "console", "src")).filter(
    (path) => /\.tsx?$/.test(path) && !path.endsWith(".test.ts"),
  );
  const taken = sources.flatMap((path) => {
    const file = { path: relative(root, path), text: readFileSync(path, "utf8") };
    return findImports(file)
      .filter(({ target, isTypeOnly }) => target.startsWith("src/") && !isTypeOnly)
      .map(({ target, line }) => `${file.path}:${line} ${target}`);
  });
  expect(sources.length).toBeGreaterThan(30);
  expect(taken).toEqual([]);
});

test("no amount is made a float on its way to the screen", () => {
  const sources = filesIn(join(root, "console", "src")).filter(
    (path) => /\.tsx?$/.test(path) && !path.endsWith(".test.ts"),
  );
  const found = sources.flatMap((path) =>
    readFileSync(path, "utf8")
      .split("\n")
      .flatMap((line, index) =>
        /parseFloat|Number\([^)]*(charge|amount|usd|hold|balance|price|cost)/i.test(line)
          ? [`${relative(root, path)}:${index + 1}`]
          : [],
      ),
  );
  expect(found).toEqual([]);
});
