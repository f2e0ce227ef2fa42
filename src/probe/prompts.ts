import type { JsonBody } from "../core/parameters.ts";

/**
 * What the probe says. `a` and `b` are the texts of the recorded runs, so that figures can be compared with theirs: short
 * answers whose visible text is known beforehand. `c` is longer, with turns and other scripts, to see whether the
 * tokenizer fits at all.
 */
export const prompts = {
  a: [
    { role: "system", content: "You are a helpful assistant." },
    { role: "user", content: 'Say "Hello from Azure OpenAI!" and nothing else.' },
  ],
  b: [
    { role: "system", content: "You are a helpful assistant." },
    { role: "user", content: 'Say "Hello from Standard Provider on Azure OpenAI!" and nothing else.' },
  ],
  c: [
    {
      role: "system",
      content: "You answer on one line. Zahlen, числа, 数字 and numbers are all the same to you.",
    },
    { role: "user", content: "What is 144 / 12? Digits only." },
    { role: "assistant", content: "12" },
    {
      role: "user",
      content: "Now write the numbers from one to twenty in English words, separated by commas.",
    },
  ],
} as const satisfies Record<string, readonly JsonBody[]>;

export type PromptName = keyof typeof prompts;

/** The texts of a prompt as one, the way a count by characters sees them. */
export const promptText = (name: PromptName): string =>
  prompts[name].map(({ content }) => content).join("\n");
