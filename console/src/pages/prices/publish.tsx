import { type ReactNode, useCallback, useState } from "react";
import { addressFor, adminPath, call } from "../../api/client.ts";
import { useAction } from "../../api/use-action.ts";
import { newKey } from "../../lib/idempotency.ts";
import { useConsole } from "../../lib/session.ts";
import { dateStart } from "../../lib/time.ts";
import { FormDialog, TextField } from "../../ui/form.tsx";

interface PublishProps {
  readonly onClose: () => void;
  readonly onDone: () => void;
}

/** A price of the operator's own, from an instant on. It never changes what was charged before. */
export function PublishPrice({ onClose, onDone }: PublishProps): ReactNode {
  const { zone } = useConsole();
  const [fields, setFields] = useState({ model: "", input: "", cached: "", output: "", from: "" });
  const [key] = useState(newKey);
  const publish = useAction(
    useCallback(async () => {
      const at = dateStart(fields.from, zone);
      const body = {
        model: fields.model.trim(),
        input: fields.input.trim(),
        ...(fields.cached.trim() === "" ? {} : { cached_input: fields.cached.trim() }),
        ...(fields.output.trim() === "" ? {} : { output: fields.output.trim() }),
        ...(at === null ? {} : { from: new Date(at).toISOString() }),
      };
      await call(addressFor(adminPath("/prices")), {
        method: "POST",
        body,
        headers: { "idempotency-key": key },
      });
      onDone();
    }, [fields, zone, key, onDone]),
  );
  const set = (name: keyof typeof fields) => (value: string) => setFields({ ...fields, [name]: value });
  return (
    <FormDialog title="Publish a price" verb="Publish" action={publish} onClose={onClose}>
      <p className="muted">
        The vendor's list price, before the markup, in USD per million tokens. It wins over the built-in lists
        and is never edited: a later one supersedes it.
      </p>
      <TextField label="Model at the vendor" value={fields.model} onChange={set("model")} isRequired />
      <div className="pair">
        <TextField label="Input" value={fields.input} onChange={set("input")} placeholder="0.25" isRequired />
        <TextField label="Cached input" value={fields.cached} onChange={set("cached")} placeholder="0.025" />
      </div>
      <div className="pair">
        <TextField label="Output" value={fields.output} onChange={set("output")} placeholder="2" />
        <TextField
          label="In force from"
          type="date"
          value={fields.from}
          onChange={set("from")}
          hint="Now, when left out."
        />
      </div>
    </FormDialog>
  );
}
