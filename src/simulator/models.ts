import type { FamilyName } from "./families.ts";
import type { Encoding } from "./tokens.ts";

/** What the simulator knows of one model: how it answers, counts and bills. */
export interface Model {
  readonly name: string;
  /** The dated name the vendor puts in `model` of its answers. */
  readonly served: string;
  readonly family: FamilyName;
  readonly kind: "chat" | "completion" | "embedding";
  readonly encoding: Encoding;
  /** Added to the cookbook's count of a prompt: gpt-5-mini bills one token less than the cookbook says. */
  readonly promptExtra: number;
  /** Billed output that is neither reasoning nor visible: gpt-5-chat bills 7 for 6 visible tokens. */
  readonly hiddenOutput: number;
  readonly contextWindow: number;
  readonly maxOutput: number;
  readonly fingerprint: string | null;
  /** Writing to the prompt cache is counted and charged (gpt-5.6 and newer). */
  readonly chargesCacheWrites: boolean;
}

type Row = readonly [name: string, served: string, family: FamilyName, facts?: Partial<Model>];

const classic = { contextWindow: 128_000, maxOutput: 16_384, fingerprint: "fp_7c1d0a4e55" };
const million = { contextWindow: 1_047_576, maxOutput: 32_768, fingerprint: "fp_7c1d0a4e55" };
const reasoner = { contextWindow: 200_000, maxOutput: 100_000 };
const gpt5 = { promptExtra: -1, hiddenOutput: 6 };
const gpt51 = { hiddenOutput: 10 };
const gpt52 = { hiddenOutput: 4 };
const gpt56 = { hiddenOutput: 4, contextWindow: 1_050_000, chargesCacheWrites: true };
const small = { encoding: "cl100k_base" as const, fingerprint: null };

/**
 * Names, served names and hidden tokens as in the recorded runs and captures; windows as the vendors publish
 * them.
 */
const rows: readonly Row[] = [
  ["gpt-3.5-turbo", "gpt-3.5-turbo-0125", "classic", { ...small, contextWindow: 16_385, maxOutput: 4_096 }],
  ["gpt-35-turbo", "gpt-3.5-turbo-0125", "classic", { ...small, contextWindow: 16_385, maxOutput: 4_096 }],
  ["gpt-4", "gpt-4-0613", "classic", { ...small, contextWindow: 8_192, maxOutput: 8_192 }],
  [
    "gpt-4-turbo",
    "gpt-4-turbo-2024-04-09",
    "classic",
    { ...small, contextWindow: 128_000, maxOutput: 4_096 },
  ],
  ["gpt-4o", "gpt-4o-2024-08-06", "classic", classic],
  ["gpt-4o-mini", "gpt-4o-mini-2024-07-18", "classic", classic],
  ["gpt-4.1", "gpt-4.1-2025-04-14", "classic", million],
  ["gpt-4.1-mini", "gpt-4.1-mini-2025-04-14", "classic", million],
  ["gpt-4.1-nano", "gpt-4.1-nano-2025-04-14", "classic", million],
  [
    "gpt-5-chat",
    "gpt-5-chat-2025-10-03",
    "chat_named_5",
    { hiddenOutput: 1, contextWindow: 128_000, maxOutput: 16_384 },
  ],
  [
    "gpt-5-chat-latest",
    "gpt-5-chat-latest",
    "chat_named_5",
    { hiddenOutput: 1, contextWindow: 128_000, maxOutput: 16_384 },
  ],
  ["o1-mini", "o1-mini-2024-09-12", "o1_preview", { contextWindow: 128_000, maxOutput: 65_536 }],
  ["o1", "o1-2024-12-17", "o1", reasoner],
  ["o3-mini", "o3-mini-2025-01-31", "o3_mini", reasoner],
  ["o3", "o3-2025-04-16", "o3", reasoner],
  ["o4-mini", "o4-mini-2025-04-16", "o3", reasoner],
  ["o3-pro", "o3-pro-2025-06-10", "o_pro", reasoner],
  ["gpt-5", "gpt-5-2025-08-07", "gpt_5", gpt5],
  ["gpt-5-mini", "gpt-5-mini-2025-08-07", "gpt_5", gpt5],
  ["gpt-5-nano", "gpt-5-nano-2025-08-07", "gpt_5", { promptExtra: -1, hiddenOutput: 10 }],
  ["model-router", "gpt-5-nano-2025-08-07", "gpt_5", { promptExtra: -1, hiddenOutput: 10 }],
  ["gpt-5-codex", "gpt-5-codex", "codex", gpt5],
  ["gpt-5-pro", "gpt-5-pro-2025-10-06", "gpt_5_pro", { ...gpt5, maxOutput: 272_000 }],
  ["gpt-5.1", "gpt-5.1-2025-11-13", "gpt_5_1", gpt51],
  ["gpt-5.2", "gpt-5.2-2025-12-11", "gpt_5_2", gpt52],
  ["gpt-5.4", "gpt-5.4-2026-03-05", "gpt_5_4", { ...gpt52, contextWindow: 1_050_000 }],
  ["gpt-5.4-mini", "gpt-5.4-mini-2026-03-17", "gpt_5_4", gpt52],
  ["gpt-5.4-nano", "gpt-5.4-nano-2026-03-17", "gpt_5_4", gpt52],
  ["gpt-5.5", "gpt-5.5-2026-04-23", "gpt_5_4", { ...gpt52, contextWindow: 1_050_000 }],
  ["gpt-5.6-sol", "gpt-5.6-sol", "gpt_5_6", gpt56],
  ["gpt-5.6-terra", "gpt-5.6-terra", "gpt_5_6", gpt56],
  ["gpt-5.6-luna", "gpt-5.6-luna", "gpt_5_6", gpt56],
  ["gpt-6-astra", "gpt-6-astra", "gpt_6_astra", gpt56],
  ["gpt-6-sol", "gpt-6-sol", "gpt_5_6", gpt56],
  ["gpt-6-luna", "gpt-6-luna", "gpt_5_6", gpt56],
  ["gpt-6.1-sol", "gpt-6.1-sol", "gpt_6_1", gpt56],
  [
    "gpt-3.5-turbo-instruct",
    "gpt-3.5-turbo-instruct:20230824-v2",
    "classic",
    { ...small, kind: "completion", contextWindow: 4_096, maxOutput: 4_096 },
  ],
  [
    "text-embedding-3-small",
    "text-embedding-3-small",
    "classic",
    { ...small, kind: "embedding", contextWindow: 8_192 },
  ],
  [
    "text-embedding-3-large",
    "text-embedding-3-large",
    "classic",
    { ...small, kind: "embedding", contextWindow: 8_192 },
  ],
  [
    "text-embedding-ada-002",
    "text-embedding-ada-002-v2",
    "classic",
    { ...small, kind: "embedding", contextWindow: 8_192 },
  ],
];

export const openaiModels: ReadonlyMap<string, Model> = indexModels(rows);

/** A model that no table names: other vendors serve any name, and take any parameter. */
export function plainModel(name: string, facts: Partial<Model> = {}): Model {
  return {
    name,
    served: name,
    family: "open",
    kind: "chat",
    encoding: "o200k_base",
    promptExtra: 0,
    hiddenOutput: 0,
    contextWindow: 131_072,
    maxOutput: 32_768,
    fingerprint: null,
    chargesCacheWrites: false,
    ...facts,
  };
}

function indexModels(table: readonly Row[]): ReadonlyMap<string, Model> {
  const models = new Map<string, Model>();
  for (const [name, served, family, facts] of table) {
    const wide = { contextWindow: 400_000, maxOutput: 128_000 };
    const model = plainModel(name, { ...wide, ...facts, served, family });
    models.set(name, model);
    if (!models.has(served)) models.set(served, model);
  }
  return models;
}
