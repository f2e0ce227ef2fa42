import { type ReactNode, useCallback, useState } from "react";
import { addressFor, adminPath, call } from "../../api/client.ts";
import type { KeyMade } from "../../api/types.ts";
import { useAction } from "../../api/use-action.ts";
import { newKey } from "../../lib/idempotency.ts";
import { useConsole } from "../../lib/session.ts";
import { dateStart } from "../../lib/time.ts";
import { Dialog, FormDialog, Secret, SelectField, Snippet, TextField } from "../../ui/form.tsx";

const windows = [
  { value: "hour", name: "an hour" },
  { value: "day", name: "a day" },
  { value: "week", name: "a week" },
  { value: "month", name: "a month" },
  { value: "total", name: "in all" },
];

interface Terms {
  readonly account: string;
  readonly name: string;
  readonly models: string;
  readonly limit: string;
  readonly window: string;
  readonly rpm: string;
  readonly expires: string;
}

/** Makes a key and shows its secret, once. `accountId` null asks for the account. */
export function CreateKey({
  accountId,
  onClose,
}: {
  accountId: string | null;
  onClose: () => void;
}): ReactNode {
  const { zone } = useConsole();
  const [terms, setTerms] = useState<Terms>({
    account: accountId ?? "",
    name: "",
    models: "",
    limit: "",
    window: "month",
    rpm: "",
    expires: "",
  });
  const [made, setMade] = useState<KeyMade | null>(null);
  const [key] = useState(newKey);
  const create = useAction(
    useCallback(async () => {
      const address = addressFor(adminPath(`/accounts/${encodeURIComponent(terms.account.trim())}/keys`));
      setMade(
        await call<KeyMade>(address, {
          method: "POST",
          body: bodyOf(terms, zone),
          headers: { "idempotency-key": key },
        }),
      );
    }, [terms, zone, key]),
  );
  const set = (name: keyof Terms) => (value: string) => setTerms({ ...terms, [name]: value });
  if (made !== null) return <KeyMadeDialog made={made} onClose={onClose} />;
  return (
    <FormDialog title="New key" verb="Make key" action={create} onClose={onClose}>
      {accountId === null ? (
        <TextField
          label="Account"
          value={terms.account}
          onChange={set("account")}
          placeholder="acc_…"
          isRequired
        />
      ) : null}
      <TextField label="Name" value={terms.name} onChange={set("name")} placeholder="production" isRequired />
      <TextField
        label="Models"
        value={terms.models}
        onChange={set("models")}
        hint="With commas between; all, when left out."
      />
      <div className="pair">
        <TextField
          label="Spend limit, credits"
          value={terms.limit}
          onChange={set("limit")}
          hint="None, when left out."
        />
        <SelectField
          label="For"
          value={terms.window}
          onChange={set("window")}
          choices={windows}
          hint="Calendar, in UTC"
        />
      </div>
      <div className="pair">
        <TextField label="Requests per minute" value={terms.rpm} onChange={set("rpm")} />
        <TextField label="Expires" type="date" value={terms.expires} onChange={set("expires")} />
      </div>
    </FormDialog>
  );
}

function bodyOf({ name, models, limit, window, rpm, expires }: Terms, zone: string): Record<string, unknown> {
  const names = models
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
  const at = dateStart(expires, zone);
  return {
    name: name.trim(),
    ...(names.length === 0 ? {} : { models: names }),
    ...(limit.trim() === "" ? {} : { spend_limit: limit.trim(), spend_window: window }),
    ...(rpm.trim() === "" ? {} : { rpm: Number(rpm) }),
    ...(at === null ? {} : { expires_at: new Date(at).toISOString() }),
  };
}

export function KeyMadeDialog({ made, onClose }: { made: KeyMade; onClose: () => void }): ReactNode {
  const base = addressFor("../v1");
  return (
    <Dialog title={`Key ${made.name}`} onClose={onClose}>
      <Secret secret={made.secret} what="Secret" />
      <h3 className="gap">With the OpenAI client</h3>
      <Snippet what="OpenAI client" text={`OPENAI_BASE_URL=${base}\nOPENAI_API_KEY=${made.secret}`} />
    </Dialog>
  );
}
