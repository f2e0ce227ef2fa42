import { type ReactNode, useCallback, useState } from "react";
import { addressFor, adminPath, call } from "../../api/client.ts";
import type { Grant, List } from "../../api/types.ts";
import { useAction } from "../../api/use-action.ts";
import type { Loaded } from "../../api/use-query.ts";
import { newKey } from "../../lib/idempotency.ts";
import { may, useConsole } from "../../lib/session.ts";
import { dateStart } from "../../lib/time.ts";
import { Amount } from "../../ui/amount.tsx";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { FormDialog, SelectField, TextField } from "../../ui/form.tsx";
import { Answer, Button, Card, Empty, Time } from "../../ui/parts.tsx";
import { type Column, Table } from "../../ui/table.tsx";

interface GrantsProps {
  readonly accountId: string;
  readonly grants: Loaded<List<Grant>>;
  readonly onDone: () => void;
}

/** Where the balance came from, and which part is spent first. */
export function GrantsCard({ accountId, grants, onDone }: GrantsProps): ReactNode {
  const { session } = useConsole();
  const [open, setOpen] = useState<"add" | Grant | null>(null);
  const isAllowed = may(session, "finance");
  const close = (): void => setOpen(null);
  const done = (): void => {
    close();
    onDone();
  };
  const columns = isAllowed ? [...base, voidColumn(setOpen)] : base;
  return (
    <Card
      isFlush
      title="Grants"
      note="Spent by priority, then what expires first, then promotional before paid, then the oldest"
      actions={
        isAllowed ? (
          <Button icon="plus" onClick={() => setOpen("add")}>
            Grant credit
          </Button>
        ) : undefined
      }
    >
      <Answer of={grants}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="No credit was granted yet">
              <p>
                Grant some here, or with <code>tollgate grants add {accountId} 100</code>.
              </p>
            </Empty>
          ) : (
            <Table caption="Grants, newest first" columns={columns} rows={data} keyOf={(grant) => grant.id} />
          )
        }
      </Answer>
      {open === "add" ? <AddGrant accountId={accountId} onClose={close} onDone={done} /> : null}
      {open !== null && open !== "add" ? <VoidGrant grant={open} onClose={close} onDone={done} /> : null}
    </Card>
  );
}

const tones: Readonly<Record<Grant["status"], Tone>> = {
  active: "good",
  used: "plain",
  expired: "warn",
  voided: "bad",
};
const base: readonly Column<Grant>[] = [
  { id: "time", head: "Granted", cell: (grant) => <Time at={grant.created_at} /> },
  { id: "kind", head: "Kind", cell: (grant) => grant.kind },
  { id: "status", head: "Status", cell: (grant) => <Badge tone={tones[grant.status]}>{grant.status}</Badge> },
  { id: "reference", head: "Reference", isElastic: true, cell: (grant) => grant.reference ?? "—" },
  { id: "priority", head: "Priority", isNumber: true, cell: (grant) => grant.priority },
  { id: "amount", head: "Amount", isNumber: true, cell: (grant) => <Amount value={grant.amount} /> },
  { id: "remaining", head: "Left", isNumber: true, cell: (grant) => <Amount value={grant.remaining} /> },
  { id: "reserved", head: "Of it held", isNumber: true, cell: (grant) => <Amount value={grant.reserved} /> },
  {
    id: "expires",
    head: "Expires",
    cell: (grant) => (grant.expires_at === null ? "never" : <Time at={grant.expires_at} />),
  },
];

const voidColumn = (onVoid: (grant: Grant) => void): Column<Grant> => ({
  id: "void",
  head: <span className="hidden">Actions</span>,
  cell: (grant) =>
    grant.status === "active" ? (
      <Button kind="quiet" onClick={() => onVoid(grant)} label={`Void the grant of ${grant.amount}`}>
        Void…
      </Button>
    ) : null,
});

interface DialogProps {
  readonly onClose: () => void;
  readonly onDone: () => void;
}

function AddGrant({ accountId, onClose, onDone }: DialogProps & { accountId: string }): ReactNode {
  const { zone } = useConsole();
  const [amount, setAmount] = useState("");
  const [kind, setKind] = useState("paid");
  const [reference, setReference] = useState("");
  const [expires, setExpires] = useState("");
  const [key] = useState(newKey);
  const add = useAction(
    useCallback(async () => {
      const at = dateStart(expires, zone);
      const body = {
        amount: amount.trim(),
        kind,
        ...(reference.trim() === "" ? {} : { reference: reference.trim() }),
        ...(at === null ? {} : { expires_at: new Date(at).toISOString() }),
      };
      const address = addressFor(adminPath(`/accounts/${encodeURIComponent(accountId)}/grants`));
      await call(address, { method: "POST", body, headers: { "idempotency-key": key } });
      onDone();
    }, [accountId, amount, kind, reference, expires, zone, key, onDone]),
  );
  const kinds = [
    { value: "paid", name: "Paid" },
    { value: "promotional", name: "Promotional" },
  ];
  return (
    <FormDialog title="Grant credit" verb="Grant" action={add} onClose={onClose}>
      <TextField label="Credits" value={amount} onChange={setAmount} placeholder="100" isRequired />
      <SelectField label="Kind" value={kind} onChange={setKind} choices={kinds} />
      <TextField
        label="Reference"
        value={reference}
        onChange={setReference}
        hint="Of the payment, for example. The same reference is granted once."
      />
      <TextField
        label="Expires"
        type="date"
        value={expires}
        onChange={setExpires}
        hint={`At the start of this day in ${zone}; never, when left out.`}
      />
    </FormDialog>
  );
}

function VoidGrant({ grant, onClose, onDone }: DialogProps & { grant: Grant }): ReactNode {
  const [reason, setReason] = useState("");
  const [key] = useState(newKey);
  const take = useAction(
    useCallback(async () => {
      const address = addressFor(adminPath(`/grants/${encodeURIComponent(grant.id)}/void`));
      await call(address, {
        method: "POST",
        body: { reason: reason.trim() },
        headers: { "idempotency-key": key },
      });
      onDone();
    }, [grant.id, reason, key, onDone]),
  );
  return (
    <FormDialog title="Void the grant" verb="Take back what is left" isDanger action={take} onClose={onClose}>
      <p>
        <Amount value={grant.remaining} form="exact" /> of <Amount value={grant.amount} form="exact" />{" "}
        credits are left. What open requests hold is taken back when it returns.
      </p>
      <TextField
        label="Reason"
        value={reason}
        onChange={setReason}
        isRequired
        isLong
        hint="Kept in the books, with your name."
      />
    </FormDialog>
  );
}
