/** No answer within what was held for can cost more than the hold, whoever serves it, on whatever tier, however long. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDecimal, pico } from "../core/money.ts";
import { createPriceBook } from "../core/price-book.ts";
import type { MeterKind, PriceRow, PriceTier } from "../core/prices.ts";
import { rate } from "../core/rating.ts";
import type { DeploymentRoute, ModelRoute } from "../core/routing.ts";
import { affordableCap, holdAmount } from "../core/upper-bound.ts";
import { noUsage, type Usage } from "../core/usage.ts";
import type { Operation, RequestFacts } from "../protocol/request.ts";
import {
  boundOf,
  capFor,
  capRange,
  defaultToolCalls,
  disallowedFeature,
  priceDeployments,
  withImpliedTools,
} from "./pricing.ts";
import type { ApiRequest, PricedDeployment, Refusal } from "./types.ts";

const deployment = (model: string): DeploymentRoute => ({
  endpoint: "e",
  kind: "openai",
  provider: "openai",
  deployment: model,
  model,
  weight: 1,
  priority: 0,
  onDisconnect: "drain",
  drainTimeoutMs: 1_000,
  apiVersion: null,
  chargeFilteredPrompt: false,
});
const modelOf = (more: Partial<ModelRoute> = {}): ModelRoute => ({
  name: "m",
  markup: parseDecimal("1"),
  strictParameters: false,
  hostedTools: [],
  serviceTiers: [],
  deployments: [],
  ...more,
});
const factsOf = (more: Partial<RequestFacts> = {}): RequestFacts => ({
  operation: "chat",
  model: "m",
  body: {},
  bodyBytes: 1_000,
  stream: false,
  wantsUsage: false,
  choices: 1,
  cap: null,
  serviceTier: null,
  images: 0,
  hasUnseenInput: false,
  predictionBytes: 0,
  hostedTools: [],
  maxToolCalls: null,
  background: false,
  stored: [],
  isKept: false,
  ...more,
});
const tier = (aboveInputTokens: number, prices: Partial<Record<MeterKind, bigint>>): PriceTier => ({
  aboveInputTokens,
  prices: Object.fromEntries(Object.entries(prices).map(([kind, price]) => [kind, pico(price)])),
});
const rowOf = (more: Partial<PriceRow> = {}): PriceRow => ({
  id: "openai/m@0",
  provider: "openai",
  model: "m",
  from: 0,
  tiers: [tier(0, { input: 2n, output: 10n })],
  serviceTiers: {},
  contextWindow: 10_000,
  maxInputTokens: null,
  maxOutputTokens: 4_000,
  origin: "test",
  ...more,
});
const priced = (row: PriceRow): PricedDeployment => ({ route: deployment(row.model), row });

const price = fc.bigInt({ min: 0n, max: 60_000_000n });
const prices = fc
  .record(
    {
      input: price,
      cached_input: price,
      cache_write: price,
      audio_input: price,
      cached_audio_input: price,
      image_input: price,
      output: price,
      audio_output: price,
      web_search: price,
    },
    { requiredKeys: ["input", "output", "web_search"] },
  )
  .map((kinds) => (above: number) => tier(above, kinds));
/** A short and perhaps a long-context tier, each with prices of its own, cheaper or dearer. */
const tiers = fc
  .tuple(prices, fc.option(fc.tuple(fc.nat(9_000), prices), { nil: null }))
  .map(([short, long]) => [short(0), ...(long === null ? [] : [long[1](long[0] + 1)])]);
const rows = fc
  .record({
    tiers,
    serviceTiers: fc.record({ flex: tiers, priority: tiers }),
    contextWindow: fc.integer({ min: 2, max: 20_000 }),
    maxInputTokens: fc.option(fc.integer({ min: 1, max: 20_000 }), { nil: null }),
    maxOutputTokens: fc.option(fc.integer({ min: 1, max: 9_000 }), { nil: null }),
  })
  .map((parts) => rowOf(parts));
const requests = fc.record({
  choices: fc.integer({ min: 1, max: 128 }),
  cap: fc.option(fc.integer({ min: 1, max: 9_000 }), { nil: null }),
  serviceTier: fc.constantFrom(null, "auto", "default", "flex", "priority", "fast"),
  bodyBytes: fc.nat(12_000),
  images: fc.nat(2),
  hasUnseenInput: fc.boolean(),
  predictionBytes: fc.nat(500),
  hostedTools: fc.constantFrom([], ["web_search"]),
  maxToolCalls: fc.option(fc.integer({ min: 1, max: 9 }), { nil: null }),
  operation: fc.constantFrom("chat" as const, "responses" as const),
});
const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 10, maxLength: 10 });

/** Usage of at most these tokens, its parts as large as the shares say, and never larger than their wholes. */
function usageWithin(mostInput: number, mostOutput: number, of: readonly number[]): Usage {
  const part = (index: number, most: number): number => Math.floor((of[index] ?? 1) * most);
  const input = part(0, mostInput);
  const cachedInput = part(1, input);
  const cacheWrite = part(2, input - cachedInput);
  const audioInput = part(3, input);
  const imageInput = part(4, input - audioInput);
  const cachedAudioInput = part(5, Math.min(audioInput, cachedInput));
  const output = part(6, mostOutput);
  const audioOutput = part(7, output);
  return {
    ...noUsage,
    ...{ input, cachedInput, cacheWrite, audioInput, imageInput, cachedAudioInput, output, audioOutput },
    reasoning: part(8, output),
    total: input + output,
  };
}

// No second try: a seed that fails has found something.
test("a hold covers every answer that the vendor may give within the limits of the request", {
  retry: 0,
}, () => {
  const markups = fc.record({ units: fc.bigInt({ min: 0n, max: 400n }), scale: fc.constant(2) });
  fc.assert(
    fc.property(
      fc.array(rows, { minLength: 1, maxLength: 3 }),
      fc.nat(2),
      requests,
      markups,
      shares,
      (all, serving, asked, markup, of) => {
        const facts = factsOf(asked);
        const model = modelOf({ markup });
        const deployments = all.map(priced);
        const terms = boundOf(facts, model, deployments);
        const known = { inputTokens: null, whenUnknown: 4_096 };
        if (terms === null) throw new Error("these rows bound everything");
        const cap = capRange(facts, deployments, known).most;
        const hold = holdAmount(terms, cap);

        const row = all[serving % all.length] ?? rowOf();
        // What this deployment reads and writes at most: its own limits, the cap it is sent, a prediction's rest.
        const sent = facts.cap ?? capFor(row, cap, known);
        const most = boundOf(facts, model, [priced(row)])?.inputBound ?? 0;
        const usage = usageWithin(most, facts.choices * sent + facts.predictionBytes, of);
        const calls = facts.operation === "chat" ? 1 : (facts.maxToolCalls ?? defaultToolCalls);
        const webSearch = facts.hostedTools.length === 0 ? 0 : Math.floor((of[9] ?? 1) * calls);
        const fees = { webSearch, fileSearch: 0, codeInterpreter: 0 };
        for (const serviceTier of [null, facts.serviceTier])
          expect(rate(usage, fees, { row, serviceTier, markup }).charge <= hold).toBe(true);
      },
    ),
    { numRuns: 2_000 },
  );
});

test("the cap that a balance affords is held for within the balance, and one more token is not", {
  retry: 0,
}, () => {
  fc.assert(
    fc.property(rows, requests, fc.bigInt({ min: 0n, max: 10n ** 15n }), (row, asked, available) => {
      const terms = boundOf(factsOf(asked), modelOf(), [priced(row)]);
      if (terms === null) throw new Error("these rows bound everything");
      const cap = affordableCap(terms, pico(available));
      if (cap === null) expect(holdAmount(terms, 0) > available).toBe(true);
      else {
        expect(holdAmount(terms, cap) <= available).toBe(true);
        if (cap < Number.MAX_SAFE_INTEGER) expect(holdAmount(terms, cap + 1) > available).toBe(true);
      }
    }),
  );
});

describe("boundOf()", () => {
  test("is of every choice, the dearest deployment, the dearest reachable tier and the long context", () => {
    const near = rowOf({
      tiers: [tier(0, { input: 2n, output: 10n }), tier(5_000, { input: 3n, output: 8n })],
    });
    const far = rowOf({
      serviceTiers: { priority: [tier(0, { input: 1n, output: 40n })] },
      contextWindow: 20_000,
    });
    const terms = boundOf(
      factsOf({ serviceTier: "fast", choices: 3, predictionBytes: 7 }),
      modelOf({ markup: parseDecimal("1.5") }),
      [near, far].map(priced),
    );
    expect(terms).toEqual({
      inputBound: 1_256,
      inputPrice: 5n,
      outputPrice: 60n,
      choices: 3,
      extraOutput: 7,
      fees: 0n,
    });
  });

  test("holds nothing for a model that costs nothing", () => {
    const free = rowOf({ tiers: [tier(0, { input: 0n, output: 0n })] });
    const terms = boundOf(factsOf(), modelOf(), [priced(free)]);
    expect(terms).toMatchObject({ inputPrice: 0n, outputPrice: 0n, fees: 0n });
  });

  test("is none when unseen input meets a model of which no limit is known", () => {
    const unknown = rowOf({ contextWindow: null });
    expect(
      boundOf(factsOf({ hasUnseenInput: true }), modelOf(), [priced(rowOf()), priced(unknown)]),
    ).toBeNull();
    expect(boundOf(factsOf(), modelOf(), [priced(unknown)])?.inputBound).toBe(1_256);
  });
});

describe("a cap that the client did not send", () => {
  const known = { inputTokens: null, whenUnknown: 4_096 };
  test("is the largest of any deployment, and each is sent its own part of it", () => {
    const small = rowOf({ maxOutputTokens: 1_000 });
    const large = rowOf({ maxOutputTokens: 4_000 });
    expect(capRange(factsOf(), [small, large].map(priced), known)).toEqual({
      most: 4_000,
      least: 1,
      isOurs: true,
    });
    expect([capFor(small, 4_000, known), capFor(large, 4_000, known)]).toEqual([1_000, 4_000]);
  });
  test("is the configured one where the model's is unknown, and at least what the API takes", () => {
    const unknown = priced(rowOf({ maxOutputTokens: null, contextWindow: null }));
    expect(capRange(factsOf(), [unknown], known)).toEqual({ most: 4_096, least: 1, isOurs: true });
    const tiny = priced(rowOf({ maxOutputTokens: 4 }));
    expect(capRange(factsOf({ operation: "responses" }), [tiny], known)).toEqual({
      most: 16,
      least: 16,
      isOurs: true,
    });
  });
  test("never replaces the client's own", () => {
    expect(capRange(factsOf({ cap: 9 }), [priced(rowOf())], known)).toEqual({
      most: 9,
      least: 9,
      isOurs: false,
    });
  });
});

describe("what is held for hosted tools", () => {
  /** Of a model that sells web searches at these prices: on its standard tier, and on others. */
  const selling = (standard: bigint | null, others: Record<string, bigint> = {}): PriceRow => {
    const at = (fee: bigint | null): PriceTier[] => [
      tier(0, { input: 2n, output: 10n, file_search: 3n, ...(fee === null ? {} : { web_search: fee }) }),
    ];
    const serviceTiers = Object.fromEntries(Object.entries(others).map(([name, fee]) => [name, at(fee)]));
    return rowOf({ tiers: at(standard), serviceTiers });
  };
  const both = {
    operation: "responses",
    maxToolCalls: 2,
    hostedTools: ["web_search", "file_search"],
  } as const;
  test.each<[string, Partial<RequestFacts>, PriceRow[], bigint]>([
    ["one search by chat", {}, [selling(10n)], 12n],
    ["as many as Responses is sent", { operation: "responses" }, [selling(10n)], 20n * 12n],
    ["as many as the client allows", { operation: "responses", maxToolCalls: 3 }, [selling(10n)], 36n],
    ["each of several tools", both, [selling(10n)], 2n * (12n + 4n)],
    ["the tier asked for", { serviceTier: "fast" }, [selling(10n, { priority: 20n })], 24n],
    ["the tier fallen back to", { serviceTier: "flex" }, [selling(10n, { flex: 5n })], 12n],
    ["the one tier that sells it", { serviceTier: "flex" }, [selling(null, { flex: 5n })], 6n],
    ["the dearest deployment", {}, [selling(5n), selling(10n), selling(0n)], 12n],
    ["a free tool", { serviceTier: "flex" }, [selling(null, { flex: 0n })], 0n],
  ])("is the price of %s", (_what, facts, rows, fees) => {
    const model = modelOf({ markup: parseDecimal("1.2") });
    const asked = factsOf({ hostedTools: ["web_search"], ...facts });
    expect(boundOf(asked, model, rows.map(priced))?.fees).toBe(fees);
  });

  const search = "gpt-4o-search-preview-2025-03-11";
  test.each<[string, Partial<RequestFacts>, string[], [number, bigint]]>([
    ["one, and what it may read", {}, [search], [10_000, 10n]],
    ["also where only one deployment searches", {}, ["gpt-4o", search], [10_000, 10n]],
    [
      "no second beside one that is asked for",
      { hostedTools: ["web_search"], hasUnseenInput: true },
      [search],
      [10_000, 10n],
    ],
    ["none by Responses", { operation: "responses" }, [search], [1_256, 0n]],
    ["none by a model that does not search", {}, ["gpt-4o"], [1_256, 0n]],
  ])("covers searches that nobody asked for: %s", (_what, facts, names, expected) => {
    const model = modelOf({ deployments: names.map(deployment) });
    const { facts: implied } = withImpliedTools({ facts: factsOf(facts) } as ApiRequest, model);
    const terms = boundOf(implied, model, [priced(selling(10n))]);
    expect([terms?.inputBound, terms?.fees]).toEqual(expected);
  });
});

describe("what cannot be bounded or billed is refused:", () => {
  const shown = (found: Refusal | null): string =>
    found === null ? "none" : `${found.code} ${found.param}: ${found.message}`;
  const sold = rowOf({ serviceTiers: { flex: [tier(0, { input: 1n, output: 5n })] } });
  const refusalOf = (facts: Partial<RequestFacts>, row: PriceRow): string => {
    const from = { routes: [deployment("m")], book: createPriceBook([row], "test"), nowMs: 1 };
    const found = priceDeployments({ id: "req_1", facts: factsOf(facts), model: modelOf() }, from);
    return shown(found.ok ? null : found.refusal);
  };
  test.each<[string, Partial<RequestFacts>, PriceRow, RegExp]>([
    ["nothing", {}, sold, /^none$/],
    ["a tier that is sold", { serviceTier: "flex" }, sold, /^none$/],
    [
      "a tier without a price",
      { serviceTier: "priority" },
      sold,
      /^unsupported_feature service_tier: .*"priority" has no price for "m".*; leave `service_tier` out\.$/,
    ],
    [
      "hosted tools without a price",
      { hostedTools: ["web_search", "file_search"] },
      sold,
      /^unsupported_feature tools: .* web_search, file_search have no price for "m".*; use function tools or ask/,
    ],
    [
      "a hosted tool that nobody knows",
      { hostedTools: ["tool_of_2031"] },
      sold,
      /^unsupported_feature tools: .* tool_of_2031 have no price/,
    ],
    [
      "a model whose price is not yet in force",
      {},
      rowOf({ from: 2 }),
      /^model_not_priced model: .*"m" has no price in force.*; the operator must add one under `prices`\.$/,
    ],
  ])("%s", (_what, facts, row, expected) => expect(refusalOf(facts, row)).toMatch(expected));

  test.each<[Operation, MeterKind[]]>([
    ["chat", ["input", "output"]],
    ["responses", ["input", "output"]],
    ["completions", ["input", "output"]],
    ["embeddings", ["input"]],
  ])("a model without any of the prices that %s needs: %j", (operation, needed) => {
    const selling = (kinds: MeterKind[]): string =>
      refusalOf(
        { operation },
        rowOf({ tiers: [tier(0, Object.fromEntries(kinds.map((one) => [one, 1n])))] }),
      );
    expect(selling(needed)).toBe("none");
    for (const kind of needed)
      expect(selling(needed.filter((one) => one !== kind))).toMatch(
        `"m" has no price for ${operation} in force, so it cannot be billed; the operator must add one`,
      );
  });

  const notEnabled = (name: string): RegExp =>
    new RegExp(
      `^unsupported_feature service_tier: .*"${name}" is not enabled for "m"; leave \`service_tier\` out`,
    );
  test.each<[string, Partial<RequestFacts>, Partial<ModelRoute>, RegExp]>([
    [
      "a tool that is not enabled",
      { hostedTools: ["web_search"] },
      {},
      /^unsupported_feature tools: .*"web_search" .* is not enabled for "m"; use function tools or ask the operator\.$/,
    ],
    ["an enabled tool", { hostedTools: ["web_search"] }, { hostedTools: ["web_search"] }, /^none$/],
    ["a tier that is not enabled", { serviceTier: "priority" }, {}, notEnabled("priority")],
    ["fast, where priority is enabled", { serviceTier: "fast" }, { serviceTiers: ["priority"] }, /^none$/],
    ["fast, where it is not", { serviceTier: "fast" }, { serviceTiers: ["flex"] }, notEnabled("fast")],
    ["flex, where priority is", { serviceTier: "flex" }, { serviceTiers: ["priority"] }, notEnabled("flex")],
    [
      "priority, where fast is",
      { serviceTier: "priority" },
      { serviceTiers: ["fast"] },
      notEnabled("priority"),
    ],
  ])("what the operator may allow: %s", (_what, facts, more, expected) => {
    expect(shown(disallowedFeature("req_1", factsOf(facts), modelOf(more)))).toMatch(expected);
  });
});
