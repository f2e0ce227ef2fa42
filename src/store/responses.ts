import type { DueRun, HeldRequest, KeptResponse, KeptResponses, RunTerms } from "../ports.ts";
import { type Queryable, sql } from "./db.ts";
import { amountFromText, instant } from "./rows.ts";

const insertResponse = sql`
  insert into responses (account_id, id, request_id, endpoint, deployment, state, terms, poll_at)
  values ($1, $2, $3, $4, $5, $6, $7, case when $6 = 'running' then clock_timestamp() + $8::float8 * interval '1 millisecond' end)
  on conflict do nothing`;
const insertParts = sql`
  insert into response_parts (account_id, id, response_id) select $1, u.id, $2 from unnest($3::text[]) as u (id) on conflict do nothing`;
const selectResponse = sql`
  select id, account_id, request_id, endpoint, deployment, state from responses where account_id = $1 and id = $2`;
const selectOwners = sql`
  select r.id, r.endpoint, r.deployment from responses r where r.account_id = $1 and r.id = any ($2::text[])
  union all
  select p.id, r.endpoint, r.deployment from response_parts p
    join responses r on r.account_id = p.account_id and r.id = p.response_id
  where p.account_id = $1 and p.id = any ($2::text[])`;
/** Looked at after 1, 2, 4 … 30 s. The rows are locked for this statement only; `poll_at` keeps others away after it. */
const claimDue = sql`
  with due as (
    select account_id, id from responses where state = 'running' and poll_at <= clock_timestamp()
    order by poll_at limit $1 for update skip locked),
  claimed as (
    update responses r set polls = r.polls + 1,
      poll_at = clock_timestamp() + least(1000 * power(2, least(r.polls, 6)), 30000) * interval '1 millisecond'
    from due where r.account_id = due.account_id and r.id = due.id
    returning r.*),
  -- The hold becomes this process's: it is not forgotten while somebody looks at its run.
  adopted as (
    update holds h set instance_id = $2 from claimed c where h.id = c.request_id and h.account_id = c.account_id and h.instance_id <> $2)
  select c.id, c.account_id, c.request_id, c.endpoint, c.deployment, c.state, c.terms,
    (extract(epoch from clock_timestamp() - c.created_at) * 1000)::float8 as age_ms,
    h.id as hold_id, h.key_id, h.amount::text as amount, h.request, h.progress, h.created_at as held_at
  from claimed c left join holds h on h.id = c.request_id and h.account_id = c.account_id`;
const selectRun = sql`
  select c.id, c.account_id, c.request_id, c.endpoint, c.deployment, c.state, c.terms,
    (extract(epoch from clock_timestamp() - c.created_at) * 1000)::float8 as age_ms,
    h.id as hold_id, h.key_id, h.amount::text as amount, h.request, h.progress, h.created_at as held_at
  from responses c left join holds h on h.id = c.request_id and h.account_id = c.account_id
  where c.account_id = $1 and c.id = $2 and c.state = 'running'`;
const endRun = sql`update responses set state = 'ended', poll_at = null where account_id = $1 and id = $2 and state = 'running'`;
const deleteResponse = sql`delete from responses where account_id = $1 and id = $2 and state = 'ended'`;
/** OpenAI keeps responses for 30 days. */
const deleteOld = sql`delete from responses where state = 'ended' and created_at < clock_timestamp() - interval '32 days'`;

interface ResponseRow {
  readonly id: string;
  readonly account_id: string;
  readonly request_id: string;
  readonly endpoint: string;
  readonly deployment: string;
  readonly state: "running" | "ended";
}
interface RunRow extends ResponseRow {
  readonly terms: RunTerms;
  readonly age_ms: number;
  readonly hold_id: string | null;
  readonly key_id: string | null;
  readonly amount: string | null;
  readonly request: HeldRequest | null;
  readonly progress: Record<string, unknown> | null;
  readonly held_at: Date | null;
}

/** Responses that vendors keep, by the account that made them. `instance` is the id under which this process holds. */
export function createKeptResponses(db: Queryable, instance: () => string): KeptResponses {
  const addParts = async (accountId: string, id: string, parts: readonly string[]): Promise<void> => {
    if (parts.length > 0) await db.query(insertParts, [accountId, id, parts]);
  };
  return {
    async keep({ response, parts, run }) {
      const { accountId, id, requestId, endpoint, deployment, state } = response;
      const terms = run === null ? null : JSON.stringify(run.terms);
      await db.query(insertResponse, [
        accountId,
        id,
        requestId,
        endpoint,
        deployment,
        state,
        terms,
        run?.dueMs ?? null,
      ]);
      await addParts(accountId, id, parts);
    },
    async find(accountId, id) {
      const [row] = await db.query<ResponseRow>(selectResponse, [accountId, id]);
      return row === undefined ? null : fromRow(row);
    },
    async findOwners(accountId, ids) {
      const rows = await db.query<{ id: string; endpoint: string; deployment: string }>(selectOwners, [
        accountId,
        ids,
      ]);
      return new Map(rows.map(({ id, endpoint, deployment }) => [id, { endpoint, deployment }]));
    },
    async claimDue(limit) {
      return (await db.query<RunRow>(claimDue, [limit, instance()])).map(runFromRow);
    },
    async findRun(accountId, id) {
      const [row] = await db.query<RunRow>(selectRun, [accountId, id]);
      return row === undefined ? null : runFromRow(row);
    },
    async end(accountId, id, parts) {
      await db.query(endRun, [accountId, id]);
      await addParts(accountId, id, parts);
    },
    async remove(accountId, id) {
      await db.query(deleteResponse, [accountId, id]);
    },
    async removeOld() {
      await db.query(deleteOld);
    },
  };
}

const fromRow = (row: ResponseRow): KeptResponse => ({
  id: row.id,
  accountId: row.account_id,
  requestId: row.request_id,
  endpoint: row.endpoint,
  deployment: row.deployment,
  state: row.state,
});

function runFromRow(row: RunRow): DueRun {
  const { hold_id, amount, request, held_at } = row;
  const isHeld = hold_id !== null && amount !== null && request !== null && held_at !== null;
  return {
    response: fromRow(row),
    terms: row.terms,
    ageMs: Math.round(row.age_ms),
    hold: isHeld
      ? {
          id: hold_id,
          accountId: row.account_id,
          keyId: row.key_id,
          amount: amountFromText(amount),
          request,
          progress: row.progress,
          createdAt: instant(held_at),
        }
      : null,
  };
}
