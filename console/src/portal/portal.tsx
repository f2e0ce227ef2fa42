import type { ReactNode } from "react";
import { addressFor } from "../api/client.ts";
import { type Loaded, useQuery } from "../api/use-query.ts";
import { formatAmount } from "../lib/amount.ts";
import { formatHoursLeft, sumCertainty } from "../lib/certainty.ts";
import { describeRange, readRange } from "../lib/range.ts";
import { useNow } from "../lib/use-now.ts";
import { useZone, ZoneContext } from "../lib/zone.ts";
import { chargedByModel } from "../pages/overview/charts.ts";
import { Bars } from "../plots/bars.tsx";
import { bucketsOf } from "../plots/buckets.ts";
import { Amount } from "../ui/amount.tsx";
import { Badge } from "../ui/badge.tsx";
import { Answer, Card, Empty, Fact, Facts, Failure, Time } from "../ui/parts.tsx";
import { type OwnAccount, type OwnUsage, portalPath, TokenContext, useToken } from "./api.ts";
import { GrantsCard, KeysCard } from "./holdings.tsx";
import { RequestsCard } from "./requests.tsx";
import { RulesCard } from "./rules.tsx";

/** Balances are looked at again this often: credit that was just bought shows up by itself. */
const refreshMs = 10_000;

/** A customer's own page: what is there, what was used, what each request cost, and the rules. */
export function Portal({ token }: { token: string | null }): ReactNode {
  if (token === null) {
    return (
      <main className="gate">
        <Empty title="This page needs its full address">
          <p>Ask whoever gave you the service for a new one.</p>
        </Empty>
      </main>
    );
  }
  return (
    <TokenContext value={token}>
      <Account />
    </TokenContext>
  );
}

function Account(): ReactNode {
  const account = useQuery<OwnAccount>(addressFor(portalPath("/account")), {
    token: useToken(),
    everyMs: refreshMs,
  });
  if (account.value === null) {
    return (
      <main className="gate">
        {account.error === null ? (
          <div className="loading" role="status" aria-label="Loading" />
        ) : (
          <Failure error={account.error} />
        )}
      </main>
    );
  }
  return (
    <ZoneContext value={account.value.time_zone}>
      <main className="main portal">
        <header className="page-head">
          <div>
            <p className="crumb muted">Your credit</p>
            <h1>{account.value.name}</h1>
          </div>
          <p className="note">
            This page works until <Time at={account.value.expires_at} />, times are in{" "}
            {account.value.time_zone}
          </p>
        </header>
        {account.error === null ? null : <Failure error={account.error} />}
        <Balance account={account} />
        <Usage />
        <RequestsCard />
        <GrantsCard grants={account.value.grants} />
        <KeysCard />
        <RulesCard />
      </main>
    </ZoneContext>
  );
}

function Balance({ account }: { account: Loaded<OwnAccount> }): ReactNode {
  return (
    <Answer of={account}>
      {(own) => (
        <Card>
          <div className="equation-row">
            <dl className="equation">
              <div className="result">
                <dt>Available</dt>
                <dd>
                  <Amount value={own.available} form="exact" />
                </dd>
              </div>
              <div>
                <dt>Held by running requests</dt>
                <dd>
                  <Amount value={own.held} form="exact" />
                </dd>
              </div>
            </dl>
            {own.status === "frozen" ? <Badge tone="info">frozen</Badge> : null}
            <p className="note unit">
              {own.credit.name}s of ${own.credit.usd}
            </p>
          </div>
          <Facts>
            <Fact name="Granted in all">
              <Amount value={own.total_granted} />
            </Fact>
            <Fact name="Used in all">
              <Amount value={own.used} />
            </Fact>
            <Fact name="Lasts, at the pace of 7 days">{formatHoursLeft(own.hours_left)}</Fact>
            <Fact name="Next expiry">{nextExpiry(own)}</Fact>
          </Facts>
        </Card>
      )}
    </Answer>
  );
}

function nextExpiry({ grants }: OwnAccount): ReactNode {
  const soonest = grants
    .filter((grant) => grant.status === "active" && grant.expires_at !== null)
    .map((grant) => grant.expires_at ?? "")
    .sort()[0];
  return soonest === undefined ? "none" : <Time at={soonest} />;
}

function Usage(): ReactNode {
  const zone = useZone();
  const range = readRange({ range: "30d" }, zone, useNow(60_000));
  const { from, to, bucket } = range;
  const address = addressFor(portalPath("/usage"), { from, to, bucket, tz: zone, group_by: "model" });
  const usage = useQuery<OwnUsage>(address, { token: useToken() });
  return (
    <Answer of={usage}>
      {({ data, totals }) => {
        const { series, bars } = chargedByModel(data, bucketsOf(range, zone), formatAmount);
        const note = (
          <>
            <strong>
              <Amount value={totals.charge} form="exact" />
            </strong>{" "}
            credits, {sumCertainty(totals.by_source)}; {describeRange(range, zone)}
          </>
        );
        return (
          <Bars
            title="Used in 30 days, by model"
            note={note}
            range={range}
            series={series}
            bars={bars}
            format={formatAmount}
            empty="Nothing was used in 30 days."
          />
        );
      }}
    </Answer>
  );
}
