import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  changeOf,
  compareAmounts,
  exactAmount,
  formatAmount,
  priceText,
  subtractAmounts,
  sumAmounts,
  thousandths,
} from "./amount.ts";

/** Any amount as the API writes it: pico-USD in a credit of up to 18 decimals. */
const amounts = fc
  .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: 0, max: 18 }))
  .map(([units, scale]) => write(units, scale));

function write(units: bigint, scale: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const fraction = scale === 0 ? "" : digits.slice(-scale).replace(/0+$/, "");
  const whole = scale === 0 ? digits : digits.slice(0, -scale);
  return `${units < 0n ? "-" : ""}${fraction === "" ? whole : `${whole}.${fraction}`}`;
}

describe("formatAmount()", () => {
  test.each([
    [null, "—"],
    ["0", "0"],
    ["0.000", "0"],
    ["12.5", "12.50"],
    ["1234567.891", "1,234,567.89"],
    ["0.5", "0.50"],
    ["0.0000125", "0.0000125"],
    ["0.00123456", "0.00123"],
    ["0.99951", "1.00"],
    ["0.0009996", "0.001"],
    ["0.0000001", "<0.000001"],
    ["-0.0000001", "\u2212<0.000001"],
    ["-2.345", "\u22122.35"],
    ["999.999", "1,000.00"],
  ])("shows %s as %s", (text, shown) => expect(formatAmount(text)).toBe(shown));

  test("never prints a positive amount as zero, and keeps the sign", () =>
    fc.assert(
      fc.property(amounts, (text) => {
        const shown = formatAmount(text);
        const isZero = /^-?[0.]+$/.test(text);
        expect(/^[\u2212]?[0.,]+$/.test(shown)).toBe(isZero);
        expect(shown.startsWith("\u2212")).toBe(text.startsWith("-") && !isZero);
      }),
    ));

  test("is never further from the exact amount than half of its last digit", () =>
    fc.assert(
      fc.property(amounts, (text) => {
        const shown = formatAmount(text).replaceAll(",", "").replace("\u2212", "-");
        if (shown.includes("<")) return;
        const decimals = shown.split(".")[1]?.length ?? 0;
        const half = `0.${"0".repeat(decimals)}5`;
        expect(compareAmounts(subtractAmounts(shown, text).replace("-", ""), half)).toBeLessThanOrEqual(0);
      }),
    ));
});

test("exactAmount() has every digit", () => {
  expect(exactAmount("1234567.000000000001")).toBe("1,234,567.000000000001");
  fc.assert(
    fc.property(amounts, (text) => {
      const back = exactAmount(text).replaceAll(",", "").replace("\u2212", "-");
      expect(compareAmounts(back, text)).toBe(0);
    }),
  );
});

test("sumAmounts() is exact, in any order", () =>
  fc.assert(
    fc.property(fc.array(amounts, { maxLength: 20 }), (texts) => {
      const total = sumAmounts(texts);
      expect(sumAmounts([...texts].reverse())).toBe(total);
      expect(
        sumAmounts([total, ...texts.map((text) => (text.startsWith("-") ? text.slice(1) : `-${text}`))]),
      ).toBe("0");
    }),
  ));

test("thousandths() and changeOf() are for bars and arrows", () => {
  expect([thousandths("1", "3"), thousandths("0.5", "0.5"), thousandths("1", "0")]).toEqual([333, 1000, 0]);
  expect([changeOf("3", "2"), changeOf("1", "2"), changeOf("1", "0"), changeOf("1000", "1")]).toEqual([
    "+50.0%",
    "\u221250.0%",
    null,
    "over +999%",
  ]);
});

describe("priceText()", () => {
  test.each([
    ["12", "12.00"],
    ["0.5", "0.50"],
    ["0.2288", "0.2288"],
    ["1250.1", "1,250.10"],
    ["0", "0.00"],
    ["-1.5", "\u22121.50"],
  ])("shows %s as %s", (text, shown) => expect(priceText(text)).toBe(shown));

  /** Without separators, and without zeros that end a fraction. */
  const digitsOf = (shown: string): string => {
    const plain = shown.replaceAll(",", "").replace("\u2212", "-");
    return plain.includes(".") ? plain.replace(/\.?0+$/, "") : plain;
  };

  test("keeps every digit", () =>
    fc.assert(
      fc.property(amounts, (text) => {
        expect(digitsOf(priceText(text))).toBe(digitsOf(exactAmount(text)));
      }),
    ));
});
