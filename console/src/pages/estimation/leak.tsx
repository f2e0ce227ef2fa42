import type { ReactNode } from "react";
import type { Leak } from "../../api/types.ts";
import { compareAmounts, isZero, subtractAmounts, sumAmounts, thousandths } from "../../lib/amount.ts";
import { formatCount } from "../../lib/time.ts";
import { Amount } from "../../ui/amount.tsx";
import { CsvLink } from "../../ui/pager.tsx";
import { Card } from "../../ui/parts.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { groupColumn, keyOf, samplesColumn } from "./groups.tsx";

interface Way {
  readonly id: string;
  readonly name: string;
  readonly note: string;
  readonly usd: (row: Leak) => string;
  readonly tokens: (row: Leak) => number;
}

const vendor: Way = {
  id: "vendor",
  name: "The vendor's usage",
  note: "what is charged here",
  usd: (row) => row.billed_usd,
  tokens: (row) => row.billed_tokens,
};
const estimators: readonly Way[] = [
  {
    id: "tokenizer",
    name: "Tokenizer",
    note: "the model's own, on the visible text",
    usd: (row) => row.tokenizer_usd,
    tokens: (row) => row.tokenizer_tokens,
  },
  {
    id: "characters",
    name: "Characters ÷ 4",
    note: "the usual rule of thumb",
    usd: (row) => row.characters_usd,
    tokens: (row) => row.characters_tokens,
  },
  {
    id: "dense",
    name: "Characters ÷ 1.67",
    note: "a rule for dense text",
    usd: (row) => row.characters_167_usd,
    tokens: (row) => row.characters_167_tokens,
  },
];

interface Line {
  readonly way: Way;
  readonly tokens: number;
  readonly usd: string;
  readonly billed: string;
}

/** All samples together: one line for each way of counting, against what the vendor reported. */
export function LeakSummary({ rows }: { rows: readonly Leak[] }): ReactNode {
  const billed = sumAmounts(rows.map(vendor.usd));
  const lines = [vendor, ...estimators].map(
    (way): Line => ({
      way,
      tokens: rows.reduce((sum, row) => sum + way.tokens(row), 0),
      usd: sumAmounts(rows.map(way.usd)),
      billed,
    }),
  );
  const samples = rows.reduce((sum, row) => sum + row.requests, 0);
  return (
    <Card
      isFlush
      title="What billing by an estimate would have brought in"
      note={`The same ${formatCount(samples)} sampled requests, counted four ways, at the plain prices of input and output (cache discounts are left out on all sides). A sum can come out right by chance: see it by deployment.`}
    >
      <Table
        caption="What billing by an estimate would have brought in"
        columns={summaryColumns}
        rows={lines}
        keyOf={({ way }) => way.id}
      />
    </Card>
  );
}

const summaryColumns: readonly Column<Line>[] = [
  {
    id: "way",
    head: "Counted by",
    cell: ({ way }) => (
      <>
        {way.name}
        <div className="sub">{way.note}</div>
      </>
    ),
  },
  { id: "tokens", head: "Tokens", isNumber: true, cell: ({ tokens }) => formatCount(tokens) },
  { id: "usd", head: "Billed", isNumber: true, cell: ({ usd }) => <Amount value={usd} unit="usd" /> },
  {
    id: "difference",
    head: "Difference",
    isNumber: true,
    cell: ({ way, usd, billed }) =>
      way === vendor ? "" : <Amount value={subtractAmounts(usd, billed)} unit="usd" />,
  },
  {
    id: "share",
    head: "Of the vendor's",
    isNumber: true,
    cell: ({ way, usd, billed }) => (way === vendor ? "" : <Share usd={usd} billed={billed} />),
  },
];

/** "62.0% lost": of what the vendor's usage comes to. Too much is the customers' loss. */
function Share({ usd, billed }: { usd: string; billed: string }): ReactNode {
  const difference = subtractAmounts(usd, billed);
  if (isZero(difference)) return "the same";
  if (isZero(billed)) return "—";
  const permille = Math.abs(thousandths(difference, billed));
  const size = permille === 0 ? "under 0.1%" : `${Math.floor(permille / 10)}.${permille % 10}%`;
  return compareAmounts(difference, "0") < 0 ? <span className="lost">{size} lost</span> : `${size} too much`;
}

const wayColumn = (way: Way): Column<Leak> => ({
  id: way.id,
  head: way.name,
  isNumber: true,
  cell: (row) => (
    <>
      <Amount value={way.usd(row)} unit="usd" />
      <div className="sub">
        <Share usd={way.usd(row)} billed={vendor.usd(row)} />
      </div>
    </>
  ),
});

const leakColumns: readonly Column<Leak>[] = [
  groupColumn(),
  samplesColumn(),
  {
    id: "billed",
    head: vendor.name,
    isNumber: true,
    cell: (row) => <Amount value={row.billed_usd} unit="usd" />,
  },
  ...estimators.map(wayColumn),
];

/** The same for each deployment and kind of answer. */
export function LeakByDeployment({ rows, csv }: { rows: readonly Leak[]; csv: string }): ReactNode {
  return (
    <Card
      isFlush
      title="By deployment"
      note="What each way of counting would have billed, and the share it misses"
      actions={<CsvLink address={csv} />}
    >
      <Table caption="What estimates would have billed" columns={leakColumns} rows={rows} keyOf={keyOf} />
    </Card>
  );
}
