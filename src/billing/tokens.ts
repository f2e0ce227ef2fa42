import type { AdminToken, Role } from "../ports-admin.ts";
import { type Desk, newSecret, readFutureTime } from "./desk.ts";
import { presentToken } from "./present.ts";
import { done, type Outcome, refuse } from "./refusals.ts";

export interface TokenRequest {
  readonly name: string;
  readonly role: Role;
  readonly expiresAt: string | null;
}

/** Makes an admin token. Its secret is in the result and nowhere else. */
export async function createToken(
  desk: Desk,
  request: TokenRequest,
): Promise<Outcome<{ readonly token: AdminToken; readonly secret: string }>> {
  const { tables, ids, actor } = desk;
  const expiresAt = readFutureTime(request.expiresAt, "expires_at", desk.clock);
  if (!expiresAt.ok) return expiresAt;
  const { secret, hash, display } = newSecret(desk, "admin");
  const id = ids.next("tok");
  const { name, role } = request;
  await tables.tokens.add({ id, name, display, role, createdBy: actor, expiresAt: expiresAt.value }, hash);
  const token = await tables.tokens.find(id);
  if (token === null) throw new Error(`Bug: token ${id} was made and cannot be found`);
  await tables.audit.add({
    actor,
    action: "token.create",
    target: id,
    before: null,
    after: presentToken(token),
  });
  return done({ token, secret });
}

/** Ends an admin token for good. Revoking it again changes nothing. */
export async function revokeToken(desk: Desk, id: string): Promise<Outcome<AdminToken>> {
  const { tables, actor } = desk;
  const before = await tables.tokens.find(id);
  if (before === null)
    return refuse("token_not_found", `Cannot revoke: there is no admin token ${id}; list them.`, "id");
  if (before.revokedAt !== null) return done(before);
  await tables.tokens.revoke(id);
  const token = await tables.tokens.find(id);
  if (token === null) throw new Error(`Bug: token ${id} was revoked and cannot be found`);
  await tables.audit.add({
    actor,
    action: "token.revoke",
    target: id,
    before: presentToken(before),
    after: presentToken(token),
  });
  return done(token);
}
