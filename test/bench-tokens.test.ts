import { expect, test } from "vitest";
import { compareCounters } from "../bench/tokens.ts";

test("the token benchmark still runs", () => {
  const lines: string[] = [];
  compareCounters({ rounds: 1, sizes: [300], print: (line) => lines.push(line) });
  expect(lines).toHaveLength(6);
  expect(lines.slice(1).join("\n")).toMatch(/^(\S.*\d+ +[\d.]+× +[\d.]+× *\n?){5}$/);
});
