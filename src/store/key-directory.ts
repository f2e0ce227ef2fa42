import type { ConsoleReports, ListedKey } from "../ports-console.ts";
import { type Queryable, sql } from "./db.ts";
import { fromRow, type KeyRow } from "./key-admin.ts";

/** Keys of all accounts, newest first. */
const selectKeys = sql`
  select k.id, k.account_id, a.name as account_name, k.name, k.display, k.models, k.spend_limit::text as spend_limit,
    k.spend_window, k.rpm, k.tpm, k.max_concurrent, k.settings, k.expires_at, k.revoked_at, k.created_at, c.last_used_at,
    nullif(w.starts_at, '-infinity') as window_start,
    (case when c.window_start = w.starts_at then c.window_spent else 0 end)::text as window_spent,
    (case when c.window_start = w.starts_at then c.window_held else 0 end)::text as window_held,
    coalesce(c.spent_total, 0)::text as spent_total,
    (select max(s.expires_at) from key_secrets s where s.key_id = k.id and s.expires_at > clock_timestamp()) as overlap_ends_at
  from keys k join accounts a on a.id = k.account_id left join key_counters c on c.key_id = k.id
    cross join lateral (select window_start(k.spend_window, clock_timestamp()) as starts_at) w
  where ($1::text is null or k.account_id = $1)
    and ($2::text is null or ($2 = 'live') = (k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())))
    and ($3::text is null or strpos(lower(k.name), lower($3)) > 0 or strpos(lower(a.name), lower($3)) > 0
      or right(k.display, 4) = right($3, 4) or k.id = $3)
    and ($4::text is null or k.id < $4)
  order by k.id desc limit $5`;

export function createKeyDirectory(db: Queryable): Pick<ConsoleReports, "keys"> {
  return {
    async keys({ accountId, status, search }, { after, limit }) {
      const rows = await db.query<KeyRow & { account_name: string }>(selectKeys, [
        accountId,
        status,
        search,
        after,
        limit,
      ]);
      return rows.map((row): ListedKey => ({ ...fromRow(row), accountName: row.account_name }));
    },
  };
}
