import type { PicoUsd } from "../core/money.ts";
import type { Grant, GrantKind, NewGrant } from "../ports-admin.ts";
import { type Desk, readAmount, readFutureTime } from "./desk.ts";
import { presentGrant } from "./present.ts";
import { accountNotFound, done, type Outcome, refuse } from "./refusals.ts";

export interface GrantRequest {
  readonly accountId: string;
  /** Credits, as decimal text. */
  readonly amount: string;
  readonly kind: Exclude<GrantKind, "refund">;
  /** 0 burns first, 100 last. */
  readonly priority: number;
  readonly expiresAt: string | null;
  /** The payment or reason it stands for; unique per account, so that one payment is credited once. */
  readonly reference: string | null;
}

/** Grants credit. The same reference with the same terms gives the first grant again; nothing moves then. */
export async function addGrant(
  desk: Desk,
  request: GrantRequest,
): Promise<Outcome<{ readonly grant: Grant; readonly isNew: boolean }>> {
  const { tables, ids, actor } = desk;
  const amount = readAmount(request.amount, "amount", desk.credit);
  if (!amount.ok) return amount;
  const expiresAt = readFutureTime(request.expiresAt, "expires_at", desk.clock);
  if (!expiresAt.ok) return expiresAt;
  if ((await tables.accounts.find(request.accountId)) === null)
    return accountNotFound("grant credit", request.accountId);
  const { accountId, kind, priority, reference } = request;
  const wanted: NewGrant = {
    id: ids.next("grt"),
    accountId,
    kind,
    priority,
    amount: amount.value,
    reference,
    expiresAt: expiresAt.value,
    metadata: {},
  };
  const made = await tables.grants.add(wanted);
  if (!made.isNew) return sameTerms(made.grant, wanted) ? done(made) : referenceConflict(made.grant);
  const after = presentGrant(made.grant, desk.credit);
  await tables.audit.add({ actor, action: "grant.add", target: made.grant.id, before: null, after });
  return done(made);
}

const sameTerms = (one: Grant, other: NewGrant): boolean =>
  one.amount === other.amount &&
  one.kind === other.kind &&
  one.priority === other.priority &&
  one.expiresAt === other.expiresAt;

const referenceConflict = ({ id, reference }: Grant): Outcome<never> =>
  refuse(
    "reference_conflict",
    `Cannot grant credit: the account's grant ${id} has the reference ${JSON.stringify(reference)} and other terms; ` +
      "repeat it unchanged, or give another reference.",
    "reference",
  );

/**
 * Takes back what is left of a grant. What open holds have reserved is taken back when it returns; what was spent stays spent.
 * Gives the grant, and what came back now as a ledger transaction (null when nothing did).
 */
export async function voidGrant(
  desk: Desk,
  request: { readonly grantId: string; readonly reason: string | null },
): Promise<Outcome<{ readonly grant: Grant; readonly txId: string | null; readonly amount: PicoUsd }>> {
  const { tables, ids, actor } = desk;
  const before = await tables.grants.find(request.grantId);
  if (before === null) {
    return refuse(
      "grant_not_found",
      `Cannot void: there is no grant ${request.grantId}; list the account's grants.`,
      "id",
    );
  }
  const txId = ids.next("tx");
  const amount = await tables.grants.void(txId, request.grantId);
  if (amount > 0n && request.reason !== null)
    await tables.entries.explain(txId, { actor, reason: request.reason });
  const grant = await tables.grants.find(request.grantId);
  if (grant === null) throw new Error(`Bug: grant ${request.grantId} was voided and cannot be found`);
  await tables.audit.add({
    actor,
    action: "grant.void",
    target: request.grantId,
    before: presentGrant(before, desk.credit),
    after: { ...presentGrant(grant, desk.credit), reason: request.reason },
  });
  return done({ grant, txId: amount > 0n ? txId : null, amount });
}
