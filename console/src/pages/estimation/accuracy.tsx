import type { ReactNode } from "react";
import type { Estimation } from "../../api/types.ts";
import { formatCount } from "../../lib/time.ts";
import { CsvLink } from "../../ui/pager.tsx";
import { Card } from "../../ui/parts.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { groupColumn, keyOf, samplesColumn } from "./groups.tsx";

/** How far estimates of single requests are from the vendor's count. */
export function AccuracyCard({ rows, csv }: { rows: readonly Estimation[]; csv: string }): ReactNode {
  return (
    <Card
      isFlush
      title="Accuracy, request by request"
      note="How far an estimate is from the vendor's count: half of the requests are no further than the first figure, 95% no further than the second"
      actions={<CsvLink address={csv} />}
    >
      <Table caption="Accuracy of estimates" columns={columns} rows={rows} keyOf={keyOf} />
    </Card>
  );
}

type Accuracy = Estimation["tokenizer"]["input"];
const accuracyColumn = (
  id: string,
  head: string,
  pick: (row: Estimation) => Accuracy,
): Column<Estimation> => ({
  id,
  head,
  isNumber: true,
  cell: (row) => {
    const { error_p50_percent: half, error_p95_percent: most, exact } = pick(row);
    return (
      <>
        {percent(half)} · {percent(most)}
        <div className="sub">{formatCount(exact)} hit exactly</div>
      </>
    );
  },
});
const percent = (value: number | null): string => (value === null ? "—" : `${value.toFixed(1)}%`);

const columns: readonly Column<Estimation>[] = [
  groupColumn(),
  samplesColumn(),
  accuracyColumn("ti", "Input, tokenizer", (row) => row.tokenizer.input),
  accuracyColumn("to", "Output, tokenizer", (row) => row.tokenizer.output),
  accuracyColumn("ci", "Input, characters ÷ 4", (row) => row.characters.input),
  accuracyColumn("co", "Output, characters ÷ 4", (row) => row.characters.output),
];
