import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { addressFor, adminPath } from "../api/client.ts";
import type { Entry, List } from "../api/types.ts";
import { useQuery } from "../api/use-query.ts";
import { isZero, sumAmounts } from "../lib/amount.ts";
import { describeRange } from "../lib/range.ts";
import { setParams, usePlace } from "../lib/router.ts";
import { useConsole } from "../lib/session.ts";
import { usePages } from "../lib/use-pages.ts";
import { ledgerAccountName } from "../lib/words.ts";
import { useRange } from "../range-picker.tsx";
import { Amount } from "../ui/amount.tsx";
import { Badge } from "../ui/badge.tsx";
import { entryColumns } from "../ui/entry-columns.tsx";
import { SelectField, TextField } from "../ui/form.tsx";
import { CsvLink, Pager } from "../ui/pager.tsx";
import { Answer, Button, Card, Empty, Link, PageHead, shortId } from "../ui/parts.tsx";
import { accountName, requestName } from "../ui/request-table.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { VerifyCard } from "./ledger/verify.tsx";

const pageRows = 100;
const accounts = [
  "",
  "customer",
  "earnings",
  "vendor_cost",
  "vendor_payable",
  "cash",
  "promotional",
  "breakage",
  "loss",
].map((value) => ({
  value,
  name: value === "" ? "All ledger accounts" : ledgerAccountName(value),
}));

/** Can I prove it? Every entry that was ever made; one transaction's sum to zero. */
export function LedgerPage(): ReactNode {
  const { zone } = useConsole();
  const { params } = usePlace();
  const range = useRange();
  const { transaction = "", account = "", ledger_account = "" } = params;
  // A transaction is looked up whenever it was.
  const period = transaction === "" ? { from: range.from, to: range.to } : {};
  const base = addressFor(adminPath("/ledger/entries"), { transaction, account, ledger_account, ...period });
  const pages = usePages(base);
  const list = useQuery<List<Entry>>(addressFor(base, { limit: pageRows, cursor: pages.cursor }));
  return (
    <>
      <PageHead title="Ledger">
        <CsvLink address={base} />
      </PageHead>
      <VerifyCard />
      <Filters transaction={transaction} account={account} ledgerAccount={ledger_account} />
      <Card
        isFlush
        title="Entries"
        note={
          transaction === "" ? `${describeRange(range, zone)}, by when they were made` : "Of one transaction"
        }
      >
        <Answer of={list}>
          {({ data, next_cursor }) => (
            <>
              {data.length === 0 ? (
                <Empty title="No entries" />
              ) : (
                <Table
                  caption="Ledger entries, newest first"
                  columns={data.some((entry) => entry.corrects !== null) ? [...columns, corrects] : columns}
                  rows={data}
                  keyOf={(entry) => entry.id}
                  isDense
                  classOf={firstOf(data)}
                  foot={transaction === "" ? undefined : <Sum entries={data} />}
                />
              )}
              <Pager pages={pages} nextCursor={next_cursor}>
                Credits and USD, to the last digit
              </Pager>
            </>
          )}
        </Answer>
      </Card>
    </>
  );
}

/** Marks where another transaction begins. */
const firstOf =
  (entries: readonly Entry[]) =>
  (entry: Entry): string | undefined => {
    const before = entries[entries.indexOf(entry) - 1];
    return before !== undefined && before.transaction_id !== entry.transaction_id ? "other-tx" : undefined;
  };

function Sum({ entries }: { entries: readonly Entry[] }): ReactNode {
  const sum = sumAmounts(entries.map((entry) => entry.amount));
  return (
    <tr>
      <th scope="row" colSpan={5}>
        Sum of the transaction
      </th>
      <td className="number">
        <Amount value={sum} form="exact" />
      </td>
      <td colSpan={2}>
        <Badge tone={isZero(sum) ? "good" : "bad"}>{isZero(sum) ? "balanced" : "not balanced"}</Badge>
      </td>
    </tr>
  );
}

function Filters({
  transaction,
  account,
  ledgerAccount,
}: {
  transaction: string;
  account: string;
  ledgerAccount: string;
}): ReactNode {
  const [texts, setTexts] = useState({ transaction, account });
  useEffect(() => setTexts({ transaction, account }), [transaction, account]);
  const apply = (event: FormEvent): void => {
    event.preventDefault();
    setParams({ transaction: texts.transaction.trim(), account: texts.account.trim() });
  };
  return (
    <search>
      <form className="filters" onSubmit={apply} aria-label="Filters">
        <SelectField
          label="Ledger account"
          value={ledgerAccount}
          choices={accounts}
          onChange={(value) => setParams({ ledger_account: value })}
        />
        <TextField
          label="Customer's account"
          value={texts.account}
          placeholder="acc_…"
          onChange={(value) => setTexts({ ...texts, account: value })}
        />
        <TextField
          label="Transaction"
          value={texts.transaction}
          placeholder="req_…, grt_…, tx_…"
          onChange={(value) => setTexts({ ...texts, transaction: value })}
        />
        <Button type="submit">Filter</Button>
      </form>
    </search>
  );
}

const columns = entryColumns(
  (entry) => <Transaction id={entry.transaction_id} />,
  [
    {
      id: "account",
      head: "Customer's account",
      cell: (entry) => (
        <Link to={accountName(entry.account_id)}>
          <code title={entry.account_id}>{shortId(entry.account_id)}</code>
        </Link>
      ),
    },
  ],
);

const corrects: Column<Entry> = {
  id: "corrects",
  head: "Corrects",
  cell: (entry) => (entry.corrects === null ? "" : <Transaction id={entry.corrects} />),
};

function Transaction({ id }: { id: string }): ReactNode {
  const name = <code title={id}>{shortId(id)}</code>;
  if (id.startsWith("req_")) return <Link to={requestName(id)}>{name}</Link>;
  return (
    <Link to="/ledger" params={{ transaction: id }}>
      {name}
    </Link>
  );
}
