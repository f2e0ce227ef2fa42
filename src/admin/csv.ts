import type { TSchema } from "typebox";

/** One column: the way to its value inside a row. */
export interface Column {
  readonly name: string;
  readonly path: readonly string[];
}

interface SchemaShape {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaShape>>;
  readonly anyOf?: readonly SchemaShape[];
}

/** Columns of rows with this schema: one per plain value, nested names joined by "_"; lists and free parts are one each, as JSON. */
export function columnsOf(schema: TSchema): readonly Column[] {
  const walk = (shape: SchemaShape, path: readonly string[]): Column[] => {
    const object = shape.anyOf?.find((one) => one.properties !== undefined) ?? shape;
    if (object.properties === undefined) return [{ name: path.join("_"), path }];
    return Object.entries(object.properties).flatMap(([name, part]) => walk(part, [...path, name]));
  };
  return walk(schema as SchemaShape, []);
}

export const csvHead = (columns: readonly Column[]): string =>
  `${columns.map((column) => cell(column.name)).join(",")}\r\n`;

export const csvLine = (columns: readonly Column[], row: unknown): string =>
  `${columns.map((column) => cell(textOf(at(row, column.path)))).join(",")}\r\n`;

function at(row: unknown, path: readonly string[]): unknown {
  let value = row;
  for (const name of path) {
    if (typeof value !== "object" || value === null) return null;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** Unknown is an empty cell, never 0. */
function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

const plainNumber = /^-?\d+(\.\d+)?$/;

/**
 * RFC 4180, and safe to open in a spreadsheet: text that would be run as a formula gets an apostrophe before it.
 * Numbers keep their sign.
 */
export function cell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) && !plainNumber.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
