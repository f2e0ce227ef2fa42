import { expect, test } from "vitest";
import { createPriceBook } from "../core/price-book.ts";
import { loadPriceBook } from "./load-price-book.ts";
import { type PriceEntry, priceRow } from "./price-entry.ts";
import { listPricedModels } from "./priced-models.ts";

const row = (provider: string, entry: Omit<PriceEntry, "input">) =>
  priceRow({ input: "1", ...entry }, { provider, origin: "test" });

test("listPricedModels() gives what the vendor sells now, each once", () => {
  const rows = [
    row("openai", { model: "gpt-5.1" }),
    row("openai", { model: "gpt-5-1" }),
    row("openai", { model: "gpt-4o" }),
    row("openai", { model: "gpt-4o", from: "2026-01-01T00:00:00Z" }),
    row("openai", { model: "ft:gpt-4o" }),
    row("openai", { model: "gpt-9", from: "2030-01-01T00:00:00Z" }),
    row("azure", { model: "gpt-35-turbo" }),
  ];
  const book = createPriceBook(rows, "test");
  expect(listPricedModels(book, "openai", Date.parse("2026-06-01T00:00:00Z"))).toEqual(["gpt-4o", "gpt-5.1"]);
});

test("the built-in price book has the models that people ask for", () => {
  const book = loadPriceBook({ operatorRows: [], adminRows: [] });
  const models = listPricedModels(book, "openai", Date.parse("2026-11-01T00:00:00Z"));
  expect(models).toEqual(expect.arrayContaining(["gpt-4o-mini", "gpt-5-mini", "text-embedding-3-small"]));
});
