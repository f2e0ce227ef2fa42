import type { Terminal } from "./terminal.ts";

/** A row or a thing as the admin API gives it. */
export type Row = Readonly<Record<string, unknown>>;

/** A column: its heading, and where in a row its value lies ("balance.available") or how it is made. */
export interface Column {
  readonly title: string;
  readonly of: string | ((row: Row) => unknown);
  readonly align?: "right";
  /** At least so wide, for tables that are printed in parts. */
  readonly width?: number;
}

export const column = (title: string, of: Column["of"]): Column => ({ title, of });
export const amountColumn = (title: string, of: Column["of"]): Column => ({ title, of, align: "right" });

/** A list: aligned columns for people, one JSON object on each line for machines. */
export async function printList(
  terminal: Terminal,
  {
    rows,
    columns,
    asJson,
    whenEmpty,
  }: {
    rows: AsyncIterable<Row> | Iterable<Row>;
    columns: readonly Column[];
    asJson: boolean;
    whenEmpty: string;
  },
): Promise<void> {
  if (asJson) {
    for await (const row of rows) await terminal.write(`${JSON.stringify(row)}\n`);
    return;
  }
  const all: Row[] = [];
  for await (const row of rows) all.push(row);
  if (all.length === 0) terminal.note(whenEmpty);
  else await terminal.write(formatTable(all, columns, terminal.hasColour));
}

/** One thing: its fields under each other for people, one JSON object for machines. */
export function printThing(terminal: Terminal, thing: Row, asJson: boolean): void {
  if (asJson) terminal.print(JSON.stringify(thing));
  else terminal.print(formatFields(thing));
}

export function formatTable(rows: readonly Row[], columns: readonly Column[], hasColour = false): string {
  const cells = rows.map((row) =>
    columns.map(({ of }) => showValue(typeof of === "string" ? valueAt(row, of) : of(row))),
  );
  const widths = columns.map(({ title, width = 0 }, index) =>
    Math.max(width, widthOf(title), ...cells.map((line) => widthOf(line[index] ?? ""))),
  );
  const heading = layLine(
    columns.map(({ title }) => title),
    columns,
    widths,
  );
  return `${[hasColour ? `\u001b[2m${heading}\u001b[22m` : heading, ...cells.map((line) => layLine(line, columns, widths))].join("\n")}\n`;
}

function layLine(cells: readonly string[], columns: readonly Column[], widths: readonly number[]): string {
  const laid = cells.map((cell, index) => {
    const gap = " ".repeat(Math.max(0, (widths[index] ?? 0) - widthOf(cell)));
    return columns[index]?.align === "right" ? gap + cell : cell + gap;
  });
  return laid.join("  ").trimEnd();
}

/** Fields with their values aligned; a thing inside a thing is indented below its name. */
export function formatFields(thing: Row, indent = ""): string {
  const width = Math.max(0, ...Object.keys(thing).map(widthOf));
  return Object.entries(thing)
    .map(([name, value]) => {
      if (isRow(value) && Object.keys(value).length > 0)
        return `${indent}${name}\n${formatFields(value, `${indent}  `)}`;
      if (Array.isArray(value) && value.some(isRow)) {
        const items = value.map((one) =>
          isRow(one)
            ? formatFields(one, `${indent}    `).replace(/^( *) {2}/, "$1- ")
            : `${indent}  - ${showValue(one)}`,
        );
        return `${indent}${name}\n${items.join("\n")}`;
      }
      return `${indent}${name}${" ".repeat(width - widthOf(name))}  ${showValue(value)}`.trimEnd();
    })
    .join("\n");
}

/** Text on one line. What is not known is a dash, never a zero; control characters of others' texts are taken out. */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) return "—";
  if (Array.isArray(value)) return value.length === 0 ? "—" : value.map(showValue).join(", ");
  if (isRow(value)) return Object.keys(value).length === 0 ? "—" : JSON.stringify(value);
  return String(value).replace(/\p{Cc}/gu, " ");
}

export const isRow = (value: unknown): value is Row =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const valueAt = (row: Row, path: string): unknown =>
  path.split(".").reduce<unknown>((value, key) => (isRow(value) ? value[key] : undefined), row);

/** Good enough for names of people: combining marks have no width, wide characters two. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}]/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}
