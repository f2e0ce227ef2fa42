import { baseModelName } from "./encodings.ts";

export interface ImageTokens {
  readonly tokens: number;
  /** False when `tokens` is the most an image of unknown size can cost. */
  readonly isExact: boolean;
}

type ImageRule =
  /** Fitted into 2048², short side to 768, then tiles of 512: at most 4 × 2 of them. */
  | { readonly base: number; readonly tile: number }
  /** Patches of 32 × 32, at most 1 536, times a factor in hundredths. */
  | { readonly patchHundredths: number };

const tilesMost = 8;
const patchesMost = 1536;

/**
 * By exact family, dated snapshots included (vision guide; dialect §6.4, likely). The first that fits
 * decides.
 */
const rules: ReadonlyArray<readonly [RegExp, ImageRule]> = [
  [/^(gpt-5-mini|gpt-4\.1-mini)(-\d|$)/, { patchHundredths: 162 }],
  [/^(gpt-5-nano|gpt-4\.1-nano)(-\d|$)/, { patchHundredths: 246 }],
  [/^o4-mini(-\d|$)/, { patchHundredths: 172 }],
  [/^gpt-4o-mini(-\d|$)/, { base: 2833, tile: 5667 }],
  [/^(gpt-4o|chatgpt-4o|gpt-4\.1|gpt-4\.5)(-\d|-latest|-preview|$)/, { base: 85, tile: 170 }],
  [/^gpt-5(-chat)?(-\d|-latest|$)/, { base: 70, tile: 140 }],
  [/^(o1|o3)(-pro)?(-\d|$)/, { base: 75, tile: 150 }],
  [/^computer-use-preview(-\d|$)/, { base: 65, tile: 129 }],
];

/** Tokens of one image whose size is not known, or null when no rule for the model is published. */
export function imageTokens(model: string, detail: unknown): ImageTokens | null {
  const name = baseModelName(model);
  const rule = rules.find(([pattern]) => pattern.test(name))?.[1];
  if (rule === undefined) return null;
  if ("patchHundredths" in rule) {
    return { tokens: Math.ceil((patchesMost * rule.patchHundredths) / 100), isExact: false };
  }
  if (detail === "low") return { tokens: rule.base, isExact: true };
  return { tokens: rule.base + tilesMost * rule.tile, isExact: false };
}
