import { type FormEvent, type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { addressFor, call } from "../api/client.ts";
import { useAction } from "../api/use-action.ts";
import { go } from "../lib/router.ts";
import { TextField } from "../ui/form.tsx";
import { Mark } from "../ui/mark.tsx";
import { Button, Failure } from "../ui/parts.tsx";

/** The door: a one-time link opens it by itself, an admin token by hand. */
export function Login({ link, onDone }: { link: string | null; onDone: () => void }): ReactNode {
  const [token, setToken] = useState("");
  const enter = useCallback(
    async (proof: { link: string } | { token: string }) => {
      await call(addressFor("login"), { method: "POST", body: proof });
      go("/");
      onDone();
    },
    [onDone],
  );
  const login = useAction(enter);
  const used = useRef<string | null>(null);
  useEffect(() => {
    if (link === null || used.current === link) return;
    used.current = link;
    // The link works once; it need not stay in the address and the history.
    window.history.replaceState(null, "", "#/login");
    void login.run({ link });
  }, [link, login.run]);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void login.run({ token: token.trim() });
  };
  return (
    <main className="gate">
      <div className="card">
        <div className="brand">
          <Mark />
          Tollgate
        </div>
        <h1 className="hidden">Log in</h1>
        <form className="form" onSubmit={submit}>
          <p className="muted">
            Open the one-time address that <code>tollgate serve</code> prints when it starts, or log in with
            an admin token.
          </p>
          <TextField
            label="Admin token"
            type="password"
            value={token}
            onChange={setToken}
            placeholder="tg-adm-…"
            isRequired
          />
          {login.error === null ? null : <Failure error={login.error} />}
          <div className="actions end">
            <Button type="submit" kind="primary" isDisabled={login.isRunning}>
              Log in
            </Button>
          </div>
        </form>
      </div>
    </main>
  );
}
