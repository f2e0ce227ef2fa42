import type { Command } from "commander";
import { addServerLeaf, choiceOption, type Session, timeOption } from "../command.ts";
import { amountColumn, type Column, column, formatTable, isRow, type Row } from "../output.ts";

interface UsageOptions {
  readonly from?: string;
  readonly to?: string;
  readonly bucket?: string;
  readonly tz?: string;
  readonly groupBy?: string;
  readonly account?: string;
  readonly key?: string;
  readonly model?: string;
  readonly endpoint?: string;
  readonly csv?: true;
}

const groups: Readonly<Record<string, Column>> = {
  account: column("ACCOUNT", "account_id"),
  model: column("MODEL", "model"),
  endpoint: column("ENDPOINT", "endpoint"),
  key: column("KEY", "key_id"),
};
const sums: readonly Column[] = [
  amountColumn("REQUESTS", "requests"),
  amountColumn("ESTIMATED", "by_source.estimated"),
  amountColumn("INPUT", "input"),
  amountColumn("CACHED", "cached_input"),
  amountColumn("OUTPUT", "output"),
  amountColumn("REASONING", "reasoning"),
  amountColumn("CHARGE", "charge"),
  amountColumn("VENDOR COST USD", "vendor_cost_usd"),
  amountColumn("LOSS USD", "loss_usd"),
];
/** The largest page of this list. */
const pageRows = 5_000;

export function defineUsage(command: Command, session: Session): void {
  addServerLeaf<UsageOptions>(command, session, {
    usage: "",
    summary: "tokens and charges in buckets of time",
    examples: [
      "tollgate usage --from 2026-11-01 --to 2026-12-01 --group-by account,model",
      "tollgate usage --bucket hour --tz Europe/Berlin --json",
      "tollgate usage --from 2026-11-01 --csv > november.csv",
    ],
    options: (leaf) =>
      leaf
        .addOption(timeOption("--from <time>", "admitted from then on"))
        .addOption(timeOption("--to <time>", "admitted before"))
        .addOption(choiceOption("--bucket <size>", "size of a bucket", ["hour", "day"]))
        .option("--tz <zone>", "time zone of the buckets, an IANA name (default: UTC)")
        .option("--group-by <what>", "any of account, model, endpoint, key, with commas between")
        .option("--account <id>", "only this account's")
        .option("--key <id>", "only this key's")
        .option("--model <name>", "only this model's")
        .option("--endpoint <name>", "only those of this endpoint")
        .option("--csv", "print CSV"),
    run: async ({ client, terminal, options, asJson }) => {
      const { from, to, bucket, tz, groupBy, account, key, model, endpoint } = options;
      const query = { from, to, bucket, tz, group_by: groupBy, account, key, model, endpoint };
      if (options.csv === true) {
        for await (const chunk of client.csv("/usage", query)) await terminal.write(chunk);
        return;
      }
      let totals: Row | null = null;
      const rows: Row[] = [];
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page: Row = await client.get("/usage", { ...query, limit: pageRows, cursor });
        const data = Array.isArray(page.data) ? page.data.filter(isRow) : [];
        if (asJson) for (const row of data) await terminal.write(`${JSON.stringify(row)}\n`);
        else rows.push(...data);
        totals = isRow(page.totals) ? page.totals : totals;
        cursor = typeof page.next_cursor === "string" ? page.next_cursor : null;
      }
      if (asJson) return;
      const shown = [
        column("BUCKET", "bucket"),
        ...(groupBy ?? "").split(",").flatMap((name) => groups[name] ?? []),
        ...sums,
      ];
      // The total is the server's own sum, so that nothing is added up here.
      const total =
        totals === null
          ? []
          : [{ bucket: "total", account_id: "", model: "", endpoint: "", key_id: "", ...totals }];
      await terminal.write(formatTable([...rows, ...total], shown, terminal.hasColour));
    },
  });
}
