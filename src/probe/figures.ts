import { formatDecimal, type PicoUsd } from "../core/money.ts";

/** A share as whole per cent, rounded half up, from integers. Null when the base is 0. */
export function percentOf(part: bigint | number, base: bigint | number): number | null {
  const whole = BigInt(base);
  if (whole <= 0n) return null;
  const share = BigInt(part);
  const size = share < 0n ? -share : share;
  const rounded = Number((200n * size + whole) / (2n * whole));
  return share < 0n && rounded !== 0 ? -rounded : rounded;
}

/** How an estimate stands to what was billed: "28 % under (base: the vendor's 36)". */
export function showError(estimate: number, billed: number): string {
  if (estimate === billed) return `exact (${billed})`;
  const percent = percentOf(billed - estimate, billed);
  if (percent === null) return `${estimate} where the vendor has 0`;
  const size = percent === 0 ? "under 1 %" : `${Math.abs(percent)} %`;
  return `${size} ${estimate < billed ? "under" : "over"} (base: the vendor's ${billed})`;
}

/** Dollars for reading, exact: at least two decimals. */
export function showUsd(amount: PicoUsd): string {
  const text = formatDecimal({ units: amount, scale: 12 });
  const [whole = "0", fraction = ""] = text.split(".");
  return `$${whole}.${fraction.padEnd(2, "0")}`;
}

/** The middle of some numbers; the lower one of two. Null when there are none. */
export function medianOf(numbers: readonly number[]): number | null {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}
