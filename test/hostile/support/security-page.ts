import { secretPattern } from "../../../src/core/api-key.ts";
import { type HostileRow, isApplicable, rows } from "../rows.ts";
import { findRowTests, type RowTest } from "./row-tests.ts";

/** docs/security.md, made from the rows and from the names of the tests that try them. */
export function securityPage(): string {
  const tests = findRowTests();
  const applicable = rows.filter(isApplicable);
  const notYet = rows.filter((row) => !isApplicable(row));
  return [
    head(applicable.length),
    "## The rows\n",
    table(
      ["#", "attack", "what must happen", "tried in"],
      applicable.map((row) => [String(row.number), row.attack, row.answer, filesOf(row, tests)]),
    ),
    "\n## Not applicable yet\n",
    table(
      ["#", "attack", "what must happen then", "why not yet"],
      notYet.map((row) => [
        ...[String(row.number), row.attack, row.answer],
        "notYet" in row.test ? row.test.notYet : "",
      ]),
    ),
    tail,
    "## What the tests say\n",
    "Each line is the name of a test, as `npm test` prints it; a place that stands for a table of cases is shown as “…”.\n",
    ...applicable.map((row) => `- **${row.number}** ${titlesOf(row, tests).join("; ")}`),
    "",
  ].join("\n");
}

function filesOf(row: HostileRow, tests: readonly RowTest[]): string {
  const files = new Set(tests.filter((one) => one.row === row.number).map((one) => one.file));
  return [...files].map((file) => `[${file.replace(".test.ts", "")}](../test/hostile/${file})`).join(", ");
}

const titlesOf = (row: HostileRow, tests: readonly RowTest[]): readonly string[] => [
  ...new Set(tests.filter((one) => one.row === row.number).map((one) => one.title)),
];

const line = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
const table = (names: readonly string[], lines: readonly (readonly string[])[]): string =>
  [line(names), line(names.map(() => "---")), ...lines.map(line)].join("\n");

const head = (
  applicable: number,
): string => `<!-- Made by \`npm run docs\` from test/hostile/rows.ts and the \
names of the tests beside it. Change those, not this page. -->

# Attacks, and what holds against them

${rows.length} attacks on a gateway that holds vendors' keys and customers' money. ${applicable} of them concern what exists. Each is
tried by tests that carry its number in their name, in \`test/hostile/\`: against gateways in processes of their own where the
attack comes over the wire, with a PostgreSQL database, an honest vendor that keeps its own bill, and a dishonest one. When such a
file ends, the ledger must prove itself, the honest vendor's bill must be the ledger's, and no prompt, key or password may stand in
any output, metric or table.

\`\`\`sh
npm test                        # ends with "Hostile rows held / applicable: …", counted from the results of that run
npm test -- test/hostile        # these alone
npm test -- -t "row 17:"        # one row
npm run check:all               # the same with a million fuzz cases for each reader (row 61)
\`\`\`

What is promised, what is not, and how to report a hole: [SECURITY.md](../SECURITY.md). Where each boundary is guarded in the
code: [ARCHITECTURE.md](../ARCHITECTURE.md#where-the-boundaries-are-guarded).
`;

const tail = `
## Keys

A customer's key is \`sk-tg-live-\` (in demo mode \`sk-tg-test-\`), 32 random characters of \`0-9A-Za-z\` (190 bits) and 6 of
checksum: the CRC-32 of everything before it, in base 62 with digits before capitals before small letters. Admin tokens begin with
\`tg-adm-\`, a customer page's with \`tg-prt-\`, so that no kind passes for another. The pattern to give to secret scanners:

\`\`\`text
${secretPattern}
\`\`\`

As a rule for gitleaks, where keywords keep it fast:

\`\`\`toml
[[rules]]
id = "tollgate-key"
description = "A key of a Tollgate gateway"
regex = '''${secretPattern}'''
keywords = ["sk-tg-", "tg-adm-", "tg-prt-"]
\`\`\`

A key is shown once, when it is made. The database keeps its SHA-256 and its last four characters; it is found by that digest, and
what fails the checksum is refused before anything is looked up. Rotation gives a key a new secret and lets the old one work on for
\`overlap_seconds\`. Revocation and expiry are looked at again with every hold, in the same statement, so no process admits a
request after them; reads (\`/v1/credits\`, \`/v1/usage\`) end within a second everywhere. Limits of a key (requests and tokens per
minute, spend per window, requests at once) are decided in the statement that makes the hold, so they hold in sum over all
processes. \`limits.concurrent_requests\` protects the memory of one process and is counted by each for itself.

## Fuzzing

Row 61 runs 10,000 cases for each reader in \`npm test\` and 1,000,000 in \`npm run check:all\`, with a fixed seed.
\`TOLLGATE_FUZZ_CASES\` and \`TOLLGATE_FUZZ_SEED\` change both. A case fails by a crash, by a difference from a second, slower
reader, or by taking more than 50 ms.

## Packages

\`npm ci --ignore-scripts\` is all an installation needs. Row 56 reads the lockfile: an integrity for every package but the builds of
tools for other platforms that \`scripts/complete-lock.mjs\` adds, no package that needs an install script, no source but the
registry, and a reason in [docs/decisions/0001-libraries.md](decisions/0001-libraries.md) for each one that is named in
\`package.json\`. \`npm run release\` packs the release and writes a CycloneDX list of what is in it, with checksums.

For known holes in packages ask a registry that answers such questions, before a release and by a daily job:

\`\`\`sh
npm audit --omit=dev --registry=https://registry.npmjs.org
\`\`\`
`;
