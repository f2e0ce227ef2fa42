import { type ReactNode, useCallback, useState } from "react";
import { addressFor, adminPath, call } from "../api/client.ts";
import type { AccountReport, Grant, List, ListedKey, RequestRecord, UsageList } from "../api/types.ts";
import { useAction } from "../api/use-action.ts";
import { type Loaded, useQuery } from "../api/use-query.ts";
import { formatAmount } from "../lib/amount.ts";
import { sumCertainty } from "../lib/certainty.ts";
import { describeRange, type Range } from "../lib/range.ts";
import { may, useConsole } from "../lib/session.ts";
import { Bars } from "../plots/bars.tsx";
import { bucketsOf } from "../plots/buckets.ts";
import { useRange } from "../range-picker.tsx";
import { Amount } from "../ui/amount.tsx";
import { CsvLink } from "../ui/pager.tsx";
import { Answer, Button, Card, Empty, Failure, Id, Link, PageHead } from "../ui/parts.tsx";
import { RequestTable } from "../ui/request-table.tsx";
import { BalanceCard } from "./account/balance.tsx";
import { GrantsCard } from "./account/grants.tsx";
import { PortalDialog } from "./account/portal.tsx";
import { AccountStatus } from "./accounts.tsx";
import { CreateKey } from "./keys/create.tsx";
import { KeysTable } from "./keys/table.tsx";
import { chargedByModel } from "./overview/charts.ts";

const recentRows = 8;

/** One account: balance − held = available, where it came from, where it goes, and who holds its keys. */
export function AccountDetailPage({ id }: { id: string }): ReactNode {
  const { zone } = useConsole();
  const range = useRange();
  const { from, to, bucket } = range;
  const path = `/accounts/${encodeURIComponent(id)}`;
  const account = useQuery<AccountReport>(addressFor(adminPath(`/reports${path}`)));
  const grants = useQuery<List<Grant>>(addressFor(adminPath(`${path}/grants`), { limit: 200 }));
  const keys = useQuery<List<ListedKey>>(addressFor(adminPath("/keys"), { account: id, limit: 100 }));
  const usageAddress = addressFor(adminPath("/usage"), {
    account: id,
    from,
    to,
    bucket,
    tz: zone,
    group_by: "model",
    limit: 5_000,
  });
  const usage = useQuery<UsageList>(usageAddress);
  const requests = useQuery<List<RequestRecord>>(
    addressFor(adminPath("/requests"), { account: id, limit: recentRows }),
  );
  const reload = (): void => {
    account.reload();
    grants.reload();
  };
  return (
    <>
      <PageHead crumb={<Link to="/accounts">Accounts</Link>} title={account.value?.name ?? <Id id={id} />}>
        {account.value === null ? null : <Actions account={account.value} onDone={reload} />}
      </PageHead>
      <Answer of={account}>{(found) => <BalanceCard account={found} />}</Answer>
      <Answer of={usage}>
        {(found) => <UsagePlot usage={found} range={range} address={usageAddress} />}
      </Answer>
      <GrantsCard accountId={id} grants={grants} onDone={reload} />
      <KeysCard accountId={id} keys={keys} />
      <Card
        isFlush
        title="Newest requests"
        actions={
          <Link to="/requests" params={{ account: id, range: "30d" }}>
            All requests
          </Link>
        }
      >
        <Answer of={requests}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty title="No requests yet" />
            ) : (
              <RequestTable rows={data} caption="Newest requests of this account" hasAccount={false} />
            )
          }
        </Answer>
      </Card>
    </>
  );
}

function Actions({ account, onDone }: { account: AccountReport; onDone: () => void }): ReactNode {
  const { session } = useConsole();
  const [isSharing, setSharing] = useState(false);
  const status = account.status === "active" ? "frozen" : "active";
  const change = useAction<void>(
    useCallback(async () => {
      await call(addressFor(adminPath(`/accounts/${encodeURIComponent(account.id)}`)), {
        method: "PATCH",
        body: { status },
      });
      onDone();
    }, [account.id, status, onDone]),
  );
  return (
    <>
      <AccountStatus account={account} />
      <Id id={account.id} />
      {may(session, "operator") ? (
        <>
          <Button onClick={() => setSharing(true)}>Customer's page…</Button>
          <Button
            kind={status === "frozen" ? "danger" : "plain"}
            onClick={() => void change.run()}
            isDisabled={change.isRunning}
          >
            {status === "frozen" ? "Freeze" : "Thaw"}
          </Button>
        </>
      ) : null}
      {change.error === null ? null : <Failure error={change.error} />}
      {isSharing ? <PortalDialog accountId={account.id} onClose={() => setSharing(false)} /> : null}
    </>
  );
}

function UsagePlot({
  usage,
  range,
  address,
}: {
  usage: UsageList;
  range: Range;
  address: string;
}): ReactNode {
  const { zone } = useConsole();
  const { series, bars } = chargedByModel(usage.data, bucketsOf(range, zone), formatAmount);
  const total = (
    <>
      <strong>
        <Amount value={usage.totals.charge} form="exact" />
      </strong>{" "}
      credits, {sumCertainty(usage.totals.by_source)}; {describeRange(range, zone)}
    </>
  );
  return (
    <Bars
      title="Charged"
      note={total}
      range={range}
      series={series}
      bars={bars}
      format={formatAmount}
      empty="Nothing was charged in this period."
      actions={<CsvLink address={address} />}
    />
  );
}

function KeysCard({ accountId, keys }: { accountId: string; keys: Loaded<List<ListedKey>> }): ReactNode {
  const { session } = useConsole();
  const [isCreating, setCreating] = useState(false);
  const isAllowed = may(session, "operator");
  return (
    <Card
      isFlush
      title="Keys"
      actions={
        isAllowed ? (
          <Button icon="plus" onClick={() => setCreating(true)}>
            New key
          </Button>
        ) : undefined
      }
    >
      <Answer of={keys}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="No keys" />
          ) : (
            <KeysTable rows={data} hasAccount={false} onDone={keys.reload} />
          )
        }
      </Answer>
      {isCreating ? (
        <CreateKey
          accountId={accountId}
          onClose={() => {
            setCreating(false);
            keys.reload();
          }}
        />
      ) : null}
    </Card>
  );
}
