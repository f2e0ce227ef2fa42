import { addGrant, voidGrant } from "../../billing/grants.ts";
import { presentGrant } from "../../billing/present.ts";
import { accountNotFound } from "../../billing/refusals.ts";
import { formatCredits } from "../../core/money.ts";
import { accepted } from "../errors.ts";
import { type AdminRoute, byId, list, write } from "../route.ts";
import { grant, grantCreate, grantVoid } from "../schemas/grants.ts";
import { grantVoided } from "../schemas/ledger.ts";
import { idParams } from "../schemas/shared.ts";

const tag = "Grants";

export const grantRoutes: readonly AdminRoute[] = [
  write(
    {
      ...{ method: "POST", path: "/accounts/{id}/grants", tag, role: "finance" },
      summary:
        "Grant credit. 201 for a new grant; 200 and the first grant when its reference was used before.",
      ...{ params: idParams, body: grantCreate, answer: grant },
    },
    async ({ params, body, desk }) => {
      const made = accepted(
        await addGrant(desk, {
          accountId: params.id,
          amount: body.amount,
          kind: body.kind ?? "paid",
          priority: body.priority ?? 50,
          expiresAt: body.expires_at ?? null,
          reference: body.reference ?? null,
        }),
      );
      return { status: made.isNew ? 201 : 200, body: presentGrant(made.grant, desk.credit) };
    },
  ),
  list(
    {
      ...{ path: "/accounts/{id}/grants", tag, role: "viewer" },
      summary: "The account's grants, newest first.",
      ...{ params: idParams, query: {}, item: grant },
    },
    async ({ params, desk }, page) => {
      const { accounts, grants } = desk.tables;
      if ((await accounts.find(params.id)) === null) accepted(accountNotFound("list grants", params.id));
      await grants.expire([params.id]);
      return byId((await grants.list(params.id, page)).map((one) => presentGrant(one, desk.credit)));
    },
  ),
  write(
    {
      ...{ method: "POST", path: "/grants/{id}/void", tag, role: "finance" },
      summary:
        "Take back what is left of a grant. What is reserved by open requests is taken back when it returns.",
      ...{ params: idParams, body: grantVoid, answer: grantVoided },
    },
    async ({ params, body, desk }) => {
      const voided = accepted(await voidGrant(desk, { grantId: params.id, reason: body.reason ?? null }));
      return {
        status: 200,
        body: {
          grant: presentGrant(voided.grant, desk.credit),
          transaction_id: voided.txId,
          amount: formatCredits(voided.amount, desk.credit),
        },
      };
    },
  ),
];
