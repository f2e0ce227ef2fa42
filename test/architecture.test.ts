/** Proves the walls between the rooms of the house: who may import whom, and what the inner rooms never touch. */
import { describe, expect, test } from "vitest";
import { findImports, findLines, readSourceFiles, type SourceFile } from "./support/source-files.ts";

const edges = ["http", "admin", "console", "vendor", "store", "observe", "config", "simulator", "tokens"];
const stories = ["gateway", "billing", "probe"];
const portFiles = [
  "src/ports.ts",
  "src/ports-admin.ts",
  "src/ports-console.ts",
  "src/ports-reports.ts",
  "src/ports-stored.ts",
];

/** What each room may import besides itself. Outer rooms see inner ones; edges and stories never see each other. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  cli: [...edges, ...stories, "ports", "protocol", "core", "lib"],
  ...Object.fromEntries(edges.map((edge) => [edge, [...stories, "ports", "protocol", "core", "lib"]])),
  ...Object.fromEntries(stories.map((story) => [story, ["ports", "protocol", "core", "lib"]])),
  ports: ["protocol", "core", "lib"],
  protocol: ["core", "lib"],
  core: [],
  lib: [],
};

const roomOf = (path: string): string => (portFiles.includes(path) ? "ports" : (path.split("/")[1] ?? ""));

/** Every broken wall as one line that says what to do. */
function findBreaches(file: SourceFile): readonly string[] {
  const room = roomOf(file.path);
  const mayImport = allowed[room];
  if (mayImport === undefined)
    return [`${file.path}: there is no room "${room}"; add it to test/architecture.test.ts with its arrows`];
  return findImports(file).flatMap(({ target, isTypeOnly, line }) => {
    const place = `${file.path}:${line}`;
    if (target.startsWith("src/")) {
      const other = roomOf(target);
      if (other === room || mayImport.includes(other)) return [];
      return [
        `${place}: ${room} must not import ${other} (${target}); pass it in as a parameter, or move what both need inwards`,
      ];
    }
    if (/^(sim|test|bench|console|scripts)\//.test(target)) return [`${place}: nothing imports ${target}`];
    const isOutside = target.startsWith("node:");
    if (isOutside && !isTypeOnly && (room === "core" || room === "protocol")) {
      return [`${place}: ${room} is pure and must not import ${target}; take the value as a parameter`];
    }
    return [];
  });
}

const forbidden: readonly { rooms: readonly string[]; form: RegExp; advice: string }[] = [
  ...[
    { form: /\bprocess\s*\.\s*env\b/, advice: "read the environment in config and pass the value in" },
    { form: /\bDate\s*\.\s*now\b|\bnew\s+Date\s*\(\s*\)/, advice: "take the time from ports.clock" },
    {
      form: /\bMath\s*\.\s*random\b|\brandomUUID\b|\brandomBytes\b/,
      advice: "take randomness as a parameter",
    },
  ].map((rule) => ({ ...rule, rooms: ["core", "protocol", ...stories] })),
  {
    rooms: ["core", "protocol"],
    form: /\bconsole\s*\.|\bfetch\s*\(|\bsetTimeout\s*\(|\bperformance\s*\./,
    advice: "core and protocol do no I/O",
  },
];

function findImpurities(file: SourceFile): readonly string[] {
  const room = roomOf(file.path);
  const inner = forbidden
    .filter(({ rooms }) => rooms.includes(room))
    .flatMap(({ form, advice }) => findLines(file, form).map((line) => `${file.path}:${line}: ${advice}`));
  const state = findLines(file, /^(?:export\s+)?(?:let|var)\s/m).map(
    (line) => `${file.path}:${line}: no state at module level; keep it in what a function returns`,
  );
  return [...inner, ...state];
}

describe("the house", () => {
  const files = readSourceFiles();

  test("has files to check", () => {
    expect(files.map((file) => file.path)).toEqual(
      expect.arrayContaining(["src/ports.ts", "src/core/money.ts"]),
    );
  });

  test("imports point one way", () => {
    expect(files.flatMap(findBreaches)).toEqual([]);
  });

  test("inner rooms read no clock, randomness or environment, and no module keeps state", () => {
    expect(files.flatMap(findImpurities)).toEqual([]);
  });
});

describe("the check itself", () => {
  const breaches = (path: string, text: string) =>
    findBreaches({ path, text }).map((line) => line.split(";")[0]);
  const impurities = (path: string, text: string) => findImpurities({ path, text });

  test.each([
    [
      "an edge imports an edge",
      "src/http/a.ts",
      'import { b } from "../store/b.ts";',
      "src/http/a.ts:1: http must not import store (src/store/b.ts)",
    ],
    [
      "a story imports a story",
      "src/gateway/a.ts",
      'import type { B } from "../billing/b.ts";',
      "src/gateway/a.ts:1: gateway must not import billing (src/billing/b.ts)",
    ],
    [
      "an inner room imports an outer one",
      "src/core/a.ts",
      '\nexport * from "../ports.ts";',
      "src/core/a.ts:2: core must not import ports (src/ports.ts)",
    ],
    [
      "core imports lib",
      "src/core/a.ts",
      'import { b } from "../lib/b.ts";',
      "src/core/a.ts:1: core must not import lib (src/lib/b.ts)",
    ],
    [
      "lib knows Tollgate",
      "src/lib/a.ts",
      'import { b } from "../core/b.ts";',
      "src/lib/a.ts:1: lib must not import core (src/core/b.ts)",
    ],
    [
      "an import over several lines",
      "src/admin/a.ts",
      'import {\n  b,\n  c,\n} from "../http/b.ts";',
      "src/admin/a.ts:1: admin must not import http (src/http/b.ts)",
    ],
    [
      "an import at run time",
      "src/vendor/a.ts",
      'const b = await import("../cli/b.ts");',
      "src/vendor/a.ts:1: vendor must not import cli (src/cli/b.ts)",
    ],
    [
      "an import for its effect",
      "src/ports-admin.ts",
      'import "./store/b.ts";',
      "src/ports-admin.ts:1: ports must not import store (src/store/b.ts)",
    ],
    [
      "a test's helper",
      "src/cli/a.ts",
      'import { b } from "../../test/support/b.ts";',
      "src/cli/a.ts:1: nothing imports test/support/b.ts",
    ],
    [
      "I/O in core",
      "src/core/a.ts",
      'import { readFileSync } from "node:fs";',
      "src/core/a.ts:1: core is pure and must not import node:fs",
    ],
    ["a room that nobody knows", "src/misc/a.ts", "", 'src/misc/a.ts: there is no room "misc"'],
  ])("finds that %s", (_, path, text, breach) => {
    expect(breaches(path, text)).toEqual([breach]);
  });

  test.each([
    ["cli imports anything", "src/cli/a.ts", 'import { b } from "../http/b.ts";\nimport { c } from "yaml";'],
    ["a room imports itself", "src/store/a.ts", 'import { b } from "./b.ts";'],
    [
      "a story imports ports of either file",
      "src/billing/a.ts",
      'import type { B } from "../ports-admin.ts";\nimport { C } from "../ports.ts";',
    ],
    ["types of Node in core", "src/core/a.ts", 'import type { Buffer } from "node:buffer";'],
    [
      "imports in comments",
      "src/core/a.ts",
      '// import { b } from "../http/b.ts";\n/* import "../http/c.ts" */',
    ],
  ])("lets pass that %s", (_, path, text) => {
    expect(breaches(path, text)).toEqual([]);
  });

  test("finds clocks, randomness, environment and state, but not in comments", () => {
    expect(
      impurities("src/gateway/a.ts", "// Date.now()\nconst t = Date.now();\nconst e = process.env;"),
    ).toEqual([
      "src/gateway/a.ts:3: read the environment in config and pass the value in",
      "src/gateway/a.ts:2: take the time from ports.clock",
    ]);
    expect(
      impurities("src/http/a.ts", "const t = Date.now();\nexport let count = 0;\n  let inner = 1;"),
    ).toEqual(["src/http/a.ts:2: no state at module level; keep it in what a function returns"]);
    expect(
      impurities("src/core/a.ts", 'const u = "http://Date.now"; const d = new Date(0); setTimeout(f);'),
    ).toEqual([
      "src/core/a.ts:1: take the time from ports.clock",
      "src/core/a.ts:1: core and protocol do no I/O",
    ]);
  });
});
