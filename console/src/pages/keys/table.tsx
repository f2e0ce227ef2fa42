import { type ReactNode, useCallback, useState } from "react";
import { addressFor, adminPath, call } from "../../api/client.ts";
import type { KeyMade, ListedKey } from "../../api/types.ts";
import { useAction } from "../../api/use-action.ts";
import { sumAmounts, thousandths } from "../../lib/amount.ts";
import { newKey } from "../../lib/idempotency.ts";
import { may, useConsole } from "../../lib/session.ts";
import { formatCount } from "../../lib/time.ts";
import { Amount } from "../../ui/amount.tsx";
import { Badge } from "../../ui/badge.tsx";
import { Dialog, FormDialog, Secret, SelectField } from "../../ui/form.tsx";
import { Button, Link, Time } from "../../ui/parts.tsx";
import { accountName } from "../../ui/request-table.tsx";
import { type Column, Table } from "../../ui/table.tsx";

interface KeysTableProps {
  readonly rows: readonly ListedKey[];
  readonly hasAccount: boolean;
  readonly onDone: () => void;
}

export function KeysTable({ rows, hasAccount, onDone }: KeysTableProps): ReactNode {
  const { session } = useConsole();
  const [open, setOpen] = useState<{ readonly what: "rotate" | "revoke"; readonly key: ListedKey } | null>(
    null,
  );
  const columns = [
    ...(hasAccount ? [nameColumn, accountColumn] : [nameColumn]),
    ...restColumns,
    ...(may(session, "operator") ? [actions(setOpen)] : []),
  ];
  const done = (): void => {
    setOpen(null);
    onDone();
  };
  return (
    <>
      <Table caption="Keys, newest first" columns={columns} rows={rows} keyOf={(key) => key.id} />
      {open?.what === "rotate" ? <Rotate apiKey={open.key} onClose={done} /> : null}
      {open?.what === "revoke" ? (
        <Revoke apiKey={open.key} onClose={() => setOpen(null)} onDone={done} />
      ) : null}
    </>
  );
}

const nameColumn: Column<ListedKey> = {
  id: "name",
  head: "Key",
  isElastic: true,
  cell: (key) => (
    <>
      <Link to="/requests" params={{ key: key.id, range: "7d" }}>
        {key.name}
      </Link>
      <div className="sub">
        <code>{key.display}</code>
      </div>
    </>
  ),
};
const accountColumn: Column<ListedKey> = {
  id: "account",
  head: "Account",
  isElastic: true,
  cell: (key) => <Link to={accountName(key.account_id)}>{key.account_name}</Link>,
};
const restColumns: readonly Column<ListedKey>[] = [
  { id: "status", head: "Status", cell: (key) => <KeyStatus apiKey={key} /> },
  {
    id: "models",
    head: "Models",
    isElastic: true,
    cell: (key) =>
      key.models === null ? "all" : <span title={key.models.join(", ")}>{key.models.join(", ")}</span>,
  },
  { id: "limit", head: "Spend limit", cell: (key) => <SpendLimit apiKey={key} /> },
  { id: "rates", head: "Per minute", cell: (key) => <Rates apiKey={key} /> },
  { id: "spent", head: "Spent in all", isNumber: true, cell: (key) => <Amount value={key.spent_total} /> },
  {
    id: "used",
    head: "Last used",
    cell: (key) => (key.last_used_at === null ? "never" : <Time at={key.last_used_at} form="ago" />),
  },
];

const actions = (
  onOpen: (open: { what: "rotate" | "revoke"; key: ListedKey }) => void,
): Column<ListedKey> => ({
  id: "actions",
  head: <span className="hidden">Actions</span>,
  cell: (key) =>
    key.revoked_at !== null ? null : (
      <>
        <Button
          kind="quiet"
          onClick={() => onOpen({ what: "rotate", key })}
          label={`Rotate the key ${key.name}`}
        >
          Rotate…
        </Button>
        <Button
          kind="quiet"
          onClick={() => onOpen({ what: "revoke", key })}
          label={`Revoke the key ${key.name}`}
        >
          Revoke…
        </Button>
      </>
    ),
});

function KeyStatus({ apiKey }: { apiKey: ListedKey }): ReactNode {
  if (apiKey.revoked_at !== null) return <Badge tone="bad">revoked</Badge>;
  if (apiKey.expires_at !== null && Date.parse(apiKey.expires_at) <= Date.now())
    return <Badge tone="plain">expired</Badge>;
  return (
    <>
      <Badge tone="good">live</Badge>
      {apiKey.overlap_ends_at === null ? null : (
        <div className="sub">
          old secret until <Time at={apiKey.overlap_ends_at} />
        </div>
      )}
      {apiKey.expires_at === null ? null : (
        <div className="sub">
          until <Time at={apiKey.expires_at} form="date" />
        </div>
      )}
    </>
  );
}

/** What counts against the limit is what was charged and what is held. */
function SpendLimit({ apiKey }: { apiKey: ListedKey }): ReactNode {
  const { spend_limit: limit, spend_window: window, window_spent: spent, window_held: held } = apiKey;
  if (limit === null || spent === null || held === null) return "none";
  const used = sumAmounts([spent, held]);
  return (
    <div className="limit">
      <span>
        <Amount value={used} /> of <Amount value={limit} /> {window === "total" ? "in all" : `per ${window}`}
      </span>
      <div className="meter" aria-hidden="true">
        <span style={{ width: `${Math.min(100, thousandths(used, limit) / 10)}%` }} />
      </div>
    </div>
  );
}

function Rates({ apiKey: { rpm, tpm, max_concurrent: most } }: { apiKey: ListedKey }): ReactNode {
  const parts = [
    ...(rpm === null ? [] : [`${formatCount(rpm)} requests`]),
    ...(tpm === null ? [] : [`${formatCount(tpm)} tokens`]),
    ...(most === null ? [] : [`${formatCount(most)} at once`]),
  ];
  return parts.length === 0 ? "no limit" : parts.join(", ");
}

const overlaps = [
  { value: "0", name: "Nothing: it ends now" },
  { value: "3600", name: "1 hour" },
  { value: "86400", name: "1 day" },
  { value: "604800", name: "7 days" },
];

function Rotate({ apiKey, onClose }: { apiKey: ListedKey; onClose: () => void }): ReactNode {
  const [overlap, setOverlap] = useState("86400");
  const [made, setMade] = useState<KeyMade | null>(null);
  const [key] = useState(newKey);
  const rotate = useAction(
    useCallback(async () => {
      const address = addressFor(adminPath(`/keys/${encodeURIComponent(apiKey.id)}/rotate`));
      setMade(
        await call<KeyMade>(address, {
          method: "POST",
          body: { overlap_seconds: Number(overlap) },
          headers: { "idempotency-key": key },
        }),
      );
    }, [apiKey.id, overlap, key]),
  );
  if (made !== null) {
    return (
      <Dialog title={`New secret of ${apiKey.name}`} onClose={onClose}>
        <Secret secret={made.secret} what="New secret" />
      </Dialog>
    );
  }
  return (
    <FormDialog title={`Rotate ${apiKey.name}`} verb="Make new secret" action={rotate} onClose={onClose}>
      <SelectField
        label="The old secret works on for"
        value={overlap}
        onChange={setOverlap}
        choices={overlaps}
      />
    </FormDialog>
  );
}

function Revoke({
  apiKey,
  onClose,
  onDone,
}: {
  apiKey: ListedKey;
  onClose: () => void;
  onDone: () => void;
}): ReactNode {
  const revoke = useAction(
    useCallback(async () => {
      await call(addressFor(adminPath(`/keys/${encodeURIComponent(apiKey.id)}`)), { method: "DELETE" });
      onDone();
    }, [apiKey.id, onDone]),
  );
  return (
    <FormDialog
      title={`Revoke ${apiKey.name}`}
      verb="Revoke for good"
      isDanger
      action={revoke}
      onClose={onClose}
    >
      <p>
        Requests with <code>{apiKey.display}</code> are refused from now on. This cannot be undone.
      </p>
    </FormDialog>
  );
}
