import type { ReactNode } from "react";
import type { Overview } from "../../api/types.ts";
import { changeOf } from "../../lib/amount.ts";
import { sumCertainty } from "../../lib/certainty.ts";
import { shortCount } from "../../lib/time.ts";
import { Amount } from "../../ui/amount.tsx";
import { Tile } from "../../ui/parts.tsx";

/** Sums of the period, each against the period of the same length before it. */
export function OverviewTiles({ overview: { current, previous } }: { overview: Overview }): ReactNode {
  const tokens = current.input + current.output;
  const before = previous.input + previous.output;
  return (
    <dl className="tiles">
      <Tile
        name="Charged, credits"
        note={<Change now={current.charge} before={previous.charge} more={sumCertainty(current.by_source)} />}
      >
        <Amount value={current.charge} />
      </Tile>
      <Tile name="Charged, USD" note={<Change now={current.charge_usd} before={previous.charge_usd} />}>
        <Amount value={current.charge_usd} unit="usd" />
      </Tile>
      <Tile
        name="Vendor cost"
        note={<Change now={current.vendor_cost_usd} before={previous.vendor_cost_usd} />}
      >
        <Amount value={current.vendor_cost_usd} unit="usd" />
      </Tile>
      <Tile name="Margin" note="charged less vendor cost">
        <Amount value={current.margin_usd} unit="usd" />
      </Tile>
      <Tile
        name="Settled requests"
        note={<Change now={current.requests.toString()} before={previous.requests.toString()} />}
      >
        <span title={current.requests.toString()}>{shortCount(current.requests)}</span>
      </Tile>
      <Tile name="Tokens" note={<Change now={tokens.toString()} before={before.toString()} />}>
        <span title={tokens.toString()}>{shortCount(tokens)}</span>
      </Tile>
    </dl>
  );
}

function Change({ now, before, more }: { now: string; before: string; more?: string }): ReactNode {
  const change = changeOf(now, before);
  const words = change === null ? "nothing in the period before" : `${change} against the period before`;
  return more === undefined ? words : `${words}; ${more}`;
}
