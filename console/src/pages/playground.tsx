import { type FormEvent, type ReactNode, useCallback, useRef, useState } from "react";
import { addressFor, adminPath, call } from "../api/client.ts";
import type { AccountReport, KeyMade, List, RequestDetail, ServedModel } from "../api/types.ts";
import { useAction } from "../api/use-action.ts";
import { useQuery } from "../api/use-query.ts";
import { may, useConsole } from "../lib/session.ts";
import { SelectField, TextField } from "../ui/form.tsx";
import { Answer, Button, Card, Empty, Failure, PageHead } from "../ui/parts.tsx";
import { askModel, type Exchange, noExchange } from "./playground/ask.ts";
import { ExchangeCard } from "./playground/exchange.tsx";
import { SnippetsCard } from "./playground/snippets.tsx";

/** Keys that the playground makes are for this long, and may spend no more than this. */
const keyLifeMs = 3_600_000;
const keyName = "playground";

/** Does it work? One request as a customer would send it, with its hold, its first token and its charge. */
export function PlaygroundPage(): ReactNode {
  const { session } = useConsole();
  const models = useQuery<List<ServedModel>>(addressFor(adminPath("/models"), { limit: 500 }));
  const accounts = useQuery<List<AccountReport>>(
    addressFor(adminPath("/reports/accounts"), { status: "active", limit: 100 }),
  );
  if (!may(session, "operator")) {
    return (
      <>
        <PageHead title="Playground" />
        <Card>
          <Empty title="The playground needs the role operator">
            <p>It makes a short-lived key for the account that pays.</p>
          </Empty>
        </Card>
      </>
    );
  }
  return (
    <>
      <PageHead title="Playground" />
      <Answer of={models}>
        {(served) => (
          <Answer of={accounts}>
            {(known) => <Playground models={served.data} accounts={known.data} />}
          </Answer>
        )}
      </Answer>
    </>
  );
}

interface Ask {
  readonly account: string;
  readonly model: string;
  readonly message: string;
}

function Playground({
  models,
  accounts,
}: {
  models: readonly ServedModel[];
  accounts: readonly AccountReport[];
}): ReactNode {
  const [ask, setAsk] = useState<Ask>({
    account: accounts[0]?.id ?? "",
    model: models[0]?.name ?? "",
    message: "What does a toll gate do?",
  });
  const [exchange, setExchange] = useState<Exchange>(noExchange);
  const [charged, setCharged] = useState<RequestDetail | null>(null);
  const keys = useRef(new Map<string, string>());
  const send = useAction(
    useCallback(async ({ account, model, message }: Ask) => {
      setCharged(null);
      setExchange(noExchange);
      const key = keys.current.get(account) ?? (await makeKey(account));
      keys.current.set(account, key);
      const ended = await askModel({ key, model, message }, setExchange);
      if (ended.requestId !== null)
        setCharged(await call<RequestDetail>(addressFor(adminPath(`/requests/${ended.requestId}`))));
    }, []),
  );
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void send.run(ask);
  };
  if (accounts.length === 0 || models.length === 0)
    return (
      <Empty
        title={
          accounts.length === 0 ? "Open an account and grant it credit first" : "Configure a model first"
        }
      />
    );
  return (
    <div className="stack">
      <Card note="The account pays for it, as for any request." title="Ask">
        <form className="form" onSubmit={submit}>
          <div className="row">
            <SelectField
              isInline
              label="Account"
              value={ask.account}
              choices={accounts.map(({ id, name }) => ({ value: id, name }))}
              onChange={(account) => setAsk({ ...ask, account })}
            />
            <SelectField
              isInline
              label="Model"
              value={ask.model}
              choices={models.map(({ name }) => ({ value: name, name }))}
              onChange={(model) => setAsk({ ...ask, model })}
            />
          </div>
          <TextField
            label="Message"
            value={ask.message}
            onChange={(message) => setAsk({ ...ask, message })}
            isLong
            isRequired
          />
          {send.error === null ? null : <Failure error={send.error} />}
          <div className="actions end">
            <Button type="submit" kind="primary" isDisabled={send.isRunning}>
              {send.isRunning ? "Asking…" : "Send"}
            </Button>
          </div>
        </form>
      </Card>
      <ExchangeCard exchange={exchange} charged={charged} />
      <SnippetsCard model={ask.model} message={ask.message} />
    </div>
  );
}

/** A key of its own, so that nobody has to paste one: short-lived, and its requests can be told apart. */
async function makeKey(account: string): Promise<string> {
  const body = { name: keyName, expires_at: new Date(Date.now() + keyLifeMs).toISOString() };
  const made = await call<KeyMade>(addressFor(adminPath(`/accounts/${encodeURIComponent(account)}/keys`)), {
    method: "POST",
    body,
  });
  return made.secret;
}
