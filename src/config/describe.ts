import { Document, isSeq, Scalar } from "yaml";
import { type Config, type EffectiveValue, type Origin, showOrigin } from "./config.ts";
import { describeExpected, entrySchema, type FieldSchema } from "./read.ts";
import { configSchema } from "./schema.ts";

const root = configSchema as unknown as FieldSchema;

/** The configuration in force as YAML that could be read again, secrets hidden; with the origin of each value on demand. */
export function showConfig(config: Config, options: { readonly withOrigin: boolean }): string {
  const document = new Document({});
  for (const { path, value, origin } of config.origins) {
    document.setIn(path, document.createNode(value, { flow: true }));
    if (options.withOrigin) remark(document, path, origin);
  }
  const head = `${config.file === null ? "No file was read." : `Read from ${config.file}.`} Secrets are hidden.`;
  return `# ${head}\n${document.toString({ lineWidth: 0, flowCollectionPadding: false })}`;
}

/** A value with its place, for machines. */
export const listConfig = (config: Config): readonly Record<string, unknown>[] =>
  config.origins.map(({ path, value, origin }) => ({ path, value, origin: showOrigin(origin) }));

function remark(document: Document, path: EffectiveValue["path"], origin: Origin): void {
  const node = document.getIn(path, true);
  if (node instanceof Scalar || isSeq(node)) node.comment = ` ${showOrigin(origin)}`;
}

/** JSON Schema of the file (draft-07, which editors understand). Variables may stand for any single value. */
export function jsonSchema(): Record<string, unknown> {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Tollgate configuration",
    ...toJsonSchema(root),
  };
}

function toJsonSchema(field: FieldSchema): Record<string, unknown> {
  const { description } = field;
  if (field.type === "object") {
    const properties = mapValues(field.properties ?? {}, toJsonSchema);
    const named = entrySchema(field);
    const required = (field.required ?? []).filter((key) => field.properties?.[key]?.default === undefined);
    return {
      type: "object",
      description,
      ...(named === undefined
        ? { properties, additionalProperties: false }
        : { additionalProperties: toJsonSchema(named) }),
      ...(required.length > 0 ? { required } : {}),
    };
  }
  if (field.type === "array") {
    const { items, minItems, maxItems } = field;
    const shape = { type: "array", description, minItems, maxItems, default: field.default };
    return items === undefined ? shape : { ...shape, items: toJsonSchema(items) };
  }
  return scalarSchema(field);
}

const variable = { type: "string", pattern: "\\$\\{" };

function scalarSchema(field: FieldSchema): Record<string, unknown> {
  const {
    description,
    default: preset,
    type,
    enum: choices,
    minimum,
    maximum,
    minLength,
    maxLength,
    pattern,
  } = field;
  const own =
    choices === undefined ? { type, minimum, maximum, minLength, maxLength, pattern } : { enum: choices };
  // Text without a form of its own takes a variable anyway; decimals may be written without quotes.
  if (type === "string" && pattern === undefined && choices === undefined)
    return { description, default: preset, ...own };
  const isDecimal = field.expects?.startsWith("decimal") === true;
  return {
    description,
    default: preset,
    anyOf: [own, variable, ...(isDecimal ? [{ type: "number", minimum: 0 }] : [])],
  };
}

const mapValues = <In, Out>(
  values: Readonly<Record<string, In>>,
  map: (value: In) => Out,
): Record<string, Out> => Object.fromEntries(Object.entries(values).map(([key, value]) => [key, map(value)]));

/** The fields of the file as tables in Markdown, one for each group, in the order of the schema. */
export function configTables(): string {
  const tables: string[] = [];
  describeGroup(root, "", tables);
  return tables.join("\n");
}

function describeGroup(parent: FieldSchema, path: string, tables: string[]): void {
  const inner: [FieldSchema, string][] = [];
  const rows: string[] = [];
  for (const [key, field] of Object.entries(parent.properties ?? {})) {
    const place = path === "" ? key : `${path}.${key}`;
    const named = entrySchema(field);
    const group = named ?? field.items ?? field;
    if (group.type === "object")
      inner.push([
        group,
        named !== undefined ? `${place}.NAME` : field.items !== undefined ? `${place}[]` : place,
      ]);
    if (field.type !== "object" || named !== undefined)
      rows.push(describeRow(key, field, parent.required?.includes(key) === true));
  }
  if (rows.length > 0 || path !== "") {
    const heading = path === "" ? "## At the top" : `## \`${path}\``;
    tables.push(`${heading}\n\n${parent.description ?? ""}\n`);
    if (rows.length > 0)
      tables.push(`| key | value | default | meaning |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n`);
  }
  for (const [field, place] of inner) describeGroup(field, place, tables);
}

function describeRow(key: string, field: FieldSchema, isRequired: boolean): string {
  const named = entrySchema(field);
  const item = named ?? field.items ?? field;
  const of = item.type === "object" ? "maps" : describeExpected(item);
  const value =
    named !== undefined
      ? `${of} by name`
      : field.type === "array"
        ? `list of ${of}`
        : describeExpected(field);
  const preset = named === undefined ? showDefault(field.default, isRequired) : "none";
  return `| \`${key}\` | ${escapeCell(value)} | ${escapeCell(preset)} | ${escapeCell(field.description ?? "")} |`;
}

function showDefault(preset: unknown, isRequired: boolean): string {
  if (preset === undefined) return isRequired ? "required" : "";
  if (preset === "") return "empty";
  return `\`${typeof preset === "string" ? preset : JSON.stringify(preset)}\``;
}

const escapeCell = (text: string): string => text.replaceAll("|", "\\|");
