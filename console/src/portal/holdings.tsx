import type { ReactNode } from "react";
import { addressFor } from "../api/client.ts";
import { useQuery } from "../api/use-query.ts";
import { Amount } from "../ui/amount.tsx";
import { Badge } from "../ui/badge.tsx";
import { Answer, Card, Empty, Time } from "../ui/parts.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { type OwnGrant, type OwnKey, portalPath, useToken } from "./api.ts";

const grantColumns: readonly Column<OwnGrant>[] = [
  { id: "time", head: "Granted", cell: (grant) => <Time at={grant.created_at} /> },
  { id: "kind", head: "Kind", cell: (grant) => grant.kind },
  { id: "reference", head: "Reference", isElastic: true, cell: (grant) => grant.reference ?? "—" },
  {
    id: "status",
    head: "Status",
    cell: (grant) => <Badge tone={grant.status === "active" ? "good" : "plain"}>{grant.status}</Badge>,
  },
  { id: "amount", head: "Amount", isNumber: true, cell: (grant) => <Amount value={grant.amount} /> },
  { id: "left", head: "Left", isNumber: true, cell: (grant) => <Amount value={grant.remaining} /> },
  {
    id: "expires",
    head: "Expires",
    cell: (grant) => (grant.expires_at === null ? "never" : <Time at={grant.expires_at} />),
  },
];

export const GrantsCard = ({ grants }: { grants: readonly OwnGrant[] }): ReactNode => (
  <Card isFlush title="Credit granted">
    {grants.length === 0 ? (
      <Empty title="None yet" />
    ) : (
      <Table
        caption="Credit granted"
        columns={grantColumns}
        rows={grants}
        keyOf={(grant) => grant.id}
        isDense
      />
    )}
  </Card>
);

const keyColumns: readonly Column<OwnKey>[] = [
  {
    id: "name",
    head: "Key",
    cell: (key) => (
      <>
        {key.name}
        <div className="sub">
          <code>{key.display}</code>
        </div>
      </>
    ),
  },
  {
    id: "status",
    head: "Status",
    cell: (key) =>
      key.revoked_at === null ? <Badge tone="good">live</Badge> : <Badge tone="bad">revoked</Badge>,
  },
  {
    id: "models",
    head: "Models",
    isElastic: true,
    cell: (key) => (key.models === null ? "all" : key.models.join(", ")),
  },
  {
    id: "limit",
    head: "Spend limit",
    cell: (key) =>
      key.spend_limit === null ? (
        "none"
      ) : (
        <>
          <Amount value={key.window_spent} /> of <Amount value={key.spend_limit} />{" "}
          {key.spend_window === "total" ? "in all" : `per ${key.spend_window}`}
        </>
      ),
  },
  { id: "spent", head: "Spent in all", isNumber: true, cell: (key) => <Amount value={key.spent_total} /> },
  {
    id: "used",
    head: "Last used",
    cell: (key) => (key.last_used_at === null ? "never" : <Time at={key.last_used_at} form="ago" />),
  },
];

export function KeysCard(): ReactNode {
  const keys = useQuery<{ readonly data: readonly OwnKey[] }>(addressFor(portalPath("/keys")), {
    token: useToken(),
  });
  return (
    <Card isFlush title="Keys">
      <Answer of={keys}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="No keys" />
          ) : (
            <Table caption="Keys" columns={keyColumns} rows={data} keyOf={(key) => key.id} isDense />
          )
        }
      </Answer>
    </Card>
  );
}
