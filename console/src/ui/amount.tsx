import type { ReactNode } from "react";
import { exactAmount, formatAmount, isNegative, priceText, unknown } from "../lib/amount.ts";

interface AmountProps {
  /** Exact decimal text; null = not known. */
  readonly value: string | null;
  readonly unit?: "credits" | "usd";
  /** `exact`: every digit, for lines that must add up; `price` too, and at least two decimals. */
  readonly form?: "short" | "exact" | "price";
}

/** An amount; the exact one is in its tooltip and in what is copied from there. */
export function Amount({ value, unit = "credits", form = "short" }: AmountProps): ReactNode {
  if (value === null) {
    return (
      <span className="amount muted" title="Not known">
        {unknown}
      </span>
    );
  }
  const exact = withUnit(exactAmount(value), unit);
  const shown =
    form === "exact" ? exact : withUnit(form === "price" ? priceText(value) : formatAmount(value), unit);
  const title = unit === "usd" ? exact : `${exact} credits`;
  return (
    <data className={isNegative(value) ? "amount negative" : "amount"} value={value} title={title}>
      {shown}
    </data>
  );
}

/** "$1.50", "−$1.50", "<$0.000001". */
export function withUnit(text: string, unit: "credits" | "usd"): string {
  if (unit === "credits" || text === unknown) return text;
  const match = /^(\u2212?)(<?)(.*)$/.exec(text);
  return match === null ? text : `${match[1]}${match[2]}$${match[3]}`;
}
