import type { RankList } from "../core/tokens/ranks.ts";
import type { EncodingName } from "../core/tokens/split.ts";

/**
 * Loads the published ranks of an encoding: 2.4 MB (o200k_base) or 1.2 MB (cl100k_base) of source, about 0.1
 * s and 13 MB of heap, which the module system keeps. Loaded on first use only. The files' content equals
 * OpenAI's (tested).
 */
export async function loadRanks(encoding: EncodingName): Promise<RankList> {
  const module =
    encoding === "o200k_base"
      ? await import("gpt-tokenizer/bpeRanks/o200k_base")
      : await import("gpt-tokenizer/bpeRanks/cl100k_base");
  return module.default;
}
