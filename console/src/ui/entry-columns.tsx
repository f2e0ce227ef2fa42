import type { Entry } from "../api/types.ts";
import { entryKindName, ledgerAccountName } from "../lib/words.ts";
import { Amount } from "./amount.tsx";
import { Time } from "./parts.tsx";
import type { Column } from "./table.tsx";

/** What every table of ledger entries shows, around the transaction and the columns of its own. */
export const entryColumns = (
  transaction: Column<Entry>["cell"],
  own: readonly Column<Entry>[] = [],
): readonly Column<Entry>[] => [
  { id: "time", head: "Time", cell: (entry) => <Time at={entry.created_at} form="second" /> },
  { id: "tx", head: "Transaction", cell: transaction },
  { id: "kind", head: "Kind", cell: (entry) => entryKindName(entry.kind) },
  { id: "ledger", head: "Ledger account", cell: (entry) => ledgerAccountName(entry.ledger_account) },
  ...own,
  {
    id: "amount",
    head: "Credits",
    isNumber: true,
    cell: (entry) => <Amount value={entry.amount} form="exact" />,
  },
  {
    id: "usd",
    head: "USD",
    isNumber: true,
    cell: (entry) => <Amount value={entry.amount_usd} unit="usd" form="exact" />,
  },
  {
    id: "after",
    head: "Balance after",
    isNumber: true,
    cell: (entry) =>
      entry.balance_after === null ? "" : <Amount value={entry.balance_after} form="exact" />,
  },
];
