import fc from "fast-check";
import { expect, test } from "vitest";
import { creditUnit, formatCredits, picoPerUsd } from "../core/money.ts";
import { readAmount, readBoundedAmount, readFutureTime } from "./desk.ts";

const units = ["1", "0.01", "0.05", "0.001", "0.0000000001"].map(creditUnit);
const unit = fc.constantFrom(...units);

test("whatever amount is shown can be taken back exactly", () =>
  fc.assert(
    fc.property(fc.bigInt(1n, 1_000_000_000n * picoPerUsd), unit, (amount, credit) => {
      const read = readAmount(formatCredits(amount as never, credit), "amount", credit);
      expect(read).toEqual({ ok: true, value: amount });
    }),
  ));

test("no text is taken for an amount that it is not", () =>
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-+]?[0-9.eE]{1,25}$/)), unit, (text, credit) => {
      const read = readAmount(text, "amount", credit);
      // Only zeros at the end may differ: "1.50" is shown as "1.5".
      const shortest = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
      if (read.ok) expect(formatCredits(read.value, credit)).toBe(shortest);
      else expect(read.refusal).toMatchObject({ code: "invalid_amount", param: "amount" });
    }),
  ));

test.each([
  ["0", "Cannot take 0 as `amount`: it moves nothing; give an amount above 0."],
  ["-1", "Cannot take a negative `amount`: amounts have no sign here; give what is to be added."],
  [
    "100000000000.01",
    "Cannot take `amount`: it is worth more than 1000000000 USD; check the number of zeros.",
  ],
  [
    "1e5",
    'Cannot use `amount`: Cannot read "1e5" as an amount: it is not a plain decimal number; write digits like "12.5".',
  ],
  [
    "0.12345678901",
    "Cannot use `amount`: Cannot take 0.12345678901 credits: it is finer than one pico-dollar; use fewer decimals.",
  ],
])("%s is refused with a message that helps", (text, message) => {
  expect(readAmount(text, "amount", creditUnit("0.01"))).toMatchObject({ ok: false, refusal: { message } });
});

test("a bound may be 0, a grant may not", () => {
  expect(readBoundedAmount("0", "spend_limit", creditUnit("1"))).toEqual({ ok: true, value: 0n });
});

test.each([
  [null, { ok: true, value: null }],
  ["2026-06-01T02:00:00+02:00", { ok: true, value: "2026-06-01T00:00:00.000Z" }],
  ["2026-01-01T00:00:00Z", { ok: false, refusal: { code: "invalid_time", param: "expires_at" } }],
  ["2026-02-30T25:00:00Z", { ok: false, refusal: { code: "invalid_time", param: "expires_at" } }],
])("the time %s at the start of 2026", (text, expected) => {
  const clock = { now: () => Date.parse("2026-01-01T00:00:00Z"), elapsed: () => 0 };
  expect(readFutureTime(text, "expires_at", clock)).toMatchObject(expected);
});
