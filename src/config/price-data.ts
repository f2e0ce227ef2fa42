import {
  findProvider,
  type MatchLogic,
  type ModelInfo,
  type ModelPrice,
  type TieredPrices,
} from "@pydantic/genai-prices";
import {
  AmountError,
  type PicoUsd,
  parseDecimal,
  parseUsdPerMillion,
  pico,
  scaleExactly,
} from "../core/money.ts";
import { namesToTry, priceRowId } from "../core/price-book.ts";
import type { MeterKind, PriceRow, PriceTier, UnitPrices } from "../core/prices.ts";

/** The installed version; a test compares. Prices change only with a reviewed change of version. */
export const priceDataVersion = "0.1.8";

/** Sellers that speak the OpenAI API and price by tokens, as the package calls them. */
export const priceDataProviders = [
  "openai",
  "azure",
  "groq",
  "deepseek",
  "mistral",
  "x-ai",
  "moonshotai",
  "perplexity",
] as const;

/**
 * A model that the package lists and that gets no row, with the reason. It is refused like an unknown one.
 */
export interface UnpricedModel {
  readonly provider: string;
  readonly model: string;
  readonly reason: string;
}

export interface PriceData {
  readonly rows: readonly PriceRow[];
  readonly unpriced: readonly UnpricedModel[];
}

/**
 * The price lists of genai-prices as rows. The package is read as data: its own arithmetic is in floats. A
 * model is left out as a whole when anything about its price cannot be said exactly in our terms.
 */
export function readPriceData(): PriceData {
  const rows: PriceRow[] = [];
  const unpriced: UnpricedModel[] = [];
  for (const provider of priceDataProviders) {
    for (const model of findProvider({ providerId: provider })?.models ?? []) {
      try {
        rows.push(...rowsOf(provider, model));
      } catch (error) {
        if (!(error instanceof Unpriceable || error instanceof AmountError)) throw error;
        unpriced.push({ provider, model: model.id, reason: error.message });
      }
    }
  }
  return { rows, unpriced };
}

/** Why a model has no row. */
class Unpriceable extends Error {
  override readonly name = "Unpriceable";
}

function rowsOf(provider: string, model: ModelInfo): PriceRow[] {
  const periods = Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }];
  const names = namesOf(model);
  return periods.flatMap((period) => {
    const from = startOf("constraint" in period ? period.constraint : undefined);
    const tiers = tiersOf(provider, period.prices);
    const hasOutput = tiers.every(({ prices }) => prices.output !== undefined);
    const billable = names.filter((name) => hasOutput || name.includes("embed"));
    if (billable.length === 0) throw new Unpriceable("output has no price");
    return billable.map(
      (name): PriceRow => ({
        id: priceRowId(provider, name, from),
        provider,
        model: name,
        from,
        tiers,
        serviceTiers: {},
        contextWindow: model.context_window ?? null,
        maxInputTokens: null,
        maxOutputTokens: null,
        origin: `genai-prices ${priceDataVersion}`,
      }),
    );
  });
}

type Constraint = { readonly type: string; readonly start_date?: string };

function startOf(constraint: Constraint | undefined): number {
  if (constraint === undefined) return 0;
  if (constraint.type !== "start_date" || constraint.start_date === undefined) {
    throw new Unpriceable("the price depends on the time of day");
  }
  const from = Date.parse(constraint.start_date);
  if (Number.isNaN(from)) throw new Unpriceable(`${constraint.start_date} is not a date`);
  return from;
}

const perMillion = (text: string): PicoUsd => parseUsdPerMillion(text);
/** USD per thousand uses: 10⁻³ USD is 10⁹ pUSD. */
const perThousand = (text: string): PicoUsd =>
  pico(scaleExactly(parseDecimal(text), 1_000_000_000n, "USD per thousand"));

const units: Readonly<Record<string, readonly [MeterKind, (text: string) => PicoUsd]>> = {
  input_mtok: ["input", perMillion],
  cache_read_mtok: ["cached_input", perMillion],
  cache_write_mtok: ["cache_write", perMillion],
  input_audio_mtok: ["audio_input", perMillion],
  cache_audio_read_mtok: ["cached_audio_input", perMillion],
  input_image_mtok: ["image_input", perMillion],
  output_mtok: ["output", perMillion],
  output_audio_mtok: ["audio_output", perMillion],
  web_searches_kcount: ["web_search", perThousand],
  storage_searches_kcount: ["file_search", perThousand],
};

function tiersOf(provider: string, prices: ModelPrice): readonly PriceTier[] {
  const entries = Object.entries(prices).filter(([, price]) => price !== undefined);
  if (entries.length === 0)
    throw new Unpriceable("it is listed without a price; whether it is free is the operator's to say");
  const bounds = new Set<number>([0]);
  for (const [, price] of entries)
    if (isTiered(price)) for (const tier of price.tiers) bounds.add(tier.start);
  return [...bounds]
    .sort((a, b) => a - b)
    .map(
      (bound): PriceTier => ({
        aboveInputTokens: boundOf(provider, bound),
        prices: pricesAt(entries, bound),
      }),
    );
}

/**
 * OpenAI reprices requests of more than 272,000 tokens; the package says "from 272,000" for some models by
 * starting the tier above 271,999 (its own comment; the vendor's model pages say "more than").
 */
const boundOf = (provider: string, bound: number): number =>
  bound === 271_999 && (provider === "openai" || provider === "azure") ? 272_000 : bound;

type Price = number | TieredPrices | undefined;
/** The data holds plain objects, not instances of the package's class. */
const isTiered = (price: Price): price is TieredPrices => typeof price === "object";

/** The unit prices that apply above `bound`. A kind without a tier of its own keeps its price. */
function pricesAt(entries: ReadonlyArray<readonly [string, Price]>, bound: number): UnitPrices {
  const prices: Partial<Record<MeterKind, PicoUsd>> = {};
  for (const [key, price] of entries) {
    const unit = units[key];
    if (unit === undefined) throw new Unpriceable(`it is priced by ${key}, which is not metered`);
    const [kind, parse] = unit;
    prices[kind] = parse(String(isTiered(price) ? tierPrice(price, bound) : price));
  }
  return prices;
}

function tierPrice(price: TieredPrices, bound: number): number {
  let chosen = price.base;
  let start = 0;
  for (const tier of price.tiers) {
    if (tier.start <= bound && tier.start >= start) {
      chosen = tier.price;
      start = tier.start;
    }
  }
  return chosen;
}

/**
 * The names a model is sold under. Dated snapshots are left out where their family is a name too: the price
 * book finds it. Prefixes and patterns in the data give one name each, never a match for anything longer.
 */
function namesOf(model: ModelInfo): readonly string[] {
  const names = new Set(matchNames(model.match, model.id));
  return [...names].filter((name) => !namesToTry(name).some((other) => other !== name && names.has(other)));
}

function matchNames(match: MatchLogic, id: string): readonly string[] {
  if ("or" in match) return match.or.flatMap((part) => matchNames(part, id));
  if ("equals" in match) return [match.equals];
  if ("starts_with" in match) {
    const stem = match.starts_with.replace(/-(20\d\d-|0)?$/, "");
    return id.startsWith(match.starts_with) ? [stem, id.replace(/-$/, "")] : [stem];
  }
  if ("contains" in match) return id.includes(match.contains) ? [id] : [];
  return [];
}
