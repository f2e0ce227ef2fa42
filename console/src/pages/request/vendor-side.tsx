import type { ReactNode } from "react";
import type { RequestDetail } from "../../api/types.ts";
import { Badge } from "../../ui/badge.tsx";
import { Card, Copy, Empty, Time } from "../../ui/parts.tsx";
import { type Column, Table } from "../../ui/table.tsx";
import { type Attempt, readAttempts } from "./attempts.ts";

/** The calls that were made for the request, with the vendor's own ids for disputes. */
export function AttemptsCard({ request }: { request: RequestDetail }): ReactNode {
  const attempts = readAttempts(request.attempts);
  return (
    <Card isFlush title="Attempts">
      {attempts.length === 0 ? (
        <NoAttempts state={request.state} />
      ) : (
        <Table
          caption="Attempts"
          columns={columns}
          rows={attempts}
          keyOf={(attempt) => `${attempt.startedAt} ${attempt.endpoint}`}
          isDense
        />
      )}
    </Card>
  );
}

/** Calls are written down when the request ends: until then it is not known here whether there was one. */
function NoAttempts({ state }: { state: RequestDetail["state"] }): ReactNode {
  if (state !== "open") return <Empty title="No vendor was called" />;
  return (
    <Empty title="Not known yet">
      <p>Calls to vendors are written down when the request ends.</p>
    </Empty>
  );
}

const columns: readonly Column<Attempt>[] = [
  {
    id: "endpoint",
    head: "Endpoint · deployment",
    cell: (attempt) => (
      <>
        {attempt.endpoint}
        <div className="sub">{attempt.deployment}</div>
      </>
    ),
  },
  {
    id: "status",
    head: "Answer",
    cell: (attempt) => (
      <>
        <Badge tone={attempt.status !== null && attempt.status < 400 ? "good" : "bad"}>
          {attempt.status ?? "none"}
        </Badge>
        {attempt.reason === null ? null : <div className="sub reason">{attempt.reason}</div>}
      </>
    ),
  },
  { id: "start", head: "Started", cell: (attempt) => <Time at={attempt.startedAt} form="second" /> },
  {
    id: "vendor",
    head: "Vendor's id",
    isElastic: true,
    cell: (attempt) =>
      attempt.vendorRequestId === null ? (
        "—"
      ) : (
        <>
          <Copy text={attempt.vendorRequestId} what="the vendor's request id" />
          <code title={attempt.vendorRequestId}>…{attempt.vendorRequestId.slice(-8)}</code>
        </>
      ),
  },
];

interface Rewrite {
  readonly parameter: string;
  readonly action: string;
  readonly to: string | null;
  readonly reason: string;
}

/** What was changed between the client's request and the vendor's, and why. */
export function RewritesCard({ request }: { request: RequestDetail }): ReactNode {
  const rewrites = request.rewrites as readonly Rewrite[];
  const notes = request.notes.filter((note): note is string => typeof note === "string");
  return (
    <Card title="Changes on the way to the vendor">
      {rewrites.length === 0 && notes.length === 0 && request.rejected_usage === null ? (
        <p className="muted">{unchanged[request.state]}</p>
      ) : (
        <ul className="sentences">
          {rewrites.map((rewrite) => (
            <li key={`${rewrite.parameter} ${rewrite.action}`}>{sentenceOf(rewrite)}</li>
          ))}
          {notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
          {typeof request.rejected_usage === "string" ? (
            <li>The vendor's usage was not believed: {request.rejected_usage}.</li>
          ) : null}
        </ul>
      )}
    </Card>
  );
}

/** What no change in the record means. They are kept of answers that were charged. */
const unchanged: Readonly<Record<RequestDetail["state"], string>> = {
  open: "Not known yet: they are written down when the request ends.",
  settled: "None: the vendor got the parameters as the client sent them.",
  released: "Not kept: nothing that came of this request was charged.",
  refused: "None: no vendor was called.",
};

function sentenceOf({ parameter, action, to, reason }: Rewrite): ReactNode {
  return (
    <>
      <code>{parameter}</code> was {action}
      {to === null ? null : (
        <>
          {action === "renamed" ? " to " : " as "}
          <code>{to}</code>
        </>
      )}
      : {reason}.
    </>
  );
}
