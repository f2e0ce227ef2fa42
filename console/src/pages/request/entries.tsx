import type { ReactNode } from "react";
import type { RequestDetail } from "../../api/types.ts";
import { isZero, sumAmounts } from "../../lib/amount.ts";
import { Amount } from "../../ui/amount.tsx";
import { Badge } from "../../ui/badge.tsx";
import { entryColumns } from "../../ui/entry-columns.tsx";
import { Card, Empty, Link, shortId } from "../../ui/parts.tsx";
import { Table } from "../../ui/table.tsx";

/** Every entry that the request caused; those of one transaction sum to zero, and so do all of them. */
export function EntriesCard({ request }: { request: RequestDetail }): ReactNode {
  const { entries } = request;
  const sum = sumAmounts(entries.map((entry) => entry.amount));
  return (
    <Card
      isFlush
      title="Ledger entries"
      note="Debits and credits of this request; corrections are new entries, nothing is ever changed."
      actions={
        entries.length === 0 ? undefined : (
          <Badge tone={isZero(sum) ? "good" : "bad"}>{isZero(sum) ? "sums to 0" : "does not sum to 0"}</Badge>
        )
      }
    >
      {entries.length === 0 ? (
        <Empty title={request.state === "open" ? "Nothing is booked yet" : "No money has moved"}>
          {request.state === "open" ? (
            <p>
              The hold of <Amount value={request.hold} /> credits sets money aside without moving it; the
              charge is booked when the answer has ended.
            </p>
          ) : null}
        </Empty>
      ) : (
        <Table
          caption="Ledger entries of this request"
          columns={columns}
          rows={entries}
          keyOf={(entry) => entry.id}
          isDense
        />
      )}
    </Card>
  );
}

const columns = entryColumns((entry) => (
  <Link to="/ledger" params={{ transaction: entry.transaction_id }}>
    <code title={entry.transaction_id}>{shortId(entry.transaction_id)}</code>
  </Link>
));
