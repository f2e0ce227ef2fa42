import { type ReactNode, useCallback, useState } from "react";
import { addressFor, adminPath, call } from "../../api/client.ts";
import type { RequestDetail } from "../../api/types.ts";
import { useAction } from "../../api/use-action.ts";
import { newKey } from "../../lib/idempotency.ts";
import { FormDialog, TextField } from "../../ui/form.tsx";

interface RefundProps {
  readonly request: RequestDetail;
  /** Exact decimal text. */
  readonly refundable: string;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

/** Gives back part or all of a charge, with a reason that stays in the books. */
export function RefundDialog({ request, refundable, onClose, onDone }: RefundProps): ReactNode {
  const [amount, setAmount] = useState(refundable);
  const [reason, setReason] = useState("");
  const [key] = useState(newKey);
  const refund = useAction(
    useCallback(async () => {
      const address = addressFor(adminPath(`/requests/${encodeURIComponent(request.id)}/refunds`));
      await call(address, {
        method: "POST",
        body: { amount: amount.trim(), reason: reason.trim() },
        headers: { "idempotency-key": key },
      });
      onDone();
    }, [request.id, amount, reason, key, onDone]),
  );
  return (
    <FormDialog title="Refund" verb="Refund" action={refund} onClose={onClose}>
      <p className="muted">
        The amount goes back to the grants it came from, as new ledger entries that name this request.
      </p>
      <TextField
        label="Credits"
        value={amount}
        onChange={setAmount}
        hint={`At most ${refundable}`}
        isRequired
      />
      <TextField
        label="Reason"
        value={reason}
        onChange={setReason}
        hint="Kept in the books, with your name."
        isRequired
        isLong
      />
    </FormDialog>
  );
}
