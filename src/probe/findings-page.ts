import { findingGroups, findingRules } from "./findings/all.ts";
import { table } from "./markdown.ts";

const head = `# Findings of \`tollgate probe\`

A probe sends about two dozen small requests to one deployment and reports what matters for counting and billing. What it can
find is listed here. An id never changes its meaning, so scripts may rely on it; a new finding gets a new id.

| severity | means |
| --- | --- |
| high | money is miscounted by who does not know it |
| medium | clients or requests break |
| low | it costs time or accuracy |
| info | good to know |

Each finding comes with its evidence: the call, a sentence, and the frame, header or body that shows it. With any finding the
exit code is 3, without one it is 0. How to probe: [probe.md](probe.md).
`;

/** docs/reference/findings.md, from the table of findings itself. */
export function findingsPage(): string {
  const overview = table(
    ["id", "name", "severity", "finding"],
    findingRules.map(({ id, name, severity, title }) => [
      `[${id}](#${id.toLowerCase()})`,
      `\`${name}\``,
      severity,
      title,
    ]),
  );
  const groups = findingGroups.map(({ title, rules }) => {
    const parts = rules.map(({ id, name, severity, title: what, meaning, advice }) =>
      [`### ${id}`, `**${what}.** \`${name}\`, ${severity}.`, meaning, `Do: ${advice}`].join("\n\n"),
    );
    return [`## ${title}`, ...parts].join("\n\n");
  });
  return `${[head, overview, "", groups.join("\n\n")].join("\n")}\n`;
}
