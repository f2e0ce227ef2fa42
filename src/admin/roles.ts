import type { Role } from "../ports-admin.ts";

/**
 * Owner may all. Operator runs it: accounts and keys. Finance handles money: grants, refunds, prices. Viewer reads.
 * Operator and finance are side by side: neither may what is the other's.
 */
const mayAct: Readonly<Record<Role, ReadonlySet<Role>>> = {
  owner: new Set(["owner", "operator", "finance", "viewer"]),
  operator: new Set(["operator", "viewer"]),
  finance: new Set(["finance", "viewer"]),
  viewer: new Set(["viewer"]),
};

/** Whether someone with the role `has` may use a route that needs `needed`. */
export const isAllowed = (has: Role, needed: Role): boolean => mayAct[has].has(needed);
