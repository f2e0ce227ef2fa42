import type { ReactNode } from "react";

export interface Column<Row> {
  readonly id: string;
  readonly head: ReactNode;
  readonly cell: (row: Row) => ReactNode;
  /** Numbers stand right, so that their digits are under each other. */
  readonly isNumber?: boolean;
  /** May be cut off with an ellipsis when the window is narrow. */
  readonly isElastic?: boolean;
  /** Long texts go on in the next line. */
  readonly isWrapped?: boolean;
}

interface TableProps<Row> {
  /** What the table shows, for those who do not see it. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly foot?: ReactNode;
  readonly isDense?: boolean;
  readonly classOf?: (row: Row) => string | undefined;
}

/** A table in a box of its own that scrolls sideways and can be reached with the keyboard. */
export function Table<Row>({
  caption,
  columns,
  rows,
  keyOf,
  foot,
  isDense,
  classOf,
}: TableProps<Row>): ReactNode {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard.
    <section className="table-box" aria-label={caption} tabIndex={0}>
      <table className={isDense === true ? "dense" : undefined}>
        <caption className="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.id} scope="col" className={column.isNumber === true ? "number" : undefined}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} className={classOf?.(row)}>
              {columns.map((column) => (
                <td key={column.id} className={classesOf(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
        {foot === undefined ? null : <tfoot>{foot}</tfoot>}
      </table>
    </section>
  );
}

const classesOf = <Row,>({ isNumber, isElastic, isWrapped }: Column<Row>): string | undefined => {
  if (isNumber === true) return "number";
  if (isWrapped === true) return "wrap";
  return isElastic === true ? "elastic" : undefined;
};
