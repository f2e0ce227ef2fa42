import { type Fees, noFees, type Usage } from "../core/usage.ts";

/** A parsed JSON value of unknown shape, and a guarded look inside. */
type Json = Readonly<Record<string, unknown>>;
export const asObject = (value: unknown): Json | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;
export const asArray = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const asText = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/** Where vendors put the usage object, in an answer or in any event of a stream (dialect §2.5, §5.1). */
export function findUsage(message: Json): Json | null {
  return (
    asObject(message["usage"]) ??
    asObject(asObject(message["x_groq"])?.["usage"]) ??
    asObject(asObject(message["response"])?.["usage"]) ??
    asArray(message["choices"]).reduce<Json | null>((found, choice) => found ?? asObject(asObject(choice)?.["usage"]), null)
  );
}

/** A usage object that cannot be read as token counts; `reason` says why. */
export interface UsageUnreadable {
  readonly ok: false;
  readonly reason: string;
}
export type UsageRead = { readonly ok: true; readonly usage: Usage } | UsageUnreadable;

/** Vendors whose `total_tokens` counts hidden thinking that no part names (dialect §2.5), by the model that served. */
const thinkingOnlyInTotal = [/^(models\/|google\/)?gemini/i];

/**
 * Tokens as billed from a vendor's usage object, in chat, legacy-completion, embedding or Responses form.
 * Absent details are 0. xAI's reasoning outside of completion is added to it; Gemini's thinking that only the total shows
 * becomes output. Anything that is not a non-negative integer makes the whole unreadable: nothing is guessed.
 */
export function readUsage(raw: Json, servedModel: string | null): UsageRead {
  const faults: string[] = [];
  const count = (holder: Json | null, ...names: string[]): number | null => {
    for (const name of names) {
      const value = holder?.[name];
      if (value === undefined || value === null) continue;
      if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
      faults.push(`${name} is ${JSON.stringify(value)?.slice(0, 40)}`);
    }
    return null;
  };
  const part = (holder: Json | null, ...names: string[]): number => {
    const value = count(holder, ...names);
    return value === null ? 0 : value;
  };
  const inputDetails = asObject(raw["prompt_tokens_details"]) ?? asObject(raw["input_tokens_details"]);
  const outputDetails = asObject(raw["completion_tokens_details"]) ?? asObject(raw["output_tokens_details"]);
  const input = count(raw, "prompt_tokens", "input_tokens");
  const visible = count(raw, "completion_tokens", "output_tokens");
  const total = count(raw, "total_tokens");
  if (faults.length > 0) return { ok: false, reason: faults.join(", ") };
  if (input === null) return { ok: false, reason: "it names no input tokens" };
  const output = visible === null ? 0 : visible; // embeddings have none
  const reasoning = part(outputDetails, "reasoning_tokens");
  const hidden = hiddenOutput({ input, output, reasoning, total, servedModel });
  const usage: Usage = {
    input,
    cachedInput: part(inputDetails, "cached_tokens") + cachedElsewhere(raw, inputDetails, part),
    cacheWrite: part(inputDetails, "cache_write_tokens"),
    audioInput: part(inputDetails, "audio_tokens"),
    cachedAudioInput: part(asObject(inputDetails?.["cached_tokens_details"]), "audio_tokens"),
    imageInput: part(inputDetails, "image_tokens"),
    output: output + hidden.added,
    reasoning: reasoning + hidden.asReasoning,
    audioOutput: part(outputDetails, "audio_tokens"),
    total: total ?? input + output,
  };
  return faults.length > 0 ? { ok: false, reason: faults.join(", ") } : { ok: true, usage };
}

type Part = (holder: Json | null, ...names: string[]) => number;

/** DeepSeek names cache hits beside the total, Moonshot names cached tokens at the top; each only when the details lack it. */
function cachedElsewhere(raw: Json, details: Json | null, part: Part): number {
  if (details?.["cached_tokens"] !== undefined && details["cached_tokens"] !== null) return 0;
  return part(raw, "cached_tokens", "prompt_cache_hit_tokens");
}

function hiddenOutput(facts: {
  input: number;
  output: number;
  reasoning: number;
  total: number | null;
  servedModel: string | null;
}): { added: number; asReasoning: number } {
  const { input, output, reasoning, total, servedModel } = facts;
  const none = { added: 0, asReasoning: 0 };
  if (total === null || total <= input + output) return none;
  const missing = total - input - output;
  if (reasoning === missing) return { added: reasoning, asReasoning: 0 }; // xAI: 12 + 2 + 340 = 354
  const isGemini = servedModel !== null && thinkingOnlyInTotal.some((form) => form.test(servedModel));
  return isGemini && reasoning === 0 ? { added: missing, asReasoning: missing } : none;
}

/** Calls of hosted tools in a Responses answer (dialect §5.2). */
export function readFees(response: Json): Fees {
  const items = asArray(response["output"]).map(asObject);
  const ofType = (type: string): (Json | null)[] => items.filter((item) => item?.["type"] === type);
  const counted = asObject(asObject(response["tool_usage"])?.["web_search"])?.["num_requests"];
  const searches = ofType("web_search_call").filter((item) => {
    const action = asObject(item?.["action"])?.["type"];
    return action === undefined || action === "search";
  }).length;
  const containers = new Set(ofType("code_interpreter_call").map((item) => String(item?.["container_id"])));
  const fees: Fees = {
    webSearch: typeof counted === "number" && Number.isSafeInteger(counted) && counted >= 0 ? counted : searches,
    fileSearch: ofType("file_search_call").length,
    codeInterpreter: containers.size,
  };
  return fees.webSearch + fees.fileSearch + fees.codeInterpreter === 0 ? noFees : fees;
}
