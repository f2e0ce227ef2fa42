import { formatUsd, formatUsdPerMillion, type PicoUsd } from "../core/money.ts";
import type { PriceRow, PriceTier, UnitPrices } from "../core/prices.ts";

/** Priced per use, not per token. */
const feeKinds: ReadonlySet<string> = new Set(["web_search", "file_search", "code_interpreter"]);

/** A price row in the form in which it is published: list prices in USD per million tokens, fees in USD for each use. */
export const presentPrice = (row: PriceRow) => ({
  id: row.id,
  provider: row.provider,
  model: row.model,
  from: row.from === 0 ? null : new Date(row.from).toISOString(),
  ...presentTiers(row.tiers),
  service_tiers: Object.fromEntries(
    Object.entries(row.serviceTiers).map(([name, tiers]) => [name, presentTiers(tiers)]),
  ),
  fees: pick(row.tiers[0]?.prices ?? {}, (kind) => feeKinds.has(kind), formatUsd),
  context_window: row.contextWindow,
  max_input_tokens: row.maxInputTokens,
  max_output_tokens: row.maxOutputTokens,
  origin: row.origin,
});

function presentTiers(tiers: readonly PriceTier[]) {
  const [standard, ...above] = tiers;
  return {
    prices: tokenPrices(standard?.prices ?? {}),
    tiers: above.map((tier) => ({
      above_input_tokens: tier.aboveInputTokens,
      prices: tokenPrices(tier.prices),
    })),
  };
}

const tokenPrices = (prices: UnitPrices): Record<string, string> =>
  pick(prices, (kind) => !feeKinds.has(kind), formatUsdPerMillion);

const pick = (
  prices: UnitPrices,
  isWanted: (kind: string) => boolean,
  format: (price: PicoUsd) => string,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(prices)
      .filter(([kind]) => isWanted(kind))
      .map(([kind, price]) => [kind, format(price)]),
  );
