import { namesToTry } from "../core/price-book.ts";
import type { MeterKind, PriceRow, PriceTier, UnitPrices } from "../core/prices.ts";
import catalogueFile from "./catalogue.json" with { type: "json" };
import { type FeeTexts, type PriceEntry, priceRow, type TieredPriceTexts } from "./price-entry.ts";

/** What the vendor allows in one request, in tokens; null = unknown or not limited on its own. */
export interface ModelLimits {
  readonly contextWindow: number | null;
  readonly maxInputTokens: number | null;
  readonly maxOutputTokens: number | null;
}

/** Our own dated facts about prices, over those of genai-prices. */
export interface Catalogue {
  /** Date of the last change: "2026-11-20". */
  readonly updated: string;
  /** Rows for models that are missing there, and corrections of whole rows. */
  readonly rows: readonly PriceRow[];
  isExcluded(row: PriceRow): boolean;
  /** Limits of a model or its family, whoever sells it; null when none are known. */
  limitsOf(model: string): ModelLimits | null;
  /** `row` with the catalogue's limits, service tiers and fees, where it has any. */
  complete(row: PriceRow): PriceRow;
}

interface Sourced {
  readonly source: string;
  readonly confidence: string;
}
interface Scoped extends Sourced {
  readonly provider: string;
  readonly models: readonly string[];
}
interface CatalogueFile {
  readonly updated: string;
  readonly excluded: ReadonlyArray<{
    readonly provider: string;
    readonly models: readonly string[];
    readonly why: string;
  }>;
  readonly limits: ReadonlyArray<
    Sourced & {
      readonly models: readonly string[];
      readonly context_window: number;
      readonly max_input_tokens: number | null;
      readonly max_output_tokens: number | null;
    }
  >;
  readonly prices: ReadonlyArray<Scoped & Omit<PriceEntry, "model">>;
  readonly service_tiers: ReadonlyArray<
    Scoped & {
      readonly from?: string;
      readonly tiers: Readonly<Record<string, TieredPriceTexts | undefined>>;
    }
  >;
  readonly fees: ReadonlyArray<
    Sourced & FeeTexts & { readonly provider: string; readonly models?: readonly string[] }
  >;
}

/** Reads the catalogue that ships with Tollgate. Throws when an entry is not exact: a test reads it all. */
export function readCatalogue(): Catalogue {
  const file: CatalogueFile = catalogueFile;
  const rows = file.prices.flatMap(({ models, provider, source: _, confidence: __, ...entry }) =>
    models.map((model) => priceRow({ ...entry, model }, { provider, origin: "catalogue" })),
  );
  const excluded = new Set(
    file.excluded.flatMap(({ provider, models }) => models.map((model) => `${provider}/${model}`)),
  );
  const limits = readLimits(file);
  const serviceTiers = readServiceTiers(file);
  const fees = readFees(file);
  const limitsOf = (model: string): ModelLimits | null => {
    for (const name of namesToTry(dotted(model))) {
      const found = limits.get(name);
      if (found !== undefined) return found;
    }
    return null;
  };
  return {
    updated: file.updated,
    rows,
    isExcluded: (row) => excluded.has(`${row.provider}/${row.model}`),
    limitsOf,
    complete(row) {
      const fee = fees(row);
      const withFees = (tiers: readonly PriceTier[]): readonly PriceTier[] =>
        tiers.map((tier) => ({ ...tier, prices: { ...fee, ...tier.prices } }));
      const sold = { ...serviceTiers(row), ...row.serviceTiers };
      const known = limitsOf(row.model);
      return {
        ...row,
        contextWindow: known?.contextWindow ?? row.contextWindow,
        maxInputTokens: known?.maxInputTokens ?? row.maxInputTokens,
        maxOutputTokens: known?.maxOutputTokens ?? row.maxOutputTokens,
        tiers: withFees(row.tiers),
        serviceTiers: Object.fromEntries(
          Object.entries(sold).map(([name, tiers]) => [name, withFees(tiers)]),
        ),
      };
    },
  };
}

/** genai-prices also lists OpenAI's models with hyphens for dots: "gpt-5-4-mini" is "gpt-5.4-mini". */
const dotted = (model: string): string => model.replace(/^gpt-(\d)-(\d)(?=-|$)/, "gpt-$1.$2");

function readLimits(file: CatalogueFile): ReadonlyMap<string, ModelLimits> {
  return new Map(
    file.limits.flatMap((entry) =>
      entry.models.map((model): [string, ModelLimits] => [
        model,
        {
          contextWindow: entry.context_window,
          maxInputTokens: entry.max_input_tokens,
          maxOutputTokens: entry.max_output_tokens,
        },
      ]),
    ),
  );
}

type TiersByName = Readonly<Record<string, readonly PriceTier[]>>;

/** A set of service tiers goes with the rows of its models from its instant on, until a later set. */
function readServiceTiers(file: CatalogueFile): (row: PriceRow) => TiersByName {
  const sets = file.service_tiers.flatMap(({ provider, models, from, tiers }) =>
    models.map((model) => {
      const named = Object.entries(tiers).filter(
        (entry): entry is [string, TieredPriceTexts] => entry[1] !== undefined,
      );
      const parsed = named.map(([name, texts]) => {
        const row = priceRow(
          { ...texts, model, ...(from === undefined ? {} : { from }) },
          { provider, origin: "catalogue" },
        );
        return { name, from: row.from, tiers: row.tiers };
      });
      return { provider, model, parsed };
    }),
  );
  return ({ provider, model, from }) => {
    const found: Record<string, readonly PriceTier[]> = {};
    const fitting = sets.filter((set) => set.provider === provider && set.model === dotted(model));
    for (const tier of fitting.flatMap((set) => set.parsed).sort((a, b) => a.from - b.from)) {
      if (tier.from <= from) found[tier.name] = tier.tiers;
    }
    return found;
  };
}

const feeKinds = ["web_search", "file_search", "code_interpreter"] as const satisfies readonly MeterKind[];

/**
 * Fees of the first entry that names each kind for the row; rows without output (embeddings) use no tools.
 */
function readFees(file: CatalogueFile): (row: PriceRow) => UnitPrices {
  const entries = file.fees.map(({ provider, models, ...fees }) => {
    const only = Object.fromEntries(
      feeKinds.flatMap((kind) => (fees[kind] === undefined ? [] : [[kind, fees[kind]]])),
    );
    const { tiers } = priceRow({ model: "fees", input: "0", fees: only }, { provider, origin: "catalogue" });
    const { input: _, ...prices } = tiers[0]?.prices ?? {};
    return { provider, models, prices };
  });
  return (row) => {
    if (row.tiers[0]?.prices.output === undefined) return {};
    const fitting = entries.filter(
      ({ provider, models }) => provider === row.provider && (models?.includes(row.model) ?? true),
    );
    return Object.assign({}, ...fitting.reverse().map(({ prices }) => prices));
  };
}
