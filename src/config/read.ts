import type { TSchema } from "typebox";
import { findNearest } from "../lib/nearest.ts";
import { type ConfigProblem, type EffectiveValue, type Origin, showPath } from "./config.ts";
import { emptyMap, type Source, type SourceScalar } from "./source.ts";

/** The keywords that the configuration's schema uses. */
export interface FieldSchema {
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly enum?: readonly (string | number)[];
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly patternProperties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly items?: FieldSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly expects?: string;
  readonly isSecret?: boolean;
  readonly hasPassword?: boolean;
}

type Path = readonly (string | number)[];

export interface Reading {
  /** As the schema's type says, when there are no problems. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  readonly origins: readonly EffectiveValue[];
  /** Where the value at a path was written, or where it would have to be. */
  place(path: Path): Origin;
}

/** The schema of named things (endpoints, models): what each value must be. */
export const entrySchema = (schema: FieldSchema): FieldSchema | undefined =>
  schema.patternProperties === undefined ? undefined : Object.values(schema.patternProperties)[0];

/** Reads what was written as `schema` says: types, defaults, origins, and every problem with its place. */
export function readDocument(schema: TSchema, root: Source): Reading {
  const reader = new Reader(schema);
  const value = reader.read(schema, root, []);
  return { value, problems: reader.problems, origins: reader.origins, place: (path) => reader.place(path) };
}

class Reader {
  readonly problems: ConfigProblem[] = [];
  readonly origins: EffectiveValue[] = [];
  readonly #root: FieldSchema;
  readonly #places = new Map<string, Origin>();

  constructor(root: FieldSchema) {
    this.#root = root;
  }

  place(path: Path): Origin {
    for (let length = path.length; length > 0; length--) {
      const found = this.#places.get(showPath(path.slice(0, length)));
      if (found !== undefined) return found;
    }
    return this.#places.get("") ?? { kind: "default" };
  }

  read(schema: FieldSchema, source: Source, path: Path): unknown {
    this.#places.set(showPath(path), source.origin);
    if (source.kind === "scalar" && source.form === "failed") return undefined;
    if (schema.type === "object") return this.#readMap(schema, source, path);
    if (schema.type === "array") return this.#readList(schema, source, path);
    if (source.kind !== "scalar") {
      return this.#report(source.origin, path, `must be ${describeExpected(schema)}, not a ${source.kind}`);
    }
    return this.#readScalar(schema, source, path);
  }

  #readMap(schema: FieldSchema, source: Source, path: Path): unknown {
    const map = source.kind === "scalar" && source.form === "empty" ? emptyMap(source.origin) : source;
    if (map.kind !== "map") {
      return this.#report(
        source.origin,
        path,
        `must be ${describeExpected(schema)}, not ${describeSource(source)}`,
      );
    }
    const values: Record<string, unknown> = Object.create(null);
    const named = entrySchema(schema);
    if (named !== undefined) {
      for (const [key, entry] of map.entries) values[key] = this.read(named, entry.value, [...path, key]);
      return values;
    }
    const fields = schema.properties ?? {};
    for (const [key, entry] of map.entries)
      if (!Object.hasOwn(fields, key)) this.#reportUnknown(entry.origin, path, key, fields);
    for (const [key, field] of Object.entries(fields)) {
      const entry = map.entries.get(key);
      const value =
        entry === undefined
          ? this.#readAbsent(schema, field, map.origin, [...path, key])
          : this.read(field, entry.value, [...path, key]);
      if (value !== undefined) values[key] = value;
    }
    return values;
  }

  #readAbsent(parent: FieldSchema, field: FieldSchema, origin: Origin, path: Path): unknown {
    if (field.default === undefined) {
      const key = String(path.at(-1));
      if (parent.required?.includes(key)) {
        const owner = showPath(path.slice(0, -1)) || "the configuration";
        this.#report(origin, path, null, `${owner} has no "${key}"; add it: ${describeExpected(field)}`);
      }
      return undefined;
    }
    // A group's own default is the empty map, filled with the defaults of its fields.
    if (field.type === "object") return this.read(field, emptyMap({ kind: "default" }), path);
    const value = structuredClone(field.default) as EffectiveValue["value"];
    this.origins.push({ path, value, origin: { kind: "default" } });
    return value;
  }

  #readList(schema: FieldSchema, source: Source, path: Path): unknown {
    const items =
      source.kind === "scalar" && source.form === "empty" ? [] : source.kind === "list" ? source.items : null;
    if (items === null) {
      return this.#report(
        source.origin,
        path,
        `must be ${describeExpected(schema)}, not ${describeSource(source)}`,
      );
    }
    const { minItems = 0, maxItems = 1_000, items: item } = schema;
    if (items.length < minItems)
      this.#report(
        source.origin,
        path,
        `must have at least ${minItems === 1 ? "one entry" : `${minItems} entries`}`,
      );
    if (items.length > maxItems)
      this.#report(source.origin, path, `must have at most ${maxItems} entries, not ${items.length}`);
    if (items.length === 0) this.origins.push({ path, value: [], origin: source.origin });
    return item === undefined
      ? []
      : items.slice(0, maxItems).map((one, index) => this.read(item, one, [...path, index]));
  }

  #readScalar(schema: FieldSchema, source: SourceScalar, path: Path): unknown {
    const value = source.form === "empty" ? undefined : convert(schema, source);
    if (value === undefined) {
      const shown = source.form === "empty" ? "nothing" : describeText(schema, source);
      return this.#report(source.origin, path, `must be ${describeExpected(schema)}, not ${shown}`);
    }
    this.origins.push({ path, value: show(schema, value, source.reference), origin: source.origin });
    return value;
  }

  #reportUnknown(
    origin: Origin,
    path: Path,
    key: string,
    fields: Readonly<Record<string, FieldSchema>>,
  ): void {
    const near = findNearest(key, Object.keys(fields));
    const elsewhere = near === null ? findElsewhere(this.#root, key) : null;
    const owner = path.length === 0 ? "a key of the configuration" : `a key of ${showPath(path)}`;
    const help =
      near !== null
        ? `did you mean "${near}"?`
        : elsewhere !== null
          ? `did you mean "${elsewhere}"?`
          : `use one of ${Object.keys(fields).join(", ")}`;
    this.#report(origin, [...path, key], null, `"${key.slice(0, 60)}" is not ${owner}; ${help}`);
  }

  /** `told` is the rest of a sentence that begins with the path; a whole `sentence` stands for itself. */
  #report(origin: Origin, path: Path, told: string | null, sentence?: string): undefined {
    const shown = showPath(path);
    this.problems.push({
      origin,
      path: shown,
      message: sentence ?? `${shown || "the configuration"} ${told}`,
    });
    return undefined;
  }
}

/** The text as the type that the schema wants, or undefined when it is not one. */
function convert(schema: FieldSchema, source: SourceScalar): string | number | boolean | undefined {
  const { text, form } = source;
  if (schema.enum !== undefined)
    return schema.enum.find((one) => String(one) === text && (typeof one === "string" || form === "plain"));
  if (schema.type === "string") return isRightText(schema, text) ? text : undefined;
  if (form === "quoted") return undefined;
  if (schema.type === "boolean") return text === "true" ? true : text === "false" ? false : undefined;
  const isNumber =
    schema.type === "integer" ? /^-?[0-9]{1,15}$/.test(text) : /^-?[0-9]{1,15}(\.[0-9]{1,15})?$/.test(text);
  const number = isNumber ? Number(text) : Number.NaN;
  return number >= (schema.minimum ?? Number.NEGATIVE_INFINITY) &&
    number <= (schema.maximum ?? Number.POSITIVE_INFINITY)
    ? number
    : undefined;
}

const isRightText = ({ minLength = 0, maxLength = 65_536, pattern }: FieldSchema, text: string): boolean =>
  text.length >= minLength &&
  text.length <= maxLength &&
  (pattern === undefined || new RegExp(pattern).test(text));

/** A connection string is shown without its password; a secret as the variable that holds it, or not at all. */
function show(
  schema: FieldSchema,
  value: string | number | boolean,
  reference: string | null,
): string | number | boolean {
  if (typeof value !== "string" || value === "" || value === "none") return value;
  if (schema.isSecret === true) return reference ?? "[hidden]";
  return schema.hasPassword === true ? hidePassword(value) : value;
}

function hidePassword(text: string): string {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(text)) return text;
  if (!URL.canParse(text)) return "[hidden]";
  const url = new URL(text);
  if (url.password !== "") url.password = "hidden";
  for (const name of [...url.searchParams.keys()])
    if (/pass|secret|key/i.test(name)) url.searchParams.set(name, "hidden");
  return url.href;
}

/** What a right value looks like, as the end of a sentence: "must be …". */
export function describeExpected(schema: FieldSchema): string {
  if (schema.expects !== undefined) return schema.expects;
  if (schema.enum !== undefined) return schema.enum.map(String).join(" or ");
  if (schema.type === "object") return "a map (key: value)";
  if (schema.type === "array") return "a list";
  if (schema.type === "boolean") return "true or false";
  const noun = schema.type === "integer" ? "a whole number" : schema.type === "number" ? "a number" : "text";
  if (schema.type === "string")
    return schema.maxLength === undefined ? noun : `${noun} of at most ${schema.maxLength} characters`;
  return `${noun} from ${schema.minimum} to ${schema.maximum}`;
}

const describeSource = (source: Source): string =>
  source.kind === "map"
    ? "a map"
    : source.kind === "list"
      ? "a list"
      : source.form === "empty"
        ? "nothing"
        : "a single value";

/** Shows what was written, unless it may be a secret: then only where it came from. */
function describeText(schema: FieldSchema, source: SourceScalar): string {
  if (source.variables.length > 0) return `the content of ${source.variables.join(" and ")}`;
  if (schema.isSecret === true || schema.hasPassword === true) return "what is written (hidden)";
  return source.text === ""
    ? "empty text"
    : `${source.form === "quoted" ? "the text " : ""}${JSON.stringify(source.text.slice(0, 60))}`;
}

/** The full name of a key that was put at the wrong level, when exactly one place knows it. */
function findElsewhere(root: FieldSchema, key: string): string | null {
  const found: string[] = [];
  for (const [name, field] of Object.entries(root.properties ?? {})) {
    if (field.properties !== undefined && Object.hasOwn(field.properties, key)) found.push(`${name}.${key}`);
  }
  return found.length === 1 ? (found[0] ?? null) : null;
}
