import { presentPrice } from "../../billing/present-price.ts";
import { publishPrice } from "../../billing/prices.ts";
import { accepted } from "../errors.ts";
import { type AdminRoute, byId, list, write } from "../route.ts";
import { price, priceCreate, priceQuery } from "../schemas/prices.ts";

const tag = "Prices";

export const priceRoutes: readonly AdminRoute[] = [
  list(
    {
      ...{ path: "/prices", tag, role: "viewer" },
      summary:
        "Every price that is known, built-in ones too, by id: vendor, model and the instant it holds from.",
      ...{ params: null, query: priceQuery, item: price },
    },
    async ({ query, desk, ports }, { after, limit }) => {
      // Rows that another process has published may not be in this one's book yet.
      const known = new Map(
        [...(await desk.tables.prices.list()), ...ports.prices.book().rows()].map((row) => [row.id, row]),
      );
      const rows = [...known.values()]
        .filter((row) => query.model === undefined || row.model === query.model)
        .filter((row) => query.provider === undefined || row.provider === query.provider)
        .filter((row) => after === null || row.id > after)
        .sort((a, b) => (a.id < b.id ? -1 : 1));
      return byId(rows.slice(0, limit).map(presentPrice));
    },
  ),
  write(
    {
      ...{ method: "POST", path: "/prices", tag, role: "finance" },
      summary:
        "Publish a price of your own. It wins over the vendors' lists and is superseded by a later one, never edited.",
      ...{ params: null, body: priceCreate, answer: price },
      after: (ports) => ports.prices.refresh(),
    },
    async ({ body, desk, ports }) => ({
      status: 201,
      body: presentPrice(accepted(await publishPrice(desk, ports.prices, body))),
    }),
  ),
];
