import type { Verification } from "../ports-admin.ts";
import type { Db } from "./db.ts";

/** The ledger's invariants on a database. */
export function createVerification(_db: Db): Verification {
  return { verify: async () => [] };
}
