import { type ReactNode, useMemo } from "react";
import { addressFor, adminPath } from "../api/client.ts";
import type { List, RequestRecord, UsageTotals } from "../api/types.ts";
import { useQuery } from "../api/use-query.ts";
import { mergeRows, type Tail, useTail } from "../api/use-tail.ts";
import { describeRange } from "../lib/range.ts";
import { setParams, usePlace } from "../lib/router.ts";
import { useConsole } from "../lib/session.ts";
import { formatCount } from "../lib/time.ts";
import { usePages } from "../lib/use-pages.ts";
import { useRange } from "../range-picker.tsx";
import { Amount } from "../ui/amount.tsx";
import { CsvLink, Pager } from "../ui/pager.tsx";
import { Answer, Button, Card, Empty, PageHead } from "../ui/parts.tsx";
import { RequestTable } from "../ui/request-table.tsx";
import { type Filters, isShown, noFilters, RequestFilters } from "./request-filters.tsx";

const pageRows = 50;

/** History, newest first, and what happens now. Failed, refused and cancelled requests are listed too. */
export function RequestsPage(): ReactNode {
  const { params } = usePlace();
  const { zone } = useConsole();
  const range = useRange();
  const filters = useMemo<Filters>(() => ({ ...noFilters, ...params }), [params]);
  const query = { ...pick(filters), from: range.from, to: range.to };
  const base = addressFor(adminPath("/requests"), query);
  const pages = usePages(base);
  const isLive = params.live === "1" && pages.cursor === null;
  const list = useQuery<List<RequestRecord>>(addressFor(base, { limit: pageRows, cursor: pages.cursor }));
  const tail = useTail(isLive);
  const fresh = useMemo(() => tail.rows.filter((row) => isShown(row, filters)), [tail.rows, filters]);
  return (
    <>
      <PageHead title="Requests">
        <LiveState isLive={isLive} tail={tail} />
        <Button
          icon={isLive ? "pause" : "play"}
          isPressed={isLive}
          onClick={() => setParams({ live: isLive ? null : "1" })}
        >
          Live
        </Button>
        <CsvLink address={base} />
      </PageHead>
      <RequestFilters filters={filters} />
      <Card
        isFlush
        title="Requests"
        note={describeRange(range, zone)}
        actions={<Total filters={filters} query={query} />}
      >
        <Answer of={list}>
          {({ data, next_cursor }) => (
            <Rows rows={isLive ? mergeRows(fresh, data) : data} fresh={new Set(fresh.map((row) => row.id))}>
              <Pager pages={pages} nextCursor={next_cursor}>
                {tail.skipped > 0
                  ? `${formatCount(tail.skipped)} more came faster than they can be shown.`
                  : null}
              </Pager>
            </Rows>
          )}
        </Answer>
      </Card>
    </>
  );
}

function Rows({
  rows,
  fresh,
  children,
}: {
  rows: readonly RequestRecord[];
  fresh: ReadonlySet<string>;
  children: ReactNode;
}): ReactNode {
  return (
    <>
      {rows.length === 0 ? (
        <Empty title="No requests in this period">
          <p>
            Change the period or the filters, or send one: <code>tollgate requests tail</code> shows it as it
            comes.
          </p>
        </Empty>
      ) : (
        <RequestTable rows={rows} fresh={fresh} caption="Requests, newest first" />
      )}
      {children}
    </>
  );
}

function LiveState({ isLive, tail }: { isLive: boolean; tail: Tail }): ReactNode {
  if (!isLive) return null;
  return (
    <span className={tail.isConnected ? "live on" : "live"} role="status">
      {tail.isConnected ? "Live" : "Connecting…"}
    </span>
  );
}

/** Of every settled request in the period and filters, by the database, to the last digit. */
function Total({
  filters,
  query,
}: {
  filters: Filters;
  query: Readonly<Record<string, string | null>>;
}): ReactNode {
  const { status, source, account, key, model, endpoint } = filters;
  // Sums are kept by account, key, model and endpoint, not by how a request ended.
  const isKnown = status === "" && source === "";
  const { from, to } = query;
  const address = addressFor(adminPath("/usage"), { from, to, account, key, model, endpoint, limit: 1 });
  const usage = useQuery<{ readonly totals: UsageTotals }>(isKnown ? address : null);
  if (!isKnown || usage.value === null) return null;
  const { totals } = usage.value;
  return (
    <p className="total">
      <span className="muted">{formatCount(totals.requests)} settled, charged</span>{" "}
      <strong>
        <Amount value={totals.charge} form="exact" />
      </strong>{" "}
      <span className="muted">credits</span>
    </p>
  );
}

const pick = ({ account, key, model, endpoint, status, source }: Filters): Record<string, string> => ({
  account,
  key,
  model,
  endpoint,
  status,
  source,
});
