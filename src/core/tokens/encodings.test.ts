import { expect, test } from "vitest";
import { encodingFor, isCountedExactly, isReasoningModel } from "./encodings.ts";

test.each([
  ["gpt-5", "o200k_base", false],
  ["gpt-5.4-mini-2026-03-17", "o200k_base", false],
  ["gpt-5-chat-latest", "o200k_base", false],
  ["gpt-4.1-nano", "o200k_base", false],
  ["gpt-4o-2024-08-06", "o200k_base", false],
  ["chatgpt-4o-latest", "o200k_base", false],
  ["o1-preview", "o200k_base", false],
  ["o4-mini", "o200k_base", false],
  ["gpt-oss-120b", "o200k_base", false],
  ["openai/gpt-4o-mini", "o200k_base", false],
  ["ft:gpt-4o-mini:acme::1", "o200k_base", false],
  ["gpt-4", "cl100k_base", false],
  ["gpt-4-turbo-2024-04-09", "cl100k_base", false],
  ["gpt-3.5-turbo", "cl100k_base", false],
  ["gpt-35-turbo-16k", "cl100k_base", false],
  ["text-embedding-3-large", "cl100k_base", false],
  ["gpt-6-sol", "o200k_base", true],
  ["gpt-6.2-astra", "o200k_base", true],
  ["gpt-4.7", "o200k_base", true],
  ["o3000", "o200k_base", true],
  ["mistral-large-latest", "o200k_base", true],
  // Their encodings, p50k and r50k, are not kept: a guess, so never exact.
  ["text-davinci-003", "o200k_base", true],
  ["davinci", "o200k_base", true],
] as const)("encodingFor(%j) is %s, guess %s", (model, encoding, isGuess) => {
  expect(encodingFor(model)).toEqual({ encoding, isGuess });
});

test.each([
  ["gpt-5-mini", true],
  ["gpt-5.1-chat", true],
  ["gpt-6.1-sol", true],
  ["o3-mini", true],
  ["gpt-oss-20b", true],
  ["gpt-5-chat", false],
  ["gpt-5-chat-latest", false],
  ["gpt-4o", false],
  ["gpt-4.1", false],
])("isReasoningModel(%j) is %s", (model, expected) => expect(isReasoningModel(model)).toBe(expected));

test.each([
  ["gpt-4o", true],
  ["gpt-5-chat", true],
  ["gpt-4o-search-preview", false],
  ["gpt-4o-audio-preview", false],
  ["gpt-5", false],
  ["deepseek-chat", false],
])("isCountedExactly(%j) is %s", (model, expected) => expect(isCountedExactly(model)).toBe(expected));
