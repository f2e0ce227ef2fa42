/**
 * One invariant as one statement. It gives one row: `checked`, how many rows were looked at, and `first_bad`, the first
 * that breaks the invariant (amounts as text of pUSD) or null. A statement sees one snapshot, so it is consistent in itself.
 */
export interface LedgerCheck {
  readonly name: string;
  /** What holds when the check passes, for people. */
  readonly description: string;
  readonly statement: string;
  /** True when $1 is the recovery bound in ms. */
  readonly takesRecoveryMs?: boolean;
}
