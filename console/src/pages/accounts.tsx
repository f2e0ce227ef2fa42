import type { ReactNode } from "react";
import type { AccountReport } from "../api/types.ts";
import { formatHoursLeft } from "../lib/certainty.ts";
import { formatCount } from "../lib/time.ts";
import { Amount } from "../ui/amount.tsx";
import { Badge } from "../ui/badge.tsx";
import { CreateAccount } from "../ui/create-account.tsx";
import { Link, shortId, Time } from "../ui/parts.tsx";
import { accountName } from "../ui/request-table.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { Listing } from "./listing.tsx";

const statuses = [
  { value: "", name: "Any" },
  { value: "active", name: "Active" },
  { value: "frozen", name: "Frozen" },
];

/** Who can spend what? */
export const AccountsPage = (): ReactNode => (
  <Listing<AccountReport>
    title="Accounts"
    path="/reports/accounts"
    search={{ label: "Name or your own id", placeholder: "acme" }}
    statuses={statuses}
    create={{ label: "New account", dialog: (close) => <CreateAccount onClose={close} /> }}
    whenEmpty={
      <>
        Open one here, or with <code>tollgate accounts create NAME</code>.
      </>
    }
    note="Amounts in credits"
  >
    {(rows) => (
      <Table caption="Accounts, newest first" columns={columns} rows={rows} keyOf={(row) => row.id} />
    )}
  </Listing>
);

export function AccountStatus({
  account,
}: {
  account: Pick<AccountReport, "status" | "is_demo">;
}): ReactNode {
  return (
    <>
      {account.status === "active" ? <Badge tone="good">active</Badge> : <Badge tone="info">frozen</Badge>}
      {account.is_demo ? <Badge tone="warn">demo</Badge> : null}
    </>
  );
}

const columns: readonly Column<AccountReport>[] = [
  {
    id: "name",
    head: "Account",
    isElastic: true,
    cell: (row) => (
      <>
        <Link to={accountName(row.id)}>{row.name}</Link>
        <div className="sub" title={row.id}>
          {row.external_id ?? shortId(row.id)}
        </div>
      </>
    ),
  },
  { id: "status", head: "Status", cell: (row) => <AccountStatus account={row} /> },
  { id: "balance", head: "Balance", isNumber: true, cell: (row) => <Amount value={row.balance.posted} /> },
  { id: "held", head: "Held", isNumber: true, cell: (row) => <Amount value={row.balance.held} /> },
  {
    id: "available",
    head: "Available",
    isNumber: true,
    cell: (row) => (
      <strong>
        <Amount value={row.balance.available} />
      </strong>
    ),
  },
  { id: "day", head: "Spent 24 h", isNumber: true, cell: (row) => <Amount value={row.spent_24h} /> },
  { id: "month", head: "Spent 30 d", isNumber: true, cell: (row) => <Amount value={row.spent_30d} /> },
  { id: "left", head: "Lasts", isNumber: true, cell: (row) => formatHoursLeft(row.hours_left) },
  { id: "keys", head: "Keys", isNumber: true, cell: (row) => formatCount(row.live_keys) },
  { id: "since", head: "Since", cell: (row) => <Time at={row.created_at} form="date" /> },
];
