import { hiddenOutputRules, type StatedCounts, usageNames, usagePlaces } from "../core/dialects.ts";
import { type Fees, noFees, type Usage } from "../core/usage.ts";

/** A parsed JSON value of unknown shape, and a guarded look inside. */
type Json = Readonly<Record<string, unknown>>;
export const asObject = (value: unknown): Json | null =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : null;
export const asArray = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const asText = (value: unknown): string | null =>
  typeof value === "string" && value !== "" ? value : null;

/**
 * The usage object of an answer or of one event, wherever its vendor puts it; null when it has none. One that states no
 * count at all is none: it must not take the place of one that does.
 */
export function findUsage(message: Json): Json | null {
  for (const place of usagePlaces) {
    const found = objectAt(message, place, 0);
    if (found !== null && statedCounts.some((name) => (found[name] ?? null) !== null)) return found;
  }
  return null;
}

const statedCounts: readonly string[] = [...usageNames.input, ...usageNames.output, ...usageNames.total];

function objectAt(value: unknown, place: readonly string[], depth: number): Json | null {
  const name = place[depth];
  if (name === undefined) return asObject(value);
  if (name !== "*") return objectAt(asObject(value)?.[name], place, depth + 1);
  for (const item of asArray(value)) {
    const found = objectAt(item, place, depth + 1);
    if (found !== null) return found;
  }
  return null;
}

/** A usage object that cannot be read as token counts; `reason` says why. */
export interface UsageUnreadable {
  readonly ok: false;
  readonly reason: string;
}
export type UsageRead = { readonly ok: true; readonly usage: Usage } | UsageUnreadable;

/**
 * Tokens as billed from a vendor's usage object, in chat, legacy-completion, embedding or Responses form.
 * Absent details are 0; output that a vendor hides is added by the rules of `core/dialects.ts`; the total is kept as stated,
 * even when it does not equal its parts. Anything that is not a non-negative integer makes the whole unreadable.
 */
export function readUsage(raw: Json, servedModel: string | null): UsageRead {
  const counts = new CountReader();
  const inputDetails = firstObject(raw, usageNames.inputDetails);
  const outputDetails = firstObject(raw, usageNames.outputDetails);
  const input = counts.whole(raw, usageNames.input);
  const visible = counts.whole(raw, usageNames.output);
  const total = counts.whole(raw, usageNames.total);
  const cached = counts.whole(inputDetails, usageNames.cached);
  const stated = {
    cacheWrite: counts.part(inputDetails, usageNames.cacheWrite),
    audioInput: counts.part(inputDetails, ["audio_tokens"]),
    cachedAudioInput: counts.part(asObject(inputDetails?.["cached_tokens_details"]), ["audio_tokens"]),
    imageInput: counts.part(inputDetails, ["image_tokens"]),
    audioOutput: counts.part(outputDetails, ["audio_tokens"]),
  };
  const reasoning = counts.part(outputDetails, ["reasoning_tokens"]);
  const cachedInput = cached === null ? counts.part(raw, usageNames.cachedBeside) : cached;
  if (counts.faults.length > 0) return { ok: false, reason: counts.faults.join(", ") };
  if (input === null) return { ok: false, reason: "it names no input tokens" };
  // Embeddings name none and have none, as their total says; Gemini leaves it out when all of it was thinking.
  const output = visible ?? (total === null ? null : total - input);
  if (output === null) return { ok: false, reason: "it names no output tokens" };
  if (output < 0) return { ok: false, reason: `total_tokens is ${total}, less than its input` };
  const hidden = hiddenOutput({ input, output, reasoning, total, servedModel });
  return {
    ok: true,
    usage: {
      input,
      cachedInput,
      output: output + hidden.output,
      reasoning: reasoning + hidden.reasoning,
      total: total ?? input + output,
      ...stated,
    },
  };
}

const nothingHidden = { output: 0, reasoning: 0 };

function hiddenOutput(stated: StatedCounts): { output: number; reasoning: number } {
  if (stated.total === null) return nothingHidden;
  const missing = stated.total - stated.input - stated.output;
  if (missing <= 0) return nothingHidden;
  return hiddenOutputRules.find((rule) => rule.applies(stated, missing))?.add(missing) ?? nothingHidden;
}

function firstObject(holder: Json, names: readonly string[]): Json | null {
  for (const name of names) {
    const found = asObject(holder[name]);
    if (found !== null) return found;
  }
  return null;
}

/** Reads token counts and notes those that are none. */
class CountReader {
  readonly faults: string[] = [];

  /** The first of `names` that is there; null when none is. */
  whole(holder: Json | null, names: readonly string[]): number | null {
    for (const name of names) {
      const value = holder?.[name];
      if (value === undefined || value === null) continue;
      if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
      this.faults.push(`${name} is ${JSON.stringify(value)?.slice(0, 40)}`);
    }
    return null;
  }

  /** A part that is not named is 0 (dialect §2.3). */
  part(holder: Json | null, names: readonly string[]): number {
    const value = this.whole(holder, names);
    return value === null ? 0 : value;
  }
}

/** Calls of hosted tools among the output items of a Responses answer (dialect §5.2). */
export function readFees(response: Json, items: readonly Json[]): Fees {
  const counted = asObject(asObject(response["tool_usage"])?.["web_search"])?.["num_requests"];
  const isCounted = typeof counted === "number" && Number.isSafeInteger(counted) && counted >= 0;
  const containers = new Set<string>();
  let webSearch = 0;
  let fileSearch = 0;
  for (const item of items) {
    if (item["type"] === "file_search_call") fileSearch += 1;
    // Opening a page that a search found is no further search.
    const action = asObject(item["action"])?.["type"];
    if (item["type"] === "web_search_call" && (action === undefined || action === "search")) webSearch += 1;
    if (item["type"] === "code_interpreter_call") containers.add(String(item["container_id"]));
  }
  const fees: Fees = {
    webSearch: isCounted ? counted : webSearch,
    fileSearch,
    codeInterpreter: containers.size,
  };
  return fees.webSearch + fees.fileSearch + fees.codeInterpreter === 0 ? noFees : fees;
}
