import type { Command } from "commander";
import { addServerLeaf, choiceOption, type Session, timeOption, wholeOption } from "../command.ts";
import {
  amountColumn,
  type Column,
  column,
  formatFields,
  formatTable,
  isRow,
  printList,
  type Row,
  showValue,
  valueAt,
} from "../output.ts";
import { type RequestFilter, tailRequests } from "../tail.ts";
import { exitCodes } from "../terminal.ts";

const columns: readonly Column[] = [
  column("TIME", "created_at"),
  column("ID", "id"),
  column("ACCOUNT", "account_id"),
  { ...column("MODEL", (row) => row.model_served ?? row.model_requested), width: 24 },
  { ...column("ENDPOINT", "endpoint"), width: 12 },
  { ...column("STATE", (row) => row.outcome ?? row.state), width: 11 },
  { ...amountColumn("INPUT", "usage.input"), width: 7 },
  { ...amountColumn("OUTPUT", "usage.output"), width: 7 },
  { ...column("SOURCE", "usage.source"), width: 9 },
  { ...amountColumn("CHARGE", "charge"), width: 12 },
  { ...amountColumn("MS", "duration_ms"), width: 9 },
];

const endedStates = [
  "settled",
  "released",
  "refused",
  "complete",
  "client_left",
  "vendor_cut",
  "vendor_error",
  "recovered",
];

type ListFilter = RequestFilter & { readonly from?: string; readonly to?: string };

const addFilters = (command: Command, states: readonly string[]): Command =>
  command
    .option("--account <id>", "only this account's")
    .option("--key <id>", "only this key's")
    .option("--model <name>", "only this model's, requested or served")
    .option("--endpoint <name>", "only those of this endpoint")
    .addOption(choiceOption("--status <status>", "only with this state or outcome", states))
    .addOption(
      choiceOption("--source <source>", "only those whose usage was counted so", [
        "vendor",
        "estimated",
        "none",
      ]),
    );

const filterQuery = ({ account, key, model, endpoint, status, source, from, to }: ListFilter) => ({
  ...{ account, key, model, endpoint, status, source, from, to },
});

export function defineRequests(parent: Command, session: Session): void {
  addServerLeaf<ListFilter & { limit: number }>(parent, session, {
    usage: "list",
    summary: "list requests, newest first",
    examples: [
      "tollgate requests list --account acc_01J… --from 2026-11-01",
      "tollgate requests list --source estimated --json",
    ],
    options: (command) =>
      addFilters(command, ["open", ...endedStates])
        .addOption(timeOption("--from <time>", "admitted from then on"))
        .addOption(timeOption("--to <time>", "admitted before"))
        .addOption(wholeOption("--limit <rows>", "at most so many", { min: 1, max: 10_000_000 }).default(50)),
    run: async ({ client, terminal, options, asJson }) => {
      const rows = client.list("/requests", filterQuery(options), options.limit);
      await printList(terminal, { rows, columns, asJson, whenEmpty: "There are no such requests." });
    },
  });
  addServerLeaf(parent, session, {
    usage: "show <id>",
    summary: "show one request: attempts, usage, price lines, ledger entries",
    examples: ["tollgate requests show req_01J…"],
    run: async ({ client, terminal, args, asJson }) => {
      const request = await client.get(`/requests/${encodeURIComponent(args[0] ?? "")}`);
      terminal.print(asJson ? JSON.stringify(request) : showRequest(request));
    },
  });
  addServerLeaf<RequestFilter & { lines: number; intervalMs: number }>(parent, session, {
    usage: "tail",
    summary: "print requests as they end, until interrupted",
    examples: ["tollgate requests tail", "tollgate requests tail --account acc_01J… --json"],
    options: (command) =>
      addFilters(command, endedStates)
        .addOption(
          wholeOption("--lines <rows>", "begin with so many that have ended", { min: 0, max: 500 }).default(
            10,
          ),
        )
        .addOption(
          wholeOption("--interval-ms <ms>", "how often to look", { min: 100, max: 60_000 }).default(1_000),
        ),
    run: async ({ client, terminal, options, asJson }) => {
      await tailRequests({
        client,
        terminal,
        columns,
        filter: options,
        lines: options.lines,
        intervalMs: options.intervalMs,
        asJson,
      });
      return exitCodes.interrupted;
    },
  });
}

const attemptColumns: readonly Column[] = [
  column("ENDPOINT", "endpoint"),
  column("DEPLOYMENT", "deployment"),
  amountColumn("STATUS", "status"),
  column("VENDOR REQUEST", "vendor_request_id"),
  column("STARTED", "started_at"),
  column("ENDED", "ended_at"),
];
const lineColumns: readonly Column[] = [
  column("KIND", "kind"),
  amountColumn("QUANTITY", "quantity"),
  amountColumn("UNIT PRICE USD", "unit_price_usd"),
  amountColumn("LIST PRICE USD", "list_price_usd"),
  amountColumn("AMOUNT", "amount"),
];
const entryColumns: readonly Column[] = [
  column("TIME", "created_at"),
  column("KIND", "kind"),
  column("LEDGER ACCOUNT", "ledger_account"),
  column("GRANT", "grant_id"),
  amountColumn("AMOUNT", "amount"),
  amountColumn("BALANCE AFTER", "balance_after"),
];

/** The record as people read it: facts first, then how the charge came about. */
function showRequest(request: Row): string {
  const tables: [string, readonly Column[]][] = [
    ["attempts", attemptColumns],
    ["price_lines", lineColumns],
    ["entries", entryColumns],
  ];
  const inTables = new Set(tables.map(([name]) => name));
  const facts = Object.fromEntries(Object.entries(request).filter(([name]) => !inTables.has(name)));
  const parts = [formatFields(facts)];
  for (const [name, columns] of tables) {
    const rows = valueAt(request, name);
    if (Array.isArray(rows) && rows.length > 0)
      parts.push(`${name}\n${formatTable(rows.filter(isRow), columns).trimEnd()}`);
  }
  return `${parts.join("\n\n")}\n\ncharge ${showValue(request.charge)} of a hold of ${showValue(request.hold)}`;
}
