import { describe, expect, test } from "vitest";
import catalogueFile from "./catalogue.json" with { type: "json" };
import { readCatalogue } from "./catalogue.ts";
import { loadPriceBook } from "./load-price-book.ts";
import { readPriceData } from "./price-data.ts";

const book = loadPriceBook({ operatorRows: [], adminRows: [] });

describe("limits", () => {
  test.each([
    ["gpt-4o", 128_000, null, 16_384],
    ["gpt-4.1-mini", 1_047_576, null, 32_768],
    ["o3", 200_000, null, 100_000],
    ["gpt-5-mini", 400_000, 272_000, 128_000],
    ["gpt-5-chat-latest", 128_000, null, 16_384],
    ["gpt-5.4", 1_050_000, 922_000, 128_000],
    ["gpt-5-4-nano", 400_000, 272_000, 128_000],
    ["gpt-6.2-sol", 1_050_000, 922_000, 128_000],
  ])(
    "%s holds %s tokens, reads %s and writes %s",
    (model, contextWindow, maxInputTokens, maxOutputTokens) => {
      expect(book.find("openai", model, Date.parse("2026-11-20T00:00:00Z"))).toMatchObject({
        contextWindow,
        maxInputTokens,
        maxOutputTokens,
      });
    },
  );

  test("the limits of every priced chat model of OpenAI and Azure are known", () => {
    const { limitsOf } = readCatalogue();
    const unknown = book
      .rows()
      .filter(
        ({ provider, tiers }) =>
          ["openai", "azure"].includes(provider) && tiers[0]?.prices.output !== undefined,
      )
      .filter(({ model }) => {
        const limits = limitsOf(model);
        return limits === null || limits.contextWindow === null || limits.maxOutputTokens === null;
      });
    expect(unknown.map(({ id }) => id)).toEqual([]);
  });
});

test("nothing in the catalogue is about a model that has no row", () => {
  const priced = new Set(book.rows().map(({ provider, model }) => `${provider}/${model}`));
  const listed = new Set(readPriceData().rows.map(({ provider, model }) => `${provider}/${model}`));
  const named = [...catalogueFile.prices, ...catalogueFile.service_tiers].flatMap(({ provider, models }) =>
    models.map((model) => `${provider}/${model}`),
  );
  expect(named.filter((name) => !priced.has(name))).toEqual([]);
  const excluded = catalogueFile.excluded.flatMap(({ provider, models }) =>
    models.map((model) => `${provider}/${model}`),
  );
  expect(excluded.filter((name) => !listed.has(name))).toEqual([]);
  const limited = catalogueFile.limits.flatMap(({ models }) => models);
  expect(limited.filter((model) => !priced.has(`openai/${model}`))).toEqual([]);
});
