/**
 * Amounts on the screen. They come as exact decimal text and stay text or whole numbers (bigint): no float ever holds
 * one. Unknown is "—". A positive amount never prints as zero.
 */
export const unknown = "—";

/** What is below this is shown as less than it; the exact amount is always one tooltip, copy or page away. */
const decimalsMax = 6;
const significantDigits = 3;
const minus = "\u2212";

interface Parts {
  readonly isNegative: boolean;
  /** value = units / 10^scale, units ≥ 0. */
  readonly units: bigint;
  readonly scale: number;
}

function read(text: string): Parts {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) throw new Error(`Bug: ${JSON.stringify(text)} is not an amount`);
  const [, sign = "", whole = "", fraction = ""] = match;
  return { isNegative: sign === "-", units: BigInt(whole + fraction), scale: fraction.length };
}

/** Short: two decimals from 1 on, three significant digits below. */
export function formatAmount(text: string | null): string {
  if (text === null) return unknown;
  const parts = read(text);
  if (parts.units === 0n) return "0";
  const sign = parts.isNegative ? minus : "";
  const one = 10n ** BigInt(parts.scale);
  if (parts.units >= one) return sign + show(roundTo(parts, 2), 2);
  const decimals = Math.max(leadingZeros(parts) + significantDigits, 2);
  if (leadingZeros(parts) >= decimalsMax) return `${sign}<0.${"0".repeat(decimalsMax - 1)}1`;
  return sign + trimZeros(show(roundTo(parts, decimals), decimals), 2);
}

/** Every digit, with groups of three before the point. */
export function exactAmount(text: string | null): string {
  if (text === null) return unknown;
  const { isNegative, units, scale } = read(text);
  return (isNegative ? minus : "") + trimZeros(show(units, scale), 0);
}

/** Every digit and at least two decimals, as price lists are written: 12.00, 0.2288. */
export function priceText(text: string): string {
  const { isNegative: isBelow, units, scale } = read(text);
  const decimals = Math.max(scale, 2);
  const shown = show(units * 10n ** BigInt(decimals - scale), decimals);
  return (isBelow ? minus : "") + trimZeros(shown, 2);
}

/** Zeros between the point and the first other digit: 0.0012 has two. */
const leadingZeros = ({ units, scale }: Parts): number => scale - units.toString().length;

/** Units at `decimals` decimals, half rounded away from zero. */
function roundTo({ units, scale }: Parts, decimals: number): bigint {
  if (scale <= decimals) return units * 10n ** BigInt(decimals - scale);
  const divisor = 10n ** BigInt(scale - decimals);
  return (units + divisor / 2n) / divisor;
}

function show(units: bigint, decimals: number): string {
  const digits = units.toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals).replace(/\B(?=(\d{3})+$)/g, ",");
  return decimals === 0 ? whole : `${whole}.${digits.slice(digits.length - decimals)}`;
}

function trimZeros(text: string, keep: number): string {
  const point = text.indexOf(".");
  if (point === -1) return text;
  let end = text.length;
  while (end > point + 1 + keep && text[end - 1] === "0") end -= 1;
  return text.slice(0, end === point + 1 ? point : end);
}

export const isZero = (text: string | null): boolean => text !== null && read(text).units === 0n;
export const isNegative = (text: string): boolean => read(text).isNegative && !isZero(text);

/** Exact sum of amounts. */
export function sumAmounts(texts: readonly string[]): string {
  const all = texts.map(read);
  const scale = Math.max(0, ...all.map((parts) => parts.scale));
  let total = 0n;
  for (const parts of all) total += signed(parts) * 10n ** BigInt(scale - parts.scale);
  return write(total, scale);
}

export const subtractAmounts = (a: string, b: string): string => sumAmounts([a, negate(b)]);
export const negate = (text: string): string => (text.startsWith("-") ? text.slice(1) : `-${text}`);

/** Below 0, 0 or above 0, as `a` compares to `b`. */
export function compareAmounts(a: string, b: string): number {
  const { isNegative: isBelow, units } = read(subtractAmounts(a, b));
  if (units === 0n) return 0;
  return isBelow ? -1 : 1;
}

const signed = ({ isNegative: isBelow, units }: Parts): bigint => (isBelow ? -units : units);

function write(units: bigint, scale: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, "");
  const text = scale === 0 || fraction === "" ? whole : `${whole}.${fraction}`;
  return units < 0n ? `-${text}` : text;
}

/** `part` of `whole` in thousandths, rounded down: for bars, which have pixels, never for text that is money. */
export function thousandths(part: string, whole: string): number {
  const a = read(part);
  const b = read(whole);
  if (b.units === 0n) return 0;
  const scale = Math.max(a.scale, b.scale);
  const numerator = signed(a) * 10n ** BigInt(scale - a.scale);
  const denominator = signed(b) * 10n ** BigInt(scale - b.scale);
  return Number((numerator * 1_000n) / denominator);
}

/** How `now` stands to `before`, as "+12.5%"; null where there is nothing to compare with. */
export function changeOf(now: string, before: string): string | null {
  if (isZero(before)) return null;
  const permille = thousandths(subtractAmounts(now, before), before.replace("-", ""));
  const size = Math.abs(permille);
  if (size > 9_999) return permille > 0 ? "over +999%" : `under ${minus}999%`;
  return `${permille < 0 ? minus : "+"}${Math.floor(size / 10)}.${size % 10}%`;
}

/** The amount × 10^places: a unit price per token as one per million. */
export function shiftAmount(text: string, places: number): string {
  const { isNegative: isBelow, units, scale } = read(text);
  const moved =
    scale >= places ? write(units, scale - places) : write(units * 10n ** BigInt(places - scale), 0);
  return isBelow && units !== 0n ? `-${moved}` : moved;
}
