import type { Verification, VerificationCheck } from "../ports-reports.ts";
import { accountChecks } from "./checks/accounts.ts";
import type { LedgerCheck } from "./checks/check.ts";
import { grantChecks } from "./checks/grants.ts";
import { reportChecks } from "./checks/reports.ts";
import { requestChecks } from "./checks/requests.ts";
import { type Db, type Queryable, sql } from "./db.ts";

export const ledgerChecks: readonly LedgerCheck[] = [
  ...accountChecks,
  ...grantChecks,
  ...requestChecks,
  ...reportChecks,
];

const oneSnapshot = sql`set transaction isolation level repeatable read, read only`;
/** Large books take longer than any other statement may. */
const patience = sql`set local statement_timeout = '30min'`;

/**
 * The ledger's invariants on a database. PostgreSQL sees one snapshot for all checks, in a transaction that only reads and
 * so blocks nobody. The embedded database has one connection: there each check is a statement of its own, with requests
 * in between. One verification runs at a time; who asks meanwhile gets its result.
 */
export function createVerification(db: Db): Verification {
  let running: Promise<readonly VerificationCheck[]> | null = null;
  const start = (recoveryMs: number): Promise<readonly VerificationCheck[]> => {
    if (db.kind === "pglite") return runChecks(db, recoveryMs);
    return db.transaction(async (tx) => {
      await tx.query(oneSnapshot);
      await tx.query(patience);
      return runChecks(tx, recoveryMs);
    });
  };
  return {
    verify({ recoveryMs }) {
      running ??= start(recoveryMs).finally(() => {
        running = null;
      });
      return running;
    },
  };
}

/** Every check on one connection, one after the other. */
export async function runChecks(on: Queryable, recoveryMs: number): Promise<readonly VerificationCheck[]> {
  const results: VerificationCheck[] = [];
  for (const check of ledgerChecks) results.push(await run(on, check, recoveryMs));
  return results;
}

async function run(on: Queryable, check: LedgerCheck, recoveryMs: number): Promise<VerificationCheck> {
  const startedAt = performance.now();
  const parameters = check.takesRecoveryMs === true ? [recoveryMs] : [];
  const [row] = await on.query<{ checked: number; first_bad: Record<string, unknown> | null }>(
    check.statement,
    parameters,
  );
  if (row === undefined) throw new Error(`Bug: check ${check.name} gave no row`);
  return {
    name: check.name,
    description: check.description,
    ok: row.first_bad === null,
    checked: row.checked,
    firstBad: row.first_bad,
    durationMs: Math.round((performance.now() - startedAt) * 1000) / 1000,
  };
}
