import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatUsd, formatUsdPerMillion, parseDecimal } from "../core/money.ts";
import type { MeterKind, PriceRow, PriceTier } from "../core/prices.ts";
import { rate, tierFor } from "../core/rating.ts";
import { type Fees, noFees, noUsage } from "../core/usage.ts";
import { loadPriceBook } from "./load-price-book.ts";
import { operatorRow } from "./price-entry.ts";

const book = loadPriceBook({ operatorRows: [], adminRows: [] });
const now = Date.parse("2026-11-20T12:00:00Z");

function get(provider: string, model: string, at: string | number = now): PriceRow {
  const row = book.find(provider, model, typeof at === "number" ? at : Date.parse(at));
  if (row === null) throw new Error(`no row for ${provider} ${model}`);
  return row;
}

/**
 * "in/cached/out[/write]" in USD per million, as the vendor's tables have it; a price that is not given is
 * "-".
 */
function show(tier: PriceTier | undefined): string {
  const price = (kind: MeterKind): string => {
    const found = tier?.prices[kind];
    return found === undefined ? "-" : formatUsdPerMillion(found);
  };
  const short = `${price("input")}/${price("cached_input")}/${price("output")}`;
  return tier?.prices.cache_write === undefined ? short : `${short}/${price("cache_write")}`;
}

describe("prices in force", () => {
  test.each([
    ["gpt-4o", "2.5/1.25/10"],
    ["gpt-4o-mini", "0.15/0.075/0.6"],
    ["gpt-4.1", "2/0.5/8"],
    ["gpt-4.1-mini", "0.4/0.1/1.6"],
    ["gpt-4.1-nano", "0.1/0.025/0.4"],
    ["gpt-4", "30/-/60"],
    ["gpt-4-turbo", "10/-/30"],
    ["gpt-3.5-turbo", "0.5/-/1.5"],
    ["o1", "15/7.5/60"],
    ["o3", "2/0.5/8"],
    ["o3-mini", "1.1/0.55/4.4"],
    ["o1-mini", "1.1/0.55/4.4"],
    ["o4-mini", "1.1/0.275/4.4"],
    ["gpt-5", "1.25/0.125/10"],
    ["gpt-5.1", "1.25/0.125/10"],
    ["gpt-5-chat", "1.25/0.125/10"],
    ["gpt-5-codex", "1.25/0.125/10"],
    ["gpt-5-mini", "0.25/0.025/2"],
    ["gpt-5-nano", "0.05/0.005/0.4"],
    ["gpt-5-pro", "15/-/120"],
    ["gpt-5.2", "1.75/0.175/14"],
    ["gpt-5.3", "1.75/0.175/14"],
    ["gpt-5.2-pro", "21/-/168"],
    ["gpt-5.4", "2.5/0.25/15"],
    ["gpt-5.4-mini", "0.75/0.075/4.5"],
    ["gpt-5.4-nano", "0.2/0.02/1.25"],
    ["gpt-5.5", "5/0.5/30"],
    ["gpt-5.5-pro", "30/-/180"],
    ["gpt-5.6-luna", "0.2/0.02/1.2/0.25"],
    ["gpt-5.6-terra", "2/0.2/12/2.5"],
    ["gpt-5.6-sol", "4/0.4/20/5"],
    ["gpt-6-astra", "10/1/50/12.5"],
    ["gpt-6-sol", "2/0.2/10/2.5"],
    ["gpt-6-luna", "0.1/0.01/0.5/0.125"],
    ["gpt-6.1-sol", "2/0.1/10/2.5"],
    ["gpt-6.2-astra", "8/0.4/40/10"],
    ["gpt-6.2-sol", "2/0.1/10/2.5"],
    ["text-embedding-3-small", "0.02/-/-"],
    ["text-embedding-3-large", "0.13/-/-"],
    ["text-embedding-ada-002", "0.1/-/-"],
  ])("%s costs %s, at OpenAI and at Azure", (model, prices) => {
    expect(show(get("openai", model).tiers[0])).toBe(prices);
    const azure = model === "o4-mini" ? "1.1/0.28/4.4" : prices;
    expect(show(get("azure", model).tiers[0])).toBe(azure);
  });

  test.each([
    ["o3", "2025-06-09T23:59:59Z", "10/2.5/40"],
    ["o3", "2025-06-10T00:00:00Z", "2/0.5/8"],
    ["gpt-5.6-luna", "2026-07-29T23:59:59Z", "1/0.1/6/1.25"],
    ["gpt-5.6-luna", "2026-07-30T00:00:00Z", "0.2/0.02/1.2/0.25"],
    ["gpt-5.6-sol", "2026-08-20T23:59:59Z", "5/0.5/30/6.25"],
    ["gpt-5.6-sol", "2026-08-21T00:00:00Z", "4/0.4/20/5"],
  ])("%s on %s costs %s", (model, at, prices) =>
    expect(show(get("openai", model, at).tiers[0])).toBe(prices),
  );

  test.each([
    ["gpt-5.4", "2.5/0.25/15", "5/0.5/22.5"],
    ["gpt-5.5", "5/0.5/30", "10/1/45"],
    ["gpt-5.6-sol", "4/0.4/20/5", "8/0.8/30/10"],
    ["gpt-6-astra", "10/1/50/12.5", "20/2/75/25"],
    ["gpt-6-sol", "2/0.2/10/2.5", "4/0.4/15/5"],
    ["gpt-6.2-astra", "8/0.4/40/10", "16/0.8/60/20"],
  ])("%s costs %s up to 272,000 tokens of input and %s beyond", (model, short, long) => {
    expect(show(tierFor(get("openai", model), null, 272_000))).toBe(short);
    expect(show(tierFor(get("openai", model), null, 272_001))).toBe(long);
  });

  test.each([
    ["gpt-4o", "priority", "4.25/2.125/17"],
    ["gpt-4.1", "priority", "3.5/0.875/14"],
    ["gpt-5", "priority", "2.5/0.25/20"],
    ["gpt-5-mini", "priority", "0.45/0.045/3.6"],
    ["gpt-5-mini", "flex", "0.125/0.0125/1"],
    ["gpt-5-mini", "batch", "0.125/0.0125/1"],
    ["gpt-5.1", "priority", "2.5/0.25/20"],
    ["gpt-5.2", "fast", "3.5/0.35/28"],
    ["gpt-5.2", "flex", "0.875/0.0875/7"],
    ["gpt-5.4", "priority", "5/0.5/30"],
    ["gpt-5.4", "flex", "1.25/0.13/7.5"],
    ["gpt-5.5", "priority", "12.5/1.25/75"],
    ["gpt-5.6-terra", "priority", "4/0.4/24/5"],
    ["gpt-5.6-sol", "flex", "2/0.2/10/2.5"],
    ["gpt-6-astra", "priority", "20/2/100/25"],
    ["gpt-6.1-sol", "priority", "4/0.2/20/5"],
  ])("%s on %s costs %s", (model, serviceTier, prices) => {
    expect(show(tierFor(get("openai", model), serviceTier, 1_000))).toBe(prices);
  });

  test("a service tier follows the dates of its model, and its long context", () => {
    expect(show(get("openai", "gpt-5.6-sol", "2026-08-20T00:00:00Z").serviceTiers.priority?.[0])).toBe(
      "10/1/60/12.5",
    );
    expect(show(get("openai", "gpt-5.6-sol").serviceTiers.priority?.[0])).toBe("8/0.8/40/10");
    expect(show(tierFor(get("openai", "gpt-5.6-luna"), "priority", 272_001))).toBe("0.8/0.08/3.6/1");
    expect(show(tierFor(get("openai", "gpt-5.4"), "flex", 272_001))).toBe("2.5/0.25/11.25");
  });

  test("audio has prices of its own", () => {
    expect(get("openai", "gpt-audio").tiers[0]?.prices).toMatchObject({
      audio_input: 32_000_000n,
      audio_output: 64_000_000n,
    });
    expect(get("openai", "gpt-4o-audio-preview").tiers[0]?.prices).toMatchObject({
      audio_input: 40_000_000n,
    });
  });

  test("hosted tools have fees in every tier", () => {
    const fees = (provider: string, model: string, serviceTier: string | null = null) => {
      const { prices } = tierFor(get(provider, model), serviceTier, 300_000);
      return [prices.web_search, prices.file_search, prices.code_interpreter].map((fee) =>
        fee === undefined ? "-" : formatUsd(fee),
      );
    };
    expect(fees("openai", "gpt-5.6-sol", "flex")).toEqual(["0.01", "0.0025", "0.03"]);
    expect(fees("openai", "gpt-4.1-nano")).toEqual(["0.01", "0.0025", "0.03"]);
    expect(fees("openai", "gpt-4o-search-preview")).toEqual(["0.025", "0.0025", "0.03"]);
    expect(fees("azure", "o3")).toEqual(["-", "0.0025", "0.03"]);
    expect(fees("groq", "llama-3.3-70b-versatile")).toEqual(["-", "-", "-"]);
    expect(fees("openai", "text-embedding-3-small")).toEqual(["-", "-", "-"]);
  });

  test.each([
    "gpt-5.7",
    "gpt-4o-foo",
    "gpt-5.4-ultra",
    "gpt-6",
    "gpt-5-pro-max",
    "o5",
    "gpt-oss-120b",
    "gpt-realtime",
    "omni-moderation-latest",
    "foo-o4-mini-bar",
    "mai-ds-r1:free",
    "phi-4",
  ])("%s has no price", (model) => {
    expect(book.find("openai", model, now)).toBeNull();
    expect(book.find("azure", model, now)).toBeNull();
  });

  test("a model has no price before it was sold", () => {
    expect(book.find("openai", "gpt-6.2-astra", Date.parse("2026-11-16T00:00:00Z"))).toBeNull();
  });

  test.each([
    ["gpt-5-mini-2025-08-07", "openai/gpt-5-mini@1970-01-01T00:00:00Z"],
    ["gpt-5-nano-2025-08-07", "openai/gpt-5-nano@1970-01-01T00:00:00Z"],
    ["gpt-4o-2024-05-13", "openai/gpt-4o-2024-05-13@1970-01-01T00:00:00Z"],
    ["gpt-4o-2024-08-06", "openai/gpt-4o@1970-01-01T00:00:00Z"],
    ["gpt-6-sol-2026-09-22", "openai/gpt-6-sol@1970-01-01T00:00:00Z"],
    ["gpt-5-4-mini", "openai/gpt-5-4-mini@1970-01-01T00:00:00Z"],
    ["gpt-35-turbo-16k", "openai/gpt-3.5-turbo-16k@1970-01-01T00:00:00Z"],
    ["ft:gpt-4o-mini-2024-07-18:acme::7q", "openai/ft:gpt-4o-mini@1970-01-01T00:00:00Z"],
  ])("%s is billed by %s", (model, id) => expect(get("azure", model).id).toBe(id));
});

describe("the book as a whole", () => {
  const feeCounts: Fees = { webSearch: 1, fileSearch: 1, codeInterpreter: 1 };
  const exactly = parseDecimal("1");

  test("any usage of a chat model can be rated, on every service tier and in every context", () => {
    const rows = book.rows().filter(({ tiers }) => tiers[0]?.prices.output !== undefined);
    fc.assert(
      fc.property(fc.constantFrom(...rows), fc.nat(400_000), fc.nat(1_000), (row, input, part) => {
        const usage = {
          ...noUsage,
          input: input + 2 * part,
          cachedInput: part,
          cacheWrite: part,
          output: part,
        };
        const fees = row.provider === "openai" ? feeCounts : noFees;
        for (const serviceTier of [null, ...Object.keys(row.serviceTiers)]) {
          const rated = rate(usage, fees, { row, serviceTier, markup: exactly });
          expect(rated.charge).toBe(rated.vendorCost);
        }
      }),
    );
  });

  test("every row has an id of its own and ascending tiers", () => {
    const rows = book.rows();
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
    for (const { tiers, serviceTiers } of rows) {
      for (const list of [tiers, ...Object.values(serviceTiers)]) {
        const bounds = list.map(({ aboveInputTokens }) => aboveInputTokens);
        expect(bounds[0]).toBe(0);
        expect(bounds).toEqual([...new Set(bounds)].sort((a, b) => a - b));
      }
    }
  });
});

describe("own prices", () => {
  const cheaper = operatorRow({ model: "gpt-5-mini", input: "0.2", output: "1" });
  const own = loadPriceBook({ operatorRows: [cheaper], adminRows: [] });

  test("win over every vendor's and keep the model's limits", () => {
    for (const provider of ["openai", "azure", "groq"]) {
      expect(own.find(provider, "gpt-5-mini-2025-08-07", now)).toMatchObject({
        id: "operator/gpt-5-mini@1970-01-01T00:00:00Z",
        contextWindow: 400_000,
        maxOutputTokens: 128_000,
        serviceTiers: {},
      });
    }
  });

  test("of the admin API win over those of the configuration at the same instant", () => {
    const admin = operatorRow(
      { model: "gpt-5-mini", input: "0.3", output: "1", max_output_tokens: 1_000 },
      "admin",
    );
    const row = loadPriceBook({ operatorRows: [cheaper], adminRows: [admin] }).find(
      "openai",
      "gpt-5-mini",
      now,
    );
    expect(row).toMatchObject({ origin: "admin", maxOutputTokens: 1_000 });
  });

  test("change the version of the book, which else stays", () => {
    expect(own.version).not.toBe(book.version);
    expect(loadPriceBook({ operatorRows: [cheaper], adminRows: [] }).version).toBe(own.version);
    expect(book.version).toMatch(/^genai-prices 0\.1\.8, catalogue 2026-11-20, [0-9a-f]{12}$/);
  });
});
