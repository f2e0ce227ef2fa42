import { presentToken } from "../../billing/present.ts";
import { createToken, revokeToken } from "../../billing/tokens.ts";
import { formatUsd, pico } from "../../core/money.ts";
import { accepted } from "../errors.ts";
import { badCursor } from "../lists.ts";
import { type AdminRoute, byId, list, read, write } from "../route.ts";
import {
  auditQuery,
  auditRecord,
  endpoint,
  me,
  token,
  tokenCreate,
  tokenMade,
} from "../schemas/operation.ts";
import { idParams } from "../schemas/shared.ts";
import { periodOf } from "./requests.ts";

const tag = "Operation";

export const operationRoutes: readonly AdminRoute[] = [
  read(
    {
      path: "/me",
      tag,
      role: "viewer",
      summary: "Who you are, and what a credit is worth.",
      params: null,
      answer: me,
    },
    async ({ actor, desk, ports }) => ({
      actor: actor.name,
      role: actor.role,
      token_id: actor.tokenId,
      credit: { name: ports.creditName, usd: formatUsd(pico(desk.credit.picoPerCredit)) },
    }),
  ),
  list(
    {
      ...{ path: "/endpoints", tag, role: "viewer" },
      summary: "Vendor endpoints: their state, and what was learned about their deployments.",
      ...{ params: null, query: {}, item: endpoint },
    },
    async ({ ports }, { after, limit }) =>
      [...ports.endpoints.list()]
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .filter((one) => after === null || one.name > after)
        .slice(0, limit)
        .map((one) => ({
          cursor: one.name,
          value: {
            name: one.name,
            kind: one.kind,
            base_url: one.baseUrl,
            api_version: one.apiVersion,
            state: one.state,
            until: one.until,
            last_error: one.lastError,
            deployments: one.deployments.map(({ deployment, model, servedAs, quirks }) => ({
              deployment,
              model,
              served_as: servedAs,
              quirks,
            })),
          },
        })),
  ),
  list(
    {
      ...{ path: "/audit", tag, role: "viewer" },
      summary: "Who changed what, newest first.",
      ...{ params: null, query: auditQuery, item: auditRecord },
    },
    async ({ query, desk }, page) => {
      if (page.after !== null && !/^\d{1,18}$/.test(page.after)) throw badCursor();
      const filter = { ...periodOf(query), target: query.target ?? null, actor: query.actor ?? null };
      const rows = await desk.tables.audit.list(filter, page);
      return byId(
        rows.map(({ id, at, actor, action, target, before, after }) => ({
          id,
          at,
          actor,
          action,
          target,
          before,
          after,
        })),
      );
    },
  ),
  write(
    {
      ...{ method: "POST", path: "/tokens", tag, role: "owner", isSecret: true },
      summary: "Make an admin token. The answer is the only one that has its secret.",
      ...{ params: null, body: tokenCreate, answer: tokenMade },
    },
    async ({ body, desk }) => {
      const made = accepted(
        await createToken(desk, { name: body.name, role: body.role, expiresAt: body.expires_at ?? null }),
      );
      return { status: 201, body: { ...presentToken(made.token), secret: made.secret } };
    },
  ),
  list(
    {
      ...{ path: "/tokens", tag, role: "owner" },
      summary: "Admin tokens, newest first, without their secrets.",
      ...{ params: null, query: {}, item: token },
    },
    async ({ desk }, page) => byId((await desk.tables.tokens.list(page)).map(presentToken)),
  ),
  write(
    {
      ...{ method: "DELETE", path: "/tokens/{id}", tag, role: "owner" },
      summary: "Revoke an admin token, for good.",
      ...{ params: idParams, body: null, answer: token },
    },
    async ({ params, desk }) => ({
      status: 200,
      body: presentToken(accepted(await revokeToken(desk, params.id))),
    }),
  ),
];
