import type { JsonObject } from "./json-gate.ts";
import { FieldReader, type RequestFault, RequestFaultError } from "./request-fields.ts";
import { hostedToolsOf, inputPartsOf, type StoredReference } from "./request-parts.ts";
import { asObject } from "./usage.ts";

export type { RequestFault } from "./request-fields.ts";

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
  "model",
  "stream",
  "stream_options",
  "n",
  "best_of",
  "max_tokens",
  "max_completion_tokens",
  "max_output_tokens",
  "service_tier",
  "tools",
  "tool_choice",
  "functions",
  "messages",
  "input",
  "prompt",
  "prediction",
  "modalities",
  "audio",
  "web_search_options",
  "previous_response_id",
  "conversation",
  "background",
  "store",
  "data_sources",
  "max_tool_calls",
  "reasoning",
  "reasoning_effort",
  "truncation",
  "instructions",
  "include",
  "metadata",
  "user",
  "prompt_cache_key",
  "response_format",
  "logprobs",
  "dimensions",
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
  /** Stored objects that the request leans on; each must belong to the account. */
  readonly stored: readonly StoredReference[];
  /** The vendor keeps the answer, so that it can be read again by its id. */
  readonly isKept: boolean;
}

export type RequestRead =
  | { readonly ok: true; readonly facts: RequestFacts }
  | { readonly ok: false; readonly fault: RequestFault };

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
    if (error instanceof RequestFaultError) return { ok: false, fault: error.fault };
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
  if (model === null)
    throw new RequestFaultError(
      "missing_required_parameter",
      "model",
      "Cannot route the request: it names no model; send `model`.",
    );
  requireContent(operation, body);
  const stream = read.flag("stream") ?? false;
  if (operation === "embeddings" && stream)
    throw new RequestFaultError("invalid_value", "stream", "Cannot stream embeddings; leave `stream` out.");
  const parts = inputPartsOf(operation, body);
  const hosted = hostedToolsOf(operation, body);
  const background = operation === "responses" && (read.flag("background") ?? false);
  const isKept = operation === "responses" && (read.flag("store") ?? true);
  if (background && !isKept) {
    throw new RequestFaultError(
      "invalid_value",
      "store",
      "Cannot run in the background without storing: its usage could never be read; leave `store` out.",
    );
  }
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
    images: parts.images,
    hasUnseenInput:
      parts.hasUnseen || parts.stored.length > 0 || hosted.length > 0 || body["data_sources"] !== undefined,
    predictionBytes:
      body["prediction"] === undefined || body["prediction"] === null
        ? 0
        : JSON.stringify(body["prediction"]).length * 3,
    hostedTools: hosted,
    maxToolCalls: read.count("max_tool_calls", 1, 1_000),
    background,
    stored: parts.stored,
    isKept,
  };
}

function requireContent(operation: Operation, body: JsonObject): void {
  const name = operation === "chat" ? "messages" : operation === "completions" ? "prompt" : "input";
  const value = body[name];
  const isStored =
    operation === "responses" && (body["prompt"] !== undefined || body["previous_response_id"] !== undefined);
  if ((value === undefined || value === null) && !isStored) {
    throw new RequestFaultError(
      "missing_required_parameter",
      name,
      `Cannot read the request: it has no \`${name}\`.`,
    );
  }
  if (operation === "chat" && !Array.isArray(value))
    throw new RequestFaultError("invalid_type", "messages", "Cannot read `messages`: it is not a list.");
}

function wantsUsage(body: JsonObject, stream: boolean): boolean {
  const options = body["stream_options"];
  if (options === undefined || options === null) return false;
  const object = asObject(options);
  if (object === null)
    throw new RequestFaultError(
      "invalid_type",
      "stream_options",
      "Cannot read `stream_options`: it is not an object.",
    );
  if (!stream) {
    throw new RequestFaultError(
      "invalid_value",
      "stream_options",
      "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    );
  }
  const asked = object["include_usage"];
  if (asked !== undefined && asked !== null && typeof asked !== "boolean") {
    throw new RequestFaultError(
      "invalid_type",
      "stream_options.include_usage",
      "Cannot read `stream_options.include_usage`: it is not true or false.",
    );
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
    throw new RequestFaultError(
      "conflicting_limits",
      "max_tokens",
      `Cannot obey both max_tokens ${older} and max_completion_tokens ${newer}; send one.`,
    );
  }
  return newer ?? older;
}
