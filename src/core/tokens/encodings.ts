import type { EncodingName } from "./split.ts";

export interface ModelEncoding {
  readonly encoding: EncodingName;
  /** True when no published map names the model, so that a count may be off. */
  readonly isGuess: boolean;
}

interface FamilyRule {
  /** The name, or its start when `-`, `.` or nothing follows. The first rule that fits decides. */
  readonly names: readonly string[];
  readonly encoding: EncodingName;
}

/** tiktoken 0.14 (tiktoken/model.py, 2026-08-16) and Azure's spelling of gpt-3.5. */
const families: readonly FamilyRule[] = [
  {
    names: ["gpt-5", "gpt-4.1", "gpt-4.5", "gpt-4o", "chatgpt-4o", "o1", "o3", "o4-mini", "gpt-oss"],
    encoding: "o200k_base",
  },
  {
    names: [
      "gpt-4",
      "gpt-3.5",
      "gpt-35",
      "text-embedding-3",
      "text-embedding-ada-002",
      "davinci-002",
      "babbage-002",
    ],
    encoding: "cl100k_base",
  },
];

/** Names whose next version would start the same way: "gpt-4.7" is not a gpt-4 of the old encoding. */
const dottedFamilies: ReadonlySet<string> = new Set(["gpt-5"]);

/**
 * The encoding a model counts in. Unknown models (gpt-6 is in no published map) get the newest one, marked as
 * a guess.
 */
export function encodingFor(model: string): ModelEncoding {
  const name = baseModelName(model);
  for (const { names, encoding } of families) {
    if (names.some((family) => isOfFamily(name, family))) return { encoding, isGuess: false };
  }
  return { encoding: "o200k_base", isGuess: true };
}

/**
 * True for models that bill output nobody sees, so that counting text gives a lower bound (dialect §4, §6.3).
 * gpt-5-chat is a classic chat model despite its name; the later -chat models reason.
 */
export function isReasoningModel(model: string): boolean {
  const name = baseModelName(model);
  if (/^gpt-5-chat(-|$)/.test(name)) return false;
  return /^(o[1-9]|gpt-oss|codex-mini)(-|$)/.test(name) || /^gpt-([5-9]|[1-9]\d)(\.\d+)?(-|$)/.test(name);
}

/**
 * Models that add input or output of their own to a plain text request: searches, media, a choice among
 * models.
 */
const addsHiddenTokens = /search|audio|realtime|transcribe|tts|research|computer-use|router/;

/** True when a count of plain text equals the vendor's bill, as far as was ever measured. */
export function isCountedExactly(model: string): boolean {
  return (
    !encodingFor(model).isGuess && !isReasoningModel(model) && !addsHiddenTokens.test(model.toLowerCase())
  );
}

/** "ft:gpt-4o-mini:acme::1" and "openai/gpt-4o-mini" are counted as "gpt-4o-mini". */
export function baseModelName(model: string): string {
  const lower = model.toLowerCase();
  const tuned = lower.startsWith("ft:") ? (lower.split(":")[1] as string) : lower;
  return tuned.slice(tuned.lastIndexOf("/") + 1);
}

function isOfFamily(name: string, family: string): boolean {
  if (!name.startsWith(family)) return false;
  const rest = name.slice(family.length);
  return rest === "" || rest.startsWith("-") || (rest.startsWith(".") && dottedFamilies.has(family));
}
