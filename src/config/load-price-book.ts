import { createHash } from "node:crypto";
import { createPriceBook } from "../core/price-book.ts";
import type { PriceBook, PriceRow } from "../core/prices.ts";
import { type Catalogue, readCatalogue } from "./catalogue.ts";
import { priceDataVersion, readPriceData } from "./price-data.ts";

/**
 * The operator's rows, from the configuration and from the admin API; of two for the same instant the latter
 * counts.
 */
export interface OwnPrices {
  readonly operatorRows: readonly PriceRow[];
  readonly adminRows: readonly PriceRow[];
}

/**
 * The price book in force: vendors' lists, our catalogue over them, the operator's rows over both. Its
 * version names the sources and the exact content. Takes about 50 ms the first time.
 */
export function loadPriceBook(own: OwnPrices): PriceBook {
  const catalogue = readCatalogue();
  const listed = readPriceData().rows.filter((row) => !catalogue.isExcluded(row));
  const vendorRows = [...listed, ...catalogue.rows].map((row) => catalogue.complete(row));
  const ownRows = [...own.operatorRows, ...own.adminRows].map((row) => withLimits(row, catalogue));
  const rows = [...vendorRows, ...ownRows];
  return createPriceBook(
    rows,
    `genai-prices ${priceDataVersion}, catalogue ${catalogue.updated}, ${digestOf(rows)}`,
  );
}

/** An own row that only changes the price of a known model keeps the model's limits. */
function withLimits(row: PriceRow, catalogue: Catalogue): PriceRow {
  const known = catalogue.limitsOf(row.model);
  if (known === null) return row;
  return {
    ...row,
    contextWindow: row.contextWindow ?? known.contextWindow,
    maxInputTokens: row.maxInputTokens ?? known.maxInputTokens,
    maxOutputTokens: row.maxOutputTokens ?? known.maxOutputTokens,
  };
}

/**
 * Twelve hex digits over every row, so that a request's record tells exactly which prices it was admitted
 * under.
 */
function digestOf(rows: readonly PriceRow[]): string {
  const text = JSON.stringify(rows, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value));
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
