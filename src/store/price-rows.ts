import { type PicoUsd, pico } from "../core/money.ts";
import type { PriceRow, PriceTier, UnitPrices } from "../core/prices.ts";
import type { PriceRows } from "../ports-admin.ts";
import { type Queryable, sql } from "./db.ts";

const insertRow = sql`insert into price_rows (id, row) values ($1, $2) on conflict (id) do nothing returning id`;
const selectRows = sql`select row from price_rows order by created_at, id`;

/** As in the database: JSON has no whole numbers of any size, so prices are text of pUSD. */
type TierJson = { readonly above_input_tokens: number; readonly prices: Readonly<Record<string, string>> };
interface RowJson extends Omit<PriceRow, "tiers" | "serviceTiers"> {
  readonly tiers: readonly TierJson[];
  readonly serviceTiers: Readonly<Record<string, readonly TierJson[]>>;
}

export function createPriceRows(db: Queryable): PriceRows {
  return {
    async add(row) {
      return (await db.query(insertRow, [row.id, JSON.stringify(toJson(row))])).length === 1;
    },
    async list() {
      return (await db.query<{ row: RowJson }>(selectRows)).map(({ row }) => fromJson(row));
    },
  };
}

const toJson = (row: PriceRow): RowJson => ({
  ...row,
  tiers: row.tiers.map(tierToJson),
  serviceTiers: mapValues(row.serviceTiers, (tiers) => tiers.map(tierToJson)),
});
const fromJson = (row: RowJson): PriceRow => ({
  ...row,
  tiers: row.tiers.map(tierFromJson),
  serviceTiers: mapValues(row.serviceTiers, (tiers) => tiers.map(tierFromJson)),
});

const tierToJson = ({ aboveInputTokens, prices }: PriceTier): TierJson => ({
  above_input_tokens: aboveInputTokens,
  prices: mapValues(prices as Readonly<Record<string, PicoUsd>>, (price) => price.toString()),
});
const tierFromJson = (tier: TierJson): PriceTier => ({
  aboveInputTokens: tier.above_input_tokens,
  prices: mapValues(tier.prices, (text) => pico(BigInt(text))) as UnitPrices,
});

const mapValues = <From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From) => To,
): Record<string, To> => Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
