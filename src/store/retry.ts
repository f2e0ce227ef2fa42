/** What a database error means for the operation that met it (docs/decisions/0002-ledger.md). */
export type ErrorClass = "again" | "connection" | "fatal";

/** Serialization failure and deadlock: nothing happened, try again. */
const againCodes = new Set(["40001", "40P01"]);

/**
 * Classes of SQLSTATE in which the server or the way to it is gone, full, shutting down, read-only or broken, or a time
 * limit ran out. None is the operation's fault, and the outcome of a COMMIT may be unknown: the same operation ids go again.
 */
const connectionClasses = new Set(["08", "25", "28", "3D", "53", "55", "57", "58", "XX"]);

/** A prepared statement from before a migration; it is made anew with the next connection. */
const isStalePlan = (code: string, message: string | undefined): boolean =>
  code === "0A000" && /cached plan/.test(message ?? "");

/** Anything else is a statement that the database refuses: it would be refused again. */
export function classifyError(error: unknown): ErrorClass {
  const { code, message } = error as { code?: string | null; message?: string };
  if (typeof code === "string") {
    if (againCodes.has(code) || isStalePlan(code, message)) return "again";
    if (code === "40003" || connectionClasses.has(code.slice(0, 2))) return "connection";
    // Node's own: ECONNRESET, EPIPE, EAI_AGAIN…
    return /^E[A-Z_]+$/.test(code) ? "connection" : "fatal";
  }
  // node-postgres reports a lost connection by message only.
  return /terminat|connect|timeout|closed|not queryable/i.test(message ?? "") ? "connection" : "fatal";
}
