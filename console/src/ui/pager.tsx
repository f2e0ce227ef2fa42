import type { ReactNode } from "react";
import type { Pages } from "../lib/use-pages.ts";
import { Button } from "./parts.tsx";

interface PagerProps {
  readonly pages: Pages;
  readonly nextCursor: string | null;
  readonly children?: ReactNode;
  /** Of the ways back and on; for lists that do not run from the newest to the oldest. */
  readonly names?: { readonly back: string; readonly next: string };
}

export function Pager({
  pages,
  nextCursor,
  children,
  names = { back: "Newer", next: "Older" },
}: PagerProps): ReactNode {
  return (
    <div className="pager">
      <span>{children}</span>
      <span className="actions">
        <Button icon="back" onClick={pages.back} isDisabled={pages.cursor === null}>
          {names.back}
        </Button>
        <span>Page {pages.number}</span>
        <Button
          onClick={() => nextCursor !== null && pages.next(nextCursor)}
          isDisabled={nextCursor === null}
        >
          {names.next}
        </Button>
      </span>
    </div>
  );
}

/** The same list as CSV: same filters, every row. */
export function CsvLink({ address }: { address: string }): ReactNode {
  const url = new URL(address);
  url.searchParams.set("format", "csv");
  url.searchParams.delete("limit");
  return (
    <a className="button" href={url.href} download>
      CSV
    </a>
  );
}
