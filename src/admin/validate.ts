import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { invalid } from "./errors.ts";

/** Checks a part of a request without changing it: no defaults, no dropped fields. Throws an `AdminError` that names the field. */
export type Check = (value: unknown) => void;

export function compileCheck(schema: TSchema, part: "body" | "query" | "path"): Check {
  const validator = Compile(schema);
  return (value) => {
    refuseBadText(value, "");
    if (validator.Check(value)) return;
    const errors = validator.Errors(value);
    // The deepest mistake is the one that was made: a union reports itself after its branches.
    const first = errors.find((one) => one.keyword === "additionalProperties") ?? errors[0];
    if (first === undefined) throw new Error(`Bug: a ${part} was refused without a reason`);
    throw describe(first, {
      value,
      part,
      union: unionOf(errors, first.instancePath),
    });
  };
}

type ValidationError = ReturnType<ReturnType<typeof Compile>["Errors"]>[number];

/** What each branch of a union asked for, when the value itself fits none; null for a mistake inside a branch. */
function unionOf(errors: readonly ValidationError[], place: string): string | null {
  const here = errors.filter((one) => one.instancePath === place);
  if (!here.some((one) => one.keyword === "anyOf")) return null;
  return here
    .filter((one) => one.keyword !== "anyOf")
    .map(reasonOf)
    .join(" or ");
}

function describe(error: ValidationError, about: { value: unknown; part: string; union: string | null }) {
  const place = pathOf(error.instancePath);
  if (error.keyword === "additionalProperties") {
    const field = pathOf(`${error.instancePath}/${error.params.additionalProperties[0] ?? ""}`);
    const what = about.part === "query" ? "query parameter" : "field";
    return invalid(
      "unknown_field",
      `Cannot take \`${field}\`: there is no such ${what}; see /admin/v1/openapi.json.`,
      field,
    );
  }
  if (error.keyword === "required") {
    const field = pathOf(`${error.instancePath}/${error.params.requiredProperties[0] ?? ""}`);
    return invalid("missing_field", `Cannot do without \`${field}\`: it is required; add it.`, field);
  }
  if (place === "")
    return invalid(
      "invalid_body",
      `Cannot read the ${about.part}: it ${about.union ?? reasonOf(error)}.`,
      null,
    );
  const given = JSON.stringify(at(about.value, error.instancePath)) ?? "nothing";
  const shown = given.length > 80 ? `${given.slice(0, 80)}…` : given;
  return invalid(
    "invalid_field",
    `Cannot use ${shown} as \`${place}\`: it ${about.union ?? reasonOf(error)}.`,
    place,
  );
}

function reasonOf(error: ValidationError): string {
  switch (error.keyword) {
    case "type": {
      const wanted = error.params.type;
      if (wanted === "null") return "must be null";
      return `must be ${wanted === "string" ? "text (in quotes)" : `of type ${wanted}`}`;
    }
    case "enum":
      return `must be one of ${error.params.allowedValues.map((value) => JSON.stringify(value)).join(", ")}`;
    case "format":
      return error.params.format === "date-time"
        ? "must be an instant like 2030-01-31T00:00:00Z"
        : error.message;
    case "pattern":
      return error.params.pattern instanceof RegExp || String(error.params.pattern).includes("u0000")
        ? "must not contain control characters"
        : `must match ${String(error.params.pattern)}`;
    case "minProperties":
      return "must have at least one field";
    default:
      return error.message;
  }
}

const pathOf = (pointer: string): string =>
  pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .join(".");

function at(value: unknown, pointer: string): unknown {
  let current = value;
  for (const part of pointer.split("/").slice(1)) {
    if (typeof current !== "object" || current === null) return undefined;
    current = (current as Record<string, unknown>)[part.replaceAll("~1", "/").replaceAll("~0", "~")];
  }
  return current;
}

/** NUL and half surrogates cannot be stored as text; they are refused by name instead of failing in the database. */
function refuseBadText(value: unknown, path: string): void {
  if (typeof value === "string") {
    if (value.includes("\u0000") || /\p{Surrogate}/u.test(value)) {
      throw invalid(
        "invalid_field",
        `Cannot use \`${path}\`: it has a NUL or half a surrogate pair; remove it.`,
        path,
      );
    }
    return;
  }
  if (typeof value !== "object" || value === null) return;
  for (const [name, part] of Object.entries(value)) {
    const place = path === "" ? name : `${path}.${name}`;
    refuseBadText(name, place);
    refuseBadText(part, place);
  }
}

/** Query strings have no numbers: those that the schema calls whole numbers are read as such, and nothing else is. */
export function readNumbers(
  query: Readonly<Record<string, unknown>>,
  schema: TSchema,
): Record<string, unknown> {
  const properties = (schema as { properties?: Record<string, { type?: string }> }).properties ?? {};
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => {
      const isWhole =
        properties[name]?.type === "integer" && typeof value === "string" && /^-?\d{1,15}$/.test(value);
      return [name, isWhole ? Number(value) : value];
    }),
  );
}
