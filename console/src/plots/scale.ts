/** From exact decimal text to places on a plot. Only here does an amount become a float: a share of the plot's height. */

interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

function read(text: string): Decimal {
  const [whole = "0", fraction = ""] = text.replace("-", "").split(".");
  const units = BigInt(whole + fraction);
  return { units: text.startsWith("-") ? -units : units, scale: fraction.length };
}

/** `value` ÷ `top`, to a millionth. */
export function shareOf(value: string, top: string): number {
  const a = read(value);
  const b = read(top);
  if (b.units === 0n) return 0;
  const scale = Math.max(a.scale, b.scale);
  const numerator = a.units * 10n ** BigInt(scale - a.scale) * 1_000_000n;
  return Number(numerator / (b.units * 10n ** BigInt(scale - b.scale))) / 1_000_000;
}

export interface Axis {
  /** The upper end; never below the largest value. */
  readonly top: string;
  /** From 0 up, evenly. */
  readonly ticks: readonly string[];
}

/** An axis from 0 with at most six round steps (1, 2 or 5 × a power of ten). */
export function axisFor(largest: string): Axis {
  const { units, scale } = read(largest);
  if (units <= 0n) return { top: "1", ticks: ["0"] };
  const digits = units.toString().length;
  // A fifth of the largest, rounded up to a round step; two more places so that steps below one unit exist.
  const fine = units * 100n;
  let step = 1n;
  for (let power = 10n ** BigInt(Math.max(0, digits - 1)); ; power *= 10n) {
    const fit = [1n, 2n, 5n].map((factor) => factor * power).find((candidate) => candidate * 5n >= fine);
    if (fit !== undefined) {
      step = fit;
      break;
    }
  }
  const count = Number((fine + step - 1n) / step);
  const at = (index: number): string => write(step * BigInt(index), scale + 2);
  return { top: at(count), ticks: Array.from({ length: count + 1 }, (_, index) => at(index)) };
}

function write(units: bigint, scale: number): string {
  const digits = units.toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, "");
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

/** Powers of ten that enclose all values; for scatter plots of counts from 1 on. */
export function decadesFor(values: readonly number[]): { readonly from: number; readonly to: number } {
  const largest = Math.max(10, ...values);
  const smallest = Math.max(1, Math.min(...values, largest));
  const from = Math.floor(Math.log10(smallest));
  return { from, to: Math.max(Math.ceil(Math.log10(largest)), from + 1) };
}
