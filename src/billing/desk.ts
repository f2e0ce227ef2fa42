import { type ApiKeyKind, apiKeyRandomBytes, displayOf, formatApiKey } from "../core/api-key.ts";
import { AmountError, type CreditUnit, type PicoUsd, parseCredits, picoPerUsd } from "../core/money.ts";
import { sha256 } from "../lib/sha256.ts";
import type { Clock } from "../ports.ts";
import type { AdminIds, AdminTables } from "../ports-admin.ts";
import { done, type Outcome, refuse } from "./refusals.ts";

/** What one change needs: the tables of its transaction, and who makes it. */
export interface Desk {
  readonly tables: AdminTables;
  readonly clock: Clock;
  readonly ids: AdminIds;
  /** Bytes from a cryptographic source. */
  readonly random: (bytes: number) => Uint8Array;
  readonly credit: CreditUnit;
  readonly actor: string;
}

/** No one sells more than this at once; a larger number is a slip of the keyboard. $10⁹. */
const amountMax = 1_000_000_000n * picoPerUsd;

/** An amount of credits above 0, exact and bounded; refuses with the name of the field. */
export function readAmount(text: string, param: string, credit: CreditUnit): Outcome<PicoUsd> {
  const amount = readBoundedAmount(text, param, credit);
  if (amount.ok && amount.value === 0n) {
    return refuse(
      "invalid_amount",
      `Cannot take 0 as \`${param}\`: it moves nothing; give an amount above 0.`,
      param,
    );
  }
  return amount;
}

/** An amount of credits from 0 on, exact and bounded. */
export function readBoundedAmount(text: string, param: string, credit: CreditUnit): Outcome<PicoUsd> {
  let amount: PicoUsd;
  try {
    amount = parseCredits(text, credit);
  } catch (error) {
    if (!(error instanceof AmountError)) throw error;
    return refuse("invalid_amount", `Cannot use \`${param}\`: ${error.message}`, param);
  }
  if (amount < 0n) {
    return refuse(
      "invalid_amount",
      `Cannot take a negative \`${param}\`: amounts have no sign here; give what is to be added.`,
      param,
    );
  }
  if (amount > amountMax) {
    return refuse(
      "invalid_amount",
      `Cannot take \`${param}\`: it is worth more than 1000000000 USD; check the number of zeros.`,
      param,
    );
  }
  return done(amount);
}

/** An instant in the future as RFC 3339 in UTC, or null for null. `text` has the form of a date-time already. */
export function readFutureTime(text: string | null, param: string, clock: Clock): Outcome<string | null> {
  if (text === null) return done(null);
  const at = Date.parse(text);
  if (Number.isNaN(at))
    return refuse(
      "invalid_time",
      `Cannot use \`${param}\`: ${text} is not an instant; write 2030-01-31T00:00:00Z.`,
      param,
    );
  if (at <= clock.now())
    return refuse(
      "invalid_time",
      `Cannot use \`${param}\`: ${text} is in the past; give an instant to come.`,
      param,
    );
  return done(new Date(at).toISOString());
}

/** A new secret, shown once; only its hash and its display are kept. */
export function newSecret(
  desk: Desk,
  kind: ApiKeyKind,
): { readonly secret: string; readonly hash: Uint8Array; readonly display: string } {
  const secret = formatApiKey(kind, desk.random(apiKeyRandomBytes));
  return { secret, hash: sha256(secret), display: displayOf(secret) };
}
