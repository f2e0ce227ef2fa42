import type { Choice } from "./answers.ts";
import type { Ask } from "./ask.ts";
import type { JsonObject } from "./json.ts";

/** Log probabilities of one token as the chat API writes them, or null when they were not asked for. */
export function tokenLogprobs(ask: Ask, text: string): JsonObject | null {
  return ask.topLogprobs === null ? null : { content: [entryFor(text, ask.topLogprobs)], refusal: null };
}

export function choiceLogprobs(ask: Ask, choice: Choice): JsonObject | null {
  const { topLogprobs } = ask;
  if (topLogprobs === null) return null;
  return { content: choice.pieces.map((piece) => entryFor(piece.text, topLogprobs)), refusal: null };
}

function entryFor(text: string, alternatives: number): JsonObject {
  const entry = { token: text, logprob: -0.0142, bytes: [...Buffer.from(text)] };
  const others = Array.from({ length: Math.max(0, alternatives - 1) }, (_, at) => {
    const token = ` ${String.fromCharCode(97 + (at % 26))}`;
    return { token, logprob: -5 - at, bytes: [...Buffer.from(token)] };
  });
  return { ...entry, top_logprobs: alternatives > 0 ? [entry, ...others] : [] };
}
