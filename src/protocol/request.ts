import type { JsonObject } from "./json-gate.ts";
import { asArray, asObject } from "./usage.ts";

/** The billed operations, by their path under the API root. */
export const operations = {
  chat: "chat/completions",
  completions: "completions",
  embeddings: "embeddings",
  responses: "responses",
} as const;
export type Operation = keyof typeof operations;

/** Names that decide what is served or billed; a look-alike of one of them is refused. */
export const billingNames: ReadonlySet<string> = new Set([
  "model", "stream", "stream_options", "n", "best_of", "max_tokens", "max_completion_tokens", "max_output_tokens", "service_tier",
  "tools", "tool_choice", "functions", "messages", "input", "prompt", "prediction", "modalities", "audio", "web_search_options",
  "previous_response_id", "conversation", "background", "store", "data_sources", "max_tool_calls", "reasoning", "reasoning_effort",
  "truncation", "instructions", "include", "metadata", "user", "prompt_cache_key", "response_format", "logprobs", "dimensions",
]);

/** What a request asks for, as far as money is concerned. */
export interface RequestFacts {
  readonly operation: Operation;
  readonly model: string;
  readonly body: JsonObject;
  readonly bodyBytes: number;
  readonly stream: boolean;
  /** The client itself asked for usage in the stream. */
  readonly wantsUsage: boolean;
  /** Choices that are generated and billed. */
  readonly choices: number;
  /** The client's cap per choice; null = none given. */
  readonly cap: number | null;
  readonly serviceTier: string | null;
  readonly images: number;
  readonly hasUnseenInput: boolean;
  /** UTF-8 length of a prediction: its rejected tokens are billed as output. */
  readonly predictionBytes: number;
  /** Hosted tools and search options that cost per call. */
  readonly hostedTools: readonly string[];
  readonly maxToolCalls: number | null;
  readonly background: boolean;
  /** Ids of stored objects that the request leans on; each must belong to the account. */
  readonly storedIds: readonly string[];
}

export interface RequestFault {
  readonly code: "invalid_type" | "invalid_value" | "missing_required_parameter" | "unsupported_feature" | "conflicting_limits";
  readonly message: string;
  readonly param: string;
}

export type RequestRead = { readonly ok: true; readonly facts: RequestFacts } | { readonly ok: false; readonly fault: RequestFault };

class Fault extends Error {
  readonly fault: RequestFault;
  constructor(code: RequestFault["code"], param: string, message: string) {
    super(message);
    this.fault = { code, param, message };
  }
}

const serviceTiers = new Set(["auto", "default", "flex", "priority", "scale", "fast"]);
const maxChoices = 128;
const maxCap = 10_000_000;

/** Reads what a body asks for. `numbers` are the top-level numbers as written. Fields that nothing here names pass through. */
export function readRequest(
  operation: Operation,
  source: { body: JsonObject; numbers: ReadonlyMap<string, string>; bytes: number; model: string | null },
): RequestRead {
  try {
    return { ok: true, facts: factsOf(operation, source) };
  } catch (error) {
    if (error instanceof Fault) return { ok: false, fault: error.fault };
    throw error;
  }
}

function factsOf(
  operation: Operation,
  source: { body: JsonObject; numbers: ReadonlyMap<string, string>; bytes: number; model: string | null },
): RequestFacts {
  const { body } = source;
  const read = new FieldReader(body, source.numbers);
  const model = source.model ?? read.text("model");
  if (model === null) throw new Fault("missing_required_parameter", "model", "Cannot route the request: it names no model; send `model`.");
  requireContent(operation, body);
  const stream = read.flag("stream") ?? false;
  if (operation === "embeddings" && stream) throw new Fault("invalid_value", "stream", "Cannot stream embeddings; leave `stream` out.");
  const media = operation === "chat" || operation === "responses" ? findMedia(body) : { images: 0, hasOther: false };
  const hosted = hostedToolsOf(operation, body);
  const storedIds = operation === "responses" ? storedIdsOf(body, read) : [];
  return {
    operation,
    model,
    body,
    bodyBytes: source.bytes,
    stream,
    wantsUsage: wantsUsage(body, stream),
    choices: choicesOf(operation, read),
    cap: operation === "embeddings" ? 0 : capOf(operation, read),
    serviceTier: read.oneOf("service_tier", serviceTiers),
    images: media.images,
    hasUnseenInput: media.hasOther || storedIds.length > 0 || hosted.length > 0 || body["data_sources"] !== undefined,
    predictionBytes: body["prediction"] === undefined || body["prediction"] === null ? 0 : JSON.stringify(body["prediction"]).length * 3,
    hostedTools: hosted,
    maxToolCalls: read.count("max_tool_calls", 1, 1_000),
    background: operation === "responses" && (read.flag("background") ?? false),
    storedIds,
  };
}

function requireContent(operation: Operation, body: JsonObject): void {
  const name = operation === "chat" ? "messages" : operation === "completions" ? "prompt" : "input";
  const value = body[name];
  const isStored = operation === "responses" && (body["prompt"] !== undefined || body["previous_response_id"] !== undefined);
  if ((value === undefined || value === null) && !isStored) {
    throw new Fault("missing_required_parameter", name, `Cannot read the request: it has no \`${name}\`.`);
  }
  if (operation === "chat" && !Array.isArray(value)) throw new Fault("invalid_type", "messages", "Cannot read `messages`: it is not a list.");
}

function wantsUsage(body: JsonObject, stream: boolean): boolean {
  const options = body["stream_options"];
  if (options === undefined || options === null) return false;
  const object = asObject(options);
  if (object === null) throw new Fault("invalid_type", "stream_options", "Cannot read `stream_options`: it is not an object.");
  if (!stream) {
    throw new Fault("invalid_value", "stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
  }
  const asked = object["include_usage"];
  if (asked !== undefined && asked !== null && typeof asked !== "boolean") {
    throw new Fault("invalid_type", "stream_options.include_usage", "Cannot read `stream_options.include_usage`: it is not true or false.");
  }
  return asked === true;
}

function choicesOf(operation: Operation, read: FieldReader): number {
  if (operation !== "chat" && operation !== "completions") return 1;
  const n = read.count("n", 1, maxChoices) ?? 1;
  if (operation === "chat") return n;
  const prompts = read.promptCount();
  const best = read.count("best_of", 1, maxChoices) ?? n;
  return Math.max(n, best) * prompts;
}

function capOf(operation: Operation, read: FieldReader): number | null {
  if (operation === "responses") return read.count("max_output_tokens", 1, maxCap);
  const older = read.count("max_tokens", 1, maxCap);
  if (operation === "completions") return older ?? 16; // the API's own default
  const newer = read.count("max_completion_tokens", 1, maxCap);
  if (older !== null && newer !== null && older !== newer) {
    throw new Fault("conflicting_limits", "max_tokens", `Cannot obey both max_tokens ${older} and max_completion_tokens ${newer}; send one.`);
  }
  return newer ?? older;
}

/** Images, and input that is not in the body at all. Looks at content parts only, wherever they stand. */
function findMedia(body: JsonObject): { images: number; hasOther: boolean } {
  let images = 0;
  let hasOther = body["modalities"] !== undefined && asArray(body["modalities"]).includes("audio");
  const visit = (value: unknown): void => {
    for (const item of asArray(value)) {
      const part = asObject(item);
      if (part === null) continue;
      const type = part["type"];
      if (type === "image_url" || type === "input_image") {
        images += 1;
        if (part["file_id"] !== undefined) hasOther = true;
      } else if (type === "input_audio" || type === "file" || type === "input_file" || type === "item_reference") hasOther = true;
      visit(part["content"]);
      visit(part["output"]);
    }
  };
  visit(body["messages"]);
  visit(body["input"]);
  return { images, hasOther };
}

/** Tools that run at the vendor and cost per call. Anything but functions and custom tools counts as hosted. */
function hostedToolsOf(operation: Operation, body: JsonObject): string[] {
  const hosted = new Set<string>();
  if (operation === "chat" && body["web_search_options"] !== undefined && body["web_search_options"] !== null) hosted.add("web_search");
  for (const tool of asArray(body["tools"])) {
    const type = asObject(tool)?.["type"];
    if (typeof type === "string" && type !== "function" && type !== "custom" && type !== "namespace") {
      hosted.add(type.startsWith("web_search") ? "web_search" : type);
    }
  }
  return [...hosted];
}

function storedIdsOf(body: JsonObject, read: FieldReader): string[] {
  const ids: string[] = [];
  const previous = read.text("previous_response_id");
  if (previous !== null) ids.push(previous);
  const conversation = body["conversation"];
  if (conversation !== undefined && conversation !== null) ids.push(String(asObject(conversation)?.["id"] ?? conversation));
  const prompt = asObject(body["prompt"])?.["id"];
  if (prompt !== undefined) ids.push(String(prompt));
  return ids;
}

class FieldReader {
  private readonly body: JsonObject;
  private readonly numbers: ReadonlyMap<string, string>;

  constructor(body: JsonObject, numbers: ReadonlyMap<string, string>) {
    this.body = body;
    this.numbers = numbers;
  }

  text(name: string): string | null {
    const value = this.body[name];
    if (value === undefined || value === null) return null;
    if (typeof value !== "string" || value === "") throw new Fault("invalid_type", name, `Cannot read \`${name}\`: it is not a text.`);
    return value;
  }

  flag(name: string): boolean | null {
    const value = this.body[name];
    if (value === undefined || value === null) return null;
    if (typeof value !== "boolean") throw new Fault("invalid_type", name, `Cannot read \`${name}\`: it is not true or false.`);
    return value;
  }

  /** A whole number written in plain digits, so that no parser reads another one. */
  count(name: string, least: number, most: number): number | null {
    const value = this.body[name];
    if (value === undefined || value === null) return null;
    const written = this.numbers.get(name);
    if (typeof value !== "number" || written === undefined || !/^-?\d+$/.test(written)) {
      throw new Fault("invalid_type", name, `Cannot read \`${name}\`: it is not a whole number in plain digits.`);
    }
    if (value < least || value > most) {
      throw new Fault("invalid_value", name, `Cannot use \`${name}\` = ${value}: it must be from ${least} to ${most}.`);
    }
    return value;
  }

  oneOf(name: string, allowed: ReadonlySet<string>): string | null {
    const value = this.text(name);
    if (value !== null && !allowed.has(value)) {
      throw new Fault("invalid_value", name, `Cannot use \`${name}\` = ${JSON.stringify(value.slice(0, 40))}: it must be one of ${[...allowed].join(", ")}.`);
    }
    return value;
  }

  /** Legacy completions answer each prompt of a list; a list of tokens is one prompt. */
  promptCount(): number {
    const prompts = asArray(this.body["prompt"]);
    return prompts.length > 1 && typeof prompts[0] !== "number" ? prompts.length : 1;
  }
}
