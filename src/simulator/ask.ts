import {
  isJsonObject,
  type Json,
  type JsonObject,
  readArray,
  readNumber,
  readObject,
  readString,
} from "./json.ts";

export type Api = "chat" | "completions" | "responses" | "embeddings" | "input_tokens";

export interface Message {
  readonly role: string;
  readonly name: string | null;
  readonly text: string;
  readonly images: number;
}

export interface Tool {
  readonly name: string;
  readonly parameters: JsonObject;
  /** The tool as it came, for counting its tokens. */
  readonly source: Json;
}

export type AnswerFormat =
  | { readonly kind: "text" | "json_object" }
  | { readonly kind: "json_schema"; readonly schema: JsonObject };

/** What the simulated vendor is asked, read out of the body of any of its APIs. */
export interface Ask {
  readonly api: Api;
  readonly messages: readonly Message[];
  readonly isStream: boolean;
  readonly includeUsage: boolean;
  /** vLLM: running totals on every chunk. */
  readonly continuousUsage: boolean;
  readonly obfuscate: boolean;
  readonly choiceCount: number;
  readonly outputCap: number | null;
  readonly effort: string | null;
  /** Texts at which the answer ends, without them. */
  readonly stops: readonly string[];
  readonly tools: readonly Tool[];
  /** "auto", "none", "required", or the name of one tool. */
  readonly toolChoice: string;
  readonly parallelTools: boolean;
  readonly format: AnswerFormat;
  /** How many alternatives each logprob shows; null when logprobs were not asked for. */
  readonly topLogprobs: number | null;
  readonly prediction: string | null;
  readonly serviceTier: string | null;
  readonly isBackground: boolean;
  readonly previousResponseId: string | null;
}

/** Reads the fields that shape the answer. Whether the vendor takes them at all is decided in refusals.ts. */
export function readAsk(api: Api, body: JsonObject): Ask {
  const isResponses = api === "responses" || api === "input_tokens";
  const streamOptions = readObject(body.stream_options);
  const isStream = body.stream === true;
  return {
    api,
    messages: isResponses
      ? readResponsesInput(body)
      : api === "chat"
        ? readMessages(body.messages)
        : readPrompts(body),
    isStream,
    includeUsage: isStream && streamOptions.include_usage === true,
    continuousUsage: isStream && streamOptions.continuous_usage_stats === true,
    obfuscate: streamOptions.include_obfuscation !== false,
    choiceCount: isResponses ? 1 : (readNumber(body.n) ?? 1),
    outputCap:
      readNumber(body.max_completion_tokens) ??
      readNumber(body.max_tokens) ??
      readNumber(body.max_output_tokens),
    effort: readString(isResponses ? readObject(body.reasoning).effort : body.reasoning_effort),
    stops: isResponses ? [] : readStops(body.stop),
    tools: readArray(body.tools).flatMap(readTool),
    toolChoice: readToolChoice(body.tool_choice),
    parallelTools: body.parallel_tool_calls !== false,
    format: readFormat(isResponses ? readObject(body.text).format : body.response_format),
    topLogprobs: body.logprobs === true ? (readNumber(body.top_logprobs) ?? 0) : null,
    prediction: isJsonObject(body.prediction) ? readText(body.prediction.content).text : null,
    serviceTier: readString(body.service_tier),
    isBackground: body.background === true,
    previousResponseId: readString(body.previous_response_id),
  };
}

/** The text of the last user message, where directives are looked for. */
export function lastUserText(messages: readonly Message[]): string {
  return messages.findLast((message) => message.role === "user")?.text ?? "";
}

function readMessages(value: Json | undefined): Message[] {
  return readArray(value)
    .filter(isJsonObject)
    .map((message) => {
      const { text, images } = readText(message.content);
      const calls = message.tool_calls === undefined ? "" : JSON.stringify(message.tool_calls);
      return {
        role: readString(message.role) ?? "user",
        name: readString(message.name),
        text: text + calls,
        images,
      };
    });
}

function readResponsesInput(body: JsonObject): Message[] {
  const messages: Message[] = [];
  const instructions = readString(body.instructions);
  if (instructions !== null) messages.push({ role: "system", name: null, text: instructions, images: 0 });
  if (typeof body.input === "string") {
    messages.push({ role: "user", name: null, text: body.input, images: 0 });
    return messages;
  }
  for (const item of readArray(body.input).filter(isJsonObject)) {
    const role = readString(item.role);
    const { text, images } =
      role === null ? { text: JSON.stringify(item), images: 0 } : readText(item.content);
    messages.push({ role: role ?? "tool", name: null, text, images });
  }
  return messages;
}

/** Legacy completions and embeddings: each prompt is a text or a list of token ids (counted, not read). */
function readPrompts(body: JsonObject): Message[] {
  const prompt = body.prompt ?? body.input;
  const list = Array.isArray(prompt) && !prompt.every((item) => typeof item === "number") ? prompt : [prompt];
  return list.map((item: Json | undefined) => {
    const text = Array.isArray(item) ? " a".repeat(item.length) : (readString(item) ?? "");
    return { role: "user", name: null, text, images: 0 };
  });
}

function readText(content: Json | undefined): { text: string; images: number } {
  if (typeof content === "string") return { text: content, images: 0 };
  let text = "";
  let images = 0;
  for (const part of readArray(content).filter(isJsonObject)) {
    text += readString(part.text) ?? "";
    if (part.type === "image_url" || part.type === "input_image") images += 1;
  }
  return { text, images };
}

/** One text, or a list of them. */
function readStops(value: Json | undefined): string[] {
  const stops = typeof value === "string" ? [value] : readArray(value);
  return stops.filter((stop): stop is string => typeof stop === "string" && stop !== "");
}

function readTool(tool: Json): Tool[] {
  const outer = readObject(tool);
  const inner = isJsonObject(outer.function) ? outer.function : outer;
  const name = readString(inner.name);
  return name === null ? [] : [{ name, parameters: readObject(inner.parameters), source: inner }];
}

function readToolChoice(value: Json | undefined): string {
  if (typeof value === "string") return value;
  const choice = readObject(value);
  return readString(readObject(choice.function).name) ?? readString(choice.name) ?? "auto";
}

function readFormat(value: Json | undefined): AnswerFormat {
  const format = readObject(value);
  if (format.type === "json_object") return { kind: "json_object" };
  if (format.type !== "json_schema") return { kind: "text" };
  const wrapped = readObject(format.json_schema);
  return { kind: "json_schema", schema: readObject(wrapped.schema ?? format.schema) };
}
