import { changeAccount, createAccount, findAccount } from "../../billing/accounts.ts";
import { presentAccount } from "../../billing/present.ts";
import { accountNotFound } from "../../billing/refusals.ts";
import { accepted } from "../errors.ts";
import { type AdminRoute, byId, list, read, write } from "../route.ts";
import { account, accountChange, accountCreate, accountQuery } from "../schemas/accounts.ts";
import { idParams } from "../schemas/shared.ts";

const tag = "Accounts";

export const accountRoutes: readonly AdminRoute[] = [
  write(
    {
      ...{ method: "POST", path: "/accounts", tag, role: "operator" },
      summary: "Open an account, without credit.",
      ...{ params: null, body: accountCreate, answer: account },
    },
    async ({ body, desk }) => {
      const { name, external_id: externalId, metadata } = body;
      const request = { name, externalId: externalId ?? null, metadata: metadata ?? {}, isDemo: false };
      return { status: 201, body: presentAccount(accepted(await createAccount(desk, request)), desk.credit) };
    },
  ),
  list(
    {
      ...{ path: "/accounts", tag, role: "viewer" },
      summary: "Accounts, newest first.",
      ...{ params: null, query: accountQuery, item: account },
    },
    async ({ query, desk }, page) => {
      const { accounts, grants } = desk.tables;
      const filter = { status: query.status ?? null, externalId: query.external_id ?? null };
      // What has expired is booked first, so that every balance shown can be spent.
      await grants.expire((await accounts.list(filter, page)).map((one) => one.id));
      return byId((await accounts.list(filter, page)).map((one) => presentAccount(one, desk.credit)));
    },
  ),
  read(
    {
      path: "/accounts/{id}",
      tag,
      role: "viewer",
      summary: "One account with its balance.",
      params: idParams,
      answer: account,
    },
    async ({ params, desk }) => {
      const found = await findAccount(desk.tables, params.id);
      return presentAccount(found ?? accepted(accountNotFound("show the account", params.id)), desk.credit);
    },
  ),
  write(
    {
      ...{ method: "PATCH", path: "/accounts/{id}", tag, role: "operator" },
      summary: "Rename, describe, freeze or thaw an account.",
      ...{ params: idParams, body: accountChange, answer: account },
    },
    async ({ params, body, desk }) => {
      const { name, external_id: externalId, metadata, status } = body;
      const changed = await changeAccount(desk, params.id, { name, externalId, metadata, status });
      return { status: 200, body: presentAccount(accepted(changed), desk.credit) };
    },
  ),
];
