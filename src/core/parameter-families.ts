/**
 * What each family of models takes on chat and Responses, as data (dialect §4, stored material of August to November 2026).
 * Only a limit's name and sampling preferences are ever changed by it; the rest tells people, and the probe, what to expect.
 */
export type LimitParameter = "max_tokens" | "max_completion_tokens";

/** How a parameter is treated: taken, taken with its default value only, refused whatever its value, or taken at effort `none` only. */
export type Treatment = "taken" | "default_only" | "refused" | "at_effort_none";

export type Effort = "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";

export interface ParameterFamily {
  readonly name: string;
  readonly models: RegExp;
  /** The only limit parameter that chat takes; null = either. */
  readonly limit: LimitParameter | null;
  readonly temperature: Treatment;
  readonly topP: Treatment;
  readonly penalties: Treatment;
  readonly logprobs: Treatment;
  readonly stop: boolean;
  /** More than one choice. */
  readonly choices: boolean;
  /** Values of reasoning_effort, the default first; empty = the parameter is refused. */
  readonly efforts: readonly Effort[];
  readonly apis: "chat and responses" | "responses" | "chat";
  readonly note: string | null;
  /** How sure: certain, likely, or sources conflict. */
  readonly mark: "C" | "L" | "X";
}

const classic = {
  limit: null,
  temperature: "taken",
  topP: "taken",
  penalties: "taken",
  logprobs: "taken",
  stop: true,
  choices: true,
  efforts: [],
  apis: "chat and responses",
  note: null,
  mark: "C",
} as const;

const reasoning = {
  ...classic,
  limit: "max_completion_tokens",
  temperature: "default_only",
  topP: "default_only",
  penalties: "default_only",
  logprobs: "refused",
  stop: false,
  efforts: ["medium", "low", "high"],
} as const;

/** Those refuse the parameter itself, even with its default value. */
const refusing = { ...reasoning, temperature: "refused", topP: "refused", penalties: "refused" } as const;

const since51 = {
  ...reasoning,
  temperature: "at_effort_none",
  topP: "at_effort_none",
  penalties: "at_effort_none",
  logprobs: "at_effort_none",
} as const;

/** First match wins. Names without a family, other vendors' among them, take whatever the client sends. */
export const parameterFamilies: readonly ParameterFamily[] = [
  {
    ...classic,
    name: "gpt-4o-search-preview",
    models: /^gpt-(4o|4o-mini|5)-search-(preview|api)(-|$)/,
    temperature: "refused",
    apis: "chat",
    note: "searches the web for every request",
    mark: "L",
  },
  {
    ...classic,
    name: "gpt-3.5, gpt-4, gpt-4-turbo, gpt-4o, gpt-4.1",
    models: /^(gpt-(3\.5|35|4)([.o-]|$)|chatgpt-4o)/,
  },
  {
    ...classic,
    name: "gpt-5-chat",
    models: /^gpt-5-chat(-|$)/,
    note: "a classic chat model despite its name; one source says Azure wants max_completion_tokens",
    mark: "X",
  },
  {
    ...reasoning,
    name: "o1-preview, o1-mini",
    models: /^o1-(preview|mini)(-|$)/,
    choices: false,
    efforts: [],
    apis: "chat",
    note: "no system or developer role, no tools",
  },
  {
    ...refusing,
    name: "o-series pro and deep research",
    models: /^(o[13]-pro|o3-deep-research|o4-mini-deep-research)(-|$)/,
    apis: "responses",
    mark: "L",
  },
  {
    ...reasoning,
    name: "o3-mini",
    models: /^o3-mini(-|$)/,
    temperature: "refused",
    topP: "refused",
    penalties: "refused",
    stop: true,
  },
  { ...reasoning, name: "o1", models: /^o1(-\d|$)/, stop: true, note: "no streaming on Azure" },
  { ...reasoning, name: "o3, o4-mini", models: /^(o3|o4-mini)(-\d|$)/ },
  {
    ...reasoning,
    name: "gpt-5, -mini, -nano",
    models: /^gpt-5(-mini|-nano)?(-\d|$)/,
    efforts: ["medium", "minimal", "low", "high"],
    note: "verbosity; no parallel tools with minimal",
  },
  {
    ...refusing,
    name: "codex models of gpt-5",
    models: /^gpt-5(\.\d)?-codex/,
    efforts: ["medium", "low", "high", "xhigh"],
    apis: "responses",
    note: "xhigh: 5.1-codex-max and 5.3-codex only",
  },
  {
    ...refusing,
    name: "gpt-5-pro",
    models: /^gpt-5(\.\d)?-pro(-|$)/,
    efforts: ["high"],
    apis: "responses",
    note: "no streaming on Azure",
  },
  { ...reasoning, name: "gpt-5.x-chat", models: /^gpt-5\.\d-chat(-|$)/, efforts: ["medium"] },
  { ...since51, name: "gpt-5.1", models: /^gpt-5\.1(-|$)/, efforts: ["none", "low", "medium", "high"] },
  {
    ...since51,
    name: "gpt-5.2, gpt-5.3",
    models: /^gpt-5\.[23](-|$)/,
    efforts: ["none", "low", "medium", "high", "xhigh"],
  },
  {
    ...since51,
    name: "gpt-5.4, -mini, -nano, gpt-5.5",
    models: /^gpt-5\.[45](-|$)/,
    penalties: "taken",
    logprobs: "taken",
    efforts: ["none", "low", "medium", "high", "xhigh"],
    note: "function tools with an effort are refused on chat",
  },
  {
    ...since51,
    name: "gpt-5.6",
    models: /^gpt-5\.[6-9](-|$)/,
    efforts: ["medium", "none", "low", "high", "xhigh", "max"],
    note: "cache writes are charged; one source says effort none is refused",
    mark: "X",
  },
  {
    ...refusing,
    name: "gpt-6-astra",
    models: /^gpt-6-astra(-|$)/,
    efforts: ["medium", "low", "high", "xhigh", "max"],
    note: "no tools on chat",
  },
  {
    ...since51,
    name: "gpt-6-sol, gpt-6-luna",
    models: /^gpt-6-(sol|luna)(-|$)/,
    efforts: ["medium", "none", "low", "high", "xhigh", "max"],
    mark: "L",
  },
  {
    ...refusing,
    name: "gpt-6.1-sol, gpt-6.2",
    models: /^gpt-6\.\d/,
    efforts: ["medium", "low", "high", "xhigh", "max"],
    mark: "L",
  },
];

/** The family of a model's name, a vendor prefix and a fine-tune's suffix left out; null when none is known. */
export function familyOf(model: string): ParameterFamily | null {
  const lower = model.toLowerCase().replace(/^.*\//, "");
  const name = lower.startsWith("ft:") ? (lower.split(":")[1] ?? lower) : lower;
  return parameterFamilies.find(({ models }) => models.test(name)) ?? null;
}
