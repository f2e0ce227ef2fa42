import { toolRuleOf } from "../core/dialects.ts";
import type { JsonObject } from "./json-gate.ts";
import type { Operation } from "./request.ts";
import { RequestFaultError } from "./request-fields.ts";
import { asArray, asObject, asText } from "./usage.ts";

/** The id of something stored at the vendor, and the field that names it. */
export interface StoredReference {
  readonly id: string;
  readonly param: string;
}

/** What a body leans on besides its own text. */
export interface InputParts {
  readonly images: number;
  /** Input that is not in the body: audio, files, what the vendor keeps or fetches. */
  readonly hasUnseen: boolean;
  readonly stored: readonly StoredReference[];
}

/** Items of a Responses input whose tokens all stand in the body. */
const seenItems: ReadonlySet<string> = new Set([
  "message",
  "function_call",
  "function_call_output",
  "custom_tool_call",
  "custom_tool_call_output",
  "computer_call",
  "computer_call_output",
  "local_shell_call",
  "local_shell_call_output",
]);

/** Images, unseen input and references, wherever they stand. Files and the like have no route, so nobody can own one: refused. */
export function inputPartsOf(operation: Operation, body: JsonObject): InputParts {
  if (operation !== "chat" && operation !== "responses") return { images: 0, hasUnseen: false, stored: [] };
  const finder = new PartFinder();
  if (operation === "chat") finder.messages(body["messages"], "messages");
  else finder.items(body["input"]);
  if (asArray(body["modalities"]).includes("audio")) finder.hasUnseen = true;
  if (operation === "responses") finder.references(body);
  return finder;
}

class PartFinder implements InputParts {
  images = 0;
  hasUnseen = false;
  readonly stored: StoredReference[] = [];

  messages(value: unknown, param: string): void {
    for (const item of asArray(value)) {
      const message = asObject(item);
      // An earlier spoken answer, by its id: the vendor has it.
      if (asObject(message?.["audio"]) !== null) this.hasUnseen = true;
      this.content(message?.["content"], param);
    }
  }

  items(value: unknown): void {
    for (const entry of asArray(value)) {
      const item = asObject(entry);
      if (item === null) continue;
      const type = asText(item["type"]);
      const id = asText(item["id"]);
      if (id !== null && (type === "item_reference" || (type === null && item["role"] === undefined))) {
        this.stored.push({ id, param: "input" });
      } else if (type !== null && !seenItems.has(type) && asText(item["encrypted_content"]) === null) {
        this.hasUnseen = true;
      }
      this.content(item["content"], "input");
      this.content(item["output"], "input");
    }
  }

  references(body: JsonObject): void {
    const previous = body["previous_response_id"];
    if (previous !== undefined && previous !== null) {
      if (typeof previous !== "string" || previous === "") {
        throw new RequestFaultError(
          "invalid_type",
          "previous_response_id",
          "Cannot read `previous_response_id`: it is not a text.",
        );
      }
      this.stored.push({ id: previous, param: "previous_response_id" });
    }
    for (const name of ["conversation", "prompt"]) {
      if (body[name] !== undefined && body[name] !== null) throw unmade(name, `a stored ${name}`);
    }
    for (const tool of asArray(body["tools"])) this.container(asObject(tool));
  }

  private container(tool: JsonObject | null): void {
    const container = tool?.["container"];
    if (container === undefined || container === null) return;
    if (typeof container === "string") {
      this.stored.push({ id: container, param: "tools" });
      return;
    }
    const memory = asObject(container)?.["memory_limit"];
    if (memory !== undefined && memory !== null && memory !== "1g") {
      throw new RequestFaultError(
        "unsupported_feature",
        "tools",
        "Cannot bill a larger container: only `memory_limit` 1g has a price; leave it out.",
      );
    }
    if (asArray(asObject(container)?.["file_ids"]).length > 0) throw unmade("tools", "a file");
  }

  private content(value: unknown, param: string): void {
    const parts = Array.isArray(value) ? value : [value];
    for (const one of parts) {
      const part = asObject(one);
      if (part !== null) this.part(part, param);
    }
  }

  private part(part: JsonObject, param: string): void {
    const file = asObject(part["file"]) ?? part;
    if (file["file_id"] !== undefined && file["file_id"] !== null) throw unmade(param, "a file");
    switch (part["type"]) {
      case "image_url":
      case "input_image":
      case "computer_screenshot":
        this.images += 1;
        break;
      case "input_audio":
      case "file":
      case "input_file":
        this.hasUnseen = true;
        break;
    }
  }
}

const unmade = (param: string, what: string): RequestFaultError =>
  new RequestFaultError(
    "unsupported_feature",
    param,
    `Cannot use ${what}: its API is not served here, so none can belong to this account; send the content itself.`,
  );

/** Tools that run at the vendor and cost per call, by the name of their fee; one without a known price by its own name. */
export function hostedToolsOf(operation: Operation, body: JsonObject): string[] {
  const hosted = new Set<string>();
  if (operation === "chat" && body["web_search_options"] !== undefined && body["web_search_options"] !== null)
    hosted.add("web_search");
  for (const tool of asArray(body["tools"])) {
    const type = asText(asObject(tool)?.["type"]);
    if (type === null) continue;
    const rule = toolRuleOf(type);
    if (rule === null) hosted.add(type);
    else if (rule.runs === "vendor") hosted.add(rule.fee);
  }
  return [...hosted];
}
