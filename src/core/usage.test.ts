import { expect, test } from "vitest";
import { noFees, nothingBilled, noUsage, type Usage, usageFault } from "./usage.ts";

const fault = (usage: Partial<Usage>, contextWindow: number | null = 1_000): string | null =>
  usageFault(
    { ...noUsage, input: 100, output: 50, total: 150, ...usage },
    { contextWindow, maxOutputTokens: 200 },
  );

test("usageFault() takes what can be true", () => {
  expect(fault({})).toBe(null);
  expect(fault({ cachedInput: 60, cacheWrite: 40, reasoning: 50, audioOutput: 50 })).toBe(null);
  expect(fault({ cachedInput: 9, audioInput: 60, imageInput: 40, cachedAudioInput: 9 })).toBe(null);
  expect(fault({ input: 1_000, output: 200 })).toBe(null);
  // A total that is not the sum of its parts is recorded as found, not refused.
  expect(fault({ total: 9_999_999 })).toBe(null);
  expect(fault({ input: 1_000_000_000 }, null)).toBe(null);
});

test.each<[Partial<Usage>, RegExp]>([
  [{ cachedInput: 61, cacheWrite: 40 }, /cached and written input \(101\) exceed input \(100\)/],
  [{ reasoning: 51 }, /reasoning \(51\) exceeds output \(50\)/],
  [{ audioOutput: 51 }, /audio output/],
  [{ audioInput: 60, imageInput: 41 }, /audio and image input/],
  [{ audioInput: 5, cachedInput: 9, cachedAudioInput: 6 }, /cached audio input exceeds audio input/],
  [{ audioInput: 9, cachedInput: 5, cachedAudioInput: 6 }, /cached audio input exceeds cached input/],
  [{ output: -1 }, /output is -1/],
  [{ output: 1.5 }, /not a token count/],
  [{ input: 1_100, output: 101 }, /1201 tokens exceed what the model can hold \(1200\)/],
])("usageFault() finds that %j cannot be true", (usage, reason) => {
  expect(fault(usage)).toMatch(reason);
});

test("nothing billed is zero of everything, said by nobody", () => {
  expect([...Object.values(noUsage), ...Object.values(noFees)].every((count) => count === 0)).toBe(true);
  expect([Object.keys(noUsage).length, Object.keys(noFees).length]).toEqual([10, 3]);
  expect(nothingBilled).toEqual({
    usage: noUsage,
    fees: noFees,
    source: "none",
    method: null,
    bound: null,
    reason: null,
  });
});
