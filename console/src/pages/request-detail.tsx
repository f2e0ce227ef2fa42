import { type ReactNode, useEffect, useState } from "react";
import { addressFor, adminPath } from "../api/client.ts";
import type { RequestDetail } from "../api/types.ts";
import { useQuery } from "../api/use-query.ts";
import { isZero, subtractAmounts, sumAmounts } from "../lib/amount.ts";
import { may, useConsole } from "../lib/session.ts";
import { Amount } from "../ui/amount.tsx";
import { AmountStatus, OutcomeBadge } from "../ui/badge.tsx";
import { Answer, Button, Card, Copy, Fact, Facts, Id, Link, PageHead, Tile, Time } from "../ui/parts.tsx";
import { accountName } from "../ui/request-table.tsx";
import { EntriesCard } from "./request/entries.tsx";
import { PriceLines } from "./request/price-lines.tsx";
import { RefundDialog } from "./request/refund.tsx";
import { storyOf } from "./request/story.ts";
import { Timeline } from "./request/timeline.tsx";
import { TokensCard } from "./request/tokens.tsx";
import { AttemptsCard, RewritesCard } from "./request/vendor-side.tsx";

/** While a request runs, its page looks again. */
const openRefreshMs = 3_000;

/** Why this amount? Everything that one request caused, from its hold to its last ledger entry. */
export function RequestDetailPage({ id }: { id: string }): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const detail = useQuery<RequestDetail>(
    addressFor(adminPath(`/requests/${encodeURIComponent(id)}`)),
    isOpen ? { everyMs: openRefreshMs } : {},
  );
  const isRunning = detail.value?.state === "open";
  useEffect(() => setOpen(isRunning), [isRunning]);
  const [isRefunding, setRefunding] = useState(false);
  const { session } = useConsole();
  const request = detail.value;
  const refundable = request !== null && request.state === "settled" && !isZero(refundableOf(request));
  return (
    <>
      <PageHead crumb={<Link to="/requests">Requests</Link>} title={<Id id={id} />}>
        {request === null ? null : (
          <Copy text={JSON.stringify(request, null, 2)} what="the request as JSON" />
        )}
        {refundable && may(session, "finance") ? (
          <Button onClick={() => setRefunding(true)}>Refund…</Button>
        ) : null}
      </PageHead>
      <Answer of={detail}>{(found) => <Detail request={found} />}</Answer>
      {isRefunding && request !== null ? (
        <RefundDialog
          request={request}
          refundable={refundableOf(request)}
          onClose={() => setRefunding(false)}
          onDone={() => {
            setRefunding(false);
            detail.reload();
          }}
        />
      ) : null}
    </>
  );
}

/** What of the charge has not been given back. */
const refundableOf = ({ charge, refunds }: RequestDetail): string =>
  charge === null ? "0" : subtractAmounts(charge, sumAmounts(refunds.map((refund) => refund.amount)));

function Detail({ request }: { request: RequestDetail }): ReactNode {
  const isOpen = request.state === "open";
  return (
    <div className="stack">
      <dl className="tiles">
        <Tile name="Charge, credits" note={<AmountStatus request={request} />}>
          <Amount value={request.charge} form="exact" />
        </Tile>
        <Tile name="Hold, credits" note="set aside before the vendor was called">
          <Amount value={request.hold} />
        </Tile>
        <Tile name="Given back, credits" note={isOpen ? "known when it ends" : "hold less charge"}>
          <Amount value={request.charge === null ? null : subtractAmounts(request.hold, request.charge)} />
        </Tile>
        <Tile name="Vendor cost" note={isOpen ? "known when it ends" : "what the vendor bills for it"}>
          <Amount value={request.vendor_cost_usd} unit="usd" form="exact" />
        </Tile>
        {request.loss_usd === null || isZero(request.loss_usd) ? null : (
          <Tile name="Loss" tone="bad" note="billed by the vendor beyond the hold; the operator bears it">
            <Amount value={request.loss_usd} unit="usd" />
          </Tile>
        )}
      </dl>
      <Card title="What happened" actions={<OutcomeBadge request={request} />}>
        <p className="story">{storyOf(request)}</p>
        <Timeline request={request} />
      </Card>
      <div className="columns wide">
        <TokensCard request={request} />
        <PriceLines request={request} />
      </div>
      <EntriesCard request={request} />
      <div className="columns wide">
        <AttemptsCard request={request} />
        <RewritesCard request={request} />
      </div>
      <Card title="Request">
        <FactsOf request={request} />
      </Card>
    </div>
  );
}

/** "openai/gpt-5@2026-01-01T00:00:00Z": a model's price and since when it is in force. */
function PriceRow({ id }: { id: string | null }): ReactNode {
  if (id === null) return "—";
  const [, name, from] = /^(.*)@([^@]*)$/.exec(id) ?? [];
  if (name === undefined || from === undefined || Number.isNaN(Date.parse(from))) return <code>{id}</code>;
  return (
    <span title={id}>
      {name}, since {Date.parse(from) === 0 ? "ever" : <Time at={from} form="date" />}
    </span>
  );
}

function FactsOf({ request }: { request: RequestDetail }): ReactNode {
  return (
    <Facts>
      <Fact name="Account">
        <Link to={accountName(request.account_id)}>{request.account_name ?? request.account_id}</Link>
      </Fact>
      <Fact name="Key">{request.key_name ?? request.key_id ?? "—"}</Fact>
      <Fact name="Operation">
        {request.operation ?? "—"}
        {request.stream ? ", streamed" : ""}
      </Fact>
      <Fact name="Model asked for">{request.model_requested}</Fact>
      <Fact name="Model that served">{request.model_served ?? "—"}</Fact>
      <Fact name="Priced as">{request.priced_as ?? "—"}</Fact>
      <Fact name="Price in force">
        <PriceRow id={request.price_row} />
      </Fact>
      <Fact name="Service tier">{request.service_tier ?? "—"}</Fact>
      <Fact name="Endpoint · deployment">
        {request.endpoint ?? "—"} · {request.deployment ?? "—"}
      </Fact>
      <Fact name="Output cap">{request.output_cap ?? "—"}</Fact>
      {request.status === null ? null : <Fact name="HTTP status">{request.status}</Fact>}
      <Fact name="Admitted">
        <Time at={request.created_at} form="full" />
      </Fact>
      <Fact name="Settled">
        <Time at={request.settled_at} form="full" />
      </Fact>
      <Fact name="Client's own request id">{request.client_request_id ?? "—"}</Fact>
      <Fact name="Idempotency key">{request.idempotency_key ?? "—"}</Fact>
    </Facts>
  );
}
