import { ConfigError, type ConfigProblem } from "./config.ts";
import { operatorRow, type PriceEntry, PriceEntryError } from "./price-entry.ts";
import { readDocument } from "./read.ts";
import { configSchema } from "./schema.ts";
import { emptyMap, parseSource, type Source } from "./source.ts";
import type { Environment } from "./variables.ts";

type Path = readonly (string | number)[];

/** Where in the file the field of a price entry stands: "tiers[0].input" → tiers, 0, input. */
export const stepsOf = (field: string): Path =>
  [...field.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([key, index]) =>
    index === undefined ? key : Number(index),
  );

/** Reads a file that holds prices: a list, or `prices:` with a list. Throws one `ConfigError` with everything that is wrong. */
export function readPrices(text: string, file: string, environment: Environment): readonly PriceEntry[] {
  const { root, problems: first } = parseSource(text, file, environment);
  const reading = readDocument(configSchema, wrapList(root));
  const problems: ConfigProblem[] = [...first, ...reading.problems];
  if (problems.length > 0) throw new ConfigError(problems);
  const { prices } = reading.value as { readonly prices: readonly PriceEntry[] };
  prices.forEach((price, index) => {
    try {
      operatorRow(price);
    } catch (error) {
      if (!(error instanceof PriceEntryError)) throw error;
      const path = ["prices", index, ...stepsOf(error.field)];
      problems.push({ origin: reading.place(path), path: error.field, message: error.message });
    }
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return prices;
}

/** As if it were a configuration with nothing but prices. */
function wrapList(root: Source): Source {
  const value = root.kind === "map" ? root.entries.get("prices")?.value : root;
  const map = emptyMap(root.origin);
  if (value !== undefined) map.entries.set("prices", { origin: root.origin, value });
  if (root.kind === "map") for (const [key, entry] of root.entries) map.entries.set(key, entry);
  return map;
}
