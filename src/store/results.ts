import type { Results } from "../ports.ts";
import { type Queryable, sql } from "./db.ts";

const forget = sql`delete from idempotency where scope = $1 and key = $2 and status is null`;
/** Late enough that no living process is about to store the true result. */
const seal = sql`
  update idempotency i set status = $1, headers = $2, body = $3 from requests q
  where i.status is null and i.scope <> 'admin' and q.id = i.request_id and q.account_id = i.scope
    and q.settled_at < clock_timestamp() - interval '60 seconds'
  returning i.key`;

/** Idempotency keys whose first run ended without a result. */
export function createResults(db: Queryable): Results {
  return {
    async forget(accountId, key) {
      await db.query(forget, [accountId, key]);
    },
    async seal({ status, headers, body }) {
      return (await db.query(seal, [status, JSON.stringify(headers), Buffer.from(body)])).length;
    },
  };
}
