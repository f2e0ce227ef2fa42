import { isCountedExactly } from "./encodings.ts";
import { addContent } from "./parts.ts";
import { type InputPlan, isObject, type JsonObject, objectsOf, PlanBuilder } from "./plan.ts";
import { addTools } from "./tools.ts";

/**
 * The cookbook's framing of a chat: exact for gpt-3.5 to gpt-4.1 and gpt-5-chat, one over for gpt-5-mini
 * (dialect §6.3).
 */
export const perMessage = 3;
const perName = 1;
export const perAnswer = 3;

/** Fields of a chat request with which the vendor adds input that nobody sees. */
const hiddenInput = ["data_sources", "web_search_options"] as const;

/**
 * What the input of a chat request consists of, for `model` (the deployment's, not the client's name for it).
 */
export function planChatInput(body: JsonObject, model: string): InputPlan {
  const plan = new PlanBuilder(isCountedExactly(model));
  for (const message of objectsOf(body.messages)) addMessage(plan, message, model);
  plan.addTokens(perAnswer);
  addTools(plan, body, model);
  addResponseFormat(plan, body.response_format);
  for (const field of hiddenInput)
    if (body[field] !== undefined && body[field] !== null) plan.addUnknown(field);
  return plan.build();
}

function addMessage(plan: PlanBuilder, message: JsonObject, model: string): void {
  plan.addTokens(perMessage);
  plan.addText(message.role);
  addContent(plan, message.content, model);
  plan.addText(message.refusal);
  if (typeof message.name === "string") {
    plan.addTokens(perName);
    plan.addText(message.name);
  }
  for (const call of objectsOf(message.tool_calls))
    addCall(plan, isObject(call.function) ? call.function : call.custom);
  addCall(plan, message.function_call);
  if (message.role === "tool" || message.role === "function") plan.markLowerBound();
  if (isObject(message.audio)) plan.addUnknown("audio");
}

/** The framing of a call is not published: its name and arguments are a lower bound. */
function addCall(plan: PlanBuilder, call: unknown): void {
  if (!isObject(call)) return;
  plan.addText(call.name);
  plan.addText(call.arguments);
  plan.addText(call.input);
  plan.markLowerBound();
}

/** A schema is given to the model in a form that is not published; its JSON is the nearest to it. */
export function addResponseFormat(plan: PlanBuilder, format: unknown): void {
  if (!isObject(format) || format.type === "text") return;
  plan.markLowerBound();
  const schema = isObject(format.json_schema) ? format.json_schema.schema : format.schema;
  if (isObject(schema)) plan.addJson(schema, "response_format");
}
