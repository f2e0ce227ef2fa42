import type { ReactNode } from "react";
import type { RequestRecord } from "../api/types.ts";
import { formatCount, formatDuration } from "../lib/time.ts";
import { Amount } from "./amount.tsx";
import { AmountStatus, OutcomeBadge } from "./badge.tsx";
import { Link, shortId, Time } from "./parts.tsx";
import { type Column, Table } from "./table.tsx";

export const requestName = (id: string): string => `/requests/${encodeURIComponent(id)}`;
export const accountName = (id: string): string => `/accounts/${encodeURIComponent(id)}`;

const time: Column<RequestRecord> = {
  id: "time",
  head: "Time · id",
  cell: (row) => (
    <>
      <Time at={row.created_at} form="second" />
      <div className="sub">
        <Link to={requestName(row.id)}>
          <code title={row.id}>{shortId(row.id)}</code>
        </Link>
      </div>
    </>
  ),
};
const account: Column<RequestRecord> = {
  id: "account",
  head: "Account · key",
  isElastic: true,
  cell: (row) => (
    <>
      <Link to={accountName(row.account_id)}>{row.account_name ?? shortId(row.account_id)}</Link>
      <div className="sub">{row.key_name ?? "no key"}</div>
    </>
  ),
};
const rest: readonly Column<RequestRecord>[] = [
  {
    id: "model",
    head: "Model · endpoint",
    isElastic: true,
    cell: (row) => (
      <>
        {row.model_requested}
        <div className="sub">
          {row.endpoint ?? "—"}
          {row.stream ? " · streamed" : ""}
        </div>
      </>
    ),
  },
  { id: "outcome", head: "Outcome", cell: (row) => <OutcomeBadge request={row} /> },
  {
    id: "ttft",
    head: "First token · all",
    isNumber: true,
    cell: (row) => (
      <>
        {formatDuration(row.ttft_ms)}
        <div className="sub">{formatDuration(row.duration_ms)}</div>
      </>
    ),
  },
  {
    id: "tokens",
    head: "Tokens in · out",
    isNumber: true,
    cell: (row) => <Tokens usage={row.usage} />,
  },
  {
    id: "charge",
    head: "Charge",
    isNumber: true,
    cell: (row) =>
      row.state === "open" ? (
        <>
          <Amount value={null} />
          <div className="sub">
            hold <Amount value={row.hold} />
          </div>
        </>
      ) : (
        <Amount value={row.charge} />
      ),
  },
  { id: "status", head: "Amount is", cell: (row) => <AmountStatus request={row} /> },
];

function Tokens({ usage }: { usage: RequestRecord["usage"] }): ReactNode {
  if (usage === null) return "—";
  const parts = [
    ...(usage.cached_input === null || usage.cached_input === 0
      ? []
      : [`${formatCount(usage.cached_input)} cached`]),
    ...(usage.reasoning === null || usage.reasoning === 0
      ? []
      : [`${formatCount(usage.reasoning)} reasoning`]),
  ];
  return (
    <>
      {formatCount(usage.input)} · {formatCount(usage.output)}
      <div className="sub">{parts.length === 0 ? "\u00a0" : parts.join(", ")}</div>
    </>
  );
}

interface RequestTableProps {
  readonly rows: readonly RequestRecord[];
  readonly caption: string;
  readonly hasAccount?: boolean;
  readonly fresh?: ReadonlySet<string>;
}

export function RequestTable({ rows, caption, hasAccount = true, fresh }: RequestTableProps): ReactNode {
  const columns = hasAccount ? [time, account, ...rest] : [time, ...rest];
  return (
    <Table
      caption={caption}
      columns={columns}
      rows={rows}
      keyOf={(row) => row.id}
      isDense
      classOf={(row) => (fresh?.has(row.id) === true ? "fresh" : undefined)}
    />
  );
}
