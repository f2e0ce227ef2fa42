import { type ReactNode, useState } from "react";
import { addressFor, adminPath } from "../api/client.ts";
import type { AccountReport, List } from "../api/types.ts";
import { useQuery } from "../api/use-query.ts";
import { formatHoursLeft } from "../lib/certainty.ts";
import { setParams, usePlace } from "../lib/router.ts";
import { may, useConsole } from "../lib/session.ts";
import { formatCount } from "../lib/time.ts";
import { usePages } from "../lib/use-pages.ts";
import { Amount } from "../ui/amount.tsx";
import { Badge } from "../ui/badge.tsx";
import { CreateAccount } from "../ui/create-account.tsx";
import { SelectField } from "../ui/form.tsx";
import { CsvLink, Pager } from "../ui/pager.tsx";
import { Answer, Button, Card, Empty, Link, PageHead, shortId, Time } from "../ui/parts.tsx";
import { accountName } from "../ui/request-table.tsx";
import { Search } from "../ui/search.tsx";
import { type Column, Table } from "../ui/table.tsx";

const pageRows = 50;
const statuses = [
  { value: "", name: "Any" },
  { value: "active", name: "Active" },
  { value: "frozen", name: "Frozen" },
];

/** Who can spend what? */
export function AccountsPage(): ReactNode {
  const { params } = usePlace();
  const { session } = useConsole();
  const [isCreating, setCreating] = useState(false);
  const base = addressFor(adminPath("/reports/accounts"), { search: params.search, status: params.status });
  const pages = usePages(base);
  const list = useQuery<List<AccountReport>>(addressFor(base, { limit: pageRows, cursor: pages.cursor }));
  return (
    <>
      <PageHead title="Accounts">
        {may(session, "operator") ? (
          <Button kind="primary" icon="plus" onClick={() => setCreating(true)}>
            New account
          </Button>
        ) : null}
        <CsvLink address={base} />
      </PageHead>
      <Search label="Name or your own id" value={params.search ?? ""} placeholder="acme">
        <SelectField
          label="Status"
          value={params.status ?? ""}
          choices={statuses}
          onChange={(status) => setParams({ status })}
        />
      </Search>
      <Card isFlush>
        <Answer of={list}>
          {({ data, next_cursor }) => (
            <>
              {data.length === 0 ? (
                <Empty title="No accounts">
                  <p>
                    Open one here, or with <code>tollgate accounts create NAME</code>.
                  </p>
                </Empty>
              ) : (
                <Table
                  caption="Accounts, newest first"
                  columns={columns}
                  rows={data}
                  keyOf={(row) => row.id}
                />
              )}
              <Pager pages={pages} nextCursor={next_cursor}>
                Amounts in credits
              </Pager>
            </>
          )}
        </Answer>
      </Card>
      {isCreating ? <CreateAccount onClose={() => setCreating(false)} /> : null}
    </>
  );
}

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
