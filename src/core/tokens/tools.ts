import { encodingFor } from "./encodings.ts";
import { isObject, type JsonObject, objectsOf, type PlanBuilder } from "./plan.ts";

/**
 * The cookbook's rule for function definitions (openai/openai-cookbook:
 * How_to_count_tokens_with_tiktoken.ipynb): exact for its own flat examples, a heuristic for the rest,
 * because the vendor does not publish the format.
 */
const perFunction = { o200k_base: 7, cl100k_base: 10 } as const;
const perProperties = 3;
const perProperty = 3;
const perEnum = -3;
const perEnumItem = 3;
const afterAll = 12;

/**
 * Adds `tools` (or the older `functions`) of a chat request. Hosted tools bring input of their own that is
 * unknown.
 */
export function addTools(plan: PlanBuilder, body: JsonObject, model: string): void {
  const tools = objectsOf(body.tools);
  const functions = [...tools.filter(isFunctionTool).map(functionOf), ...objectsOf(body.functions)];
  for (const definition of functions) addFunction(plan, definition, perFunction[encodingFor(model).encoding]);
  if (functions.length > 0) plan.addTokens(afterAll);
  for (const tool of tools) if (!isFunctionTool(tool)) addOtherTool(plan, tool);
  if (tools.length > 0 || functions.length > 0) plan.markLowerBound();
}

const isFunctionTool = (tool: JsonObject): boolean => tool.type === "function" || tool.type === undefined;

/** Chat wraps a definition in `function`, Responses does not. */
const functionOf = (tool: JsonObject): JsonObject => (isObject(tool.function) ? tool.function : tool);

function addFunction(plan: PlanBuilder, definition: JsonObject, overhead: number): void {
  plan.addTokens(overhead);
  plan.addText(`${textOf(definition.name)}:${withoutDot(textOf(definition.description))}`);
  if (isObject(definition.parameters)) addProperties(plan, definition.parameters, 0);
}

/** Schemas nest without end; below this depth the rest is counted as JSON. */
const deepest = 16;

function addProperties(plan: PlanBuilder, schema: JsonObject, depth: number): void {
  if (!isObject(schema.properties)) return;
  const properties = Object.entries(schema.properties);
  if (properties.length > 0) plan.addTokens(perProperties);
  for (const [name, value] of properties) {
    if (isObject(value)) addProperty(plan, { name, value, depth });
  }
}

function addProperty(plan: PlanBuilder, property: { name: string; value: JsonObject; depth: number }): void {
  const { name, value, depth } = property;
  plan.addTokens(perProperty);
  if (Array.isArray(value.enum)) {
    plan.addTokens(perEnum);
    for (const item of value.enum) {
      plan.addTokens(perEnumItem);
      if (typeof item === "string") plan.addText(item);
      else plan.addJson(item, "tools");
    }
  }
  plan.addText(`${name}:${textOf(value.type)}:${withoutDot(textOf(value.description))}`);
  const inner = isObject(value.items) ? value.items : value;
  if (depth < deepest) addProperties(plan, inner, depth + 1);
  else plan.addJson(inner, "tools");
}

function addOtherTool(plan: PlanBuilder, tool: JsonObject): void {
  const custom = isObject(tool.custom) ? tool.custom : tool;
  plan.addText(custom.name);
  plan.addText(custom.description);
  if (tool.type === "custom") plan.addJson(custom.format, "tools");
  else plan.addUnknown(`tool:${textOf(tool.type)}`);
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const withoutDot = (text: string): string => (text.endsWith(".") ? text.slice(0, -1) : text);
