/**
 * Money is whole pico-USD (10⁻¹² USD) in a `bigint`; $1 per million tokens is 1_000_000 pUSD per token.
 * Text in and out is plain decimal notation, exact, never a float and never in exponent form.
 */
declare const picoUsdBrand: unique symbol;

/** An amount or unit price in pico-USD. Made by `pico()` or by a parser, so that plain numbers cannot slip in. */
export type PicoUsd = bigint & { readonly [picoUsdBrand]: true };

export const picoPerUsd = 1_000_000_000_000n;
export const zeroPico = 0n as PicoUsd;

export const pico = (amount: bigint): PicoUsd => amount as PicoUsd;
export const sumPico = (amounts: Iterable<PicoUsd>): PicoUsd => {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return pico(total);
};
export const minPico = (a: PicoUsd, b: PicoUsd): PicoUsd => (a < b ? a : b);

/** Why a text is not an exact amount; the message is written for whoever typed it. */
export class AmountError extends Error {
  override readonly name = "AmountError";
}

const decimalForm = /^(-?)(0|[1-9]\d{0,29})(?:\.(\d{1,60}))?$/;

/** A decimal number as a reduced fraction of powers of ten: value = units / 10^scale. */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

/** Reads plain decimal notation exactly. Refuses signs other than a leading minus, exponents, spaces and leading zeros. */
export function parseDecimal(text: string): Decimal {
  const match = decimalForm.exec(text);
  if (match === null) {
    throw new AmountError(
      `Cannot read ${JSON.stringify(text.slice(0, 80))} as an amount: it is not a plain decimal number; write digits like "12.5".`,
    );
  }
  const fraction = (match[3] ?? "").replace(/0+$/, "");
  const magnitude = BigInt(`${match[2]}${fraction}`);
  return { units: match[1] === "-" ? -magnitude : magnitude, scale: fraction.length };
}

/** `value × multiplier` as a whole number. Refuses when the product has a fraction, so that nothing is ever rounded. */
export function scaleExactly(value: Decimal, multiplier: bigint, what: string): bigint {
  const divisor = 10n ** BigInt(value.scale);
  const product = value.units * multiplier;
  if (product % divisor !== 0n) {
    throw new AmountError(
      `Cannot take ${formatDecimal(value)} ${what}: it is finer than one pico-dollar; use fewer decimals.`,
    );
  }
  return product / divisor;
}

/** Dollars as text to pUSD. Refuses more than 12 decimals. */
export const parseUsd = (text: string): PicoUsd => pico(scaleExactly(parseDecimal(text), picoPerUsd, "USD"));

/** A list price in USD per million units, as text, to pUSD per unit. Refuses more than 6 decimals. */
export const parseUsdPerMillion = (text: string): PicoUsd =>
  pico(scaleExactly(parseDecimal(text), 1_000_000n, "USD per million"));

export function formatDecimal({ units, scale }: Decimal): string {
  const negative = units < 0n;
  const digits = (negative ? -units : units).toString().padStart(scale + 1, "0");
  const whole = scale === 0 ? digits : digits.slice(0, -scale);
  const fraction = scale === 0 ? "" : digits.slice(-scale).replace(/0+$/, "");
  const text = fraction === "" ? whole : `${whole}.${fraction}`;
  return negative ? `-${text}` : text;
}

/** Exact dollars as decimal text: 12_500_000n → "0.0000125". */
export const formatUsd = (amount: PicoUsd): string => formatDecimal({ units: amount, scale: 12 });

/** A unit price as USD per million units: 250_000n → "0.25". */
export const formatUsdPerMillion = (price: PicoUsd): string => formatDecimal({ units: price, scale: 6 });

/**
 * What one credit is worth, in pUSD. Only values whose prime factors are 2 and 5 are accepted,
 * because only then has every whole pico-dollar a finite decimal number of credits.
 */
export interface CreditUnit {
  readonly picoPerCredit: bigint;
  /** value in credits = pUSD × numerator / 10^scale, exactly. */
  readonly numerator: bigint;
  readonly scale: number;
}

export function creditUnit(usdPerCredit: string): CreditUnit {
  const picoPerCredit = parseUsd(usdPerCredit);
  if (picoPerCredit <= 0n)
    throw new AmountError(`Cannot use a credit of ${usdPerCredit} USD: it must be worth more than 0.`);
  let rest: bigint = picoPerCredit;
  let twos = 0;
  let fives = 0;
  while (rest % 2n === 0n) {
    rest /= 2n;
    twos += 1;
  }
  while (rest % 5n === 0n) {
    rest /= 5n;
    fives += 1;
  }
  if (rest !== 1n) {
    throw new AmountError(
      `Cannot use a credit of ${usdPerCredit} USD: some amounts would have no finite decimal form; use a value like "1", "0.01" or "0.05".`,
    );
  }
  const scale = Math.max(twos, fives);
  return { picoPerCredit, numerator: 2n ** BigInt(scale - twos) * 5n ** BigInt(scale - fives), scale };
}

/** Exact credits as decimal text. */
export const formatCredits = (amount: PicoUsd, unit: CreditUnit): string =>
  formatDecimal({ units: amount * unit.numerator, scale: unit.scale });

/** Credits as text to pUSD. Refuses what is finer than one pico-dollar. */
export const parseCredits = (text: string, unit: CreditUnit): PicoUsd =>
  pico(scaleExactly(parseDecimal(text), unit.picoPerCredit, "credits"));

/** `price × factor`, rounded up to a whole pUSD: the one rounding in the system, done when a price is published. */
export function multiplyUp(price: PicoUsd, factor: Decimal): PicoUsd {
  const divisor = 10n ** BigInt(factor.scale);
  const product = price * factor.units;
  return pico((product + divisor - 1n) / divisor);
}
