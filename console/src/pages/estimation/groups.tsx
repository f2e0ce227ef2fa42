import { formatCount } from "../../lib/time.ts";
import { plainWords } from "../../lib/words.ts";
import type { Column } from "../../ui/table.tsx";

/** Samples that are judged together: an estimator is good or bad at a kind of answer of a deployment. */
export interface Group {
  readonly endpoint: string;
  readonly deployment: string;
  readonly model: string;
  readonly kind: string;
  readonly requests: number;
}

export const keyOf = (row: Group): string => `${row.endpoint} ${row.deployment} ${row.model} ${row.kind}`;

export const groupColumn = <Row extends Group>(): Column<Row> => ({
  id: "group",
  head: "Deployment",
  isElastic: true,
  cell: (row) => (
    <>
      {row.model}
      <div className="sub">
        {row.endpoint} · {row.deployment} · {plainWords(row.kind).toLowerCase()}
      </div>
    </>
  ),
});

export const samplesColumn = <Row extends Group>(): Column<Row> => ({
  id: "requests",
  head: "Samples",
  isNumber: true,
  cell: (row) => formatCount(row.requests),
});
