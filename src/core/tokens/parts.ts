import { imageTokens } from "./images.ts";
import { isObject, type JsonObject, type PlanBuilder } from "./plan.ts";

/** Adds the content of a message or item: a text, or a list of parts in the chat or the Responses form. */
export function addContent(plan: PlanBuilder, content: unknown, model: string): void {
  plan.addText(content);
  if (!Array.isArray(content)) return;
  for (const part of content) {
    if (typeof part === "string") plan.addText(part);
    else if (isObject(part)) addPart(plan, part, model);
  }
}

function addPart(plan: PlanBuilder, part: JsonObject, model: string): void {
  switch (part.type) {
    case "text":
    case "input_text":
    case "output_text":
    case "summary_text":
    case "reasoning_text":
      plan.addText(part.text);
      break;
    case "refusal":
      plan.addText(part.refusal);
      break;
    case "image_url":
      addImage(plan, isObject(part.image_url) ? part.image_url.detail : undefined, model);
      break;
    case "input_image":
      addImage(plan, part.detail, model);
      break;
    case "input_audio":
      plan.addUnknown("audio");
      break;
    case "file":
    case "input_file":
      plan.addUnknown("file");
      break;
    default:
      plan.addUnknown(typeof part.type === "string" ? part.type : "untyped part");
  }
}

function addImage(plan: PlanBuilder, detail: unknown, model: string): void {
  const image = imageTokens(model, detail);
  if (image === null) {
    plan.addUnknown("image");
    return;
  }
  plan.addTokens(image.tokens);
  if (image.isExact) plan.markLowerBound();
  else plan.addBounded("image");
}
