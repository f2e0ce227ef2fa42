import { idFloor } from "../lib/ids.ts";
import type { RefundOutcome, RequestFilter, RequestLog, RequestRow, RequestState } from "../ports-reports.ts";
import { type Queryable, sql } from "./db.ts";
import { amountFromText, amountOrNull, instant, instantOrNull } from "./rows.ts";

/** Open holds are requests that have not ended. One statement, so that a hold that ends meanwhile is seen once. */
const selectRequest = sql`
  select x.*, a.name as account_name, k.name as key_name from (
  select id, account_id, key_id, state, outcome, model_requested, model_served, endpoint, source, stream, hold::text as hold,
    charge::text as charge, vendor_cost::text as vendor_cost, loss::text as loss, input, cached_input, cache_write, output,
    reasoning, total, record, created_at, settled_at
  from requests where id = $1
  union all
  select id, account_id, key_id, 'open', null, request ->> 'model_requested', null, request ->> 'endpoint', null,
    (request ->> 'stream')::boolean, amount::text, null, null, null, null, null, null, null, null, null, request, created_at, null
  from holds where id = $1) x left join accounts a on a.id = x.account_id left join keys k on k.id = x.key_id`;
/**
 * A key has one account, so that its requests are found by the account's index. $11 and $12 are bounds of the id that
 * follow from the period: they keep a look at last year from reading through this one.
 */
const selectRequests = sql`
  select x.*, a.name as account_name, k.name as key_name from (
    (select r.id, r.account_id, r.key_id, r.state, r.outcome, r.model_requested, r.model_served, r.endpoint, r.source, r.stream,
      r.hold::text as hold, r.charge::text as charge, r.vendor_cost::text as vendor_cost, r.loss::text as loss, r.input,
      r.cached_input, r.cache_write, r.output, r.reasoning, r.total, r.record, r.created_at, r.settled_at
    from requests r
    where ($1::text is null or r.account_id = $1)
      and ($2::text is null or (r.key_id = $2 and r.account_id = (select k.account_id from keys k where k.id = $2)))
      and ($3::text is null or r.model_requested = $3 or r.model_served = $3)
      and ($4::text is null or r.endpoint = $4)
      and ($5::text is null or r.state = $5 or r.outcome = $5)
      and ($6::text is null or r.source = $6)
      and ($7::timestamptz is null or r.created_at >= $7) and ($8::timestamptz is null or r.created_at < $8)
      and ($9::text is null or r.id < $9)
      and ($11::text is null or r.id >= $11) and ($12::text is null or r.id < $12)
    order by r.id desc limit $10)
    union all
    (select h.id, h.account_id, h.key_id, 'open', null, h.request ->> 'model_requested', null, h.request ->> 'endpoint', null,
      (h.request ->> 'stream')::boolean, h.amount::text, null, null, null, null, null, null, null, null, null, h.request,
      h.created_at, null
    from holds h
    where ($1::text is null or h.account_id = $1) and ($2::text is null or h.key_id = $2)
      and ($3::text is null or h.request ->> 'model_requested' = $3)
      and ($4::text is null or h.request ->> 'endpoint' = $4)
      and ($5::text is null or $5 = 'open') and $6::text is null
      and ($7::timestamptz is null or h.created_at >= $7) and ($8::timestamptz is null or h.created_at < $8)
      and ($9::text is null or h.id < $9)
    order by h.id desc limit $10)
  ) x left join accounts a on a.id = x.account_id left join keys k on k.id = x.key_id order by x.id desc limit $10`;
const selectRefunds = sql`
  select e.tx_id, sum(e.amount)::text as amount, n.reason, n.actor, min(e.created_at) as created_at
  from entries e left join transaction_notes n on n.tx_id = e.tx_id
  where e.corrects = $1 and e.kind = 'refund' and e.ledger_account = 'customer'
  group by e.tx_id, n.reason, n.actor order by min(e.id)`;
const refund = sql`
  select code, amount, refundable from ledger_refund($1, $2, $3::numeric, $4::int * interval '1 day')`;

export interface Row {
  readonly id: string;
  readonly account_id: string;
  readonly account_name: string | null;
  readonly key_id: string | null;
  readonly key_name: string | null;
  readonly state: RequestState;
  readonly outcome: string | null;
  readonly model_requested: string;
  readonly model_served: string | null;
  readonly endpoint: string | null;
  readonly source: string | null;
  readonly stream: boolean;
  readonly hold: string;
  readonly charge: string | null;
  readonly vendor_cost: string | null;
  readonly loss: string | null;
  readonly input: number | null;
  readonly cached_input: number | null;
  readonly cache_write: number | null;
  readonly output: number | null;
  readonly reasoning: number | null;
  readonly total: number | null;
  readonly record: Record<string, unknown>;
  readonly created_at: Date;
  readonly settled_at: Date | null;
}
interface RefundRow {
  readonly tx_id: string;
  readonly amount: string;
  readonly reason: string | null;
  readonly actor: string | null;
  readonly created_at: Date;
}
interface RefundResult {
  readonly code: RefundOutcome["code"];
  readonly amount: string | null;
  readonly refundable: string | null;
}

export function createRequestLog(db: Queryable): RequestLog {
  return {
    async find(id) {
      const [row] = await db.query<Row>(selectRequest, [id]);
      return row === undefined ? null : fromRow(row);
    },
    async list(filter, { after, limit }) {
      return (
        await db.query<Row>(selectRequests, [...filterToRow(filter), after, limit, ...idBounds(filter)])
      ).map(fromRow);
    },
    async refunds(requestId) {
      return (await db.query<RefundRow>(selectRefunds, [requestId])).map((row) => ({
        id: row.tx_id,
        amount: amountFromText(row.amount),
        reason: row.reason,
        actor: row.actor,
        createdAt: instant(row.created_at),
      }));
    },
    async refund({ txId, requestId, amount, lifeDays }) {
      const values = [txId, requestId, amount === null ? null : amount.toString(), lifeDays];
      const [result] = await db.query<RefundResult>(refund, values);
      if (result?.code === "done" && result.amount !== null)
        return { code: "done", amount: amountFromText(result.amount) };
      if (result?.code === "not_settled") return { code: "not_settled" };
      if (result?.code === "exceeds_charge" && result.refundable !== null) {
        return { code: "exceeds_charge", refundable: amountFromText(result.refundable) };
      }
      throw new Error(`Bug: the refund of ${requestId} was answered with ${JSON.stringify(result)}`);
    },
  };
}

/** Ids carry the time of the gateway's clock, rows that of the database: this much they may be apart. */
const clockSlackMs = 86_400_000;

function idBounds({ from, to }: RequestFilter): [string | null, string | null] {
  const bound = (ms: number): string => idFloor("req", Math.max(ms, 0));
  return [
    from === null ? null : bound(Date.parse(from) - clockSlackMs),
    to === null ? null : bound(Date.parse(to) + clockSlackMs),
  ];
}

const filterToRow = (filter: RequestFilter): unknown[] => [
  filter.accountId,
  filter.keyId,
  filter.model,
  filter.endpoint,
  filter.status,
  filter.source,
  filter.from,
  filter.to,
];

export const fromRow = (row: Row): RequestRow => ({
  id: row.id,
  accountId: row.account_id,
  accountName: row.account_name,
  keyId: row.key_id,
  keyName: row.key_name,
  state: row.state,
  outcome: row.outcome,
  modelRequested: row.model_requested,
  modelServed: row.model_served,
  endpoint: row.endpoint,
  source: row.source,
  stream: row.stream,
  hold: amountFromText(row.hold),
  charge: amountOrNull(row.charge),
  vendorCost: amountOrNull(row.vendor_cost),
  loss: amountOrNull(row.loss),
  tokens: tokensFromRow(row),
  record: row.record,
  createdAt: instant(row.created_at),
  settledAt: instantOrNull(row.settled_at),
});

/** All or none: a settlement writes the six counts together, or nulls when nothing is known. */
function tokensFromRow(row: Row): RequestRow["tokens"] {
  const { input, cached_input, cache_write, output, reasoning, total } = row;
  if (input === null || cached_input === null || cache_write === null) return null;
  if (output === null || reasoning === null || total === null) return null;
  return { input, cachedInput: cached_input, cacheWrite: cache_write, output, reasoning, total };
}
