import type { Static } from "typebox";
import { presentEntry } from "../../billing/present.ts";
import { refundRequest } from "../../billing/refunds.ts";
import { refuse } from "../../billing/refusals.ts";
import { presentRequest } from "../../billing/request-record.ts";
import { formatCredits } from "../../core/money.ts";
import type { Period } from "../../ports-reports.ts";
import { accepted } from "../errors.ts";
import { type AdminRoute, byId, list, read, stream, write } from "../route.ts";
import { ledgerTransaction } from "../schemas/ledger.ts";
import { refundCreate, request, requestDetail, requestNews, requestQuery } from "../schemas/requests.ts";
import { idParams } from "../schemas/shared.ts";

const tag = "Requests";

export const periodOf = (query: { readonly from?: string; readonly to?: string }): Period => ({
  from: query.from === undefined ? null : new Date(query.from).toISOString(),
  to: query.to === undefined ? null : new Date(query.to).toISOString(),
});

export const requestRoutes: readonly AdminRoute[] = [
  list(
    {
      ...{ path: "/requests", tag, role: "viewer" },
      summary: "Requests, newest first; open ones too.",
      ...{ params: null, query: requestQuery, item: request },
    },
    async ({ query, desk }, page) => {
      const rows = await desk.tables.requests.list(
        {
          ...periodOf(query),
          accountId: query.account ?? null,
          keyId: query.key ?? null,
          model: query.model ?? null,
          endpoint: query.endpoint ?? null,
          status: query.status ?? null,
          source: query.source ?? null,
        },
        page,
      );
      return byId(rows.map((row) => presentRequest(row, desk.credit)));
    },
  ),
  stream(
    {
      ...{ path: "/requests/tail", tag, role: "viewer", event: requestNews },
      summary: "Requests as they begin and as they end, about once a second, as server-sent events.",
    },
    ({ ports, desk }, send) =>
      ports.tail.listen(({ requests, skipped }) => {
        const shown = requests.map((row) => presentRequest(row, desk.credit) as Static<typeof request>);
        send({ requests: shown, skipped });
      }),
  ),
  read(
    {
      ...{ path: "/requests/{id}", tag, role: "viewer" },
      summary: "One request with its refunds and every ledger entry that it caused.",
      ...{ params: idParams, answer: requestDetail },
    },
    async ({ params, desk }): Promise<Static<typeof requestDetail>> => {
      const { requests, entries } = desk.tables;
      const found = await requests.find(params.id);
      const missing = () =>
        refuse("request_not_found", `Cannot show the request: there is no request ${params.id}.`, "id");
      const row = found ?? accepted(missing());
      const refunds = await requests.refunds(row.id);
      const transactions = await Promise.all(
        [row.id, ...refunds.map((one) => one.id)].map((txId) => entries.ofTransaction(txId)),
      );
      return {
        ...(presentRequest(row, desk.credit) as Static<typeof request>),
        refunds: refunds.map((one) => ({
          id: one.id,
          amount: formatCredits(one.amount, desk.credit),
          reason: one.reason,
          actor: one.actor,
          created_at: one.createdAt,
        })),
        entries: transactions.flat().map((entry) => presentEntry(entry, desk.credit)),
      };
    },
  ),
  write(
    {
      ...{ method: "POST", path: "/requests/{id}/refunds", tag, role: "finance" },
      summary: "Give back part or all of a charge, to the grants it came from.",
      ...{ params: idParams, body: refundCreate, answer: ledgerTransaction },
    },
    async ({ params, body, desk }) => {
      const made = accepted(
        await refundRequest(desk, { requestId: params.id, amount: body.amount ?? null, reason: body.reason }),
      );
      return {
        status: 201,
        body: {
          id: made.txId,
          kind: "refund",
          account_id: made.accountId,
          request_id: made.requestId,
          amount: formatCredits(made.amount, desk.credit),
          reason: made.reason,
          entries: made.entries.map((entry) => presentEntry(entry, desk.credit)),
        },
      };
    },
  ),
];
