import { type ReactNode, useCallback, useEffect, useMemo } from "react";
import { addressFor, call } from "./api/client.ts";
import type { Session } from "./api/types.ts";
import { useQuery } from "./api/use-query.ts";
import { go, usePlace } from "./lib/router.ts";
import { type Console, ConsoleContext } from "./lib/session.ts";
import { ZoneContext } from "./lib/zone.ts";
import { pageFor } from "./pages/all.tsx";
import { Login } from "./pages/login.tsx";
import { Shell } from "./shell.tsx";
import { Failure } from "./ui/parts.tsx";

const sessionAddress = (): string => addressFor("session");

/** Asks who is logged in; shows the door, or the page that the address names. */
export function App(): ReactNode {
  const place = usePlace();
  const session = useQuery<Session>(sessionAddress());
  const { reload } = session;
  const logout = useCallback(() => {
    void call(addressFor("logout"), { method: "POST" }).then(() => {
      go("/login");
      reload();
    });
  }, [reload]);
  // Another tab may have logged out, or the session may have ended while nobody looked.
  useEffect(() => {
    const look = (): void => {
      if (!document.hidden) reload();
    };
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [reload]);
  const shared = useMemo<Console | null>(
    () => (session.value === null ? null : { session: session.value, zone: session.value.time_zone, logout }),
    [session.value, logout],
  );
  const isOut = session.error?.status === 401 || session.error?.status === 403;
  if (place.path === "/login" || isOut) return <Login link={place.params.link ?? null} onDone={reload} />;
  if (session.error !== null && shared === null) {
    return (
      <main className="gate">
        <Failure error={session.error} retry={reload} />
      </main>
    );
  }
  if (shared === null) return null;
  const page = pageFor(place.path);
  return (
    <ConsoleContext value={shared}>
      <ZoneContext value={shared.zone}>
        <Shell place={place} title={page.title}>
          {page.content}
        </Shell>
      </ZoneContext>
    </ConsoleContext>
  );
}
