import Type from "typebox";
import { presentEntry } from "../../billing/present.ts";
import { ledgerAccounts } from "../../ports-reports.ts";
import { badCursor } from "../lists.ts";
import { type AdminRoute, byId, list, read } from "../route.ts";
import { entry, verification } from "../schemas/ledger.ts";
import { period } from "../schemas/shared.ts";
import { periodOf } from "./requests.ts";

const tag = "Ledger";
const filter = Type.Optional(Type.String({ minLength: 1, maxLength: 200 }));

export const ledgerRoutes: readonly AdminRoute[] = [
  list(
    {
      ...{ path: "/ledger/entries", tag, role: "viewer" },
      summary: "Ledger entries, newest first. Those of one transaction sum to zero.",
      params: null,
      query: {
        account: filter,
        ledger_account: Type.Optional(Type.Enum([...ledgerAccounts], { type: "string" })),
        transaction: filter,
        ...period,
      },
      item: entry,
    },
    async ({ query, desk }, page) => {
      if (page.after !== null && !/^\d{1,18}$/.test(page.after)) throw badCursor();
      const rows = await desk.tables.entries.list(
        {
          ...periodOf(query),
          accountId: query.account ?? null,
          ledgerAccount: query.ledger_account ?? null,
          txId: query.transaction ?? null,
        },
        page,
      );
      return byId(rows.map((row) => presentEntry(row, desk.credit)));
    },
  ),
  read(
    {
      ...{ path: "/ledger/verify", tag, role: "viewer" },
      summary: "Prove every invariant of the ledger; names the first row that breaks one.",
      ...{ params: null, answer: verification },
    },
    async ({ ports }) => {
      const checks = await ports.store.verification.verify({ recoveryMs: ports.recoveryMs });
      return {
        ok: checks.every((check) => check.ok),
        checks: checks.map(({ name, description, ok, checked, firstBad, durationMs }) => ({
          ...{ name, description, ok, checked },
          first_bad: firstBad,
          duration_ms: durationMs,
        })),
      };
    },
  ),
];
