import type { Command } from "commander";
import {
  addServerLeaf,
  choiceOption,
  findAccountId,
  type Session,
  timeOption,
  wholeOption,
  withoutUndefined,
} from "../command.ts";
import { amountColumn, type Column, column, printList, printThing } from "../output.ts";

const columns: readonly Column[] = [
  column("ID", "id"),
  column("KIND", "kind"),
  column("STATUS", "status"),
  amountColumn("AMOUNT", "amount"),
  amountColumn("REMAINING", "remaining"),
  amountColumn("RESERVED", "reserved"),
  amountColumn("PRIORITY", "priority"),
  column("EXPIRES", "expires_at"),
  column("REFERENCE", "reference"),
  column("CREATED", "created_at"),
];

interface AddOptions {
  readonly kind?: string;
  readonly priority?: number;
  readonly expires?: string;
  readonly reference?: string;
}

export function defineGrants(parent: Command, session: Session): void {
  addServerLeaf<AddOptions>(parent, session, {
    usage: "add <account> <amount>",
    summary: "give an account credit",
    examples: [
      "tollgate grants add acme 25.00 --reference invoice-2026-118",
      "tollgate grants add acme 5 --kind promotional --expires 2026-12-31",
    ],
    options: (command) =>
      command
        .addOption(
          choiceOption("--kind <kind>", "paid (the default) or promotional", ["paid", "promotional"]),
        )
        .addOption(
          wholeOption("--priority <number>", "0 burns first, 100 last; 50 by default", { min: 0, max: 100 }),
        )
        .addOption(timeOption("--expires <time>", "when what is left of it lapses"))
        .option("--reference <text>", "the payment it stands for: the same reference is credited once only"),
    run: async ({ client, terminal, args, options, asJson }) => {
      const id = await findAccountId(client, args[0] ?? "");
      const { kind, priority, expires, reference } = options;
      const body = withoutUndefined({ amount: args[1], kind, priority, expires_at: expires, reference });
      printThing(terminal, await client.post(`/accounts/${encodeURIComponent(id)}/grants`, body), asJson);
    },
  });
  addServerLeaf(parent, session, {
    usage: "list <account>",
    summary: "list an account's grants, newest first",
    examples: ["tollgate grants list acme"],
    run: async ({ client, terminal, args, asJson }) => {
      const id = await findAccountId(client, args[0] ?? "");
      const rows = client.list(`/accounts/${encodeURIComponent(id)}/grants`);
      await printList(terminal, {
        rows,
        columns,
        asJson,
        whenEmpty: "The account has no grants. Add one: tollgate grants add <account> <amount>",
      });
    },
  });
  addServerLeaf<{ reason?: string }>(parent, session, {
    usage: "void <grant>",
    summary: "take back what is left of a grant",
    examples: ["tollgate grants void grt_01J… --reason 'payment bounced'"],
    options: (command) => command.option("--reason <text>", "kept in the books"),
    run: async ({ client, terminal, args, options, asJson }) => {
      const body = withoutUndefined({ reason: options.reason });
      printThing(
        terminal,
        await client.post(`/grants/${encodeURIComponent(args[0] ?? "")}/void`, body),
        asJson,
      );
    },
  });
}
