import type { ReactNode } from "react";
import type { RequestDetail } from "../../api/types.ts";
import { compareAmounts, shiftAmount, sumAmounts } from "../../lib/amount.ts";
import { formatCount } from "../../lib/time.ts";
import { isTokenKind, kindName } from "../../lib/words.ts";
import { Amount } from "../../ui/amount.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Card, Empty } from "../../ui/parts.tsx";
import { PriceTable } from "../../ui/price-table.tsx";
import type { Column } from "../../ui/table.tsx";

type Line = RequestDetail["price_lines"][number];

function Nothing({ request }: { request: RequestDetail }): ReactNode {
  if (request.state !== "open") return <Empty title="Nothing was charged" />;
  return (
    <Empty title="Not known yet">
      <p>
        The charge follows from the tokens, at the price <code>{request.price_row ?? "in force"}</code>.
      </p>
    </Empty>
  );
}

/** Quantity × unit price = amount, line by line; whether they add up to the charge is computed here again. */
export function PriceLines({ request }: { request: RequestDetail }): ReactNode {
  const { price_lines: lines, charge } = request;
  const sum = sumAmounts(lines.map((line) => line.amount));
  const addsUp = charge !== null && compareAmounts(sum, charge) === 0;
  return (
    <Card
      isFlush
      title="Price lines"
      note={
        lines.length === 0 ? undefined : (
          <>Price of {request.priced_as ?? "—"}; unit prices are per million tokens, in USD</>
        )
      }
      actions={
        lines.length === 0 ? undefined : (
          <Badge tone={addsUp ? "good" : "bad"}>{addsUp ? "adds up" : "does not add up"}</Badge>
        )
      }
    >
      {lines.length === 0 ? <Nothing request={request} /> : <PriceTable lines={lines} columns={columns} />}
    </Card>
  );
}

const priceOf = (kind: string, price: string): ReactNode => (
  <>
    <Amount value={isTokenKind(kind) ? shiftAmount(price, 6) : price} unit="usd" form="price" />
    {isTokenKind(kind) ? null : " each"}
  </>
);

const columns: readonly Column<Line>[] = [
  { id: "kind", head: "Kind", cell: (line) => kindName(line.kind) },
  { id: "quantity", head: "Quantity", isNumber: true, cell: (line) => formatCount(line.quantity) },
  {
    id: "list",
    head: "Vendor list",
    isNumber: true,
    cell: (line) => priceOf(line.kind, line.list_price_usd),
  },
  { id: "unit", head: "Unit price", isNumber: true, cell: (line) => priceOf(line.kind, line.unit_price_usd) },
  {
    id: "amount",
    head: "Amount, credits",
    isNumber: true,
    cell: (line) => <Amount value={line.amount} form="exact" />,
  },
];
