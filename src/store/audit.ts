import type { Audit } from "../ports-admin.ts";
import { type Queryable, sql } from "./db.ts";
import { instant } from "./rows.ts";

const insertAudit = sql`insert into audit_log (actor, action, target, before, after) values ($1, $2, $3, $4, $5)`;
const selectAudit = sql`
  select id, at, actor, action, target, before, after from audit_log
  where ($1::text is null or target = $1) and ($2::text is null or actor = $2)
    and ($3::timestamptz is null or at >= $3) and ($4::timestamptz is null or at < $4) and ($5::bigint is null or id < $5)
  order by id desc limit $6`;

interface AuditRow {
  readonly id: number;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly before: unknown;
  readonly after: unknown;
}

export function createAudit(db: Queryable): Audit {
  return {
    async add({ actor, action, target, before, after }) {
      await db.query(insertAudit, [actor, action, target, jsonOrNull(before), jsonOrNull(after)]);
    },
    async list({ target, actor, from, to }, { after, limit }) {
      const rows = await db.query<AuditRow>(selectAudit, [target, actor, from, to, after, limit]);
      return rows.map((row) => ({ ...row, id: String(row.id), at: instant(row.at) }));
    },
  };
}

const jsonOrNull = (value: unknown): string | null =>
  value === null || value === undefined ? null : JSON.stringify(value);
