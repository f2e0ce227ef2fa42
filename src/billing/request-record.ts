import { type CreditUnit, formatCredits, formatUsd, pico } from "../core/money.ts";
import type { RequestRow } from "../ports-reports.ts";
import { creditsOrNull, usdOrNull } from "./present.ts";

/** One line of a bill as people see it. Unit prices are USD per token (or call), the amount is in credits. */
export interface PresentedLine {
  readonly kind: string;
  readonly quantity: number;
  readonly unit_price_usd: string;
  readonly list_price_usd: string;
  readonly amount: string;
}

export type PresentedRequest = ReturnType<typeof presentRequest>;

/**
 * The request record. `charge` is exactly the sum of the lines' amounts: what the vendor billed beyond the hold is taken
 * off again by a line `beyond_hold`, as the operator bears it.
 */
export const presentRequest = (row: RequestRow, credit: CreditUnit) => {
  const { record } = row;
  return {
    id: row.id,
    account_id: row.accountId,
    account_name: row.accountName,
    key_id: row.keyId,
    key_name: row.keyName,
    state: row.state,
    outcome: row.outcome,
    status: numberOrNull(record.status),
    refusal: textOrNull(record.refusal),
    required: creditsOrNull(amountOf(record.required), credit),
    stream: row.stream,
    model_requested: row.modelRequested,
    model_served: row.modelServed,
    operation: textOrNull(record.operation),
    priced_as: textOrNull(record.priced_as),
    price_row: textOrNull(record.price_row),
    service_tier: textOrNull(record.service_tier),
    endpoint: row.endpoint,
    deployment: textOrNull(record.deployment),
    attempts: listOf(record.attempts).map(amountsToUsd),
    usage: presentUsage(row),
    rejected_usage: record.rejected_usage ?? null,
    estimate: record.estimate ?? null,
    price_lines: presentLines(row, credit),
    hold: formatCredits(row.hold, credit),
    charge: creditsOrNull(row.charge, credit),
    vendor_cost_usd: usdOrNull(row.vendorCost),
    loss_usd: usdOrNull(row.loss),
    output_cap: numberOrNull(record.output_cap),
    rewrites: listOf(record.rewrites),
    notes: listOf(record.notes).map(amountsToUsd),
    ttft_ms: numberOrNull(record.ttft_ms),
    duration_ms: numberOrNull(record.duration_ms),
    overhead_ms: numberOrNull(record.overhead_ms),
    client_request_id: textOrNull(record.client_request_id),
    idempotency_key: textOrNull(record.idempotency_key),
    created_at: row.createdAt,
    settled_at: row.settledAt,
  };
};

/** Null while nothing is known: an open hold, a refusal. */
function presentUsage({ tokens, source, record }: RequestRow) {
  if (tokens === null && source === null) return null;
  const said = isObject(record.usage) ? record.usage : {};
  return {
    input: tokens === null ? null : tokens.input,
    cached_input: tokens === null ? null : tokens.cachedInput,
    cache_write: tokens === null ? null : tokens.cacheWrite,
    output: tokens === null ? null : tokens.output,
    reasoning: tokens === null ? null : tokens.reasoning,
    total: tokens === null ? null : tokens.total,
    source,
    method: textOrNull(said.method),
    bound: textOrNull(said.bound),
    reason: textOrNull(said.reason),
  };
}

function presentLines({ record }: RequestRow, credit: CreditUnit): PresentedLine[] {
  return listOf(record.price_lines)
    .filter(isObject)
    .map((line) => ({
      kind: String(line.kind),
      quantity: Number(line.quantity),
      unit_price_usd: formatUsd(getAmount(line.unit_price_pusd)),
      list_price_usd: formatUsd(getAmount(line.list_price_pusd)),
      amount: formatCredits(getAmount(line.amount_pusd), credit),
    }));
}

/** Amounts in free parts of a record are pUSD as text in fields that end `_pusd`; people see them as `_usd`. */
function amountsToUsd(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(amountsToUsd);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) =>
      name.endsWith("_pusd")
        ? [name.replace(/_pusd$/, "_usd"), usdOrNull(amountOf(part))]
        : [name, amountsToUsd(part)],
    ),
  );
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const textOrNull = (value: unknown): string | null => (typeof value === "string" ? value : null);
const numberOrNull = (value: unknown): number | null => (typeof value === "number" ? value : null);
const amountOf = (value: unknown) => (typeof value === "string" ? pico(BigInt(value)) : null);

function getAmount(value: unknown) {
  const amount = amountOf(value);
  if (amount === null)
    throw new Error(`Bug: a price line has ${JSON.stringify(value)} where an amount in pUSD belongs`);
  return amount;
}
