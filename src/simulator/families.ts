/** How a model family treats one parameter: taken, refused, or only its default taken. */
export type Treatment = "taken" | "unsupported" | "default_only" | "with_effort_none";

/** What one family of models refuses, as data (dialect: parameters by model family). */
export interface Family {
  /**
   * `max_tokens` on chat: taken by classic models, refused by reasoning models in favour of
   * max_completion_tokens.
   */
  readonly takesMaxTokens: boolean;
  readonly temperature: Treatment;
  readonly topP: Treatment;
  readonly penalties: Treatment;
  readonly logprobs: Treatment;
  readonly takesStop: boolean;
  readonly maxChoices: number;
  readonly takesTools: boolean;
  /** Chat refuses function tools together with an effort other than none. */
  readonly toolsNeedEffortNone: boolean;
  readonly takesSystemRole: boolean;
  /**
   * The values of reasoning_effort, the first one the default; empty when the parameter itself is refused.
   */
  readonly efforts: readonly string[];
  readonly takesVerbosity: boolean;
  readonly responsesOnly: boolean;
  readonly streamsOnAzure: boolean;
  /** Spends hidden reasoning tokens before the first visible one. */
  readonly thinks: boolean;
  /** Any name and any parameter: vendors other than OpenAI and Azure. */
  readonly isOpen: boolean;
}

const classic: Family = {
  takesMaxTokens: true,
  temperature: "taken",
  topP: "taken",
  penalties: "taken",
  logprobs: "taken",
  takesStop: true,
  maxChoices: 128,
  takesTools: true,
  toolsNeedEffortNone: false,
  takesSystemRole: true,
  efforts: [],
  takesVerbosity: false,
  responsesOnly: false,
  streamsOnAzure: true,
  thinks: false,
  isOpen: false,
};

const open: Family = {
  ...classic,
  efforts: ["none", "minimal", "low", "medium", "high"],
  takesVerbosity: true,
  isOpen: true,
};

const reasoning: Family = {
  ...classic,
  thinks: true,
  takesMaxTokens: false,
  temperature: "default_only",
  topP: "unsupported",
  penalties: "unsupported",
  logprobs: "unsupported",
  takesStop: false,
  efforts: ["medium", "low", "high"],
};

const gpt51: Family = {
  ...reasoning,
  temperature: "with_effort_none",
  topP: "with_effort_none",
  penalties: "with_effort_none",
  logprobs: "with_effort_none",
  efforts: ["none", "low", "medium", "high"],
  takesVerbosity: true,
};

export const families = {
  classic,
  chat_named_5: classic,
  o1_preview: { ...reasoning, maxChoices: 1, takesTools: false, takesSystemRole: false, efforts: [] },
  o1: { ...reasoning, takesStop: true, streamsOnAzure: false },
  o3_mini: { ...reasoning, temperature: "unsupported", takesStop: true },
  o3: reasoning,
  o_pro: { ...reasoning, responsesOnly: true },
  gpt_5: { ...reasoning, efforts: ["medium", "minimal", "low", "high"], takesVerbosity: true },
  codex: { ...reasoning, responsesOnly: true },
  gpt_5_pro: { ...reasoning, efforts: ["high"], responsesOnly: true, streamsOnAzure: false },
  gpt_5_1: gpt51,
  gpt_5_2: { ...gpt51, efforts: ["none", "low", "medium", "high", "xhigh"] },
  gpt_5_4: {
    ...gpt51,
    penalties: "taken",
    logprobs: "taken",
    toolsNeedEffortNone: true,
    efforts: ["none", "low", "medium", "high", "xhigh"],
  },
  gpt_5_6: {
    ...gpt51,
    toolsNeedEffortNone: true,
    efforts: ["medium", "none", "low", "high", "xhigh", "max"],
  },
  gpt_6_astra: {
    ...reasoning,
    takesTools: false,
    efforts: ["medium", "low", "high", "xhigh", "max"],
    takesVerbosity: true,
  },
  gpt_6_1: {
    ...reasoning,
    toolsNeedEffortNone: true,
    efforts: ["medium", "low", "high", "xhigh", "max"],
    takesVerbosity: true,
  },
  open,
  open_thinking: { ...open, efforts: ["medium", "none", "minimal", "low", "high"], thinks: true },
} as const satisfies Record<string, Family>;

export type FamilyName = keyof typeof families;

export function familyOf(model: { readonly family: FamilyName }): Family {
  return families[model.family];
}
