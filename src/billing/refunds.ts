import { formatCredits, type PicoUsd } from "../core/money.ts";
import type { Entry } from "../ports-reports.ts";
import { type Desk, readAmount } from "./desk.ts";
import { done, type Outcome, refuse } from "./refusals.ts";

export interface RefundRequest {
  readonly requestId: string;
  /** Credits as decimal text; null = all that was not refunded before. */
  readonly amount: string | null;
  readonly reason: string;
}

export interface RefundMade {
  readonly txId: string;
  readonly requestId: string;
  readonly accountId: string;
  readonly amount: PicoUsd;
  readonly reason: string;
  readonly entries: readonly Entry[];
}

/** A grant that replaces one which expired before its credit came back lives this long. */
const refundLifeDays = 30;

/** Gives back part or all of a charge, to the grants it came from, the last burned first. Never more than was charged. */
export async function refundRequest(desk: Desk, request: RefundRequest): Promise<Outcome<RefundMade>> {
  const { tables, ids, actor } = desk;
  const { requestId, reason } = request;
  let amount: PicoUsd | null = null;
  if (request.amount !== null) {
    const read = readAmount(request.amount, "amount", desk.credit);
    if (!read.ok) return read;
    amount = read.value;
  }
  const found = await tables.requests.find(requestId);
  if (found === null) {
    return refuse(
      "request_not_found",
      `Cannot refund: there is no request ${requestId}; list requests to find its id.`,
      "id",
    );
  }
  const txId = ids.next("tx");
  const outcome = await tables.requests.refund({ txId, requestId, amount, lifeDays: refundLifeDays });
  if (outcome.code === "not_settled") {
    return refuse(
      "not_refundable",
      `Cannot refund: request ${requestId} is ${found.state}; only a settled one was charged.`,
      "id",
    );
  }
  if (outcome.code === "exceeds_charge") {
    const left = formatCredits(outcome.refundable, desk.credit);
    return refuse(
      "refund_exceeds_charge",
      `Cannot refund that much of request ${requestId}: ${left} of its charge is left to refund; ask for at most that.`,
      "amount",
    );
  }
  await tables.entries.explain(txId, { actor, reason });
  await tables.audit.add({
    actor,
    action: "request.refund",
    target: requestId,
    before: null,
    after: { transaction: txId, amount: formatCredits(outcome.amount, desk.credit), reason },
  });
  const entries = await tables.entries.ofTransaction(txId);
  return done({ txId, requestId, accountId: found.accountId, amount: outcome.amount, reason, entries });
}
