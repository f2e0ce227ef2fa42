import type { PriceBook } from "../core/prices.ts";

/**
 * Models that `provider` sells at a price in force at `atMs`, in the order of their names, each once. Left out are the
 * rows that are no model to call: those of fine-tunes, and other spellings that the price list knows ("gpt-5-1").
 */
export function listPricedModels(book: PriceBook, provider: string, atMs: number): readonly string[] {
  const names = new Set(book.rows().flatMap((row) => (row.provider === provider ? [row.model] : [])));
  const isSold = (name: string): boolean => {
    const row = book.find(provider, name, atMs);
    return row?.tiers.some((tier) => tier.prices.input !== undefined) === true;
  };
  return [...names].filter((name) => !isTemplate(name) && !isSpelling(name, names) && isSold(name)).sort();
}

const isTemplate = (name: string): boolean => name.startsWith("ft:") || name.endsWith(".ft");

function isSpelling(name: string, names: ReadonlySet<string>): boolean {
  const dotted = name.replace(/^(gpt-\d+)-(\d)(?=-|$)/, "$1.$2");
  return dotted !== name && names.has(dotted);
}
