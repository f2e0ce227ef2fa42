import type { RequestTailSource } from "../ports-console.ts";
import { type Queryable, sql } from "./db.ts";
import { fromRow, type Row } from "./requests.ts";

/** By the primary key: what ended lately, and what was open at the last look and is not any more. */
const selectEnded = sql`
  select id, account_id, key_id, state, outcome, model_requested, model_served, endpoint, source, stream, hold::text as hold,
    charge::text as charge, vendor_cost::text as vendor_cost, loss::text as loss, input, cached_input, cache_write, output,
    reasoning, total, record, created_at, settled_at
  from requests where id > $1 or id = any($2::text[]) order by id desc limit $3`;
const selectOpen = sql`
  select id, account_id, key_id, 'open' as state, null as outcome, request ->> 'model_requested' as model_requested,
    null as model_served, request ->> 'endpoint' as endpoint, null as source, (request ->> 'stream')::boolean as stream,
    amount::text as hold, null as charge, null as vendor_cost, null as loss, null as input, null as cached_input,
    null as cache_write, null as output, null as reasoning, null as total, request as record, created_at, null as settled_at
  from holds order by id desc limit $1`;

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
