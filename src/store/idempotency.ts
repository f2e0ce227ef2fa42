import type { StoredResult } from "../ports.ts";
import type { AdminIdempotency } from "../ports-admin.ts";
import { type Queryable, sql } from "./db.ts";

/**
 * Who comes second while the first one runs is told so at once, instead of holding a connection until it ends.
 * The lock guards no money: the unique key does.
 */
const tryLock = sql`select pg_try_advisory_xact_lock(hashtextextended('tollgate admin ' || $1::text, 0)) as is_mine`;
const deleteExpired = sql`delete from idempotency where scope = 'admin' and key = $1 and expires_at <= clock_timestamp()`;
const reserve = sql`
  insert into idempotency (scope, key, fingerprint, request_id, expires_at)
  values ('admin', $1, $2, '', clock_timestamp() + $3::int * interval '1 millisecond') on conflict do nothing returning key`;
const selectResult = sql`select fingerprint, status, headers, body from idempotency where scope = 'admin' and key = $1`;
const remember = sql`
  update idempotency set status = $2, headers = $3, body = $4, expires_at = clock_timestamp() + interval '24 hours'
  where scope = 'admin' and key = $1`;
const release = sql`delete from idempotency where scope = 'admin' and key = $1 and status is null`;

interface ResultRow {
  readonly fingerprint: string;
  readonly status: number | null;
  readonly headers: Record<string, string> | null;
  readonly body: Uint8Array | null;
}

export function createAdminIdempotency(db: Queryable): AdminIdempotency {
  return {
    async reserve(key, fingerprint, lifeMs) {
      const [lock] = await db.query<{ is_mine: boolean }>(tryLock, [key]);
      if (lock?.is_mine !== true) return { state: "running" };
      await db.query(deleteExpired, [key]);
      if ((await db.query(reserve, [key, fingerprint, lifeMs])).length === 1) return { state: "new" };
      const [row] = await db.query<ResultRow>(selectResult, [key]);
      if (row === undefined) return { state: "running" };
      if (row.fingerprint !== fingerprint) return { state: "reused" };
      const { status, headers, body } = row;
      if (status === null || headers === null || body === null) return { state: "running" };
      return { state: "done", result: { status, headers, body } };
    },
    async remember(key, { status, headers, body }: StoredResult) {
      await db.query(remember, [key, status, JSON.stringify(headers), Buffer.from(body)]);
    },
    async release(key) {
      await db.query(release, [key]);
    },
  };
}
