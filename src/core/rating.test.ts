import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatUsd, type PicoUsd, parseDecimal, parseUsdPerMillion } from "./money.ts";
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

describe("quantitiesOf()", () => {
  const inputKinds = [
    "input",
    "cached_input",
    "cache_write",
    "audio_input",
    "cached_audio_input",
    "image_input",
  ] as const;
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
          expect(sum(["output", "audio_output"])).toBe(usage.output);
          expect([...quantities.values()].every((quantity) => quantity > 0)).toBe(true);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

test("canRate() says whether a tier is sold with a price for each kind", () => {
  expect(canRate(row, "flex", ["input", "cached_input", "output"])).toBe(true); // cached costs what input costs
  expect(canRate(row, "batch", ["input"])).toBe(false);
  expect(canRate(row, null, ["web_search"])).toBe(false);
  expect(canRate({ ...row, tiers: [tier(0, { input: "0.02" })] }, null, ["input", "output"])).toBe(false);
});

test("dearest() covers every kind and size of the tiers that could serve", () => {
  const terms = (tiers: (string | null)[]): string[] => {
    const { input, output } = dearest(row, tiers, parseDecimal("1"));
    return [formatUsd(input), formatUsd(output)];
  };
  expect(terms([null])).toEqual(["0.00004", "0.00008"]); // audio
  const plain = {
    ...row,
    tiers: [tier(0, { input: "2.5", output: "15" }), tier(272_000, { input: "5", output: "22.5" })],
  };
  expect(formatUsd(dearest(plain, [null, "priority"], parseDecimal("1")).output)).toBe("0.00003");
});
