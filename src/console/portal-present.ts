/** What a customer sees of their own account: no vendor cost, no endpoint, no list price. Amounts are credits. */
import { presentGrant, presentKey } from "../billing/present.ts";
import { presentRequest } from "../billing/request-record.ts";
import { type CreditUnit, formatCredits, parseUsd } from "../core/money.ts";
import type { Grant, KeyRecord } from "../ports-admin.ts";
import type { RequestRow } from "../ports-reports.ts";

export function presentReceipt(row: RequestRow, credit: CreditUnit) {
  const shown = presentRequest(row, credit);
  return {
    id: shown.id,
    created_at: shown.created_at,
    settled_at: shown.settled_at,
    state: shown.state,
    outcome: shown.outcome,
    refusal: shown.refusal,
    stream: shown.stream,
    key_name: shown.key_name,
    model_requested: shown.model_requested,
    model_served: shown.model_served,
    usage: shown.usage,
    price_lines: shown.price_lines.map(({ kind, quantity, unit_price_usd, amount }) => ({
      ...{ kind, quantity, amount },
      unit_price: formatCredits(parseUsd(unit_price_usd), credit),
    })),
    hold: shown.hold,
    charge: shown.charge,
    ttft_ms: shown.ttft_ms,
    duration_ms: shown.duration_ms,
    client_request_id: shown.client_request_id,
  };
}

export function presentOwnGrant(grant: Grant, credit: CreditUnit) {
  const { account_id, priority, ...shown } = presentGrant(grant, credit);
  return shown;
}

export function presentOwnKey(key: KeyRecord, credit: CreditUnit) {
  const { account_id, settings, ...shown } = presentKey(key, credit);
  return shown;
}
