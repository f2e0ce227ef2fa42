/**
 * What vendors do differently, as data: where usage sits, what it leaves out, how streams end, which tools cost extra.
 * A new quirk is a line here; the code that reads answers knows no vendor by name. Sources: docs/reference/dialects.md.
 */
import type { Fees } from "./usage.ts";

/** Where a usage object may sit, in an answer or any event of a stream; `*` stands for each item of a list. */
export const usagePlaces: readonly (readonly string[])[] = [
  ["usage"],
  ["x_groq", "usage"], // Groq, beside or instead of the first
  ["response", "usage"], // terminal events of the Responses API
  ["choices", "*", "usage"], // Moonshot
];

/** Names of the counts, by their meaning; the first that is there counts. */
export const usageNames = {
  input: ["prompt_tokens", "input_tokens"],
  output: ["completion_tokens", "output_tokens"],
  total: ["total_tokens"],
  inputDetails: ["prompt_tokens_details", "input_tokens_details", "input_token_details"],
  outputDetails: ["completion_tokens_details", "output_tokens_details", "output_token_details"],
  cached: ["cached_tokens"],
  /** Beside the total instead of in its details: Moonshot, DeepSeek. */
  cachedBeside: ["cached_tokens", "prompt_cache_hit_tokens"],
  cacheWrite: ["cache_write_tokens"],
} as const;

/** The counts from which a vendor's hidden output is worked out. */
export interface StatedCounts {
  readonly input: number;
  readonly output: number;
  readonly reasoning: number;
  readonly total: number | null;
  readonly servedModel: string | null;
}

/** Output that is billed and stands in no part of its own. */
export interface HiddenOutputRule {
  readonly vendor: string;
  readonly applies: (stated: StatedCounts, missing: number) => boolean;
  /** What is added, given what the total has beyond its parts. */
  readonly add: (missing: number) => { readonly output: number; readonly reasoning: number };
}

const geminiModels = /^(models\/|google\/)?gemini/i;

/** First match wins; asked only when the total exceeds input + output, by `missing`. */
export const hiddenOutputRules: readonly HiddenOutputRule[] = [
  {
    vendor: "xAI: completion_tokens without the reasoning that the details name (12 + 2 + 340 = 354)",
    applies: ({ reasoning }, missing) => reasoning === missing,
    add: (missing) => ({ output: missing, reasoning: 0 }),
  },
  {
    vendor: "Gemini: thinking stands in the total alone (20 / 151 / 553 hides 382)",
    applies: ({ servedModel, reasoning }) => reasoning === 0 && geminiModels.test(servedModel ?? ""),
    add: (missing) => ({ output: missing, reasoning: missing }),
  },
];

/** Members that make a `choices: []` chunk more than a usage chunk: Azure's first chunk, moderation (dialect §1.3). */
export const chunkPayloads: ReadonlySet<string> = new Set([
  "prompt_filter_results",
  "prompt_annotations",
  "moderation",
  "error",
]);

/**
 * Models whose running totals are of the whole request, also when each chunk holds one choice. Others that send them with
 * n > 1 (vLLM) count each choice apart, so that the choices are added up.
 */
export const runningUsageOfRequest: readonly RegExp[] = [geminiModels, /^(perplexity\/)?sonar/i];

/** Members of which an answer in one piece has at least one; JSON without any is somebody else's: a proxy's, a login page's. */
export const answerMembers = ["choices", "output", "data", "error", "usage", "status"] as const;

/** Events that end a Responses stream; it has no [DONE]. */
export const responseEnds: ReadonlySet<string> = new Set([
  "response.completed",
  "response.incomplete",
  "response.failed",
]);

/** Responses events whose `delta` is billed text. */
export const responseTexts: ReadonlySet<string> = new Set([
  "response.output_text.delta",
  "response.refusal.delta",
  "response.function_call_arguments.delta",
  "response.custom_tool_call_input.delta",
  "response.reasoning_text.delta",
  "response.reasoning_summary_text.delta",
]);

/** Members of a chat delta or message that hold billed text. */
export const deltaTexts = ["content", "refusal", "reasoning_content", "reasoning"] as const;

/**
 * Finish reasons after which a clean end of the body is the end, without [DONE] and without usage: a filtered stream of a
 * Foundry model ends so (dialect §2.5). After any other one it is a cut: the usage that was asked for is missing.
 */
export const finishesThatEnd: ReadonlySet<string> = new Set(["content_filter"]);

/** Vendors, by the name of their price list, whose streams give running usage when asked: exact even when they break off. */
export const continuousUsageProviders: ReadonlySet<string> = new Set(["vllm"]);

/** Models whose vendor puts running usage on every chunk only when asked: it is Tollgate's asking that the client would see. */
export const runningUsageWhenAsked: readonly RegExp[] = [geminiModels];

/** Azure api-versions that lack a field, so that it gets a 400 (dialect §3.3). Dates compare as text; "v1" has everything. */
export const azureFields: Readonly<
  Record<"stream_options" | "max_completion_tokens", { since: string; except: readonly string[] }>
> = {
  stream_options: { since: "2024-08-01", except: [] }, // 2024-08-01-preview is doubtful: tried, and learned from
  max_completion_tokens: { since: "2024-09-01", except: ["2024-10-21"] },
};

/** Whether the api-version of an Azure endpoint takes `field`; true for everybody else. */
export function takesField(apiVersion: string | null, field: keyof typeof azureFields): boolean {
  const date = apiVersion === null ? undefined : /^\d{4}-\d{2}-\d{2}/.exec(apiVersion)?.[0];
  if (date === undefined || apiVersion === null) return true;
  const { since, except } = azureFields[field];
  return date >= since && !except.includes(apiVersion);
}

/** A tool that the vendor runs and bills per use, with the place of its count among the fees. */
export const hostedTools = {
  web_search: "webSearch",
  file_search: "fileSearch",
  code_interpreter: "codeInterpreter",
} as const satisfies Record<string, keyof Fees>;
export type HostedTool = keyof typeof hostedTools;

export type ToolRule = { readonly runs: "client" } | { readonly runs: "vendor"; readonly fee: HostedTool };

/** Tools by `type`; one that is not listed is refused: what it costs, and where it runs, nobody has told us. */
export const toolRules: readonly { readonly types: RegExp; readonly rule: ToolRule }[] = [
  { types: /^(function|custom|namespace)$/, rule: { runs: "client" } },
  { types: /^web_search(_preview)?(_\d{4}_\d{2}_\d{2})?$/, rule: { runs: "vendor", fee: "web_search" } },
  { types: /^file_search$/, rule: { runs: "vendor", fee: "file_search" } },
  { types: /^code_interpreter$/, rule: { runs: "vendor", fee: "code_interpreter" } },
];

export const toolRuleOf = (type: string): ToolRule | null =>
  toolRules.find(({ types }) => types.test(type))?.rule ?? null;

/** Chat models that search the web for every request, asked or not (dialect §4: gpt-4o-search-preview). */
export const searchModels = /-search-(preview|api)(-|$)/;

/** Names under which vendors give the id of a request, the one to quote to their support first. */
export const vendorRequestIds = ["apim-request-id", "x-request-id", "x-generation-id"] as const;

/** One word, as every vendor's ids are: it is kept with the request, where no text of a vendor's own making belongs. */
const requestIdForm = /^[\w.:/+=-]{1,128}$/;

export const vendorRequestId = (headers: Readonly<Record<string, string>>): string | null => {
  for (const name of vendorRequestIds) {
    const id = headers[name];
    if (id !== undefined && requestIdForm.test(id)) return id;
  }
  return null;
};

/** Azure names the deployment that served; after an overflow it is not the one that was asked (dialect §3.5). */
export const servedDeployment = (headers: Readonly<Record<string, string>>): string | null =>
  headers["x-ms-deployment-name"] ?? null;
