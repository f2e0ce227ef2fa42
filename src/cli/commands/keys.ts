import type { Command } from "commander";
import {
  addServerLeaf,
  choiceOption,
  collect,
  findAccountId,
  type Session,
  timeOption,
  wholeOption,
  withoutUndefined,
} from "../command.ts";
import { amountColumn, type Column, column, printList, printThing, type Row } from "../output.ts";
import type { Terminal } from "../terminal.ts";

const columns: readonly Column[] = [
  column("ID", "id"),
  column("NAME", "name"),
  column("KEY", "display"),
  column("STATE", (row) => (row.revoked_at === null ? "active" : "revoked")),
  column("MODELS", (row) => row.models ?? "all"),
  column("LIMIT", (row) =>
    row.spend_limit === null ? "none" : `${row.spend_limit} per ${row.spend_window ?? "total"}`,
  ),
  amountColumn("SPENT", "spent_total"),
  column("EXPIRES", "expires_at"),
  column("LAST USED", "last_used_at"),
];

interface CreateOptions {
  readonly name: string;
  readonly model?: readonly string[];
  readonly spendLimit?: string;
  readonly spendWindow?: string;
  readonly rpm?: number;
  readonly tpm?: number;
  readonly maxConcurrent?: number;
  readonly expires?: string;
  readonly usageCost?: true;
  readonly idempotency?: true;
}

const rate = { min: 1, max: 2_000_000_000 };

export function defineKeys(parent: Command, session: Session): void {
  addServerLeaf<CreateOptions>(parent, session, {
    usage: "create <account>",
    summary: "make a key for an account; its secret is shown once",
    examples: [
      "tollgate keys create acme --name production",
      "tollgate keys create acme --name ci --model gpt-5-mini --spend-limit 5 --spend-window day",
      "export OPENAI_API_KEY=$(tollgate keys create acme --json | jq -r .secret)",
    ],
    options: (command) =>
      command
        .option("--name <name>", "how people call it", "default")
        .option("--model <name>", "a model it may use; may be repeated (default: every model)", collect)
        .option("--spend-limit <credits>", "what it may spend in a window")
        .addOption(
          choiceOption("--spend-window <window>", "calendar window of the limit, in UTC", [
            "hour",
            "day",
            "week",
            "month",
            "total",
          ]),
        )
        .addOption(wholeOption("--rpm <requests>", "requests per minute", rate))
        .addOption(wholeOption("--tpm <tokens>", "tokens per minute", rate))
        .addOption(wholeOption("--max-concurrent <requests>", "requests at once", rate))
        .addOption(timeOption("--expires <time>", "when it ends"))
        .option("--usage-cost", "add the charge to the usage of answers")
        .option("--idempotency", "honour Idempotency-Key on model requests"),
    run: async ({ client, terminal, args, options, asJson }) => {
      const id = await findAccountId(client, args[0] ?? "");
      const made = await client.post(`/accounts/${encodeURIComponent(id)}/keys`, keyBody(options));
      printSecret(terminal, made, asJson);
      if (!asJson) terminal.note(tryIt(client.url));
    },
  });
  addServerLeaf(parent, session, {
    usage: "list <account>",
    summary: "list an account's keys, newest first",
    examples: ["tollgate keys list acme"],
    run: async ({ client, terminal, args, asJson }) => {
      const id = await findAccountId(client, args[0] ?? "");
      const rows = client.list(`/accounts/${encodeURIComponent(id)}/keys`);
      await printList(terminal, {
        rows,
        columns,
        asJson,
        whenEmpty: "The account has no keys. Make one: tollgate keys create <account>",
      });
    },
  });
  addServerLeaf<{ overlap?: number }>(parent, session, {
    usage: "rotate <key>",
    summary: "give a key a new secret",
    examples: ["tollgate keys rotate key_01J… --overlap 86400"],
    options: (command) =>
      command.addOption(
        wholeOption("--overlap <seconds>", "how long the old secret works on; 0 by default", {
          min: 0,
          max: 2_592_000,
        }),
      ),
    run: async ({ client, terminal, args, options, asJson }) => {
      const body = withoutUndefined({ overlap_seconds: options.overlap });
      printSecret(
        terminal,
        await client.post(`/keys/${encodeURIComponent(args[0] ?? "")}/rotate`, body),
        asJson,
      );
    },
  });
  addServerLeaf(parent, session, {
    usage: "revoke <key>",
    summary: "end a key and all its secrets, at once",
    examples: ["tollgate keys revoke key_01J…"],
    run: async ({ client, terminal, args, asJson }) => {
      printThing(terminal, await client.delete(`/keys/${encodeURIComponent(args[0] ?? "")}`), asJson);
    },
  });
}

function keyBody(options: CreateOptions): Row {
  const { usageCost, idempotency } = options;
  const settings = withoutUndefined({ usage_cost: usageCost, idempotency });
  return withoutUndefined({
    name: options.name,
    models: options.model,
    spend_limit: options.spendLimit,
    spend_window: options.spendWindow,
    rpm: options.rpm,
    tpm: options.tpm,
    max_concurrent: options.maxConcurrent,
    expires_at: options.expires,
    settings: Object.keys(settings).length === 0 ? undefined : settings,
  });
}

/** For people the secret stands alone on stdout, so that it can be taken by a script as well. */
function printSecret(terminal: Terminal, made: Row, asJson: boolean): void {
  if (asJson) {
    terminal.print(JSON.stringify(made));
    return;
  }
  terminal.note(`Key ${made.id} (${made.name}). Its secret is shown only now; keep it safe:`);
  terminal.print(String(made.secret));
}

const tryIt = (url: string): string => `Try it:
  curl ${url}/v1/chat/completions -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
    -d '{"model":"MODEL","messages":[{"role":"user","content":"Hello"}]}'`;
