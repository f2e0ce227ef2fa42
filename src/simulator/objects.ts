import type { ToolCall } from "./answers.ts";
import type { Tool } from "./ask.ts";
import { isJsonObject, type Json, type JsonObject, readArray, readNumber, readObject } from "./json.ts";
import type { Random } from "./seeded.ts";
import { countTokens, splitIntoPieces } from "./tokens.ts";

const depthMax = 16;

/** The least JSON value that fits `schema`: required properties only, shortest arrays, empty texts. */
export function minimalJson(schema: JsonObject): Json {
  return minimalValue(schema, schema, depthMax);
}

function minimalValue(schema: JsonObject, root: JsonObject, depth: number): Json {
  if (depth === 0) return null;
  if (typeof schema.$ref === "string") return minimalValue(findReferred(schema.$ref, root), root, depth - 1);
  if (schema.const !== undefined) return schema.const;
  const first = readArray(schema.enum)[0];
  if (first !== undefined) return first;
  const variant = [...readArray(schema.anyOf), ...readArray(schema.oneOf)].find(isJsonObject);
  if (variant !== undefined) return minimalValue(variant, root, depth - 1);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  if (type === "string") return "a".repeat(readNumber(schema.minLength) ?? 1);
  if (type === "integer" || type === "number") return readNumber(schema.minimum) ?? 1;
  if (type === "boolean") return true;
  if (type === "null") return null;
  if (type === "array") {
    const length = readNumber(schema.minItems) ?? 0;
    return Array.from({ length }, () => minimalValue(readObject(schema.items), root, depth - 1));
  }
  const properties = readObject(schema.properties);
  const required = readArray(schema.required);
  const object: Record<string, Json> = {};
  for (const [name, value] of Object.entries(properties)) {
    if (required.includes(name)) object[name] = minimalValue(readObject(value), root, depth - 1);
  }
  return object;
}

function findReferred(path: string, root: JsonObject): JsonObject {
  let at: JsonObject = root;
  for (const key of path.replace(/^#\/?/, "").split("/")) at = key === "" ? at : readObject(at[key]);
  return at;
}

/** Billed tokens of a call besides its name and its arguments. */
const callFraming = 7;

/** Calls of `tools`; a property called city or location gets a place that the user named. */
export function writeToolCalls(tools: readonly Tool[], user: string, random: Random): ToolCall[] {
  const places = [...user.matchAll(/\bin ([A-Z][\p{L}]+)/gu)].map((match) => match[1] ?? "Oslo");
  return tools.map((tool, at) => {
    const value = readObject(minimalJson(tool.parameters));
    const filled = Object.entries(value).map(([name, entry]): [string, Json | undefined] => [
      name,
      /city|location|place/.test(name) && typeof entry === "string" ? (places[at] ?? "Oslo") : entry,
    ]);
    return {
      id: `call_${random.text(24)}`,
      name: tool.name,
      fragments: splitIntoPieces(spaced(Object.fromEntries(filled))),
      framing: callFraming + countTokens(tool.name),
    };
  });
}

/** JSON as models write it, with a space after each colon and comma. */
function spaced(value: JsonObject): string {
  const pairs = Object.entries(value).map(
    ([name, entry]) => `${JSON.stringify(name)}: ${JSON.stringify(entry ?? null)}`,
  );
  return `{${pairs.join(", ")}}`;
}
