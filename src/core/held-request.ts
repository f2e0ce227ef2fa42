import type { Decimal } from "./money.ts";

/** The price terms of an open hold as its row keeps them, and back. Everything a process needs to settle a dead one's hold. */
export const markupToJson = (markup: Decimal): { units: string; scale: number } => ({
  units: markup.units.toString(),
  scale: markup.scale,
});

/** Null when the stored value is not a markup: then nobody may guess one. */
export function markupFromJson(value: unknown): Decimal | null {
  if (typeof value !== "object" || value === null) return null;
  const { units, scale } = value as { units?: unknown; scale?: unknown };
  if (typeof units !== "string" || !/^\d+$/.test(units) || typeof scale !== "number") return null;
  return { units: BigInt(units), scale };
}
