import type { PriceRow } from "../core/prices.ts";
import type { PriceDesk, PriceEntry } from "../ports-admin.ts";
import type { Desk } from "./desk.ts";
import { presentPrice } from "./present-price.ts";
import { done, type Outcome, refuse } from "./refusals.ts";

export type PriceRequest = Omit<PriceEntry, "from"> & {
  readonly model: string;
  readonly from?: string | undefined;
};

/**
 * Publishes a price of the operator's own, which wins over every vendor's list. It holds from `from` on (now, if left out)
 * until a later one. Nothing in flight is priced anew: a request keeps the prices it was admitted under.
 */
export async function publishPrice(
  desk: Desk,
  prices: PriceDesk,
  request: PriceRequest,
): Promise<Outcome<PriceRow>> {
  const { tables, actor, clock } = desk;
  const from = request.from === undefined ? clock.now() : Date.parse(request.from);
  if (Number.isNaN(from)) {
    return refuse(
      "invalid_price",
      `Cannot use \`from\`: ${request.from} is not an instant; write 2030-01-31T00:00:00Z.`,
      "from",
    );
  }
  const read = prices.read({ ...request, from: new Date(from).toISOString() });
  // As every other refusal names a place in a list: tiers.0.input.
  if (!read.ok) return refuse("invalid_price", read.message, read.field.replaceAll(/\[(\d+)\]/g, ".$1"));
  const { row } = read;
  if (!(await tables.prices.add(row))) {
    return refuse(
      "price_exists",
      `Cannot publish ${row.id}: there is a price from this instant on, and prices are never edited; publish one from a later instant.`,
      "from",
    );
  }
  await tables.audit.add({
    actor,
    action: "price.publish",
    target: row.id,
    before: null,
    after: presentPrice(row),
  });
  return done(row);
}
