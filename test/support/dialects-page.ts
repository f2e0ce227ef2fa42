import {
  azureFields,
  finishesThatEnd,
  hiddenOutputRules,
  toolRules,
  usagePlaces,
} from "../../src/core/dialects.ts";
import { type ParameterFamily, parameterFamilies } from "../../src/core/parameter-families.ts";
import { dialectRows } from "./dialect-rows.ts";

const row = (...cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(...head), row(...head.map(() => "---")), ...rows.map((cells) => row(...cells))].join("\n");

/** docs/reference/dialects.md, made from the facts, from the tables of the code, and from what the tests prove. */
export function dialectsPage(): string {
  const sections = Object.entries(dialectRows).map(([title, rows]) => {
    const cells = rows.map(({ fact, stand, how, proof }) => [
      fact,
      stand,
      how,
      proof === null ? "" : `\`${proof[0]}\``,
    ]);
    return `## ${title}\n\n${table(["what vendors do", "", "what Tollgate does", "proved by"], cells)}`;
  });
  return `${head}\n${sections.join("\n\n")}\n\n${tables()}\n`;
}

const head = `<!-- Made from test/support/dialects and the tables in src/core. UPDATE_DOCS=1 npx vitest run test/dialects.test.ts writes it. -->

# Vendor dialects

Every vendor speaks the OpenAI API with an accent. This page says, fact by fact, what Tollgate makes of it. A test named here fails
when the fact stops being true, and this page is checked against the code and the tests.

**supported**: served and billed. **refused**: answered with an error before a vendor is called, because it could cost money that
is not metered, or could reach what belongs to somebody else. **not applicable**: nothing to meter.

A new quirk is a line in \`src/core/dialects.ts\` (where usage sits, what it hides, how streams end, which tools cost extra), in
\`src/core/parameter-families.ts\` (what a family of models takes) or in the status table of \`src/gateway/failures.ts\`.

## Who pays for a failed attempt

An attempt that brought an answer, or part of one, is the customer's. An attempt that may have cost money and brought nothing (a
timeout or a reset after the request was sent, an answer that broke off before its first byte went out, Azure's 408) is the
operator's: its input is estimated, booked as vendor cost and on the \`loss\` account at list price, and shown on the attempt as
\`paid_by: operator\`. The customer is not charged, and another deployment is tried. A prompt that Azure's filter refused is the
customer's, unless the endpoint says \`charge_filtered_prompt: false\`. A customer who leaves before the first byte pays what
\`on_disconnect\` says: the exact usage, or the estimated input.
`;

function tables(): string {
  const families = parameterFamilies.map((family) => [
    family.name,
    family.limit ?? "either",
    treatment(family),
    family.stop ? "yes" : "no",
    family.choices ? "yes" : "no",
    family.efforts.length === 0
      ? "refused"
      : `**${family.efforts[0]}**${family.efforts
          .slice(1)
          .map((one) => `, ${one}`)
          .join("")}`,
    family.apis,
    [family.note, family.mark === "C" ? null : family.mark === "L" ? "likely" : "sources conflict"]
      .filter((part) => part !== null)
      .join("; "),
  ]);
  const versions = Object.entries(azureFields).map(([field, { since, except }]) => [
    `\`${field}\``,
    `${since} and later${except.length === 0 ? "" : `, not ${except.join(", ")}`}`,
  ]);
  return [
    "## Families of models",
    `Names without a family, other vendors' among them, get what the client sent. The default effort comes first.\n\n${table(["family", "limit on chat", "temperature; top_p; penalties; logprobs", "stop", "n > 1", "reasoning effort", "APIs", "note"], families)}`,
    "## Fields by Azure api-version",
    table(["field", "taken by"], versions),
    "## Where usage is looked for",
    usagePlaces.map((place) => `- \`${place.join(".")}\``).join("\n"),
    "## Output that stands in no part of its own",
    hiddenOutputRules.map(({ vendor }) => `- ${vendor}`).join("\n"),
    "## Finish reasons that end a stream without [DONE]",
    [...finishesThatEnd].map((reason) => `- \`${reason}\``).join("\n"),
    "## Tools",
    `${table(
      ["type", "runs", "fee"],
      toolRules.map(({ types, rule }) => [
        `\`${types.source.replaceAll("|", "\\|")}\``,
        rule.runs === "client" ? "at the client" : "at the vendor",
        rule.runs === "vendor" ? rule.fee : "",
      ]),
    )}\n\nAny other type is refused.`,
  ].join("\n\n");
}

const words: Readonly<Record<string, string>> = {
  taken: "taken",
  default_only: "default only",
  refused: "refused",
  at_effort_none: "at effort none",
};
const treatment = (family: ParameterFamily): string => {
  const all = [family.temperature, family.topP, family.penalties, family.logprobs].map(
    (one) => words[one] ?? one,
  );
  return new Set(all).size === 1 ? (all[0] ?? "") : all.join("; ");
};
