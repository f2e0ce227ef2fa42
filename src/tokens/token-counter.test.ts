import { monitorEventLoopDelay } from "node:perf_hooks";
import { beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../test/support/odd-texts.ts";
import { createTokenCounter } from "./token-counter.ts";

const tokens = createTokenCounter();
beforeAll(() => tokens.warmUp("o200k_base"));

const random = seededRandom(5);
const randomText = (units: number, from: number, size: number): string =>
  Array.from({ length: units }, () => String.fromCodePoint(from + Math.floor(random() * size))).join("");
const bytes = (text: string): number => Buffer.byteLength(text);

/** 100 kB runs ten times over, and single runs of 1 MB. */
const hostile: ReadonlyArray<readonly [string, string]> = [
  ["runs of one letter", `${"a".repeat(100_000)} `.repeat(10)],
  ["runs of spaces", `${" ".repeat(100_000)}x`.repeat(10)],
  ["runs of newlines", `${"\n".repeat(100_000)}x`.repeat(10)],
  ["runs of =", `${"=".repeat(100_000)}x`.repeat(10)],
  ["runs of 60 kB, which are merged", `${"=".repeat(60_000)}x`.repeat(17)],
  [
    "runs of random letters of 60 kB",
    Array.from({ length: 17 }, () => randomText(60_000, 0x61, 26)).join(" "),
  ],
  ["random CJK", Array.from({ length: 17 }, () => randomText(20_000, 0x4e00, 20_000)).join(" ")],
  ["combining marks", Array.from({ length: 17 }, () => randomText(30_000, 0x300, 0x6f)).join("x")],
  ["base64", Buffer.from(randomText(750_000, 0, 128)).toString("base64")],
  ["random ASCII", randomText(1_000_000, 0, 128)],
  ["one run of 1 MB", "a".repeat(1_000_000)],
  ["one run of 10 MB", "語".repeat(3_500_000)],
];

/** The longest time the event loop was held up while `work` ran, in ms. */
async function longestStallMs(work: () => Promise<unknown>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await new Promise((resolve) => setTimeout(resolve, 10));
  delay.reset();
  await work();
  await new Promise((resolve) => setTimeout(resolve, 10));
  delay.disable();
  return delay.max / 1e6;
}

test.each(hostile)("%s never hold up the event loop for 50 ms", { timeout: 120_000 }, async (_, text) => {
  // A busy machine only adds to a measured stall, so the least of a few runs is nearest to our own.
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 4 && least >= 50; run++) {
    least = Math.min(least, await longestStallMs(() => tokens.count(text, "o200k_base")));
  }
  expect(least).toBeLessThan(50);
  const counted = await tokens.count(text, "o200k_base");
  expect(counted.tokens).toBeLessThanOrEqual(bytes(text));
});

test("a hundred counts at once share the slices", { timeout: 120_000 }, async () => {
  const text = randomText(20_000, 0x20, 90);
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 4 && least >= 50; run++) {
    least = Math.min(
      least,
      await longestStallMs(() =>
        Promise.all(Array.from({ length: 100 }, () => tokens.count(text, "o200k_base"))),
      ),
    );
  }
  expect(least).toBeLessThan(50);
});

describe("createTokenCounter()", () => {
  test("counts small and sliced texts alike", async () => {
    const text = "In one sentence, what does a toll gate do?\n";
    expect(await tokens.count(text, "o200k_base")).toEqual({ tokens: 11, isUpperBound: false });
    expect(await tokens.count(text.repeat(1_000), "o200k_base")).toEqual({
      tokens: 11_000,
      isUpperBound: false,
    });
  });

  test("sums texts, and spends its exact megabyte on all of them together", async () => {
    expect(await tokens.countAll([], "o200k_base")).toEqual({ tokens: 0, isUpperBound: false });
    expect(await tokens.countAll(["Hello", "", " world"], "o200k_base")).toEqual({
      tokens: 2,
      isUpperBound: false,
    });
    const million = "word ".repeat(200_000);
    const two = await tokens.countAll([million, million], "o200k_base");
    expect(two.isUpperBound).toBe(true);
    expect(two.tokens).toBeGreaterThan(1_100_000);
    expect(two.tokens).toBeLessThan(1_200_002);
  });

  test("loads the older encoding on first use", async () => {
    expect(await tokens.count("<|endoftext|>", "cl100k_base")).toEqual({ tokens: 7, isUpperBound: false });
  });

  test("refuses an encoding it does not know", async () => {
    await expect(tokens.count("x", "p50k_base")).rejects.toThrow(
      "Cannot count tokens in p50k_base: it is not known; use one of o200k_base, cl100k_base.",
    );
  });
});
