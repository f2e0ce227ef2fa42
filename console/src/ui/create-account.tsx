import { type ReactNode, useCallback, useState } from "react";
import { addressFor, adminPath, call } from "../api/client.ts";
import type { Account } from "../api/types.ts";
import { useAction } from "../api/use-action.ts";
import { newKey } from "../lib/idempotency.ts";
import { go } from "../lib/router.ts";
import { FormDialog, TextField } from "./form.tsx";
import { accountName } from "./request-table.tsx";

export function CreateAccount({ onClose }: { onClose: () => void }): ReactNode {
  const [name, setName] = useState("");
  const [externalId, setExternalId] = useState("");
  const [key] = useState(newKey);
  const create = useAction(
    useCallback(async () => {
      const body = {
        name: name.trim(),
        ...(externalId.trim() === "" ? {} : { external_id: externalId.trim() }),
      };
      const account = await call<Account>(addressFor(adminPath("/accounts")), {
        method: "POST",
        body,
        headers: { "idempotency-key": key },
      });
      go(accountName(account.id));
    }, [name, externalId, key]),
  );
  return (
    <FormDialog title="New account" verb="Open account" action={create} onClose={onClose}>
      <TextField label="Name" value={name} onChange={setName} isRequired />
      <TextField
        label="Your own id of the customer"
        value={externalId}
        onChange={setExternalId}
        hint="Unique; may be left out."
      />
    </FormDialog>
  );
}
