import type { ReactNode } from "react";
import type { AccountReport } from "../../api/types.ts";
import { thousandths } from "../../lib/amount.ts";
import { formatHoursLeft } from "../../lib/certainty.ts";
import { useConsole } from "../../lib/session.ts";
import { Amount } from "../../ui/amount.tsx";
import { Card, Fact, Facts } from "../../ui/parts.tsx";

/** balance − held = available, exact, in this order. */
export function BalanceCard({ account }: { account: AccountReport }): ReactNode {
  const { session } = useConsole();
  const { balance } = account;
  const heldShare = thousandths(balance.held, balance.posted) / 10;
  return (
    <Card>
      <div className="equation-row">
        <dl className="equation">
          <div>
            <dt>Balance</dt>
            <dd>
              <Amount value={balance.posted} form="exact" />
            </dd>
          </div>
          <span className="operator" aria-hidden="true">
            −
          </span>
          <div>
            <dt>Held by open requests</dt>
            <dd>
              <Amount value={balance.held} form="exact" />
            </dd>
          </div>
          <span className="operator" aria-hidden="true">
            =
          </span>
          <div className="result">
            <dt>Available</dt>
            <dd>
              <Amount value={balance.available} form="exact" />
            </dd>
          </div>
        </dl>
        <p className="note unit">
          {session.credit.name}s of ${session.credit.usd}
        </p>
      </div>
      <div className="meter" aria-hidden="true" title="The held part of the balance">
        <span style={{ width: `${heldShare}%` }} />
      </div>
      <Facts>
        <Fact name="Spent in 24 hours">
          <Amount value={account.spent_24h} />
        </Fact>
        <Fact name="Spent in 7 days">
          <Amount value={account.spent_7d} />
        </Fact>
        <Fact name="Spent in 30 days">
          <Amount value={account.spent_30d} />
        </Fact>
        <Fact name="Lasts, at the pace of 7 days">{formatHoursLeft(account.hours_left)}</Fact>
        <Fact name="Your own id">{account.external_id ?? "—"}</Fact>
        {Object.entries(account.metadata).map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
      </Facts>
    </Card>
  );
}
