import { type ReactNode, useCallback, useState } from "react";
import { addressFor, adminPath, call } from "../../api/client.ts";
import type { Verification } from "../../api/types.ts";
import { useAction } from "../../api/use-action.ts";
import { formatCount, formatDuration } from "../../lib/time.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button, Card, Failure } from "../../ui/parts.tsx";
import { type Column, Table } from "../../ui/table.tsx";

type Check = Verification["checks"][number];

/** Proves every invariant of the books, on demand: it reads all of them. */
export function VerifyCard(): ReactNode {
  const [found, setFound] = useState<Verification | null>(null);
  const verify = useAction<void>(
    useCallback(async () => {
      setFound(null);
      setFound(await call<Verification>(addressFor(adminPath("/ledger/verify"))));
    }, []),
  );
  return (
    <Card
      title="Verify"
      note="Proves that every transaction sums to zero, that every balance is the sum of its entries, and the rest; names the first row that breaks a rule."
      actions={
        <>
          {found === null ? null : (
            <Badge tone={found.ok ? "good" : "bad"}>
              {found.ok ? "the books are sound" : "the books are not sound"}
            </Badge>
          )}
          <Button onClick={() => void verify.run()} isDisabled={verify.isRunning}>
            {verify.isRunning ? "Verifying…" : "Verify now"}
          </Button>
        </>
      }
    >
      <div role="status">
        {verify.error === null ? null : <Failure error={verify.error} />}
        {found === null ? null : (
          <Table
            caption="Checks of the ledger"
            columns={columns}
            rows={found.checks}
            keyOf={(check) => check.name}
            isDense
          />
        )}
      </div>
    </Card>
  );
}

const columns: readonly Column<Check>[] = [
  {
    id: "ok",
    head: "",
    cell: (check) => <Badge tone={check.ok ? "good" : "bad"}>{check.ok ? "holds" : "broken"}</Badge>,
  },
  {
    id: "what",
    head: "Rule",
    cell: (check) => (
      <span className="prose">
        {check.description}
        {check.first_bad === null ? null : (
          <code className="first-bad">{JSON.stringify(check.first_bad)}</code>
        )}
      </span>
    ),
  },
  { id: "checked", head: "Rows", isNumber: true, cell: (check) => formatCount(check.checked) },
  { id: "took", head: "Took", isNumber: true, cell: (check) => formatDuration(check.duration_ms) },
];
