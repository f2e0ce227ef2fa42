import type { ReactNode } from "react";
import { addressFor, adminPath } from "../api/client.ts";
import type { Estimation, Leak, List, UsageSample } from "../api/types.ts";
import { useQuery } from "../api/use-query.ts";
import { compareAmounts, formatAmount, isZero, sumAmounts, thousandths } from "../lib/amount.ts";
import { describeRange } from "../lib/range.ts";
import { useConsole } from "../lib/session.ts";
import { formatCount } from "../lib/time.ts";
import { plainWords } from "../lib/words.ts";
import { type Dot, Scatter } from "../plots/scatter.tsx";
import type { Series } from "../plots/types.ts";
import { useRange } from "../range-picker.tsx";
import { Amount, withUnit } from "../ui/amount.tsx";
import { CsvLink } from "../ui/pager.tsx";
import { Answer, Card, Empty, PageHead, shortId } from "../ui/parts.tsx";
import { type Column, Table } from "../ui/table.tsx";

const dotsMost = 500;

/** How good are estimates, and what would billing by them cost? */
export function EstimationPage(): ReactNode {
  const { zone } = useConsole();
  const range = useRange();
  const { from, to } = range;
  const estimationAddress = addressFor(adminPath("/reports/estimation"), { from, to, limit: 200 });
  const leakAddress = addressFor(adminPath("/reports/leak"), { from, to, limit: 200 });
  const estimation = useQuery<List<Estimation>>(estimationAddress);
  const leak = useQuery<List<Leak>>(leakAddress);
  const samples = useQuery<List<UsageSample>>(
    addressFor(adminPath("/reports/estimation/samples"), { from, to, limit: dotsMost }),
  );
  return (
    <>
      <PageHead title="Estimation" crumb={describeRange(range, zone)} />
      <p className="muted">
        Requests whose usage the vendor reported are estimated as well, by sample, so that it is known how far
        off an estimate is when one is needed.
      </p>
      <Answer of={samples}>{({ data }) => <Plots samples={data} />}</Answer>
      <Card
        isFlush
        title="Accuracy"
        note="How far estimates are from the vendor's count: half of the requests, and 95%, are no further"
        actions={<CsvLink address={estimationAddress} />}
      >
        <Answer of={estimation}>
          {({ data }) =>
            data.length === 0 ? (
              <NoSamples />
            ) : (
              <Table caption="Accuracy of estimates" columns={accuracyColumns} rows={data} keyOf={keyOf} />
            )
          }
        </Answer>
      </Card>
      <Card
        isFlush
        title="Leak"
        note="What the sampled requests would have been billed by each way of counting, at the plain prices of input and output"
        actions={<CsvLink address={leakAddress} />}
      >
        <Answer of={leak}>
          {({ data }) => (data.length === 0 ? <NoSamples /> : <LeakTable rows={data} />)}
        </Answer>
      </Card>
    </>
  );
}

const NoSamples = (): ReactNode => (
  <Empty title="No samples in this period">
    <p>
      <code>estimates.sample_rate</code> says how many requests are estimated as well.
    </p>
  </Empty>
);

interface Group {
  readonly endpoint: string;
  readonly deployment: string;
  readonly model: string;
  readonly kind: string;
  readonly requests: number;
}
const keyOf = (row: Group): string => `${row.endpoint} ${row.deployment} ${row.model} ${row.kind}`;

function Plots({ samples }: { samples: readonly UsageSample[] }): ReactNode {
  const kinds = [...new Set(samples.map((sample) => sample.kind))].sort();
  const series = kinds.map((kind, index): Series => ({ id: kind, name: plainWords(kind), colour: index }));
  const note = samples.length === dotsMost ? `The newest ${dotsMost} samples` : undefined;
  const dots = (y: (sample: UsageSample) => number) =>
    samples.map(
      (sample): Dot => ({
        id: sample.request_id,
        label: `${sample.model} ${shortId(sample.request_id)}`,
        series: sample.kind,
        x: y(sample),
        y: sample.vendor_output,
      }),
    );
  const shared = { note, series, yName: "vendor's output tokens", empty: "No samples in this period." };
  return (
    <div className="columns">
      <Scatter
        title="Output: tokenizer against vendor"
        dots={dots((sample) => sample.estimated_output)}
        xName="tokenizer"
        {...shared}
      />
      <Scatter
        title="Output: characters ÷ 4 against vendor"
        dots={dots((sample) => Math.ceil(sample.output_characters / 4))}
        xName="characters ÷ 4"
        {...shared}
      />
    </div>
  );
}

const groupColumn = <Row extends Group>(): Column<Row> => ({
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
const requestsColumn = <Row extends Group>(): Column<Row> => ({
  id: "requests",
  head: "Samples",
  isNumber: true,
  cell: (row) => formatCount(row.requests),
});

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

const accuracyColumns: readonly Column<Estimation>[] = [
  groupColumn(),
  requestsColumn(),
  accuracyColumn("ti", "Input, tokenizer", (row) => row.tokenizer.input),
  accuracyColumn("to", "Output, tokenizer", (row) => row.tokenizer.output),
  accuracyColumn("ci", "Input, characters ÷ 4", (row) => row.characters.input),
  accuracyColumn("co", "Output, characters ÷ 4", (row) => row.characters.output),
];

const missing = (amount: string, billed: string): ReactNode => (
  <>
    <Amount value={amount} unit="usd" />
    <div className="sub">{shareText(amount, billed)}</div>
  </>
);

/** "12.3% too little": of what was billed. */
function shareText(amount: string, billed: string): string {
  if (isZero(amount) || isZero(billed)) return "as billed";
  const permille = Math.abs(thousandths(amount, billed));
  const size = permille === 0 ? "under 0.1%" : `${Math.floor(permille / 10)}.${permille % 10}%`;
  return `${size} too ${compareAmounts(amount, "0") > 0 ? "little" : "much"}`;
}

const leakColumns: readonly Column<Leak>[] = [
  groupColumn(),
  requestsColumn(),
  {
    id: "billed",
    head: "By the vendor's tokens",
    isNumber: true,
    cell: (row) => <Amount value={row.billed_usd} unit="usd" />,
  },
  {
    id: "token",
    head: "Tokenizer misses",
    isNumber: true,
    cell: (row) => missing(row.tokenizer_missing_usd, row.billed_usd),
  },
  {
    id: "character",
    head: "Characters ÷ 4 miss",
    isNumber: true,
    cell: (row) => missing(row.characters_missing_usd, row.billed_usd),
  },
];

function LeakTable({ rows }: { rows: readonly Leak[] }): ReactNode {
  const sum = (pick: (row: Leak) => string): string => sumAmounts(rows.map(pick));
  const billed = sum((row) => row.billed_usd);
  return (
    <Table
      caption="What estimates would have billed"
      columns={leakColumns}
      rows={rows}
      keyOf={keyOf}
      foot={
        <tr>
          <th scope="row" colSpan={2}>
            All samples
          </th>
          <td className="number">{withUnit(formatAmount(billed), "usd")}</td>
          <td className="number">
            {missing(
              sum((row) => row.tokenizer_missing_usd),
              billed,
            )}
          </td>
          <td className="number">
            {missing(
              sum((row) => row.characters_missing_usd),
              billed,
            )}
          </td>
        </tr>
      }
    />
  );
}
