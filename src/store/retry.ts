/** What a database error means for the operation that met it (docs/decisions/0002-ledger.md). */
export type ErrorClass = "again" | "connection" | "fatal";

/** Serialization failure and deadlock: nothing happened, try again. */
const againCodes = new Set(["40001", "40P01"]);
/** The server or the way to it is gone or full; the outcome of a COMMIT may be unknown, so the same operation ids go again. */
const connectionCodes = new Set([
  "57P01",
  "57P02",
  "57P03",
  "53100",
  "53200",
  "53300",
  "58030",
  "25006",
  "40003",
  "XX000",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "EAI_AGAIN",
  "ENOENT",
]);

export function classifyError(error: unknown): ErrorClass {
  const { code, message } = error as { code?: string | null; message?: string };
  if (typeof code === "string") {
    if (againCodes.has(code)) return "again";
    if (connectionCodes.has(code) || code.startsWith("08")) return "connection";
    return "fatal";
  }
  // node-postgres reports a lost connection by message only.
  return /terminat|connect|timeout|closed|not queryable/i.test(message ?? "") ? "connection" : "fatal";
}
