import type { Static } from "typebox";
import { changeKey, createKey, type KeyMade, revokeKey, rotateKey } from "../../billing/keys.ts";
import { presentKey } from "../../billing/present.ts";
import { accountNotFound, refuse } from "../../billing/refusals.ts";
import type { CreditUnit } from "../../core/money.ts";
import { accepted } from "../errors.ts";
import { type AdminRoute, byId, list, read, write } from "../route.ts";
import { key, keyChange, keyCreate, keyMade, keyRotate } from "../schemas/keys.ts";
import { idParams } from "../schemas/shared.ts";

const tag = "Keys";

const presentMade = (made: KeyMade, credit: CreditUnit) => ({
  ...presentKey(made.key, credit),
  secret: made.secret,
});
const settingsOf = (settings: Static<typeof keyCreate>["settings"]) => ({
  usageCost: settings?.usage_cost,
  idempotency: settings?.idempotency,
});

export const keyRoutes: readonly AdminRoute[] = [
  write(
    {
      ...{ method: "POST", path: "/accounts/{id}/keys", tag, role: "operator", isSecret: true },
      summary: "Make a key. The answer is the only one that has its secret.",
      ...{ params: idParams, body: keyCreate, answer: keyMade },
    },
    async ({ params, body, desk }) => {
      const made = await createKey(desk, params.id, {
        name: body.name,
        models: body.models ?? null,
        spendLimit: body.spend_limit ?? null,
        spendWindow: body.spend_window ?? null,
        rpm: body.rpm ?? null,
        tpm: body.tpm ?? null,
        maxConcurrent: body.max_concurrent ?? null,
        settings: settingsOf(body.settings),
        expiresAt: body.expires_at ?? null,
      });
      return { status: 201, body: presentMade(accepted(made), desk.credit) };
    },
  ),
  list(
    {
      ...{ path: "/accounts/{id}/keys", tag, role: "viewer" },
      summary: "The account's keys, newest first.",
      ...{ params: idParams, query: {}, item: key },
    },
    async ({ params, desk }, page) => {
      if ((await desk.tables.accounts.find(params.id)) === null)
        accepted(accountNotFound("list keys", params.id));
      return byId((await desk.tables.keys.list(params.id, page)).map((one) => presentKey(one, desk.credit)));
    },
  ),
  read(
    {
      path: "/keys/{id}",
      tag,
      role: "viewer",
      summary: "One key, without its secret.",
      params: idParams,
      answer: key,
    },
    async ({ params, desk }) => {
      const found = await desk.tables.keys.find(params.id);
      const missing = () =>
        refuse(
          "key_not_found",
          `Cannot show the key: there is no key ${params.id}; list the account's keys.`,
          "id",
        );
      return presentKey(found ?? accepted(missing()), desk.credit);
    },
  ),
  write(
    {
      ...{ method: "PATCH", path: "/keys/{id}", tag, role: "operator" },
      summary:
        "Change a key's name or limits. null lifts a limit; a spend window that changes starts to count anew.",
      ...{ params: idParams, body: keyChange, answer: key },
    },
    async ({ params, body, desk }) => {
      const changed = await changeKey(desk, params.id, {
        name: body.name,
        models: body.models,
        spendLimit: body.spend_limit,
        spendWindow: body.spend_window,
        rpm: body.rpm,
        tpm: body.tpm,
        maxConcurrent: body.max_concurrent,
        expiresAt: body.expires_at,
        settings: settingsOf(body.settings),
      });
      return { status: 200, body: presentKey(accepted(changed), desk.credit) };
    },
  ),
  write(
    {
      ...{ method: "POST", path: "/keys/{id}/rotate", tag, role: "operator", isSecret: true },
      summary: "Give a key a new secret. The old one works on for `overlap_seconds`.",
      ...{ params: idParams, body: keyRotate, answer: keyMade },
    },
    async ({ params, body, desk }) => {
      const made = await rotateKey(desk, params.id, body.overlap_seconds ?? 0);
      return { status: 200, body: presentMade(accepted(made), desk.credit) };
    },
  ),
  write(
    {
      ...{ method: "DELETE", path: "/keys/{id}", tag, role: "operator" },
      summary: "Revoke a key, for good.",
      ...{ params: idParams, body: null, answer: key },
    },
    async ({ params, desk }) => ({
      status: 200,
      body: presentKey(accepted(await revokeKey(desk, params.id)), desk.credit),
    }),
  ),
];
