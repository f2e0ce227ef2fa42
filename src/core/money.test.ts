import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  AmountError,
  creditUnit,
  formatCredits,
  formatDecimal,
  formatUsd,
  formatUsdPerMillion,
  minPico,
  multiplyUp,
  parseCredits,
  parseDecimal,
  parseUsd,
  parseUsdPerMillion,
  pico,
  picoPerUsd,
  scaleExactly,
  sumPico,
  zeroPico,
} from "./money.ts";

const amounts = fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n });
/** Decimal text as people write it: any number of digits on both sides. */
const decimals = fc
  .tuple(
    fc.boolean(),
    fc.bigInt({ min: 0n, max: 10n ** 29n }),
    fc.option(fc.stringMatching(/^\d{1,60}$/), { nil: null }),
  )
  .map(
    ([isNegative, whole, fraction]) =>
      `${isNegative ? "-" : ""}${whole}${fraction === null ? "" : `.${fraction}`}`,
  );

describe("parseDecimal()", () => {
  test.each([
    ["0", 0n, 0],
    ["12", 12n, 0],
    ["12.5", 125n, 1],
    ["-0.050", -5n, 2],
    ["-0", 0n, 0],
    ["0.0", 0n, 0],
    ["100", 100n, 0],
    ["1.000", 1n, 0],
    [`${"9".repeat(30)}.${"9".repeat(60)}`, BigInt("9".repeat(90)), 60],
  ] as const)("reads %s", (text, units, scale) => {
    expect(parseDecimal(text)).toEqual({ units, scale });
  });

  test.each([
    ...[
      "",
      " ",
      "-",
      ".",
      "1.",
      ".5",
      "+1",
      "01",
      "00",
      "-01",
      "1e3",
      "1E-3",
      "0x10",
      "1,5",
      "1_000",
      " 1",
      "1 ",
      "1\n",
      "--1",
    ],
    ...[
      "NaN",
      "Infinity",
      "∞",
      "１",
      "٣",
      "1.2.3",
      "$1",
      "1.-5",
      "null",
      "9".repeat(31),
      `0.${"1".repeat(61)}`,
    ],
  ])("refuses %j, and says what it wants", (text) => {
    expect(() => parseDecimal(text)).toThrow(AmountError);
    expect(() => parseDecimal(text)).toThrow(
      /it is not a plain decimal number; write digits like "12\.5"\.$/,
    );
  });

  test("shows no more than 80 characters of what it refuses", () => {
    expect(() => parseDecimal("x".repeat(500))).toThrow(`Cannot read "${"x".repeat(80)}" as an amount`);
  });

  test("fails under a name that a log can be searched for", () => {
    expect(() => parseDecimal("x")).toThrow(expect.objectContaining({ name: "AmountError" }));
  });

  test("and formatDecimal() are each other's inverse, up to zeros at the end", () => {
    fc.assert(
      fc.property(decimals, (text) => {
        const parsed = parseDecimal(text);
        const shortest = text.includes(".") ? text.replace(/\.?0+$/, "") : text;
        expect(formatDecimal(parsed)).toBe(shortest === "-0" ? "0" : shortest);
        expect(parseDecimal(formatDecimal(parsed))).toEqual(parsed);
      }),
    );
  });
});

test("formatDecimal() leaves out what says nothing", () => {
  const shown = [
    [0n, 0],
    [0n, 12],
    [-0n, 3],
    [-5n, 0],
    [-5n, 1],
    [5n, 3],
    [1_000n, 3],
    [1_001n, 3],
    [-1_010n, 3],
    [123n, 0],
  ] as const;
  expect(shown.map(([units, scale]) => formatDecimal({ units, scale }))).toEqual([
    "0",
    "0",
    "0",
    "-5",
    "-0.5",
    "0.005",
    "1",
    "1.001",
    "-1.01",
    "123",
  ]);
});

describe("dollars", () => {
  test.each([
    ["1", picoPerUsd],
    ["0.000000000001", 1n],
    ["-0.000000000001", -1n],
    ["0.0000125", 12_500_000n],
    ["123456789012345678.123456789012", 123_456_789_012_345_678_123_456_789_012n],
  ] as const)("%s is %s pUSD", (text, amount) => {
    expect(parseUsd(text)).toBe(amount);
    expect(formatUsd(pico(amount))).toBe(text);
  });

  test("finer than a pico-dollar are refused, not rounded", () => {
    expect(() => parseUsd("0.0000000000005")).toThrow(
      "Cannot take 0.0000000000005 USD: it is finer than one pico-dollar; use fewer decimals.",
    );
    expect(parseUsd("0.0000000000010")).toBe(1n);
  });

  test("survive the way to text and back, whatever their size", () => {
    fc.assert(
      fc.property(
        amounts.filter((one) => one < 10n ** 40n && one > -(10n ** 40n)),
        (amount) => {
          expect(parseUsd(formatUsd(pico(amount)))).toBe(amount);
        },
      ),
    );
  });

  test("per million units are whole pico-dollars for each unit", () => {
    expect(parseUsdPerMillion("0.05")).toBe(50_000n);
    expect(parseUsdPerMillion("0.000001")).toBe(1n);
    expect(formatUsdPerMillion(pico(250_000n))).toBe("0.25");
    expect(() => parseUsdPerMillion("0.0000001")).toThrow(
      "Cannot take 0.0000001 USD per million: it is finer than one pico-dollar; use fewer decimals.",
    );
  });
});

test("scaleExactly() gives a whole number or none", () => {
  fc.assert(
    fc.property(decimals, fc.bigInt({ min: 1n, max: 10n ** 15n }), (text, multiplier) => {
      const value = parseDecimal(text);
      const exact = value.units * multiplier;
      const divisor = 10n ** BigInt(value.scale);
      if (exact % divisor === 0n) expect(scaleExactly(value, multiplier, "x") * divisor).toBe(exact);
      else expect(() => scaleExactly(value, multiplier, "x")).toThrow(AmountError);
    }),
  );
});

describe("credits", () => {
  test.each([
    ["1", "0.000000000001", 1n],
    ["0.01", "0.0000000001", 1n],
    ["0.05", "0.00000000002", 1n],
    ["0.001", "1", 10n ** 9n],
    ["2.5", "0.0000000000004", 1n],
    ["0.000000000001", "1", 1n],
    ["16", "0.0000000000000625", 1n],
  ])("worth %s USD show the smallest amount as %s", (usd, text, amount) => {
    const unit = creditUnit(usd);
    expect(formatCredits(pico(amount), unit)).toBe(text);
    expect(parseCredits(text, unit)).toBe(amount);
  });

  test.each(["0.03", "0.07", "3", "0.0000000021"])("worth %s USD would have endless decimals", (usd) => {
    expect(() => creditUnit(usd)).toThrow(
      `Cannot use a credit of ${usd} USD: some amounts would have no finite decimal form; use a value like "1", "0.01" or "0.05".`,
    );
  });

  test.each(["0", "-1", "-0.01"])("worth %s USD are worth nothing", (usd) => {
    expect(() => creditUnit(usd)).toThrow(`Cannot use a credit of ${usd} USD: it must be worth more than 0.`);
  });

  test("finer than a pico-dollar are refused", () => {
    expect(() => parseCredits("0.00000000001", creditUnit("0.01"))).toThrow(
      "Cannot take 0.00000000001 credits: it is finer than one pico-dollar; use fewer decimals.",
    );
  });

  test("say every amount exactly, in any unit that is accepted", () => {
    const units = fc
      .tuple(fc.nat(20), fc.nat(20))
      .map(([twos, fives]) => 2n ** BigInt(twos) * 5n ** BigInt(fives));
    const small = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
    fc.assert(
      fc.property(units, small, (picoPerCredit, amount) => {
        const unit = creditUnit(formatUsd(pico(picoPerCredit)));
        expect(unit.picoPerCredit).toBe(picoPerCredit);
        const { units: value, scale } = parseDecimal(formatCredits(pico(amount), unit));
        expect(value * picoPerCredit).toBe(amount * 10n ** BigInt(scale));
        expect(parseCredits(formatCredits(pico(amount), unit), unit)).toBe(amount);
      }),
    );
  });
});

test("multiplyUp() rounds up to the next whole pico-dollar, and only when there is a rest", () => {
  expect(multiplyUp(pico(10n), parseDecimal("1.2"))).toBe(12n);
  expect(multiplyUp(pico(11n), parseDecimal("1.2"))).toBe(14n);
  expect(multiplyUp(pico(1n), parseDecimal("1.0000001"))).toBe(2n);
  expect(multiplyUp(pico(7n), parseDecimal("1"))).toBe(7n);
  expect(multiplyUp(pico(7n), parseDecimal("0"))).toBe(0n);
  const prices = fc.bigInt({ min: 0n, max: 10n ** 15n });
  const markups = fc.record({ units: fc.bigInt({ min: 0n, max: 10n ** 9n }), scale: fc.nat(12) });
  fc.assert(
    fc.property(prices, markups, (price, markup) => {
      const exact = price * markup.units;
      const divisor = 10n ** BigInt(markup.scale);
      const up = multiplyUp(pico(price), markup);
      expect(up * divisor >= exact && (up - 1n) * divisor < exact).toBe(true);
    }),
  );
});

test("sumPico() and minPico() are exact beyond what a double can hold", () => {
  const big = pico(2n ** 80n);
  expect(sumPico([])).toBe(zeroPico);
  expect(sumPico([big, pico(1n), pico(-3n)])).toBe(2n ** 80n - 2n);
  expect([minPico(big, pico(big + 1n)), minPico(pico(2n), pico(1n))]).toEqual([big, 1n]);
});
