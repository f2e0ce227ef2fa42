import type { ReactNode } from "react";
import type { Pages } from "../lib/use-pages.ts";
import { Button } from "./parts.tsx";

export function Pager({
  pages,
  nextCursor,
  children,
}: {
  pages: Pages;
  nextCursor: string | null;
  children?: ReactNode;
}): ReactNode {
  return (
    <div className="pager">
      <span>{children}</span>
      <span className="actions">
        <Button icon="back" onClick={pages.back} isDisabled={pages.cursor === null}>
          Newer
        </Button>
        <span>Page {pages.number}</span>
        <Button
          onClick={() => nextCursor !== null && pages.next(nextCursor)}
          isDisabled={nextCursor === null}
        >
          Older
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
