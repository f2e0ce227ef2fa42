import { type PicoUsd, pico } from "../core/money.ts";
import type { CallRecord } from "./types.ts";

/** What calls cost. */
export interface Spent {
  /** By the vendor's own usage. */
  readonly known: PicoUsd;
  /** What calls without usage may have cost besides, at most. Null when no price is known. */
  readonly atMost: PicoUsd | null;
}

/** The cost of calls that have ended, of a whole probe or of one that was interrupted. */
export function spentOn(calls: readonly Pick<CallRecord, "cost">[]): Spent {
  const sum = (basis: CallRecord["cost"]["basis"]): PicoUsd =>
    pico(
      calls.reduce(
        (total, { cost }) => (cost.basis === basis && cost.amount !== null ? total + cost.amount : total),
        0n,
      ),
    );
  const isPriced = !calls.some(({ cost }) => cost.basis === "unknown");
  return { known: sum("known"), atMost: isPriced ? sum("at_most") : null };
}
