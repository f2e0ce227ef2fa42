import type { Command } from "commander";
import {
  addServerLeaf,
  choiceOption,
  collect,
  findAccountId,
  type Session,
  wholeOption,
  withoutUndefined,
} from "../command.ts";
import { amountColumn, type Column, column, printList, printThing } from "../output.ts";
import { CliError, exitCodes } from "../terminal.ts";

const columns: readonly Column[] = [
  column("ID", "id"),
  column("NAME", "name"),
  column("EXTERNAL ID", "external_id"),
  column("STATUS", "status"),
  amountColumn("AVAILABLE", "balance.available"),
  amountColumn("HELD", "balance.held"),
  amountColumn("POSTED", "balance.posted"),
  column("DEMO", (row) => (row.is_demo === true ? "yes" : "")),
];

export function defineAccounts(parent: Command, session: Session): void {
  addServerLeaf<{ externalId?: string; metadata?: readonly string[] }>(parent, session, {
    usage: "create <name>",
    summary: "make an account, without credit",
    examples: [
      'tollgate accounts create "Acme Ltd" --external-id crm-4711',
      "tollgate accounts create acme --metadata plan=gold --json",
    ],
    options: (command) =>
      command
        .option("--external-id <id>", "your own id of the customer; unique")
        .option("--metadata <key=value>", "a label of your own; may be repeated", collect),
    run: async ({ client, terminal, args, options, asJson }) => {
      const metadata =
        options.metadata === undefined ? undefined : Object.fromEntries(options.metadata.map(readLabel));
      const account = await client.post(
        "/accounts",
        withoutUndefined({ name: args[0], external_id: options.externalId, metadata }),
      );
      printThing(terminal, account, asJson);
      if (!asJson)
        terminal.note(`Next: tollgate grants add ${account.id} 10, then tollgate keys create ${account.id}`);
    },
  });
  addServerLeaf<{ status?: string; limit?: number }>(parent, session, {
    usage: "list",
    summary: "list accounts with their balances, newest first",
    examples: ["tollgate accounts list", "tollgate accounts list --status frozen --json"],
    options: (command) =>
      command
        .addOption(choiceOption("--status <status>", "only these", ["active", "frozen"]))
        .addOption(wholeOption("--limit <rows>", "at most so many", { min: 1, max: 1_000_000 })),
    run: async ({ client, terminal, options, asJson }) => {
      const rows = client.list("/accounts", { status: options.status }, options.limit);
      await printList(terminal, {
        rows,
        columns,
        asJson,
        whenEmpty: "There are no accounts. Make one: tollgate accounts create <name>",
      });
    },
  });
  addServerLeaf(parent, session, {
    usage: "show <account>",
    summary: "show one account (by id, external id or name)",
    examples: ["tollgate accounts show acme", "tollgate accounts show acc_01J… --json"],
    run: async ({ client, terminal, args, asJson }) => {
      const id = await findAccountId(client, args[0] ?? "");
      printThing(terminal, await client.get(`/accounts/${encodeURIComponent(id)}`), asJson);
    },
  });
  for (const [name, status, summary] of [
    ["freeze", "frozen", "refuse all requests of an account; its credit stays"],
    ["thaw", "active", "let a frozen account send requests again"],
  ] as const) {
    addServerLeaf(parent, session, {
      usage: `${name} <account>`,
      summary,
      examples: [`tollgate accounts ${name} acme`],
      run: async ({ client, terminal, args, asJson }) => {
        const id = await findAccountId(client, args[0] ?? "");
        printThing(terminal, await client.patch(`/accounts/${encodeURIComponent(id)}`, { status }), asJson);
      },
    });
  }
}

function readLabel(text: string): [string, string] {
  const cut = text.indexOf("=");
  if (cut < 1)
    throw new CliError(
      exitCodes.usage,
      `Cannot read the label ${JSON.stringify(text)}: it has no "="; write --metadata key=value.`,
    );
  return [text.slice(0, cut), text.slice(cut + 1)];
}
