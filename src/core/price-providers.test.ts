import { expect, test } from "vitest";
import { priceProviderOf } from "./price-providers.ts";

test.each([
  ["azure", "https://acme.openai.azure.com", "azure"],
  ["azure", "https://gateway.example.com/openai", "azure"],
  ["openai", "https://api.openai.com/v1", "openai"],
  ["openai", "https://eu.api.openai.com/v1", "openai"],
  ["openai", "https://us.api.openai.com/v1", "openai"],
  ["openai", "https://api.groq.com/openai/v1", "groq"],
  ["openai", "https://api.deepseek.com", "deepseek"],
  ["openai", "https://api.mistral.ai/v1", "mistral"],
  ["openai", "https://api.moonshot.ai/v1", "moonshotai"],
  ["openai", "https://api.perplexity.ai", "perplexity"],
  ["openai", "https://api.x.ai/v1", "x-ai"],
  ["openai", "http://127.0.0.1:8000/v1", "openai"],
  ["openai", "https://constructor/v1", "openai"],
  ["openai", "not a url", "openai"],
] as const)("an endpoint of kind %s at %s sells by the list of %s", (kind, baseUrl, provider) => {
  expect(priceProviderOf(kind, baseUrl)).toBe(provider);
});
