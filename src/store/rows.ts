/** From what the drivers give to what the rest of Tollgate speaks. */
import { type PicoUsd, pico } from "../core/money.ts";

/** Money comes as text of whole pUSD; anything else is a bug in the statement and throws. */
export const amountFromText = (text: string): PicoUsd => pico(BigInt(text));
export const amountOrNull = (text: string | null): PicoUsd | null =>
  text === null ? null : amountFromText(text);

export const instant = (date: Date): string => date.toISOString();
export const instantOrNull = (date: Date | null): string | null =>
  date === null ? null : date.toISOString();
