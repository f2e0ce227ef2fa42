import { type PicoUsd, pico } from "../core/money.ts";
import { noUsage, type Usage } from "../core/usage.ts";
import { type Basis, type EstimateMethod, estimatesOf, twinsOf } from "./accuracy.ts";
import { vendorCost } from "./budget.ts";
import { readCalls } from "./facts.ts";
import type { CallRecord, Measurement } from "./types.ts";

/** What one way of counting would bill for a stream, against what the vendor bills for it. */
export interface MoneyLine {
  readonly method: EstimateMethod | "vendor";
  readonly input: number;
  readonly output: number;
  readonly each: PicoUsd;
  /** `each` times the volume. */
  readonly all: PicoUsd;
  /** What is missing from the vendor's bill at that volume; negative = billed too much. */
  readonly missing: PicoUsd;
}

export interface MoneyCase {
  readonly call: string;
  readonly billedBy: string;
  readonly basis: Basis;
  readonly lines: readonly MoneyLine[];
}

/** The plain streams, as most clients send them, priced by each way of counting. Empty when no price is known. */
export function moneyCases(measurement: Measurement): readonly MoneyCase[] {
  const plain = readCalls(measurement).filter(({ plan }) => plan.kind === "plain_stream");
  return plain.flatMap((call) => {
    const [first] =
      call.answer.usage === null ? twinsOf(measurement, call) : [{ twin: call, basis: "own" as const }];
    return first === undefined ? [] : priceCase(measurement, call, first);
  });
}

function priceCase(
  measurement: Measurement,
  call: CallRecord,
  by: { twin: CallRecord; basis: Basis },
): readonly MoneyCase[] {
  const usage = by.twin.answer?.usage ?? null;
  const { priceRow, options } = measurement;
  if (usage === null || priceRow === null) return [];
  const tier = by.twin.answer?.serviceTier ?? null;
  const billed = vendorCost(usage, priceRow, tier);
  if (billed === null) return [];
  const volume = BigInt(options.volume);
  const line = (method: MoneyLine["method"], counted: Usage): readonly MoneyLine[] => {
    const each = vendorCost(counted, priceRow, tier);
    if (each === null) return [];
    const { input, output } = counted;
    return [
      { method, input, output, each, all: pico(each * volume), missing: pico((billed - each) * volume) },
    ];
  };
  const estimates = estimatesOf(measurement, call).flatMap(({ method, input, output }) =>
    line(method, { ...noUsage, input, output, total: input + output }),
  );
  return [
    {
      call: call.plan.id,
      billedBy: by.twin.plan.id,
      basis: by.basis,
      lines: [...line("vendor", usage), ...estimates],
    },
  ];
}
