import type { RequestTailSource } from "../ports-console.ts";
import { type Queryable, sql } from "./db.ts";
import { fromRow, type Row } from "./requests.ts";

/** By the primary key: what ended lately, and what was open at the last look and is not any more. */
const selectEnded = sql`
  select r.id, r.account_id, a.name as account_name, r.key_id, k.name as key_name, r.state, r.outcome, r.model_requested,
    r.model_served, r.endpoint, r.source, r.stream, r.hold::text as hold, r.charge::text as charge,
    r.vendor_cost::text as vendor_cost, r.loss::text as loss, r.input, r.cached_input, r.cache_write, r.output, r.reasoning,
    r.total, r.record, r.created_at, r.settled_at
  from requests r left join accounts a on a.id = r.account_id left join keys k on k.id = r.key_id
  where r.id > $1 or r.id = any($2::text[]) order by r.id desc limit $3`;
const selectOpen = sql`
  select h.id, h.account_id, a.name as account_name, h.key_id, k.name as key_name, 'open' as state, null as outcome,
    h.request ->> 'model_requested' as model_requested, null as model_served, h.request ->> 'endpoint' as endpoint,
    null as source, (h.request ->> 'stream')::boolean as stream, h.amount::text as hold, null as charge, null as vendor_cost,
    null as loss, null as input, null as cached_input, null as cache_write, null as output, null as reasoning, null as total,
    h.request as record, h.created_at, null as settled_at
  from holds h left join accounts a on a.id = h.account_id left join keys k on k.id = h.key_id order by h.id desc limit $1`;

export function createRequestTailSource(db: Queryable): RequestTailSource {
  return {
    async ended({ afterId, ids, limit }) {
      return (await db.query<Row>(selectEnded, [afterId, ids, limit])).map(fromRow);
    },
    async open(limit) {
      return (await db.query<Row>(selectOpen, [limit])).map(fromRow);
    },
  };
}
