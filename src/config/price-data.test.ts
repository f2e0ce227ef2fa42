import { readFileSync } from "node:fs";
import { findProvider } from "@pydantic/genai-prices";
import { expect, test } from "vitest";
import { formatUsdPerMillion, parseUsdPerMillion } from "../core/money.ts";
import { priceDataVersion, readPriceData } from "./price-data.ts";

test("every OpenAI and Azure list price of genai-prices converts exactly", () => {
  const numbers = (value: unknown): number[] =>
    typeof value === "number"
      ? [value]
      : typeof value === "object" && value !== null
        ? Object.values(value).flatMap(numbers)
        : [];
  const inexact = ["openai", "azure"].flatMap((provider) =>
    (findProvider({ providerId: provider })?.models ?? [])
      .flatMap(({ prices }) =>
        numbers(Array.isArray(prices) ? prices.map((period) => period.prices) : prices),
      )
      .filter((price) => formatUsdPerMillion(parseUsdPerMillion(String(price))) !== String(price)),
  );
  expect(inexact).toEqual([]);
});

test("only models that are sold by other units, or as free, are left out", () => {
  const names = readPriceData()
    .unpriced.filter(({ provider }) => provider === "openai" || provider === "azure")
    .map(({ provider, model }) => `${provider}/${model}`);
  expect(names).toEqual([
    ...["gpt-image-1", "gpt-image-1-mini", "gpt-image-1.5", "gpt-image-2"].map((model) => `openai/${model}`),
    ...["gpt-realtime", "gpt-realtime-2", "gpt-realtime-mini", "gpt-transcribe"].map(
      (model) => `openai/${model}`,
    ),
    ...["openai/moderation", "openai/whisper-1", "azure/babbage", "azure/curie", "azure/davinci"],
    ...["azure/mai-ds-r1:free", "azure/phi-4-reasoning-plus:free", "azure/phi-4-reasoning:free"],
  ]);
});

test("the installed genai-prices is the version that was reviewed", () => {
  const file = new URL("../../node_modules/@pydantic/genai-prices/package.json", import.meta.url);
  expect(JSON.parse(readFileSync(file, "utf8")).version).toBe(priceDataVersion);
});
