import { type ReactNode, useState } from "react";
import { addressFor, adminPath } from "../api/client.ts";
import type { List } from "../api/types.ts";
import { useQuery } from "../api/use-query.ts";
import { setParams, usePlace } from "../lib/router.ts";
import { may, useConsole } from "../lib/session.ts";
import { usePages } from "../lib/use-pages.ts";
import { type Choice, SelectField } from "../ui/form.tsx";
import { CsvLink, Pager } from "../ui/pager.tsx";
import { Answer, Button, Card, Empty, PageHead } from "../ui/parts.tsx";
import { Search } from "../ui/search.tsx";

const pageRows = 50;

interface ListingProps<Row> {
  readonly title: string;
  /** Of the list, below the admin API. */
  readonly path: string;
  readonly search: { readonly label: string; readonly placeholder: string };
  readonly statuses: readonly Choice[];
  /** What the button opens, for those who may. */
  readonly create: { readonly label: string; readonly dialog: (close: () => void) => ReactNode };
  /** How to get a first row. */
  readonly whenEmpty: ReactNode;
  readonly note: string;
  readonly children: (rows: readonly Row[], reload: () => void) => ReactNode;
}

/** A page that is one searchable list, newest first, whose filters are in the address. */
export function Listing<Row>(props: ListingProps<Row>): ReactNode {
  const { title, path, search, statuses, create, whenEmpty, note, children } = props;
  const { params } = usePlace();
  const { session } = useConsole();
  const [isCreating, setCreating] = useState(false);
  const base = addressFor(adminPath(path), { search: params.search, status: params.status });
  const pages = usePages(base);
  const list = useQuery<List<Row>>(addressFor(base, { limit: pageRows, cursor: pages.cursor }));
  const close = (): void => {
    setCreating(false);
    list.reload();
  };
  return (
    <>
      <PageHead title={title}>
        {may(session, "operator") ? (
          <Button kind="primary" icon="plus" onClick={() => setCreating(true)}>
            {create.label}
          </Button>
        ) : null}
        <CsvLink address={base} />
      </PageHead>
      <Search label={search.label} value={params.search ?? ""} placeholder={search.placeholder}>
        <SelectField
          label="Status"
          value={params.status ?? ""}
          choices={statuses}
          onChange={(status) => setParams({ status })}
        />
      </Search>
      <Card isFlush>
        <Answer of={list}>
          {({ data, next_cursor }) => (
            <>
              {data.length === 0 ? (
                <Empty title={`No ${title.toLowerCase()}`}>
                  <p>{whenEmpty}</p>
                </Empty>
              ) : (
                children(data, list.reload)
              )}
              <Pager pages={pages} nextCursor={next_cursor}>
                {note}
              </Pager>
            </>
          )}
        </Answer>
      </Card>
      {isCreating ? create.dialog(close) : null}
    </>
  );
}
