import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatUsd, formatUsdPerMillion, type PicoUsd, parseDecimal, parseUsdPerMillion } from "./money.ts";
import type { MeterKind, PriceRow, PriceTier } from "./prices.ts";
import { canRate, dearest, quantitiesOf, rate } from "./rating.ts";
import { noFees, noUsage, type Usage, usageFault } from "./usage.ts";

const prices = (usd: Partial<Record<MeterKind, string>>): Partial<Record<MeterKind, PicoUsd>> =>
  Object.fromEntries(Object.entries(usd).map(([kind, price]) => [kind, parseUsdPerMillion(price)]));
const tier = (above: number, usd: Partial<Record<MeterKind, string>>): PriceTier => ({
  aboveInputTokens: above,
  prices: prices(usd),
});
/** $2.50 in, $0.25 cached, $15 out; twice and one and a half times that above 272 000 tokens. */
const row: PriceRow = {
  id: "openai/gpt-5.4@x",
  provider: "openai",
  model: "gpt-5.4",
  from: 0,
  tiers: [
    tier(0, { input: "2.5", cached_input: "0.25", output: "15", audio_input: "40", audio_output: "80" }),
    tier(272_000, { input: "5", cached_input: "0.5", output: "22.5" }),
  ],
  serviceTiers: {
    priority: [tier(0, { input: "5", cached_input: "0.5", output: "30" })],
    flex: [tier(0, { input: "1.25", output: "7.5" })],
  },
  contextWindow: 1_050_000,
  maxInputTokens: null,
  maxOutputTokens: 128_000,
  origin: "test",
};
const inputKinds: readonly MeterKind[] = [
  "input",
  "cached_input",
  "cache_write",
  "audio_input",
  "cached_audio_input",
  "image_input",
];
const outputKinds: readonly MeterKind[] = ["output", "audio_output"];
/** Sold like embeddings: nothing is written. */
const readOnly: PriceRow = { ...row, tiers: [tier(0, { input: "0.02" })] };
const used = (usage: Partial<Usage>): Usage => ({
  ...noUsage,
  ...usage,
  total: (usage.input ?? 0) + (usage.output ?? 0),
});
const lines = (usage: Partial<Usage>, serviceTier: string | null = null, markup = "1"): string[] =>
  rate(used(usage), noFees, { row, serviceTier, markup: parseDecimal(markup) }).lines.map(
    (line) => `${line.kind} ${line.quantity} × ${formatUsd(line.unitPrice)} = ${formatUsd(line.amount)}`,
  );

describe("rate()", () => {
  test("prices the parts, never the parts and the whole", () => {
    expect(lines({ input: 1_000, cachedInput: 600, cacheWrite: 100, output: 50, reasoning: 40 })).toEqual([
      "input 300 × 0.0000025 = 0.00075",
      "cached_input 600 × 0.00000025 = 0.00015",
      "cache_write 100 × 0.0000025 = 0.00025",
      "output 50 × 0.000015 = 0.00075",
    ]);
  });

  test("takes audio and image tokens out of their sides", () => {
    expect(lines({ input: 100, audioInput: 30, imageInput: 20, output: 28, audioOutput: 18 })).toEqual([
      "input 50 × 0.0000025 = 0.000125",
      "audio_input 30 × 0.00004 = 0.0012",
      "image_input 20 × 0.0000025 = 0.00005",
      "output 10 × 0.000015 = 0.00015",
      "audio_output 18 × 0.00008 = 0.00144",
    ]);
  });

  test("prices cached audio like other cached input where it has no price of its own", () => {
    expect(
      lines({ input: 100, cachedInput: 40, audioInput: 30, imageInput: 5, cachedAudioInput: 10 }),
    ).toEqual([
      "input 35 × 0.0000025 = 0.0000875",
      "cached_input 30 × 0.00000025 = 0.0000075",
      "audio_input 20 × 0.00004 = 0.0008",
      "cached_audio_input 10 × 0.00000025 = 0.0000025",
      "image_input 5 × 0.0000025 = 0.0000125",
    ]);
  });

  test.each([
    [271_999, "2.5"],
    [272_000, "2.5"],
    [272_001, "5"],
  ])("an input of %i tokens costs %s per million, as a whole", (input, usd) => {
    const [first, second] = rate(used({ input, output: 10 }), noFees, {
      row,
      serviceTier: null,
      markup: parseDecimal("1"),
    }).lines;
    expect(first?.listPrice).toBe(parseUsdPerMillion(usd));
    expect(second?.listPrice).toBe(parseUsdPerMillion(usd === "5" ? "22.5" : "15"));
  });

  test.each([
    [null, "15"],
    ["default", "15"],
    ["auto", "15"],
    ["priority", "30"],
    ["fast", "30"],
    ["flex", "7.5"],
    ["unheard-of", "15"],
    ["constructor", "15"],
    ["__proto__", "15"],
  ])("service tier %s costs %s per million of output", (serviceTier, usd) => {
    expect(lines({ input: 0, output: 1_000_000 }, serviceTier)).toEqual([
      `output 1000000 × ${formatUsd(parseUsdPerMillion(usd))} = ${usd}`,
    ]);
  });

  test("rounds a marked-up unit price up, once, and nothing else", () => {
    const odd = { ...row, tiers: [tier(0, { input: "0.000001", output: "0" })] };
    const rated = rate(used({ input: 1_000 }), noFees, {
      row: odd,
      serviceTier: null,
      markup: parseDecimal("1.2"),
    });
    expect([rated.lines[0]?.unitPrice, rated.charge, rated.vendorCost]).toEqual([2n, 2_000n, 1_000n]);
  });
});

test.each<[string, PriceRow, string, string]>([
  [
    "a kind that is not sold",
    readOnly,
    "PriceMissing",
    "Cannot rate output: price row openai/gpt-5.4@x has no price for it; add one.",
  ],
  ["any kind", { ...row, tiers: [] }, "Error", "Bug: price row openai/gpt-5.4@x has no tier"],
])("rate() says which row lacks a price for %s", (_what, lacking, name, message) => {
  const terms = { row: lacking, serviceTier: null, markup: parseDecimal("1") };
  expect(() => rate(used({ output: 1 }), noFees, terms)).toThrow(expect.objectContaining({ name, message }));
});

describe("quantitiesOf()", () => {
  const shown = (usage: Partial<Usage>): string[] =>
    quantitiesOf(used(usage), noFees).map(([kind, quantity]) => `${kind} ${quantity}`);

  test.each<[string, Partial<Usage>, string[]]>([
    ["nothing", {}, []],
    ["all cached", { input: 5, cachedInput: 5 }, ["cached_input 5"]],
    [
      "cached images, of which the vendor does not say that they were",
      { input: 100, cachedInput: 80, imageInput: 50 },
      ["cached_input 80", "image_input 20"],
    ],
    [
      "cached audio, of which it does not say so: it must have been at least this much",
      { input: 10, cachedInput: 6, audioInput: 8 },
      ["cached_input 2", "audio_input 4", "cached_audio_input 4"],
    ],
    [
      "audio that was written to the cache",
      { input: 4, cacheWrite: 3, audioInput: 3 },
      ["cache_write 3", "audio_input 1"],
    ],
    [
      "audio that was read from the cache, and the rest written to it",
      { input: 4, cachedInput: 1, cacheWrite: 3, audioInput: 4 },
      ["cache_write 3", "cached_audio_input 1"],
    ],
    [
      "audio and images, all of them cached",
      { input: 10, cachedInput: 10, audioInput: 6, imageInput: 4 },
      ["cached_input 4", "cached_audio_input 6"],
    ],
  ])("of %s", (_what, usage, expected) => expect(shown(usage)).toEqual(expected));

  test("names fees after tokens", () => {
    const fees = { webSearch: 1, fileSearch: 2, codeInterpreter: 3 };
    expect(quantitiesOf(used({ input: 1 }), fees)).toEqual([
      ["input", 1],
      ["web_search", 1],
      ["file_search", 2],
      ["code_interpreter", 3],
    ]);
  });

  test("adds up to the whole on both sides, whatever usage can be true", { retry: 0 }, () => {
    const upTo = (most: number): fc.Arbitrary<number> => fc.nat(most);
    const usages = upTo(60).chain((input) =>
      fc.record({
        input: fc.constant(input),
        cachedInput: upTo(input),
        cacheWrite: upTo(input),
        audioInput: upTo(input),
        imageInput: upTo(input),
        cachedAudioInput: upTo(input),
        output: upTo(60),
        audioOutput: upTo(60),
      }),
    );
    const limits = { contextWindow: null, maxOutputTokens: null };
    fc.assert(
      fc.property(
        usages.map(used).filter((usage) => usageFault(usage, limits) === null),
        (usage) => {
          const quantities = new Map<string, number>(quantitiesOf(usage, noFees));
          const sum = (kinds: readonly string[]): number =>
            kinds.reduce((total, kind) => total + (quantities.get(kind) ?? 0), 0);
          expect(sum(inputKinds)).toBe(usage.input);
          expect(sum(outputKinds)).toBe(usage.output);
          expect([...quantities.values()].every((quantity) => quantity > 0)).toBe(true);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

test.each<[string, boolean, PriceRow, string | null, MeterKind[]]>([
  ["cached input, which costs what input costs", true, row, "flex", ["input", "cached_input", "output"]],
  ["the standard tier as auto", true, row, "auto", ["input"]],
  ["the standard tier as default", true, row, "default", ["input"]],
  ["the standard tier by its name", true, row, "standard", ["input"]],
  ["a tier that is not sold", false, row, "batch", ["input"]],
  ["a tool without a price", false, row, null, ["web_search"]],
  ["output where only input is sold", false, readOnly, null, ["input", "output"]],
  [
    "output without a price for long inputs",
    false,
    { ...row, tiers: [tier(0, { input: "1", output: "1" }), tier(272_000, { input: "2" })] },
    null,
    ["output"],
  ],
])("canRate() of %s: %s", (_what, expected, of, serviceTier, kinds) => {
  expect(canRate(of, serviceTier, kinds)).toBe(expected);
});

describe("dearest()", () => {
  const shown = (of: PriceRow, tiers: (string | null)[]): string[] => {
    const { input, output } = dearest(of, tiers, parseDecimal("1"));
    return [input, output].map(formatUsdPerMillion);
  };
  const sizes = [tier(0, { input: "2.5", output: "15" }), tier(272_000, { input: "5", output: "22.5" })];

  test.each<[string, PriceRow, (string | null)[], string[]]>([
    ["audio", row, [null], ["40", "80"]],
    ["long inputs", { ...row, tiers: sizes }, [null], ["5", "22.5"]],
    ["the tier that was asked for", { ...row, tiers: sizes }, [null, "priority"], ["5", "30"]],
    ["a side that is not sold", readOnly, [null], ["0.02", "0"]],
  ])("covers %s", (_what, of, tiers, expected) => expect(shown(of, tiers)).toEqual(expected));

  const kinds = [...inputKinds, ...outputKinds];
  test.each(kinds)("covers %s where nothing else of its side costs as much", (kind) => {
    const usd = Object.fromEntries(kinds.map((one) => [one, one === kind ? "9" : "1"]));
    const expected = inputKinds.includes(kind) ? ["9", "1"] : ["1", "9"];
    expect(shown({ ...row, tiers: [tier(0, usd)] }, [null])).toEqual(expected);
  });
});
