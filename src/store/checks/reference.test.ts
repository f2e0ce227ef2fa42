import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ledgerChecks } from "../verify.ts";

const page = readFileSync(new URL("../../../docs/reference/ledger.md", import.meta.url), "utf8");

test("docs/reference/ledger.md describes every check as it describes itself", () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map((match) => `${match[1]}: ${match[2]}`);
  for (const check of ledgerChecks) expect(rows).toContain(`${check.name}: ${check.description}`);
});

test("docs/reference/ledger.md names every check under the invariant that it proves", () => {
  const invariants = page.slice(page.indexOf("### The invariants"));
  for (const check of ledgerChecks) expect(invariants).toContain(`\`${check.name}\``);
});
