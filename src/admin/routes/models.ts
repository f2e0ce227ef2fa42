import { formatDecimal, formatUsd, multiplyUp } from "../../core/money.ts";
import type { PriceBook, PriceRow } from "../../core/prices.ts";
import { unitPrice } from "../../core/rating.ts";
import type { DeploymentRoute, ModelRoute } from "../../core/routing.ts";
import type { SeenModel } from "../../ports-console.ts";
import { type AdminRoute, list } from "../route.ts";
import { servedModel, unpricedModel } from "../schemas/reports.ts";

const tag = "Prices";
/** How far back models are looked for that have no price of their own. */
const seenDays = 30;

/** Kinds in the order in which people read prices. */
const kinds = [
  ...["input", "cached_input", "cache_write", "output", "audio_input", "cached_audio_input", "audio_output"],
  ...["image_input", "web_search", "file_search", "code_interpreter"],
] as const;

export const modelRoutes: readonly AdminRoute[] = [
  list(
    {
      ...{ path: "/models", tag, role: "viewer" },
      summary:
        "The models that clients may name, with the price in force of each deployment: what the vendor's list says and what is charged.",
      ...{ params: null, query: {}, item: servedModel },
    },
    async ({ ports, desk }, { after, limit }) => {
      const book = ports.prices.book();
      return [...ports.routes()]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .filter((model) => after === null || model.name > after)
        .slice(0, limit)
        .map((model) => ({ cursor: model.name, value: presentModel(model, book, desk.clock.now()) }));
    },
  ),
  list(
    {
      ...{ path: "/models/unpriced", tag, role: "viewer" },
      summary: `Models that answered in the last ${seenDays} days and are not in the price book: they were charged as what their deployment is configured to be.`,
      ...{ params: null, query: {}, item: unpricedModel },
    },
    async ({ ports, desk }, { after, limit }) => {
      const now = desk.clock.now();
      const seen = await ports.reports.seenModels(new Date(now - seenDays * 86_400_000).toISOString());
      const book = ports.prices.book();
      return seen
        .filter((one) => !isPriced(one, ports.routes(), { book, now }))
        .map((one) => ({
          value: presentUnpriced(one, ports.routes()),
          cursor: `${one.endpoint}/${one.model}`,
        }))
        .sort((a, b) => (a.cursor < b.cursor ? -1 : 1))
        .filter((row) => after === null || row.cursor > after)
        .slice(0, limit);
    },
  ),
];

const presentModel = (model: ModelRoute, book: PriceBook, now: number) => ({
  name: model.name,
  markup: formatDecimal(model.markup),
  deployments: model.deployments.map((route) =>
    presentDeployment(route, model, book.find(route.provider, route.model, now)),
  ),
});

const presentDeployment = (route: DeploymentRoute, model: ModelRoute, row: PriceRow | null) => ({
  endpoint: route.endpoint,
  deployment: route.deployment,
  model: route.model,
  provider: route.provider,
  price_row: row?.id ?? null,
  origin: row?.origin ?? null,
  from: row === null || row.from === 0 ? null : new Date(row.from).toISOString(),
  prices: row === null ? [] : pricesOf(row, model),
});

/** Of the standard tier. Kinds without a price of their own cost what the kind costs that they are a part of; they are left out. */
const pricesOf = (row: PriceRow, model: ModelRoute) =>
  kinds.flatMap((kind) => {
    const prices = row.tiers[0]?.prices ?? {};
    const price = prices[kind] === undefined ? null : unitPrice(prices, kind);
    if (price === null) return [];
    return [
      { kind, list_price_usd: formatUsd(price), unit_price_usd: formatUsd(multiplyUp(price, model.markup)) },
    ];
  });

/** Where the endpoint is not configured any more nobody can say whose price list applied. */
function isPriced(
  { model, endpoint }: SeenModel,
  routes: readonly ModelRoute[],
  { book, now }: { readonly book: PriceBook; readonly now: number },
): boolean {
  const there = routes.flatMap((route) => route.deployments).filter((route) => route.endpoint === endpoint);
  // Azure may answer with the deployment's name.
  if (there.length === 0 || there.some((route) => route.deployment === model)) return true;
  return there.some((route) => book.find(route.provider, model, now) !== null);
}

function presentUnpriced({ model, endpoint, requests, lastAt }: SeenModel, routes: readonly ModelRoute[]) {
  const there = routes.flatMap((route) => route.deployments).filter((route) => route.endpoint === endpoint);
  return {
    model,
    endpoint,
    requests,
    last_at: lastAt,
    charged_as: [...new Set(there.map((route) => route.model))].sort(),
  };
}
