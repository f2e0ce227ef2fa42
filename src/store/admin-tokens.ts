import type { AdminToken, AdminTokens, Role } from "../ports-admin.ts";
import { type Queryable, sql } from "./db.ts";
import { instant, instantOrNull } from "./rows.ts";

const insertToken = sql`
  insert into admin_tokens (id, name, display, hash, role, created_by, expires_at) values ($1, $2, $3, $4, $5, $6, $7::timestamptz)`;
const selectToken = sql`
  select id, name, display, role, created_by, created_at, expires_at, revoked_at from admin_tokens where id = $1`;
const selectLiveToken = sql`
  select id, name, display, role, created_by, created_at, expires_at, revoked_at from admin_tokens
  where hash = $1 and revoked_at is null and (expires_at is null or expires_at > clock_timestamp())`;
const selectTokens = sql`
  select id, name, display, role, created_by, created_at, expires_at, revoked_at from admin_tokens
  where $1::text is null or id < $1 order by id desc limit $2`;
const revokeToken = sql`update admin_tokens set revoked_at = clock_timestamp() where id = $1 and revoked_at is null`;

interface TokenRow {
  readonly id: string;
  readonly name: string;
  readonly display: string;
  readonly role: Role;
  readonly created_by: string;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
}

export function createAdminTokens(db: Queryable): AdminTokens {
  const findBy = async (statement: string, value: unknown): Promise<AdminToken | null> => {
    const [row] = await db.query<TokenRow>(statement, [value]);
    return row === undefined ? null : fromRow(row);
  };
  return {
    async add({ id, name, display, role, createdBy, expiresAt }, secretHash) {
      await db.query(insertToken, [id, name, display, secretHash, role, createdBy, expiresAt]);
    },
    find: (id) => findBy(selectToken, id),
    findLive: (secretHash) => findBy(selectLiveToken, secretHash),
    async list({ after, limit }) {
      return (await db.query<TokenRow>(selectTokens, [after, limit])).map(fromRow);
    },
    async revoke(id) {
      await db.query(revokeToken, [id]);
    },
  };
}

const fromRow = (row: TokenRow): AdminToken => ({
  id: row.id,
  name: row.name,
  display: row.display,
  role: row.role,
  createdBy: row.created_by,
  createdAt: instant(row.created_at),
  expiresAt: instantOrNull(row.expires_at),
  revokedAt: instantOrNull(row.revoked_at),
});
