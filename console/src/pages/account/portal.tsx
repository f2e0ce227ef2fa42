import { type ReactNode, useCallback, useState } from "react";
import { addressFor, adminPath, call } from "../../api/client.ts";
import type { PortalMade } from "../../api/types.ts";
import { useAction } from "../../api/use-action.ts";
import { Dialog, FormDialog, SelectField, Snippet } from "../../ui/form.tsx";
import { Time } from "../../ui/parts.tsx";

const lives = [
  { value: "3600", name: "1 hour" },
  { value: "28800", name: "8 hours" },
  { value: "86400", name: "1 day" },
];

/** Makes an address that shows the customer this account, and nothing else, for a while. */
export function PortalDialog({ accountId, onClose }: { accountId: string; onClose: () => void }): ReactNode {
  const [life, setLife] = useState("3600");
  const [made, setMade] = useState<PortalMade | null>(null);
  const make = useAction(
    useCallback(async () => {
      const address = addressFor(adminPath(`/accounts/${encodeURIComponent(accountId)}/portal-tokens`));
      setMade(
        await call<PortalMade>(address, { method: "POST", body: { expires_in_seconds: Number(life) } }),
      );
    }, [accountId, life]),
  );
  if (made !== null) {
    return (
      <Dialog title="Customer's page" onClose={onClose}>
        <p>
          This address works until <Time at={made.expires_at} />. Whoever has it sees this account's balance,
          usage, requests and keys, without what the vendor bills.
        </p>
        <Snippet text={addressFor(`..${made.path}`)} what="Address of the customer's page" />
      </Dialog>
    );
  }
  return (
    <FormDialog title="Customer's page" verb="Make address" action={make} onClose={onClose}>
      <p className="muted">An address that shows the customer this account, and nothing else, for a while.</p>
      <SelectField label="Works for" value={life} onChange={setLife} choices={lives} />
    </FormDialog>
  );
}
