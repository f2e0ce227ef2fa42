import type { ReactNode } from "react";
import type { RequestDetail } from "../../api/types.ts";
import { formatCount, formatDuration } from "../../lib/time.ts";
import { Amount } from "../../ui/amount.tsx";
import { AmountStatus } from "../../ui/badge.tsx";
import { Card, Link, Tile } from "../../ui/parts.tsx";
import { requestName } from "../../ui/request-table.tsx";
import type { Exchange } from "./ask.ts";

/** The answer as it comes, and what it holds, then costs. */
export function ExchangeCard({
  exchange,
  charged,
}: {
  exchange: Exchange;
  charged: RequestDetail | null;
}): ReactNode {
  if (exchange.state === "none") return null;
  const { requestId } = exchange;
  return (
    <>
      <dl className="tiles">
        <Tile name="Held" note="credits, while it runs">
          <Amount value={exchange.hold} />
        </Tile>
        <Tile name="First token" note="after it was sent">
          {formatDuration(exchange.firstTokenMs)}
        </Tile>
        <Tile name="All of it" note={exchange.endpoint ?? "\u00a0"}>
          {formatDuration(exchange.totalMs)}
        </Tile>
        <Tile name="Tokens in · out" note={exchange.model ?? "\u00a0"}>
          {formatCount(charged?.usage?.input ?? null)} · {formatCount(charged?.usage?.output ?? null)}
        </Tile>
        <Tile name="Charged" note={charged === null ? "pending" : <AmountStatus request={charged} />}>
          <Amount value={charged?.charge ?? null} form="exact" />
        </Tile>
      </dl>
      <Card
        title="Answer"
        actions={requestId === null ? undefined : <Link to={requestName(requestId)}>Why this amount?</Link>}
      >
        <p className="answer" aria-live="polite" aria-busy={exchange.state !== "ended"}>
          {exchange.text === "" ? (
            <span className="muted">
              {exchange.state === "ended" ? "No visible text came." : "Waiting for the first token…"}
            </span>
          ) : (
            exchange.text
          )}
        </p>
      </Card>
    </>
  );
}
