import fc from "fast-check";
import { expect, test } from "vitest";
import { createIds } from "./ids.ts";

const random = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(255);

test("an id is its prefix and 26 characters of lower-case base32", () => {
  expect(createIds({ now: () => 0, random }).next("req")).toBe("req_0000000000fzzzzzzzzzzzzzzz");
  expect(createIds().next("acc")).toMatch(/^acc_[0-9a-hjkmnp-tv-z]{26}$/);
});

test("ids ascend strictly, whatever the clock does", () =>
  fc.assert(
    fc.property(fc.array(fc.nat(2 ** 40), { minLength: 2, maxLength: 50 }), (times) => {
      let call = 0;
      const ids = createIds({ now: () => times[call++] ?? 0, random });
      const made = times.map(() => ids.next("req"));
      expect(made).toEqual([...made].sort());
      expect(new Set(made).size).toBe(made.length);
    }),
  ));

test("an id made later sorts later across processes", () =>
  fc.assert(
    fc.property(fc.nat(2 ** 47), fc.integer({ min: 1, max: 1e6 }), (at, gap) => {
      const [one, other] = [at, at + gap].map((now) =>
        createIds({ now: () => now, random: (bytes) => new Uint8Array(bytes) }).next("req"),
      );
      expect(one && other && one < other).toBe(true);
    }),
  ));
