import { type ReactNode, useCallback, useState } from "react";
import { addressFor, adminPath, call } from "../../api/client.ts";
import type { AdminToken, AdminTokenMade, List } from "../../api/types.ts";
import { useAction } from "../../api/use-action.ts";
import { useQuery } from "../../api/use-query.ts";
import { Badge } from "../../ui/badge.tsx";
import { Dialog, FormDialog, Secret, SelectField, TextField } from "../../ui/form.tsx";
import { Answer, Button, Card, Empty, Time } from "../../ui/parts.tsx";
import { type Column, Table } from "../../ui/table.tsx";

const roles = [
  { value: "viewer", name: "Viewer: reads" },
  { value: "finance", name: "Finance: grants, refunds, prices" },
  { value: "operator", name: "Operator: accounts, keys, probes" },
  { value: "owner", name: "Owner: everything" },
];

/** Who may administer, with which role. A token opens the console, the API and the command line. */
export function TokensCard(): ReactNode {
  const list = useQuery<List<AdminToken>>(addressFor(adminPath("/tokens"), { limit: 200 }));
  const [open, setOpen] = useState<"create" | AdminToken | null>(null);
  const close = (): void => {
    setOpen(null);
    list.reload();
  };
  return (
    <Card
      isFlush
      title="Admin tokens"
      note="Each opens this console, the admin API and the command line, with its role"
      actions={
        <Button icon="plus" onClick={() => setOpen("create")}>
          New token
        </Button>
      }
    >
      <Answer of={list}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="Only the owner's own token, from the configuration" />
          ) : (
            <Table
              caption="Admin tokens"
              columns={[...columns, revokeColumn(setOpen)]}
              rows={data}
              keyOf={(token) => token.id}
              isDense
            />
          )
        }
      </Answer>
      {open === "create" ? <CreateToken onClose={close} /> : null}
      {open !== null && open !== "create" ? <RevokeToken token={open} onClose={close} /> : null}
    </Card>
  );
}

const columns: readonly Column<AdminToken>[] = [
  { id: "name", head: "Whose", cell: (token) => token.name },
  { id: "display", head: "Token", cell: (token) => <code>{token.display}</code> },
  { id: "role", head: "Role", cell: (token) => token.role },
  {
    id: "status",
    head: "Status",
    cell: (token) =>
      token.revoked_at === null ? <Badge tone="good">live</Badge> : <Badge tone="bad">revoked</Badge>,
  },
  { id: "made", head: "Made", cell: (token) => <Time at={token.created_at} /> },
  {
    id: "expires",
    head: "Expires",
    cell: (token) => (token.expires_at === null ? "never" : <Time at={token.expires_at} />),
  },
];

const revokeColumn = (onOpen: (token: AdminToken) => void): Column<AdminToken> => ({
  id: "revoke",
  head: <span className="hidden">Actions</span>,
  cell: (token) =>
    token.revoked_at === null ? (
      <Button kind="quiet" onClick={() => onOpen(token)} label={`Revoke the token of ${token.name}`}>
        Revoke…
      </Button>
    ) : null,
});

function CreateToken({ onClose }: { onClose: () => void }): ReactNode {
  const [name, setName] = useState("");
  const [role, setRole] = useState("viewer");
  const [made, setMade] = useState<AdminTokenMade | null>(null);
  const create = useAction(
    useCallback(async () => {
      setMade(
        await call<AdminTokenMade>(addressFor(adminPath("/tokens")), {
          method: "POST",
          body: { name: name.trim(), role },
        }),
      );
    }, [name, role]),
  );
  if (made !== null) {
    return (
      <Dialog title={`Token of ${made.name}`} onClose={onClose}>
        <Secret secret={made.secret} what="Token" />
      </Dialog>
    );
  }
  return (
    <FormDialog title="New admin token" verb="Make token" action={create} onClose={onClose}>
      <TextField label="Whose it is" value={name} onChange={setName} isRequired />
      <SelectField label="Role" value={role} onChange={setRole} choices={roles} />
    </FormDialog>
  );
}

function RevokeToken({ token, onClose }: { token: AdminToken; onClose: () => void }): ReactNode {
  const revoke = useAction(
    useCallback(async () => {
      await call(addressFor(adminPath(`/tokens/${encodeURIComponent(token.id)}`)), { method: "DELETE" });
      onClose();
    }, [token.id, onClose]),
  );
  return (
    <FormDialog
      title={`Revoke the token of ${token.name}`}
      verb="Revoke for good"
      isDanger
      action={revoke}
      onClose={onClose}
    >
      <p>Its sessions in this console end at once, too.</p>
    </FormDialog>
  );
}
