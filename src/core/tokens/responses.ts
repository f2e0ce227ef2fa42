import { addResponseFormat, perAnswer, perMessage } from "./chat.ts";
import { isCountedExactly } from "./encodings.ts";
import { addContent } from "./parts.ts";
import { type InputPlan, isObject, type JsonObject, PlanBuilder } from "./plan.ts";
import { addTools } from "./tools.ts";

/** Fields of a Responses request that stand for input which is stored at the vendor. */
const storedInput = ["previous_response_id", "conversation", "prompt"] as const;

/**
 * What the input of a Responses request consists of: framed as a chat, which is exact for one text (18 = 18,
 * dialect §6.3).
 */
export function planResponsesInput(body: JsonObject, model: string): InputPlan {
  const plan = new PlanBuilder(isCountedExactly(model));
  if (typeof body.instructions === "string") {
    addMessage(plan, { role: "system", content: body.instructions }, model);
  }
  if (typeof body.input === "string") addMessage(plan, { role: "user", content: body.input }, model);
  else if (Array.isArray(body.input)) for (const item of body.input) addItem(plan, item, model);
  plan.addTokens(perAnswer);
  addTools(plan, body, model);
  if (isObject(body.text)) addResponseFormat(plan, body.text.format);
  for (const field of storedInput)
    if (body[field] !== undefined && body[field] !== null) plan.addUnknown(field);
  return plan.build();
}

function addMessage(plan: PlanBuilder, message: JsonObject, model: string): void {
  plan.addTokens(perMessage);
  plan.addText(message.role);
  addContent(plan, message.content, model);
}

function addItem(plan: PlanBuilder, item: unknown, model: string): void {
  if (!isObject(item)) return;
  switch (item.type) {
    case undefined:
    case "message":
      addMessage(plan, item, model);
      break;
    case "function_call":
    case "custom_tool_call":
    case "function_call_output":
    case "custom_tool_call_output":
      // The framing of calls is not published: name, arguments and output are a lower bound.
      plan.markLowerBound();
      plan.addTokens(perMessage);
      plan.addText(item.name);
      plan.addText(item.arguments);
      plan.addText(item.input);
      addContent(plan, item.output, model);
      break;
    default:
      // Reasoning, references to stored items, outputs of hosted tools: their input is known to the vendor
      // alone.
      plan.addUnknown(typeof item.type === "string" ? item.type : "untyped item");
  }
}
