import type { PriceBook, PriceRow } from "./prices.ts";

/** Rows of this provider are the operator's own and win over every vendor's. */
export const operatorProvider = "operator";

/**
 * Whose list is asked when a provider's own has no row: Azure sells OpenAI's models at OpenAI's prices, but
 * for a few.
 */
const fallbackProviders: Readonly<Record<string, string>> = { azure: "openai" };

/** The stable id of a row; `from` is ms since the epoch. */
export const priceRowId = (provider: string, model: string, from: number): string =>
  `${provider}/${model}@${new Date(from).toISOString().replace(".000Z", "Z")}`;

/**
 * A book over `rows`. Of rows with the same provider, model and instant the last one counts, so layers are
 * simply appended. Looking up takes a few map reads.
 */
export function createPriceBook(rows: readonly PriceRow[], version: string): PriceBook {
  const unique = [
    ...new Map(rows.map((row) => [keyOf(row.provider, `${row.model}@${row.from}`), row])).values(),
  ];
  const histories = new Map<string, PriceRow[]>();
  for (const row of unique) {
    const key = keyOf(row.provider, row.model);
    const history = histories.get(key);
    if (history === undefined) histories.set(key, [row]);
    else history.push(row);
  }
  // Newest first, so that the first row that has begun is the one in force.
  for (const history of histories.values()) history.sort((a, b) => b.from - a.from);

  function findAt(provider: string, names: readonly string[], atMs: number): PriceRow | null {
    for (const name of names) {
      const row = histories.get(keyOf(provider, name))?.find(({ from }) => from <= atMs);
      if (row !== undefined) return row;
    }
    return null;
  }

  return {
    version,
    rows: () => unique,
    find(provider, model, atMs) {
      const names = namesToTry(model);
      const own = findAt(operatorProvider, names, atMs) ?? findAt(provider, names, atMs);
      const fallback = fallbackProviders[provider];
      return own ?? (fallback === undefined ? null : findAt(fallback, names, atMs));
    },
  };
}

/** No model or provider name holds a NUL, so two names cannot run into one. */
const keyOf = (provider: string, name: string): string => `${provider}\0${name}`;

/**
 * The names under which a model may have a row, the most exact first: itself, Azure's old spelling put right,
 * then without what marks a snapshot or a fine-tune of it. Nothing else is cut off: "gpt-4o-foo" has no row.
 */
export function namesToTry(model: string): readonly string[] {
  const names = [model];
  const spelled = model.startsWith("gpt-35-") ? `gpt-3.5-${model.slice("gpt-35-".length)}` : model;
  if (spelled !== model) names.push(spelled);
  const base = fineTuneBase(spelled);
  if (base !== spelled) names.push(base);
  const family = snapshotFamily(base);
  if (family !== base) names.push(family);
  return names;
}

/**
 * "ft:gpt-4o-mini-2024-07-18:acme::x" → "ft:gpt-4o-mini-2024-07-18"; Azure: "gpt-4o-mini-2024-07-18.ft-x" →
 * "….ft".
 */
function fineTuneBase(model: string): string {
  if (model.startsWith("ft:")) return model.split(":", 2).join(":");
  const cut = model.indexOf(".ft-");
  return cut === -1 ? model : model.slice(0, cut + ".ft".length);
}

const snapshotEnding = /-(?:(20\d\d)-(\d\d)-(\d\d)|(20\d\d)(\d\d)(\d\d)|(\d\d)(\d\d))$/;

/** The name without a date at its end: -YYYY-MM-DD, -YYYYMMDD or -MMDD. An ending that is no date stays. */
function snapshotFamily(model: string): string {
  const match = snapshotEnding.exec(model);
  if (match === null) return model;
  const month = Number(match[2] ?? match[5] ?? match[7]);
  const day = Number(match[3] ?? match[6] ?? match[8]);
  const isDate = month >= 1 && month <= 12 && day >= 1 && day <= 31;
  return isDate ? model.slice(0, match.index) : model;
}
