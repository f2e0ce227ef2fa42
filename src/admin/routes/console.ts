import { newSecret } from "../../billing/desk.ts";
import { accountNotFound } from "../../billing/refusals.ts";
import { accepted, invalid } from "../errors.ts";
import { type AdminRoute, read, write } from "../route.ts";
import { loginLink, portalCreate, portalMade, settings } from "../schemas/reports.ts";
import { idParams } from "../schemas/shared.ts";

const linkLifeSeconds = 900;
const portalLifeSeconds = { usual: 3_600, most: 86_400 };

export const consoleRoutes: readonly AdminRoute[] = [
  read(
    {
      ...{ path: "/settings", tag: "Operation", role: "viewer" },
      summary: "The configuration in force, secrets hidden, with the origin of each value.",
      ...{ params: null, answer: settings },
    },
    async ({ ports }) => ({ version: ports.version, node: process.version, ...ports.settings() }),
  ),
  write(
    {
      ...{ method: "POST", path: "/login-links", tag: "Operation", role: "viewer", isSecret: true },
      summary: "Make a one-time address that opens the console as you, within 15 minutes.",
      ...{ params: null, body: null, answer: loginLink },
    },
    async ({ ports, desk, actor }) => {
      const path = await ports.createLoginPath(desk.tables.logins, actor);
      await desk.tables.audit.add({
        actor: desk.actor,
        action: "login_link.create",
        target: actor.name,
        before: null,
        after: { role: actor.role, expires_in_seconds: linkLifeSeconds },
      });
      return { status: 201, body: { path, expires_in_seconds: linkLifeSeconds } };
    },
  ),
  write(
    {
      ...{
        method: "POST",
        path: "/accounts/{id}/portal-tokens",
        tag: "Accounts",
        role: "operator",
        isSecret: true,
      },
      summary:
        "Make a short-lived token for a page that shows its bearer this account's balance, usage, requests and keys.",
      ...{ params: idParams, body: portalCreate, answer: portalMade },
    },
    async ({ params, body, desk }) => {
      const { tables } = desk;
      if ((await tables.accounts.find(params.id)) === null)
        accepted(accountNotFound("make a portal token", params.id));
      const lifeSeconds = body.expires_in_seconds ?? portalLifeSeconds.usual;
      if (lifeSeconds > portalLifeSeconds.most) {
        const message = `Cannot make a token for ${lifeSeconds} seconds: a day (${portalLifeSeconds.most}) is the longest.`;
        throw invalid("invalid_field", message, "expires_in_seconds");
      }
      const { secret, hash } = newSecret(desk, "portal");
      const token = { hash, accountId: params.id, createdBy: desk.actor, lifeSeconds };
      const expiresAt = await tables.portalTokens.add(token);
      await tables.audit.add({
        actor: desk.actor,
        action: "portal_token.create",
        target: params.id,
        before: null,
        after: { expires_at: expiresAt },
      });
      return {
        status: 201,
        body: { token: secret, path: `/portal/#token=${secret}`, expires_at: expiresAt },
      };
    },
  ),
];
