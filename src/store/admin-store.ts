import { LedgerFault } from "../ports.ts";
import type { AdminStore, AdminTables } from "../ports-admin.ts";
import { createAccounts } from "./accounts.ts";
import { createAdminTokens } from "./admin-tokens.ts";
import { createAudit } from "./audit.ts";
import { createConsoleLogins, createPortalTokens } from "./console.ts";
import type { Db, Queryable } from "./db.ts";
import { createEntries } from "./entries.ts";
import { createGrants } from "./grants.ts";
import { createAdminIdempotency } from "./idempotency.ts";
import { createKeyAdmin } from "./key-admin.ts";
import { createPriceRows } from "./price-rows.ts";
import { createRequestLog } from "./requests.ts";
import { classifyError } from "./retry.ts";
import { createUsageReports } from "./usage.ts";
import { createVerification } from "./verify.ts";

const attemptsMax = 5;

/** A lost connection is a fault that callers know; whatever else the database says is a bug and goes up as it is. */
async function named<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LedgerFault || classifyError(error) !== "connection") throw error;
    throw new LedgerFault("ledger_unavailable", "Cannot administer: the ledger cannot be reached", error);
  }
}

const withNamedFaults = (db: Queryable): Queryable => ({
  query: (text, parameters) => named(() => db.query(text, parameters)),
});

/** Administration on a database. The caller keeps the connection and closes it. */
export function createAdminStore(db: Db): AdminStore {
  return {
    ...tablesOn(withNamedFaults(db)),
    verification: createVerification(db),
    async transaction(work) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await named(() => db.transaction((tx) => work(tablesOn(tx))));
        } catch (error) {
          // Only when it is certain that nothing happened: a lost connection leaves that open, an idempotency key closes it.
          if (classifyError(error) !== "again" || attempt === attemptsMax) throw error;
          await pause((0.5 + Math.random()) * 10 * attempt);
        }
      }
    },
  };
}

const tablesOn = (db: Queryable): AdminTables => ({
  accounts: createAccounts(db),
  grants: createGrants(db),
  keys: createKeyAdmin(db),
  requests: createRequestLog(db),
  entries: createEntries(db),
  usage: createUsageReports(db),
  prices: createPriceRows(db),
  audit: createAudit(db),
  tokens: createAdminTokens(db),
  idempotency: createAdminIdempotency(db),
  logins: createConsoleLogins(db),
  portalTokens: createPortalTokens(db),
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
