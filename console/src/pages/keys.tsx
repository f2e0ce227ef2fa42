import type { ReactNode } from "react";
import type { ListedKey } from "../api/types.ts";
import { CreateKey } from "./keys/create.tsx";
import { KeysTable } from "./keys/table.tsx";
import { Listing } from "./listing.tsx";

const statuses = [
  { value: "", name: "Any" },
  { value: "live", name: "Live" },
  { value: "ended", name: "Revoked or expired" },
];

/** Which secret does this? */
export const KeysPage = (): ReactNode => (
  <Listing<ListedKey>
    title="Keys"
    path="/keys"
    search={{ label: "Name, account or last 4 characters", placeholder: "Ab12" }}
    statuses={statuses}
    create={{ label: "New key", dialog: (close) => <CreateKey accountId={null} onClose={close} /> }}
    whenEmpty={
      <>
        Make one here, or with <code>tollgate keys create ACCOUNT NAME</code>.
      </>
    }
    note="Spend limits count calendar windows in UTC; amounts in credits"
  >
    {(rows, reload) => <KeysTable rows={rows} hasAccount onDone={reload} />}
  </Listing>
);
