import { type ReactNode, useState } from "react";
import { addressFor, adminPath } from "../api/client.ts";
import type { List, ListedKey } from "../api/types.ts";
import { useQuery } from "../api/use-query.ts";
import { setParams, usePlace } from "../lib/router.ts";
import { may, useConsole } from "../lib/session.ts";
import { usePages } from "../lib/use-pages.ts";
import { SelectField } from "../ui/form.tsx";
import { CsvLink, Pager } from "../ui/pager.tsx";
import { Answer, Button, Card, Empty, PageHead } from "../ui/parts.tsx";
import { Search } from "../ui/search.tsx";
import { CreateKey } from "./keys/create.tsx";
import { KeysTable } from "./keys/table.tsx";

const pageRows = 50;
const statuses = [
  { value: "", name: "Any" },
  { value: "live", name: "Live" },
  { value: "ended", name: "Revoked or expired" },
];

/** Which secret does this? */
export function KeysPage(): ReactNode {
  const { params } = usePlace();
  const { session } = useConsole();
  const [isCreating, setCreating] = useState(false);
  const base = addressFor(adminPath("/keys"), { search: params.search, status: params.status });
  const pages = usePages(base);
  const list = useQuery<List<ListedKey>>(addressFor(base, { limit: pageRows, cursor: pages.cursor }));
  return (
    <>
      <PageHead title="Keys">
        {may(session, "operator") ? (
          <Button kind="primary" icon="plus" onClick={() => setCreating(true)}>
            New key
          </Button>
        ) : null}
        <CsvLink address={base} />
      </PageHead>
      <Search label="Name, account or last 4 characters" value={params.search ?? ""} placeholder="Ab12">
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
                <Empty title="No keys">
                  <p>
                    Make one here, or with <code>tollgate keys create ACCOUNT NAME</code>.
                  </p>
                </Empty>
              ) : (
                <KeysTable rows={data} hasAccount onDone={list.reload} />
              )}
              <Pager pages={pages} nextCursor={next_cursor}>
                Spend limits count calendar windows in UTC; amounts in credits
              </Pager>
            </>
          )}
        </Answer>
      </Card>
      {isCreating ? (
        <CreateKey
          accountId={null}
          onClose={() => {
            setCreating(false);
            list.reload();
          }}
        />
      ) : null}
    </>
  );
}
