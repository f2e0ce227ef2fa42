import { type ReactNode, useState } from "react";
import { addressFor, adminPath } from "../api/client.ts";
import type { List, Price, ServedModel, UnpricedModel } from "../api/types.ts";
import { useQuery } from "../api/use-query.ts";
import { shiftAmount } from "../lib/amount.ts";
import { usePlace } from "../lib/router.ts";
import { may, useConsole } from "../lib/session.ts";
import { usePages } from "../lib/use-pages.ts";
import { kindName } from "../lib/words.ts";
import { Amount } from "../ui/amount.tsx";
import { Badge } from "../ui/badge.tsx";
import { CsvLink, Pager } from "../ui/pager.tsx";
import { Answer, Button, Card, Empty, PageHead, Time } from "../ui/parts.tsx";
import { Search } from "../ui/search.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { UnpricedTable } from "./overview.tsx";
import { PublishPrice } from "./prices/publish.tsx";

const pageRows = 25;

/** What do we charge, since when, and what has no price? */
export function PricesPage(): ReactNode {
  const { session } = useConsole();
  const [isPublishing, setPublishing] = useState(false);
  const models = useQuery<List<ServedModel>>(addressFor(adminPath("/models"), { limit: 200 }));
  const unpriced = useQuery<List<UnpricedModel>>(addressFor(adminPath("/models/unpriced")));
  return (
    <>
      <PageHead title="Prices">
        {may(session, "finance") ? (
          <Button kind="primary" icon="plus" onClick={() => setPublishing(true)}>
            Publish a price
          </Button>
        ) : null}
      </PageHead>
      <Card
        isFlush
        title="In force now"
        note="USD per million tokens: the vendor's list, and in bold what customers are charged. List × markup is rounded up to a whole pico-dollar, once."
      >
        <Answer of={models}>
          {({ data }) =>
            data.length === 0 ? <Empty title="No models are configured" /> : <ModelsTable models={data} />
          }
        </Answer>
      </Card>
      <Card
        isFlush
        title="Seen without a price of their own"
        note="Models that answered in the last 30 days and are not in the price book"
      >
        <Answer of={unpriced}>{({ data }) => <UnpricedTable rows={data} />}</Answer>
      </Card>
      <BookCard />
      {isPublishing ? (
        <PublishPrice
          onClose={() => setPublishing(false)}
          onDone={() => {
            setPublishing(false);
            models.reload();
          }}
        />
      ) : null}
    </>
  );
}

interface ServedRow {
  readonly name: string;
  readonly markup: string;
  readonly deployment: ServedModel["deployments"][number];
}

function ModelsTable({ models }: { models: readonly ServedModel[] }): ReactNode {
  const rows = models.flatMap((model) =>
    model.deployments.map(
      (deployment): ServedRow => ({ name: model.name, markup: model.markup, deployment }),
    ),
  );
  return (
    <Table
      caption="Prices in force"
      columns={servedColumns}
      rows={rows}
      keyOf={(row) => `${row.name} ${row.deployment.endpoint} ${row.deployment.deployment}`}
    />
  );
}

const priceColumn = (kind: string): Column<ServedRow> => ({
  id: kind,
  head: kindName(kind),
  isNumber: true,
  cell: ({ deployment }) => {
    const price = deployment.prices.find((one) => one.kind === kind);
    if (price === undefined) return <span className="muted">—</span>;
    return (
      <>
        <strong>
          <Amount value={shiftAmount(price.unit_price_usd, 6)} unit="usd" form="price" />
        </strong>
        <div className="sub">
          <Amount value={shiftAmount(price.list_price_usd, 6)} unit="usd" form="price" />
        </div>
      </>
    );
  },
});

const servedColumns: readonly Column<ServedRow>[] = [
  {
    id: "model",
    head: "Model",
    isElastic: true,
    cell: ({ name, deployment }) => (
      <>
        {name}
        <div className="sub">
          {deployment.endpoint} · {deployment.deployment}
        </div>
      </>
    ),
  },
  { id: "markup", head: "Markup", isNumber: true, cell: ({ markup }) => `× ${markup}` },
  priceColumn("input"),
  priceColumn("cached_input"),
  priceColumn("output"),
  {
    id: "row",
    head: "Price of · since",
    isElastic: true,
    cell: ({ deployment }) =>
      deployment.price_row === null ? (
        <Badge tone="bad" title="Requests are refused with model_not_priced.">
          no price: not served
        </Badge>
      ) : (
        <>
          {deployment.provider}/{deployment.model}
          <div className="sub">
            {deployment.from === null ? "since ever" : <Time at={deployment.from} form="date" />}
          </div>
        </>
      ),
  },
  {
    id: "origin",
    head: "Source",
    isElastic: true,
    cell: ({ deployment }) => <span title={deployment.origin ?? undefined}>{deployment.origin ?? "—"}</span>,
  },
];

/** Every version of every price: none is ever changed, a later one supersedes it. */
function BookCard(): ReactNode {
  const { params } = usePlace();
  const model = params.search ?? "";
  const base = addressFor(adminPath("/prices"), { model });
  const pages = usePages(base);
  const list = useQuery<List<Price>>(addressFor(base, { limit: pageRows, cursor: pages.cursor }));
  return (
    <>
      <Search label="Model, by its exact name" value={model} placeholder="gpt-5-mini" />
      <Card
        isFlush
        title="Price book"
        note="All versions, built-in and your own; USD per million tokens"
        actions={<CsvLink address={base} />}
      >
        <Answer of={list}>
          {({ data, next_cursor }) => (
            <>
              {data.length === 0 ? (
                <Empty title="No such model in the price book" />
              ) : (
                <Table
                  caption="Price book"
                  columns={bookColumns}
                  rows={data}
                  keyOf={(price) => price.id}
                  isDense
                />
              )}
              <Pager pages={pages} nextCursor={next_cursor} names={{ back: "Before", next: "After" }} />
            </>
          )}
        </Answer>
      </Card>
    </>
  );
}

const bookPrice = (kind: string): Column<Price> => ({
  id: kind,
  head: kindName(kind),
  isNumber: true,
  cell: (price) => <Amount value={price.prices[kind] ?? null} unit="usd" form="price" />,
});

const bookColumns: readonly Column<Price>[] = [
  { id: "model", head: "Model", isElastic: true, cell: (price) => price.model },
  { id: "provider", head: "Provider", cell: (price) => price.provider },
  {
    id: "from",
    head: "In force from",
    cell: (price) => (price.from === null ? "ever" : <Time at={price.from} />),
  },
  bookPrice("input"),
  bookPrice("cached_input"),
  bookPrice("output"),
  {
    id: "tiers",
    head: "Tiers",
    cell: (price) =>
      [
        ...price.tiers.map((tier) => `above ${tier.above_input_tokens / 1_000}k`),
        ...Object.keys(price.service_tiers),
      ].join(", ") || "—",
  },
  {
    id: "origin",
    head: "Source",
    isElastic: true,
    cell: (price) => <span title={price.origin}>{price.origin}</span>,
  },
];
