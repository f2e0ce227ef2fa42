import { type ReactNode, useState } from "react";
import { addressFor } from "../api/client.ts";
import type { List } from "../api/types.ts";
import { useQuery } from "../api/use-query.ts";
import { shiftAmount } from "../lib/amount.ts";
import { formatCount, formatDuration } from "../lib/time.ts";
import { usePages } from "../lib/use-pages.ts";
import { isTokenKind, kindName } from "../lib/words.ts";
import { Amount } from "../ui/amount.tsx";
import { AmountStatus, amountStatus, OutcomeBadge } from "../ui/badge.tsx";
import { Dialog } from "../ui/form.tsx";
import { Pager } from "../ui/pager.tsx";
import { Answer, Button, Card, Empty, Fact, Facts, Id, Time } from "../ui/parts.tsx";
import { PriceTable } from "../ui/price-table.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { portalPath, type Receipt, useToken } from "./api.ts";

export function RequestsCard(): ReactNode {
  const base = addressFor(portalPath("/requests"));
  const pages = usePages(base);
  const list = useQuery<List<Receipt>>(addressFor(base, { cursor: pages.cursor }), { token: useToken() });
  const [open, setOpen] = useState<Receipt | null>(null);
  const columns = [...baseColumns, receiptColumn(setOpen)];
  return (
    <Card isFlush title="Requests" note="Newest first; those that failed or were refused, too">
      <Answer of={list}>
        {({ data, next_cursor }) => (
          <>
            {data.length === 0 ? (
              <Empty title="No requests yet" />
            ) : (
              <Table
                caption="Requests, newest first"
                columns={columns}
                rows={data}
                keyOf={(row) => row.id}
                isDense
              />
            )}
            <Pager pages={pages} nextCursor={next_cursor}>
              Amounts in credits
            </Pager>
          </>
        )}
      </Answer>
      {open === null ? null : <ReceiptDialog receipt={open} onClose={() => setOpen(null)} />}
    </Card>
  );
}

const baseColumns: readonly Column<Receipt>[] = [
  { id: "time", head: "Time", cell: (row) => <Time at={row.created_at} form="second" /> },
  { id: "key", head: "Key", isElastic: true, cell: (row) => row.key_name ?? "—" },
  { id: "model", head: "Model", isElastic: true, cell: (row) => row.model_served ?? row.model_requested },
  { id: "outcome", head: "Outcome", cell: (row) => <OutcomeBadge request={row} /> },
  {
    id: "tokens",
    head: "Tokens in · out",
    isNumber: true,
    cell: (row) =>
      row.usage === null ? "—" : `${formatCount(row.usage.input)} · ${formatCount(row.usage.output)}`,
  },
  { id: "charge", head: "Charge", isNumber: true, cell: (row) => <Amount value={row.charge} /> },
  { id: "status", head: "Amount is", cell: (row) => <AmountStatus request={row} /> },
];
const receiptColumn = (onOpen: (receipt: Receipt) => void): Column<Receipt> => ({
  id: "receipt",
  head: <span className="hidden">Receipt</span>,
  cell: (row) => (
    <Button kind="quiet" onClick={() => onOpen(row)} label={`Receipt of ${row.id}`}>
      Receipt
    </Button>
  ),
});

type Line = Receipt["price_lines"][number];
const lineColumns: readonly Column<Line>[] = [
  { id: "kind", head: "Kind", cell: (line) => kindName(line.kind) },
  { id: "quantity", head: "Quantity", isNumber: true, cell: (line) => formatCount(line.quantity) },
  {
    id: "price",
    head: "Per million",
    isNumber: true,
    cell: (line) =>
      isTokenKind(line.kind) ? (
        <Amount value={shiftAmount(line.unit_price, 6)} form="exact" />
      ) : (
        <>
          <Amount value={line.unit_price} form="exact" /> each
        </>
      ),
  },
  {
    id: "amount",
    head: "Amount",
    isNumber: true,
    cell: (line) => <Amount value={line.amount} form="exact" />,
  },
];

function ReceiptDialog({ receipt, onClose }: { receipt: Receipt; onClose: () => void }): ReactNode {
  return (
    <Dialog title="Receipt" onClose={onClose}>
      <div className="stack">
        <Facts>
          <Fact name="Request">
            <Id id={receipt.id} />
          </Fact>
          <Fact name="Time">
            <Time at={receipt.created_at} form="full" />
          </Fact>
          <Fact name="Model">{receipt.model_served ?? receipt.model_requested}</Fact>
          <Fact name="First token · all">
            {formatDuration(receipt.ttft_ms)} · {formatDuration(receipt.duration_ms)}
          </Fact>
          <Fact name="Held meanwhile">
            <Amount value={receipt.hold} />
          </Fact>
          <Fact name="The amount is">
            <AmountStatus request={receipt} />
          </Fact>
        </Facts>
        <p>{amountStatus(receipt).title}</p>
        {receipt.price_lines.length === 0 ? (
          <p className="muted">
            {receipt.charge === null ? "It is not settled yet." : "Nothing was charged."}
          </p>
        ) : (
          <PriceTable lines={receipt.price_lines} columns={lineColumns} />
        )}
      </div>
    </Dialog>
  );
}
