import type { ReactNode } from "react";
import { addressFor, adminPath } from "../api/client.ts";
import type { AccountReport, List, Overview, Traffic, UnpricedModel, UsageList } from "../api/types.ts";
import { type Loaded, useQuery } from "../api/use-query.ts";
import { formatAmount } from "../lib/amount.ts";
import { formatHoursLeft } from "../lib/certainty.ts";
import { describeRange, type Range } from "../lib/range.ts";
import { addressOf, usePlace } from "../lib/router.ts";
import { useConsole } from "../lib/session.ts";
import { formatCount, formatDuration } from "../lib/time.ts";
import { useNow } from "../lib/use-now.ts";
import { Bars } from "../plots/bars.tsx";
import { bucketsOf } from "../plots/buckets.ts";
import { Lines } from "../plots/lines.tsx";
import { useRange } from "../range-picker.tsx";
import { Amount } from "../ui/amount.tsx";
import { CsvLink } from "../ui/pager.tsx";
import { Answer, Card, Empty, Link, PageHead } from "../ui/parts.tsx";
import { accountName } from "../ui/request-table.tsx";
import { type Column, Table } from "../ui/table.tsx";
import {
  chargedByModel,
  firstTokenPoints,
  firstTokenSeries,
  outcomeBars,
  outcomeSeries,
  tokenSeries,
  tokensByKind,
} from "./overview/charts.ts";
import { FirstSteps, isQuiet } from "./overview/first-steps.tsx";
import { IntegrityStrip } from "./overview/integrity.tsx";
import { OverviewTiles } from "./overview/tiles.tsx";

/** Figures are asked for again this often while somebody looks. */
const refreshMs = 30_000;

/** Is the money right, and is traffic well? */
export function OverviewPage(): ReactNode {
  const { zone } = useConsole();
  const { params } = usePlace();
  const range = useRange();
  const now = useNow(5_000);
  const { from, to, bucket } = range;
  const period = { range: params.range, from: params.from, to: params.to };
  const overview = useQuery<Overview>(addressFor(adminPath("/overview"), { from, to }), {
    everyMs: refreshMs,
  });
  const usageAddress = addressFor(adminPath("/usage"), {
    from,
    to,
    bucket,
    tz: zone,
    group_by: "model",
    limit: 5_000,
  });
  const usage = useQuery<UsageList>(usageAddress, { everyMs: refreshMs });
  const traffic = useQuery<List<Traffic>>(
    addressFor(adminPath("/reports/traffic"), { from, to, bucket, tz: zone }),
    { everyMs: refreshMs },
  );
  const unpriced = useQuery<List<UnpricedModel>>(addressFor(adminPath("/models/unpriced")));
  return (
    <>
      <PageHead title="Overview" crumb={describeRange(range, zone)} />
      <Answer of={overview}>
        {(found) => (
          <div className="stack">
            <IntegrityStrip overview={found} period={period} nowMs={now} />
            <OverviewTiles overview={found} />
            {isQuiet(found) ? <FirstSteps /> : null}
          </div>
        )}
      </Answer>
      <Answer of={usage}>
        {(found) => <UsagePlots usage={found} range={range} period={period} address={usageAddress} />}
      </Answer>
      <Answer of={traffic}>{({ data }) => <TrafficPlots rows={data} range={range} />}</Answer>
      <Tables overview={overview} unpriced={unpriced} />
    </>
  );
}

type Period = Readonly<Record<string, string | undefined>>;

function UsagePlots({
  usage,
  range,
  period,
  address,
}: {
  usage: UsageList;
  range: Range;
  period: Period;
  address: string;
}): ReactNode {
  const { zone } = useConsole();
  const spans = bucketsOf(range, zone);
  const charged = chargedByModel(usage.data, spans, formatAmount);
  const series = charged.series.map((one) =>
    one.id === "other" ? one : { ...one, to: addressOf("/requests", { ...period, model: one.id }) },
  );
  const cut =
    usage.next_cursor === null
      ? undefined
      : "There are more models than one plot can show; later times are missing here. The CSV has all.";
  return (
    <div className="stack">
      <Bars
        title="Charged by model"
        note={cut ?? `Credits per ${range.bucket}, by when the request was admitted`}
        range={range}
        series={series}
        bars={charged.bars}
        format={formatAmount}
        empty="Nothing was charged in this period."
        actions={<CsvLink address={address} />}
      />
      <Bars
        title="Tokens by kind"
        note={cut ?? "Cached input is a part of input, reasoning a part of output; no token is in two parts"}
        range={range}
        series={tokenSeries}
        bars={tokensByKind(usage.data, spans)}
        format={(count) => formatCount(Number(count))}
        empty="No tokens in this period."
      />
    </div>
  );
}

function TrafficPlots({ rows, range }: { rows: readonly Traffic[]; range: Range }): ReactNode {
  const { zone } = useConsole();
  const spans = bucketsOf(range, zone);
  const isSample = rows.some((row) => row.is_sample);
  const note = isSample ? "Of the newest 300 requests of each span" : "Of all requests";
  return (
    <div className="columns">
      <Bars
        title="How requests ended"
        note={note}
        range={range}
        series={outcomeSeries}
        bars={outcomeBars(rows, spans)}
        format={(count) => formatCount(Number(count))}
        isShare
        empty="No requests in this period."
      />
      <Lines
        title="Time to first token"
        note={note}
        range={range}
        series={firstTokenSeries}
        points={firstTokenPoints(rows, spans)}
        format={formatDuration}
        empty="No answer in this period."
      />
    </div>
  );
}

type Top = Overview["top_accounts"][number];

function Tables({
  overview,
  unpriced,
}: {
  overview: Loaded<Overview>;
  unpriced: Loaded<List<UnpricedModel>>;
}): ReactNode {
  return (
    <div className="columns">
      <Card isFlush title="Top accounts">
        <Answer of={overview}>
          {(found) => (
            <TopTable
              caption="Top accounts"
              rows={found.top_accounts}
              linkOf={(row) => <Link to={accountName(row.id)}>{row.name}</Link>}
            />
          )}
        </Answer>
      </Card>
      <Card isFlush title="Top models">
        <Answer of={overview}>
          {(found) => (
            <TopTable
              caption="Top models"
              rows={found.top_models}
              linkOf={(row) => (
                <Link to="/requests" params={{ model: row.id }}>
                  {row.name}
                </Link>
              )}
            />
          )}
        </Answer>
      </Card>
      <Card isFlush title="Lowest balances" note="By hours left at the pace of the last 7 days">
        <Answer of={overview}>{(found) => <LowestTable rows={found.lowest_balances} />}</Answer>
      </Card>
      <Card
        isFlush
        title="Models without a price of their own"
        note="Answered in the last 30 days; charged as what their deployment is configured to be"
      >
        <Answer of={unpriced}>{({ data }) => <UnpricedTable rows={data} />}</Answer>
      </Card>
    </div>
  );
}

function TopTable({
  caption,
  rows,
  linkOf,
}: {
  caption: string;
  rows: readonly Top[];
  linkOf: (row: Top) => ReactNode;
}): ReactNode {
  const columns: readonly Column<Top>[] = [
    { id: "name", head: "Name", isElastic: true, cell: linkOf },
    { id: "requests", head: "Requests", isNumber: true, cell: (row) => formatCount(row.requests) },
    {
      id: "cost",
      head: "Vendor cost",
      isNumber: true,
      cell: (row) => <Amount value={row.vendor_cost_usd} unit="usd" />,
    },
    { id: "charge", head: "Charged", isNumber: true, cell: (row) => <Amount value={row.charge} /> },
  ];
  if (rows.length === 0) return <Empty title="Nothing was charged in this period" />;
  return <Table caption={caption} columns={columns} rows={rows} keyOf={(row) => row.id} isDense />;
}

const lowestColumns: readonly Column<AccountReport>[] = [
  {
    id: "name",
    head: "Account",
    isElastic: true,
    cell: (row) => <Link to={accountName(row.id)}>{row.name}</Link>,
  },
  {
    id: "available",
    head: "Available",
    isNumber: true,
    cell: (row) => <Amount value={row.balance.available} />,
  },
  { id: "spent", head: "Last 24 h", isNumber: true, cell: (row) => <Amount value={row.spent_24h} /> },
  { id: "left", head: "Lasts", isNumber: true, cell: (row) => formatHoursLeft(row.hours_left) },
];

const LowestTable = ({ rows }: { rows: readonly AccountReport[] }): ReactNode =>
  rows.length === 0 ? (
    <Empty title="No account spent anything in 7 days" />
  ) : (
    <Table caption="Lowest balances" columns={lowestColumns} rows={rows} keyOf={(row) => row.id} isDense />
  );

const unpricedColumns: readonly Column<UnpricedModel>[] = [
  {
    id: "model",
    head: "Model",
    isElastic: true,
    cell: (row) => (
      <Link to="/requests" params={{ model: row.model, range: "30d" }}>
        {row.model}
      </Link>
    ),
  },
  { id: "endpoint", head: "Endpoint", cell: (row) => row.endpoint },
  { id: "requests", head: "Requests", isNumber: true, cell: (row) => formatCount(row.requests) },
  { id: "as", head: "Charged as", isElastic: true, cell: (row) => row.charged_as.join(", ") },
];

export const UnpricedTable = ({ rows }: { rows: readonly UnpricedModel[] }): ReactNode =>
  rows.length === 0 ? (
    <Empty title="Every model that answered has a price" />
  ) : (
    <Table
      caption="Models without a price of their own"
      columns={unpricedColumns}
      rows={rows}
      keyOf={(row) => `${row.endpoint} ${row.model}`}
      isDense
    />
  );
