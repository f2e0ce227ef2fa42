/** The tool that makes mistakes on purpose makes them, one at a time, and leaves the code as it was when none is switched on. */
import { afterEach, expect, test } from "vitest";
// @ts-expect-error: a script without types.
import { instrument as untyped } from "../scripts/mutation/mutants.mjs";

interface Mutant {
  readonly id: number;
  readonly line: number;
  readonly column: number;
  readonly original: string;
  readonly replacement: string;
}
const instrument = untyped as (name: string, text: string) => { text: string; mutants: readonly Mutant[] };
const world = globalThis as { mutant?: number; mutantSteps?: number };
afterEach(() => {
  delete world.mutant;
  delete world.mutantSteps;
});

const run = (text: string, mutant: number): unknown => {
  world.mutant = mutant;
  world.mutantSteps = 0;
  return new Function(text)();
};
/** What `code` gives as it is, and with each mistake. */
function results(code: string): unknown[] {
  const { text, mutants } = instrument("x.ts", `const f = () => { ${code} };`);
  return [0, ...mutants.map(({ id }) => id)].map((id) => run(`${text} return f();`, id));
}

test.each<[string, unknown[]]>([
  ["return 7 + 3;", [10, 4, 11, 11]],
  ["return 5 < 5;", [false, true, true, true, false]],
  ["return 2n ** 3n;", [8n, 6n, 27n, 16n]],
  ["return true && !false;", [true, true, false, false, false]],
  ["let x = 1; x += 2; return x;", [3, 4, 1, -1, 4]],
  ["let x = 1; if (x < 0) x = 5; else x = 6; return x;", [6, 6, 6, 5, 6, 5, 6, 6, 6, 1, 7]],
  ["return Math.max(1, 2);", [2, 1, 2, 3]],
  ["if (1 > 0) return 'a'; return '';", ["a", "a", "", "a", "", "a", "", "", "a"]],
  ["return [3, 1].sort();", [[1, 3], [3, 1], [], [1, 4], [2, 3]]],
])("%s", (code, expected) => {
  const [unchanged, ...mistaken] = results(code);
  expect(unchanged).toEqual(expected[0]);
  expect(mistaken.map(shown).sort()).toEqual(expected.slice(1).map(shown).sort());
});

const shown = (value: unknown): string => (typeof value === "bigint" ? `${value}n` : JSON.stringify(value));

test("says where each mistake is, and leaves types, imports and messages of errors alone", () => {
  const { mutants } = instrument(
    "x.ts",
    `import { a } from "./a.ts";\ntype T = "x" | 1;\nexport function f(b: number): T {\n  if (b > a) throw new Error("no");\n  return "x";\n}\n`,
  );
  expect(
    mutants.map(
      ({ line, column, original, replacement }) => `${line}:${column} ${original} → ${replacement}`,
    ),
  ).toEqual([
    "4:7 b > a → (b) >= (a)",
    "4:7 b > a → (b) <= (a)",
    "4:7 b > a → true",
    "4:7 b > a → false",
    '5:10 "x" → ""',
  ]);
});

test("a loop that a mistake makes endless ends", () => {
  const { text, mutants } = instrument(
    "x.ts",
    "const f = () => { let x = 1; while (x < 9) { x *= 2; } return x; };",
  );
  const shrinking = mutants.find(({ replacement }) => replacement === "x /= 2");
  expect(() => run(`${text} return f();`, shrinking?.id ?? 0)).toThrow("endless");
  expect(run(`${text} return f();`, 0)).toBe(16);
});
