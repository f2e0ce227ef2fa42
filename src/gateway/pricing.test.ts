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
import type { RequestFacts } from "../protocol/request.ts";
import {
  boundOf,
  capFor,
  capRange,
  defaultToolCalls,
  disallowedFeature,
  priceDeployments,
} from "./pricing.ts";
import type { PricedDeployment } from "./types.ts";

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

describe("what cannot be bounded or billed is refused:", () => {
  const sold = rowOf({ serviceTiers: { flex: [tier(0, { input: 1n, output: 5n })] } });
  const refusalOf = (facts: Partial<RequestFacts>, row = sold): string => {
    const from = { routes: [deployment("m")], book: createPriceBook([row], "test"), nowMs: 1 };
    const found = priceDeployments({ id: "req_1", facts: factsOf(facts), model: modelOf() }, from);
    return found.ok ? "none" : `${found.refusal.code} ${found.refusal.param ?? "-"}`;
  };
  test.each([
    ["nothing", {}, "none"],
    ["a tier that is sold", { serviceTier: "flex" }, "none"],
    ["a tier without a price", { serviceTier: "priority" }, "unsupported_feature service_tier"],
    ["a hosted tool without a price", { hostedTools: ["web_search"] }, "unsupported_feature tools"],
    ["a hosted tool that nobody knows", { hostedTools: ["tool_of_2031"] }, "unsupported_feature tools"],
  ] as const)("%s", (_what, facts, expected) => expect(refusalOf(facts)).toBe(expected));

  test("a model without a price for its operation", () => {
    expect(refusalOf({}, rowOf({ tiers: [tier(0, { input: 1n })] }))).toBe("model_not_priced model");
    expect(refusalOf({ operation: "embeddings" }, rowOf({ tiers: [tier(0, { input: 1n })] }))).toBe("none");
    expect(refusalOf({}, rowOf({ from: 2 }))).toBe("model_not_priced model");
  });

  test("what the operator has not allowed for the model", () => {
    const code = (facts: Partial<RequestFacts>, more: Partial<ModelRoute> = {}): string => {
      const found = disallowedFeature("req_1", factsOf(facts), modelOf(more));
      return found === null ? "none" : `${found.code} ${found.param}`;
    };
    expect(code({ hostedTools: ["web_search"] })).toBe("unsupported_feature tools");
    expect(code({ hostedTools: ["web_search"] }, { hostedTools: ["web_search"] })).toBe("none");
    expect(code({ serviceTier: "priority" })).toBe("unsupported_feature service_tier");
    expect(code({ serviceTier: "fast" }, { serviceTiers: ["priority"] })).toBe("none");
    expect(code({ serviceTier: "priority" }, { serviceTiers: ["fast"] })).toBe(
      "unsupported_feature service_tier",
    );
  });
});
