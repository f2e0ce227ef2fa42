import { type PicoUsd, parseDecimal, pico, zeroPico } from "../core/money.ts";
import type { PriceRow } from "../core/prices.ts";
import { dearest, PriceMissing, rate } from "../core/rating.ts";
import { holdAmount } from "../core/upper-bound.ts";
import { noFees, type Usage } from "../core/usage.ts";
import type { CallPlan } from "./types.ts";

/** Tokens that a vendor may add to these small prompts: framing, a tool, a schema. */
const hiddenInput = 256;
const atCost = parseDecimal("1");
/** A project may be served on a dearer tier than was asked for. */
const dearestTiers = [null, "priority"];

/** The most that a call can cost, pUSD. Tokens of text are never more than its bytes. */
export function largestCost(plan: CallPlan, row: PriceRow): PicoUsd {
  const prices = dearest(row, dearestTiers, atCost);
  const bytes = new TextEncoder().encode(plan.rawBody ?? JSON.stringify(plan.body)).length;
  const terms = {
    ...{ inputBound: bytes + hiddenInput, inputPrice: prices.input, outputPrice: prices.output },
    ...{ choices: plan.choices, extraOutput: 0, fees: zeroPico },
  };
  return holdAmount(terms, plan.cap);
}

/** What the vendor bills for `usage` by its list; null when the row lacks a price that is needed. */
export function vendorCost(usage: Usage, row: PriceRow, serviceTier: string | null): PicoUsd | null {
  try {
    return rate(usage, noFees, { row, serviceTier, markup: atCost }).vendorCost;
  } catch (error) {
    if (error instanceof PriceMissing) return null;
    throw error;
  }
}

/** Keeps a run of calls within one amount: what was spent and what open calls may still cost never exceed it. */
export class Budget {
  readonly #max: PicoUsd;
  #spent = 0n;
  #reserved = 0n;

  constructor(max: PicoUsd) {
    this.#max = max;
  }

  /** False: the call must wait for others to end, or be left out when none is open. */
  reserve(amount: PicoUsd): boolean {
    if (this.#spent + this.#reserved + amount > this.#max) return false;
    this.#reserved += amount;
    return true;
  }

  /** Ends a reservation with what the call cost. */
  settle(reserved: PicoUsd, spent: PicoUsd): void {
    this.#reserved -= reserved;
    this.#spent += spent;
  }

  get spent(): PicoUsd {
    return pico(this.#spent);
  }
}
