import type { CreditUnit, PicoUsd } from "../core/money.ts";
import type { KeyLimits, KeyRecord, SpendWindow } from "../ports-admin.ts";
import { type Desk, newSecret, readBoundedAmount, readFutureTime } from "./desk.ts";
import { presentKey } from "./present.ts";
import { accountNotFound, done, type Outcome, refuse } from "./refusals.ts";

/** Limits as asked for: the spend limit in credits, as decimal text. */
export interface KeyTerms {
  readonly name: string;
  readonly models: readonly string[] | null;
  readonly spendLimit: string | null;
  readonly spendWindow: SpendWindow | null;
  readonly rpm: number | null;
  readonly tpm: number | null;
  readonly maxConcurrent: number | null;
  /** What is left out is as it is, on a new key as usual: no cost in answers, idempotency keys honoured. */
  readonly settings: { readonly usageCost?: boolean | undefined; readonly idempotency?: boolean | undefined };
  readonly expiresAt: string | null;
}
/** Undefined = as it is; null = no limit. */
export type KeyChange = { readonly [Field in keyof KeyTerms]?: KeyTerms[Field] | undefined };

export interface KeyMade {
  readonly key: KeyRecord;
  /** The only time it can be read. */
  readonly secret: string;
}

/** Makes a key. Its secret is in the result and nowhere else; demo accounts get test keys. */
export async function createKey(desk: Desk, accountId: string, terms: KeyTerms): Promise<Outcome<KeyMade>> {
  const { tables, ids, actor } = desk;
  const account = await tables.accounts.find(accountId);
  if (account === null) return accountNotFound("make a key", accountId);
  const limits = readLimits(desk, terms, terms.expiresAt);
  if (!limits.ok) return limits;
  const { secret, hash, display } = newSecret(desk, account.isDemo ? "test" : "live");
  const id = ids.next("key");
  await tables.keys.add({ ...limits.value, id, accountId, name: terms.name, display }, hash);
  const key = await getKey(desk, id);
  await tables.audit.add({
    actor,
    action: "key.create",
    target: id,
    before: null,
    after: presentKey(key, desk.credit),
  });
  return done({ key, secret });
}

/** Changes a key's name and limits. A spend window that is changed starts to count anew. */
export async function changeKey(desk: Desk, id: string, change: KeyChange): Promise<Outcome<KeyRecord>> {
  const before = await desk.tables.keys.lock(id);
  if (before === null) return keyNotFound("change the key", id);
  if (before.revokedAt !== null) return keyRevoked("change the key", id);
  const settings = { ...before.settings, ...withoutUndefined(change.settings ?? {}) };
  const terms: KeyTerms = { ...termsOf(before, desk.credit), ...withoutUndefined(change), settings };
  // An expiry that is not part of the change may lie in the past: the key has expired and stays so.
  const limits = readLimits(desk, terms, change.expiresAt ?? null);
  if (!limits.ok) return limits;
  const expiresAt = change.expiresAt === undefined ? before.expiresAt : limits.value.expiresAt;
  await desk.tables.keys.change(id, { ...limits.value, expiresAt, name: terms.name });
  return audited(desk, "key.change", before);
}

/** Gives the key a new secret; the older ones work for `overlapSeconds` more. */
export async function rotateKey(desk: Desk, id: string, overlapSeconds: number): Promise<Outcome<KeyMade>> {
  const before = await desk.tables.keys.lock(id);
  if (before === null) return keyNotFound("rotate the key", id);
  if (before.revokedAt !== null) return keyRevoked("rotate the key", id);
  const kind = before.display.startsWith("sk-tg-test-") ? "test" : "live";
  const { secret, hash, display } = newSecret(desk, kind);
  await desk.tables.keys.rotate(id, { hash, display, overlapSeconds });
  const rotated = await audited(desk, "key.rotate", before);
  return rotated.ok ? done({ key: rotated.value, secret }) : rotated;
}

/** Ends a key for good. Revoking it again changes nothing. */
export async function revokeKey(desk: Desk, id: string): Promise<Outcome<KeyRecord>> {
  const before = await desk.tables.keys.lock(id);
  if (before === null) return keyNotFound("revoke the key", id);
  if (before.revokedAt !== null) return done(before);
  await desk.tables.keys.revoke(id);
  return audited(desk, "key.revoke", before);
}

function readLimits(desk: Desk, terms: KeyTerms, expiry: string | null): Outcome<KeyLimits> {
  if ((terms.spendLimit === null) !== (terms.spendWindow === null)) {
    const [given, missing] =
      terms.spendLimit === null ? ["spend_window", "spend_limit"] : ["spend_limit", "spend_window"];
    return refuse(
      "invalid_spend_limit",
      `Cannot use \`${given}\` alone: a limit needs its window; add \`${missing}\`.`,
      missing,
    );
  }
  let spendLimit: PicoUsd | null = null;
  if (terms.spendLimit !== null) {
    const amount = readBoundedAmount(terms.spendLimit, "spend_limit", desk.credit);
    if (!amount.ok) return amount;
    spendLimit = amount.value;
  }
  const expiresAt = readFutureTime(expiry, "expires_at", desk.clock);
  if (!expiresAt.ok) return expiresAt;
  const { models, spendWindow, rpm, tpm, maxConcurrent } = terms;
  const settings = {
    usageCost: terms.settings.usageCost ?? false,
    idempotency: terms.settings.idempotency ?? true,
  };
  return done({
    models,
    spendLimit,
    spendWindow,
    rpm,
    tpm,
    maxConcurrent,
    settings,
    expiresAt: expiresAt.value,
  });
}

const termsOf = (key: KeyRecord, credit: CreditUnit): KeyTerms => ({
  ...key,
  spendLimit: presentKey(key, credit).spend_limit,
});

const withoutUndefined = <T extends object>(
  change: T,
): { [Field in keyof T]?: Exclude<T[Field], undefined> } =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as never;

async function getKey(desk: Desk, id: string): Promise<KeyRecord> {
  const key = await desk.tables.keys.find(id);
  if (key === null) throw new Error(`Bug: key ${id} was written and cannot be found`);
  return key;
}

async function audited(desk: Desk, action: string, before: KeyRecord): Promise<Outcome<KeyRecord>> {
  const key = await getKey(desk, before.id);
  const { tables, actor, credit } = desk;
  await tables.audit.add({
    actor,
    action,
    target: key.id,
    before: presentKey(before, credit),
    after: presentKey(key, credit),
  });
  return done(key);
}

const keyNotFound = (what: string, id: string): Outcome<never> =>
  refuse("key_not_found", `Cannot ${what}: there is no key ${id}; list the account's keys.`, "id");
const keyRevoked = (what: string, id: string): Outcome<never> =>
  refuse("key_revoked", `Cannot ${what}: key ${id} was revoked, which is final; make a new one.`, "id");
