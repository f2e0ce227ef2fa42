import type { ReactNode } from "react";
import { sumAmounts } from "../lib/amount.ts";
import { Amount } from "./amount.tsx";
import { type Column, Table } from "./table.tsx";

interface PriceLine {
  readonly kind: string;
  readonly amount: string;
}

/** Price lines and, below them, their sum; the last column holds the amounts. */
export function PriceTable<Line extends PriceLine>(props: {
  lines: readonly Line[];
  columns: readonly Column<Line>[];
}): ReactNode {
  const { lines, columns } = props;
  return (
    <Table
      caption="Price lines"
      columns={columns}
      rows={lines}
      keyOf={(line) => line.kind}
      isDense
      foot={
        <tr>
          <th scope="row" colSpan={columns.length - 1}>
            Charge, credits
          </th>
          <td className="number">
            <Amount value={sumAmounts(lines.map((line) => line.amount))} form="exact" />
          </td>
        </tr>
      }
    />
  );
}
