import type { Role } from "../ports-admin.ts";
import type { ConsoleLogins, Person, PortalTokens } from "../ports-console.ts";
import { type Queryable, sql } from "./db.ts";
import { instant } from "./rows.ts";

const insertLink = sql`
  insert into console_links (hash, actor, role, token_id, epoch, expires_at)
  values ($1, $2, $3, $4, $5, clock_timestamp() + $6::int * interval '1 second')`;
/** Deleting is taking: of two who come with the same link, one finds the row. */
const takeLink = sql`
  with taken as (delete from console_links where hash = $1 returning actor, role, token_id, epoch, expires_at)
  select k.actor, k.role, k.token_id from taken k left join admin_tokens t on t.id = k.token_id
  where k.epoch = $2 and k.expires_at > clock_timestamp() and (k.token_id is null
    or (t.revoked_at is null and (t.expires_at is null or t.expires_at > clock_timestamp())))`;
const insertSession = sql`
  insert into console_sessions (hash, actor, role, token_id, epoch, ends_at)
  values ($1, $2, $3, $4, $5, clock_timestamp() + $6::int * interval '1 second')`;
/** A session made with an admin token lives no longer than the token. `seen_at` is exact to a minute. */
const findSession = sql`
  with live as (
    select s.hash, s.actor, s.role, s.token_id, s.created_at
    from console_sessions s left join admin_tokens t on t.id = s.token_id
    where s.hash = $1 and s.epoch = $2 and s.ends_at > clock_timestamp()
      and s.seen_at > clock_timestamp() - $3::int * interval '1 second'
      and (s.token_id is null or (t.revoked_at is null and (t.expires_at is null or t.expires_at > clock_timestamp())))
  ), touched as (
    update console_sessions s set seen_at = clock_timestamp() from live
    where s.hash = live.hash and s.seen_at < clock_timestamp() - interval '1 minute'
  )
  select actor, role, token_id, extract(epoch from clock_timestamp() - created_at)::int as age_seconds from live`;
const endSession = sql`
  update console_sessions set ends_at = least(ends_at, clock_timestamp() + $2::int * interval '1 second') where hash = $1`;
const deleteEndedLinks = sql`delete from console_links where expires_at <= clock_timestamp()`;
const deleteEndedSessions = sql`delete from console_sessions where ends_at <= clock_timestamp()`;
const deleteEndedTokens = sql`delete from portal_tokens where expires_at <= clock_timestamp() - interval '1 day'`;
const insertPortalToken = sql`
  insert into portal_tokens (hash, account_id, created_by, expires_at)
  values ($1, $2, $3, clock_timestamp() + $4::int * interval '1 second') returning expires_at`;
const findPortalToken = sql`
  select account_id, expires_at from portal_tokens where hash = $1 and expires_at > clock_timestamp()`;

interface PersonRow {
  readonly actor: string;
  readonly role: Role;
  readonly token_id: string | null;
}

export function createConsoleLogins(db: Queryable): ConsoleLogins {
  return {
    async addLink(hash, { name, role, tokenId }, { epoch, lifeSeconds }) {
      await db.query(insertLink, [hash, name, role, tokenId, epoch, lifeSeconds]);
    },
    async takeLink(hash, epoch) {
      const [row] = await db.query<PersonRow>(takeLink, [hash, epoch]);
      return row === undefined ? null : personOf(row);
    },
    async openSession(hash, { name, role, tokenId }, { epoch, lifeSeconds }) {
      await db.query(insertSession, [hash, name, role, tokenId, epoch, lifeSeconds]);
    },
    async findSession(hash, { epoch, idleSeconds }) {
      const values = [hash, epoch, idleSeconds];
      const [row] = await db.query<PersonRow & { age_seconds: number }>(findSession, values);
      return row === undefined ? null : { person: personOf(row), ageSeconds: row.age_seconds };
    },
    async endSession(hash, graceSeconds) {
      await db.query(endSession, [hash, graceSeconds]);
    },
    async sweep() {
      await db.query(deleteEndedLinks);
      await db.query(deleteEndedSessions);
      await db.query(deleteEndedTokens);
    },
  };
}

export function createPortalTokens(db: Queryable): PortalTokens {
  return {
    async add({ hash, accountId, createdBy, lifeSeconds }) {
      const values = [hash, accountId, createdBy, lifeSeconds];
      const [row] = await db.query<{ expires_at: Date }>(insertPortalToken, values);
      if (row === undefined) throw new Error(`Bug: the portal token of ${accountId} was not written`);
      return instant(row.expires_at);
    },
    async find(hash) {
      const [row] = await db.query<{ account_id: string; expires_at: Date }>(findPortalToken, [hash]);
      return row === undefined ? null : { accountId: row.account_id, expiresAt: instant(row.expires_at) };
    },
  };
}

const personOf = (row: PersonRow): Person => ({ name: row.actor, role: row.role, tokenId: row.token_id });
