import type { ReactNode } from "react";
import type { RequestDetail } from "../../api/types.ts";
import { formatCount } from "../../lib/time.ts";
import { Card, Empty } from "../../ui/parts.tsx";
import { type Column, Table } from "../../ui/table.tsx";

interface Line {
  readonly id: string;
  readonly name: string;
  readonly isPart: boolean;
  readonly counted: number | null;
  readonly estimate: number | null;
}

/** Tokens by kind. Cached input is a part of input and reasoning a part of output: they stand below it, never beside it. */
export function TokensCard({ request }: { request: RequestDetail }): ReactNode {
  const { usage } = request;
  const isVendor = usage?.source === "vendor";
  const lines = usage === null || usage.source === "none" ? [] : linesOf(request);
  const columns: readonly Column<Line>[] = [
    {
      id: "kind",
      head: "Tokens",
      cell: (line) => <span className={line.isPart ? "part" : undefined}>{line.name}</span>,
    },
    {
      id: "counted",
      head: isVendor ? "Vendor" : "Counted here",
      isNumber: true,
      cell: (line) => formatCount(line.counted),
    },
    ...(isVendor
      ? ([
          {
            id: "estimate",
            head: "Our estimate",
            isNumber: true,
            cell: (line) => formatCount(line.estimate),
          },
          { id: "difference", head: "Difference", isNumber: true, cell: (line) => differenceOf(line) },
        ] as const satisfies readonly Column<Line>[])
      : []),
  ];
  const note =
    isVendor && request.estimate === null
      ? "This request was not estimated; a sample is, to know how good estimates are."
      : undefined;
  return (
    <Card isFlush title="Tokens by kind" note={note}>
      {lines.length === 0 ? (
        <Nothing state={request.state} />
      ) : (
        <Table caption="Tokens by kind" columns={columns} rows={lines} keyOf={(line) => line.id} isDense />
      )}
    </Card>
  );
}

/** Unknown is never shown as none: what an open request used is known when its answer has ended. */
function Nothing({ state }: { state: RequestDetail["state"] }): ReactNode {
  if (state === "open")
    return (
      <Empty title="Not known yet">
        <p>Tokens are counted when the answer has ended.</p>
      </Empty>
    );
  return (
    <Empty title={state === "refused" ? "None: no vendor was called" : "The vendor bills no tokens for it"} />
  );
}

function linesOf({ usage, estimate }: RequestDetail): readonly Line[] {
  if (usage === null) return [];
  const { input, output } = (estimate ?? {}) as { input?: unknown; output?: unknown };
  const count = (value: unknown): number | null => (typeof value === "number" ? value : null);
  const sum = count(input) === null || count(output) === null ? null : Number(input) + Number(output);
  return [
    { id: "input", name: "Input", isPart: false, counted: usage.input, estimate: count(input) },
    {
      id: "cached",
      name: "of it read from the cache",
      isPart: true,
      counted: usage.cached_input,
      estimate: null,
    },
    {
      id: "write",
      name: "of it written to the cache",
      isPart: true,
      counted: usage.cache_write,
      estimate: null,
    },
    { id: "output", name: "Output", isPart: false, counted: usage.output, estimate: count(output) },
    { id: "reasoning", name: "of it reasoning", isPart: true, counted: usage.reasoning, estimate: null },
    { id: "total", name: "Total", isPart: false, counted: usage.total, estimate: sum },
  ];
}

function differenceOf({ counted, estimate }: Line): string {
  if (counted === null || estimate === null) return "—";
  const difference = estimate - counted;
  if (difference === 0) return "0";
  const sign = difference < 0 ? "\u2212" : "+";
  const permille = counted === 0 ? null : Math.round((Math.abs(difference) * 1_000) / counted);
  return `${sign}${formatCount(Math.abs(difference))}${permille === null ? "" : ` (${sign}${Math.floor(permille / 10)}.${permille % 10}%)`}`;
}
