/**
 * Prompts are cached from this many tokens on, in steps of `step` (developers.openai.com, prompt caching).
 */
const smallest = 1_024;
const step = 128;
const entriesMax = 100_000;

/**
 * The vendor's prompt cache: remembers prefixes of prompts by model. Bounded; the oldest prefix goes first.
 */
export class PromptCache {
  readonly #prefixes = new Set<string>();

  /** How many leading tokens of the prompt were seen before, and how many are written now. */
  use(model: string, ids: readonly number[]): { cached: number; written: number } {
    let cached = 0;
    let longest = 0;
    let hash = 0x811c9dc5;
    let second = 0;
    for (let at = 0; at < ids.length; at++) {
      const id = ids[at];
      if (id === undefined) break;
      hash = Math.imul(hash ^ id, 0x01000193);
      second = (Math.imul(second, 31) + id) | 0;
      const length = at + 1;
      if (length < smallest || length % step !== 0) continue;
      longest = length;
      const key = `${model}:${length}:${hash}:${second}`;
      if (this.#prefixes.has(key)) cached = length;
      else this.#remember(key);
    }
    return { cached, written: longest - cached };
  }

  clear(): void {
    this.#prefixes.clear();
  }

  #remember(key: string): void {
    this.#prefixes.add(key);
    if (this.#prefixes.size <= entriesMax) return;
    for (const oldest of this.#prefixes) {
      this.#prefixes.delete(oldest);
      return;
    }
  }
}
