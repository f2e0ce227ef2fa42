import { createHash } from "node:crypto";
import { get_encoding, type Tiktoken } from "tiktoken";
import { afterAll, describe, expect, test } from "vitest";
import { oddTexts, seededRandom } from "../../../test/support/odd-texts.ts";
import { loadRanks } from "../../tokens/token-ranks.ts";
import { type Counter, createCounter, exactTextUnits } from "./counter.ts";
import { type EncodingName, encodingNames } from "./split.ts";

const counters: Readonly<Record<EncodingName, Counter>> = {
  o200k_base: createCounter(await loadRanks("o200k_base"), "o200k_base"),
  cl100k_base: createCounter(await loadRanks("cl100k_base"), "cl100k_base"),
};
const oracles: Readonly<Record<EncodingName, Tiktoken>> = {
  o200k_base: get_encoding("o200k_base"),
  cl100k_base: get_encoding("cl100k_base"),
};
afterAll(() => {
  for (const oracle of Object.values(oracles)) oracle.free();
});

const inputs = process.env.TOLLGATE_CHECK_ALL === "1" ? 100_000 : 10_000;
const exactly = (tokens: number) => ({ tokens, isUpperBound: false });

describe.each(encodingNames)("%s", (encoding) => {
  const counter = counters[encoding];
  const oracle = (text: string): number => oracles[encoding].encode_ordinary(text).length;

  test(`counts ${inputs} odd texts as tiktoken does`, { timeout: 600_000 }, () => {
    const disagreements: unknown[] = [];
    for (const text of oddTexts(seededRandom(20_261_120), inputs)) {
      const counted = counter.count(text);
      const truth = oracle(text);
      if (counted.tokens !== truth || counted.isUpperBound) disagreements.push({ text, counted, truth });
      if (truth > Buffer.byteLength(text))
        disagreements.push({ text, truth, bytes: Buffer.byteLength(text) });
    }
    expect(disagreements).toEqual([]);
  });

  test.each(["a", "A", " ", "\n", "=", "\0", "語", "\u0301", "😀", "ab1 ", "'s"])(
    "merges a long run of %j as tiktoken does",
    (part) => {
      const text = part.repeat(3_000 / part.length);
      expect(counter.count(text)).toEqual(exactly(oracle(text)));
    },
  );

  test("counts the same in steps of any size", () => {
    const texts = [
      ...oddTexts(seededRandom(7), 200),
      "a".repeat(5_000),
      "=".repeat(70_000),
      "語x".repeat(90_000),
    ];
    for (const text of texts) {
      const whole = counter.count(text);
      for (const work of [1, 17, 4096]) {
        if (work === 1 && text.length > 10_000) continue;
        const running = counter.start(text);
        while (!running.step(work));
        expect({ tokens: running.tokens, isUpperBound: running.isUpperBound }).toEqual(whole);
      }
    }
  });

  test("keeps two running counts apart", () => {
    const [first, second] = ["ab".repeat(2_000), "ba".repeat(2_000)] as const;
    const one = counter.start(first);
    const two = counter.start(second);
    for (let isDone = false; !isDone; ) isDone = [one.step(50), two.step(50)].every((done) => done);
    expect([one.tokens, two.tokens]).toEqual([oracle(first), oracle(second)]);
  });
});

describe("createCounter()", () => {
  const { count } = counters.o200k_base;

  test("counts nothing in an empty text", () => expect(count("")).toEqual(exactly(0)));

  test("takes special tokens in user text as text", () => {
    expect(count("<|endoftext|>")).toEqual(exactly(7));
  });

  test("charges one piece over 64 kB its bytes and counts the rest", () => {
    expect(count(`Hello ${"a".repeat(70_000)}\n\nHello`)).toEqual({
      tokens: 1 + 70_001 + 1 + 1,
      isUpperBound: true,
    });
    expect(count("é".repeat(40_000))).toEqual({ tokens: 80_000, isUpperBound: true });
  });

  test("charges bytes past its limit of exact text, without splitting a pair of surrogates", () => {
    const exact = "word ".repeat(exactTextUnits / 4);
    const running = counters.o200k_base.start(exact + "😀".repeat(1_000));
    while (!running.step(777));
    expect(running.isUpperBound).toBe(true);
    const prefixUnits = Math.ceil((exactTextUnits - 4) / 5) * 5 + 4;
    const words = Math.ceil(prefixUnits / 5);
    expect(running.tokens).toBe(words + (exact.length - prefixUnits) + 4_000);
  });

  test("stops soon after a limit", () => {
    const stopped = count("tollgate ".repeat(50_000), 100).tokens;
    expect(stopped).toBeGreaterThan(100);
    expect(stopped).toBeLessThan(2_000);
  });

  test("survives one run of five million letters, where V8's regular expressions overflow", () => {
    expect(count("語".repeat(5_000_000))).toEqual({ tokens: 15_000_000, isUpperBound: true });
  });
});

/** The hashes that tiktoken expects of OpenAI's files (tiktoken_ext/openai_public.py). */
test.each([
  ["o200k_base", "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"],
  ["cl100k_base", "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"],
] as const)("the ranks of %s are the published ones", async (encoding, sha256) => {
  const hash = createHash("sha256");
  for (const [rank, token] of (await loadRanks(encoding)).entries()) {
    if (token === undefined) continue;
    const bytes = typeof token === "string" ? Buffer.from(token) : Buffer.from([...token]);
    hash.update(`${bytes.toString("base64")} ${rank}\n`);
  }
  expect(hash.digest("hex")).toBe(sha256);
});
