import { describe, expect, test } from "vitest";
import { pico } from "./money.ts";
import {
  affordableCap,
  capStep,
  countedInputBound,
  type HoldTerms,
  holdAmount,
  inputBound,
  largestCap,
} from "./upper-bound.ts";

const terms: HoldTerms = {
  inputBound: 1_000,
  inputPrice: pico(2n),
  outputPrice: pico(10n),
  choices: 3,
  extraOutput: 5,
  fees: pico(7n),
};

test("holdAmount() covers input, every choice up to the cap, rejected predictions and fees", () => {
  expect(holdAmount(terms, 100)).toBe(1_000n * 2n + (3n * 100n + 5n) * 10n + 7n);
});

test("affordableCap() is the largest cap that the balance covers", () => {
  for (const available of [2_057n, 2_086n, 2_087n, 9_999n]) {
    const cap = affordableCap(terms, pico(available));
    if (cap === null) throw new Error("nothing affordable");
    expect(holdAmount(terms, cap) <= available).toBe(true);
    expect(holdAmount(terms, cap + 1) > available).toBe(true);
  }
  expect(affordableCap(terms, pico(2_056n))).toBe(null);
});

test("a balance of exactly the input affords no output, and free output has no limit", () => {
  expect(affordableCap(terms, pico(2_057n))).toBe(0);
  expect(affordableCap({ ...terms, outputPrice: pico(0n) }, pico(2_007n))).toBe(Number.MAX_SAFE_INTEGER);
  expect(affordableCap({ ...terms, outputPrice: pico(0n) }, pico(2_006n))).toBe(null);
  const dear = { ...terms, choices: 1, outputPrice: pico(1n) };
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  expect(affordableCap(dear, pico(2_012n + most - 1n))).toBe(Number.MAX_SAFE_INTEGER - 1);
  expect(affordableCap(dear, pico(2_012n + most + 1_000n))).toBe(Number.MAX_SAFE_INTEGER);
});

test("capStep() is what one more token of every choice costs", () => {
  expect(capStep(terms)).toBe(30n);
  expect(holdAmount(terms, 8) - holdAmount(terms, 7)).toBe(30n);
});

test("countedInputBound() adds what the vendor may add, and is never wider than the bytes", () => {
  expect(countedInputBound(100, 1_256)).toBe(356);
  expect(countedInputBound(1_200, 1_256)).toBe(1_256);
});

describe("inputBound()", () => {
  const facts = {
    bodyBytes: 500,
    images: 0,
    hasUnseenInput: false,
    maxInputTokens: null,
    contextWindow: 10_000,
  };
  test("is the body's bytes and an allowance, never more than the model reads", () => {
    expect(inputBound(facts)).toBe(756);
    expect(inputBound({ ...facts, bodyBytes: 50_000 })).toBe(10_000);
    expect(inputBound({ ...facts, bodyBytes: 50_000, maxInputTokens: 8_000 })).toBe(8_000);
  });
  test("counts every image at the dearest rule known, and without a limit of the model at its size", () => {
    const unlimited = { ...facts, contextWindow: null };
    expect(inputBound({ ...unlimited, images: 2 })).toBe(756 + 2 * 48_169);
    expect(inputBound({ ...facts, images: 1 })).toBe(10_000);
    expect(inputBound({ ...unlimited, bodyBytes: 50_000 })).toBe(50_256);
  });
  test("is all that the model reads when the vendor reads unseen things, and nothing without a limit", () => {
    expect(inputBound({ ...facts, hasUnseenInput: true })).toBe(10_000);
    expect(inputBound({ ...facts, hasUnseenInput: true, contextWindow: null })).toBe(null);
  });
});

describe("largestCap()", () => {
  const shared = { contextWindow: 8_192, maxInputTokens: null, maxOutputTokens: 8_192 };
  test("leaves room for the input in a window that both share", () => {
    expect(largestCap(shared, 1_000, 4_096)).toBe(7_192);
    expect(largestCap(shared, null, 4_096)).toBe(8_191);
    expect(largestCap(shared, 9_000, 4_096)).toBe(1);
  });
  test("is the model's own maximum where input has a limit of its own, or the window is wide", () => {
    expect(
      largestCap({ contextWindow: 400_000, maxInputTokens: 272_000, maxOutputTokens: 128_000 }, 300_000, 1),
    ).toBe(128_000);
    expect(
      largestCap({ contextWindow: 128_000, maxInputTokens: null, maxOutputTokens: 16_384 }, 1_000, 1),
    ).toBe(16_384);
  });
  test("is the configured one when nothing is known", () => {
    expect(largestCap({ contextWindow: null, maxInputTokens: null, maxOutputTokens: null }, 5, 4_096)).toBe(
      4_096,
    );
  });
});
