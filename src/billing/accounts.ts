import type { Account, AccountChange, AdminTables, Metadata } from "../ports-admin.ts";
import type { Desk } from "./desk.ts";
import { presentAccount } from "./present.ts";
import { accountNotFound, done, type Outcome, refuse } from "./refusals.ts";

export interface AccountRequest {
  readonly name: string;
  readonly externalId: string | null;
  readonly metadata: Metadata;
  /** Made by demo mode: marked so wherever it is shown. */
  readonly isDemo: boolean;
}

/** Opens an account without credit. An external id leads to one account only. */
export async function createAccount(desk: Desk, request: AccountRequest): Promise<Outcome<Account>> {
  const { tables, ids, actor } = desk;
  const id = ids.next("acc");
  if (!(await tables.accounts.add({ id, ...request })))
    return externalIdTaken("create the account", request.externalId);
  const account = await findAccount(tables, id);
  if (account === null) throw new Error(`Bug: account ${id} was made and cannot be found`);
  const after = presentAccount(account, desk.credit);
  await tables.audit.add({ actor, action: "account.create", target: id, before: null, after });
  return done(account);
}

/** Renames, freezes, thaws or describes an account. A frozen account keeps its credit and may not use it. */
export async function changeAccount(
  desk: Desk,
  id: string,
  change: AccountChange,
): Promise<Outcome<Account>> {
  const { tables, actor } = desk;
  const before = await tables.accounts.lock(id);
  if (before === null) return accountNotFound("change the account", id);
  if (!(await tables.accounts.change(id, change)))
    return externalIdTaken("change the account", change.externalId ?? null);
  const account = await findAccount(tables, id);
  if (account === null) throw new Error(`Bug: account ${id} was changed and cannot be found`);
  await tables.audit.add({
    actor,
    action: "account.change",
    target: id,
    before: presentAccount(before, desk.credit),
    after: presentAccount(account, desk.credit),
  });
  return done(account);
}

/** Freezes or thaws. */
export const setStatus = (desk: Desk, id: string, status: Account["status"]): Promise<Outcome<Account>> =>
  changeAccount(desk, id, { status });

/** The account with a balance that can be spent: what has expired is booked before it is read. */
export async function findAccount(
  tables: Pick<AdminTables, "accounts" | "grants">,
  id: string,
): Promise<Account | null> {
  await tables.grants.expire([id]);
  return tables.accounts.find(id);
}

const externalIdTaken = (what: string, externalId: string | null): Outcome<never> =>
  refuse(
    "external_id_taken",
    `Cannot ${what}: another account has the external id ${JSON.stringify(externalId)}; each leads to one account.`,
    "external_id",
  );
