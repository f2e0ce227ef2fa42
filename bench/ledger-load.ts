/** The load of the ledger benchmark: closed loops of hold and settle, through the ledger or naively, one operation per transaction. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { pico } from "../src/core/money.ts";
import type { HoldOperation, SettleOperation } from "../src/ports.ts";
import { type Db, sql } from "../src/store/db.ts";
import { createLeases } from "../src/store/leases.ts";
import { createLedger } from "../src/store/ledger.ts";
import { openPglite } from "../src/store/pglite.ts";
import { openPostgres } from "../src/store/postgres.ts";
import { openReference } from "./ledger-reference.ts";

export interface Load {
  readonly mode: "ledger" | "naive" | "reference";
  /** A PostgreSQL URL, or a directory of the embedded database. */
  readonly store: string;
  readonly accounts: number;
  readonly concurrent: number;
  readonly seconds: number;
}

export interface Measured {
  /** Completed hold + settle pairs. */
  readonly pairs: number;
  readonly seconds: number;
  readonly holdMs: { readonly p50: number; readonly p99: number };
}

const amount = pico(5_000_000_000n);
const charge = pico(1_234_567_890n);

/** What the gateway keeps with a hold, of the same size. */
const heldRequest = {
  model_requested: "gpt-5-mini",
  stream: true,
  operation: "chat/completions",
  endpoint: "azure-east",
  deployment: "gpt-5-mini-prod",
  priced_as: "gpt-5-mini",
  price_row: "azure:gpt-5-mini:2025-08-07",
  provider: "azure",
  model: "gpt-5-mini",
  markup: { units: "12", scale: 1 },
  service_tier: null,
  body_bytes: 612,
  input_bound: 640,
  client_request_id: null,
  idempotency_key: null,
};

const tokens = { input: 131, cachedInput: 0, cacheWrite: 0, output: 240, reasoning: 64, total: 371 };
const usage = { ...tokens, fees: {}, source: "vendor", method: null, bound: null, reason: null };
const line = {
  kind: "input",
  quantity: 131,
  unit_price_pusd: "300000",
  list_price_pusd: "250000",
  amount_pusd: "39300000",
};
const attempt = {
  endpoint: "azure-east",
  deployment: "gpt-5-mini-prod",
  status: 200,
  vendor_request_id: "5a8ee6ab-45b2-4ae0-a0d9-3c4b1c3f6a10",
  usage,
  reason: null,
  started_at: "2026-01-01T00:00:00.000Z",
  ended_at: "2026-01-01T00:00:01.000Z",
};
const record = {
  deployment: "gpt-5-mini-prod",
  priced_as: "gpt-5-mini",
  price_row: "azure:gpt-5-mini:2025-08-07",
  service_tier: "default",
  attempts: [attempt],
  usage,
  estimate: null,
  price_lines: [line, { ...line, kind: "output" }],
  rewrites: [],
  output_cap: null,
  hold_basis: { input_bound: 640, choices: 1, cap: 1_000 },
  rejected_usage: null,
  operation: "chat/completions",
  client_request_id: null,
  idempotency_key: null,
  ttft_ms: 211.4,
  duration_ms: 1_204.7,
  overhead_ms: 4.1,
};

export const accountName = (index: number): string => `acc_${String(index).padStart(6, "0")}`;

function holdOf(id: string, index: number): HoldOperation {
  return {
    id,
    accountId: accountName(index),
    keyId: `key_${String(index).padStart(6, "0")}`,
    amount,
    elastic: null,
    isFinal: false,
    tokens: 1_000,
    idempotency: null,
    request: heldRequest,
  };
}

function settleOf(hold: HoldOperation): SettleOperation {
  return {
    id: hold.id,
    accountId: hold.accountId,
    keyId: hold.keyId,
    state: "settled",
    outcome: "complete",
    charge,
    loss: pico(0n),
    vendorCost: charge,
    modelRequested: "gpt-5-mini",
    modelServed: "gpt-5-mini-2025-08-07",
    endpoint: "azure-east",
    source: "vendor",
    stream: true,
    tokens,
    record,
  };
}

interface Target {
  hold(operation: HoldOperation): Promise<boolean>;
  settle(operation: SettleOperation): Promise<void>;
  close(): Promise<void>;
}

/** Runs the closed loops for the time given, after a short warm-up that is not counted. */
export async function runLoad(load: Load): Promise<Measured> {
  const target = await openTarget(load);
  const run = randomBytes(4).toString("hex");
  const latencies: number[] = [];
  let pairs = 0;
  let isCounting = false;
  let isOver = false;
  let next = 0;
  const loop = async (lane: number): Promise<void> => {
    while (!isOver) {
      const number = next++;
      const operation = holdOf(
        `req_${run}_${String(number).padStart(9, "0")}`,
        (number + lane) % load.accounts,
      );
      const begun = performance.now();
      if (!(await target.hold(operation))) throw new Error("a hold of the benchmark was refused");
      if (isCounting) latencies.push(performance.now() - begun);
      await target.settle(settleOf(operation));
      if (isCounting) pairs += 1;
    }
  };
  const loops = Array.from({ length: load.concurrent }, (_, lane) => loop(lane));
  const failed = Promise.all(loops);
  await Promise.race([pause(700), failed]);
  isCounting = true;
  const begun = performance.now();
  await Promise.race([pause(load.seconds * 1_000), failed]);
  isCounting = false;
  const seconds = (performance.now() - begun) / 1_000;
  isOver = true;
  await failed;
  await target.close();
  latencies.sort((a, b) => a - b);
  const at = (share: number): number =>
    latencies[Math.min(Math.floor(latencies.length * share), latencies.length - 1)] ?? Number.NaN;
  return { pairs, seconds, holdMs: { p50: at(0.5), p99: at(0.99) } };
}

function openTarget({ mode, store }: Load): Target | Promise<Target> {
  if (mode === "naive") return openNaive(store);
  return mode === "reference" ? openReference(store) : openLedger(store);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function openLedger(store: string): Promise<Target> {
  const lanes = store.startsWith("postgres://") ? Number(process.env["LANES"] ?? 2) : 1;
  const db: Db = store.startsWith("postgres://")
    ? openPostgres({ url: store, poolSize: lanes, statementTimeoutMs: 60_000, keepsReady: true })
    : await openPglite(store);
  const leases = createLeases(db, () => `gw_${randomBytes(6).toString("hex")}`, {});
  await leases.register(600_000);
  const ledger = createLedger({
    db,
    lanes,
    instance: leases.current,
    renewLease: async () => void (await leases.register(600_000)),
    now: () => performance.now(),
    onRetry: (error) => process.stderr.write(`retry: ${String(error)}\n`),
    holdPatienceMs: 60_000,
  });
  return {
    hold: async (operation) => (await ledger.hold(operation)).ok,
    async settle(operation) {
      if ((await ledger.settle(operation)).code !== "done")
        throw new Error("a settlement of the benchmark was not taken");
    },
    async close() {
      await ledger.close();
      await db.close();
    },
  };
}

const naiveHold = sql`update balances set held = held + $2 where account_id = $1 and posted - held >= $2`;
const naiveReserve = sql`update grants set reserved = reserved + $2 where account_id = $1 and remaining - reserved >= $2`;
const naiveInsert = sql`
  insert into holds (id, account_id, key_id, instance_id, amount, grant_ids, grant_amounts, reserved_tokens, request, created_at)
  values ($1, $2, $3, 'naive', $4, '{}', '{}', 0, $5, clock_timestamp())`;
const naiveEnd = sql`delete from holds where id = $1`;
const naiveBalance = sql`
  update balances set held = held - $2, posted = posted - $3, seq = seq + 1 where account_id = $1 returning seq::text, posted::text`;
const naiveGrant = sql`update grants set reserved = reserved - $2, remaining = remaining - $3 where account_id = $1`;
const naiveRequest = sql`
  insert into requests (id, account_id, key_id, state, outcome, model_requested, model_served, endpoint, source, stream, hold,
    charge, vendor_cost, loss, input, cached_input, cache_write, output, reasoning, total, grant_ids, grant_amounts, record,
    created_at, settled_at)
  values ($1, $2, $3, 'settled', 'complete', 'gpt-5-mini', 'gpt-5-mini', 'azure-east', 'vendor', true, $4, $5, $5, 0,
    131, 0, 0, 240, 64, 371, '{}', '{}', $6, clock_timestamp(), clock_timestamp())`;
const naiveEntries = sql`
  insert into entries (tx_id, kind, ledger_account, account_id, amount, seq, balance_after, created_at) values
    ($1, 'settlement', 'customer', $2, -$3::numeric, $4, $5, clock_timestamp()),
    ($1, 'settlement', 'earnings', $2, $3, null, null, clock_timestamp()),
    ($1, 'settlement', 'vendor_cost', $2, -$3::numeric, null, null, clock_timestamp()),
    ($1, 'settlement', 'vendor_payable', $2, $3, null, null, clock_timestamp())`;

/** The obvious way: each operation a transaction of its own, over a pool of connections. */
function openNaive(url: string): Target {
  const pool = new pg.Pool({ connectionString: url, max: 24, options: "-c synchronous_commit=on" });
  const inTx = async (work: (client: pg.PoolClient) => Promise<void>): Promise<void> => {
    const client = await pool.connect();
    try {
      await client.query("begin");
      await work(client);
      await client.query("commit");
    } finally {
      client.release();
    }
  };
  return {
    async hold(operation) {
      await inTx(async (client) => {
        const { accountId } = operation;
        const held = await client.query({
          name: "hold",
          text: naiveHold,
          values: [accountId, String(operation.amount)],
        });
        if (held.rowCount !== 1) throw new Error("refused");
        await client.query({
          name: "reserve",
          text: naiveReserve,
          values: [accountId, String(operation.amount)],
        });
        const values = [
          operation.id,
          accountId,
          operation.keyId,
          String(operation.amount),
          JSON.stringify(operation.request),
        ];
        await client.query({ name: "insert", text: naiveInsert, values });
      });
      return true;
    },
    async settle(operation) {
      await inTx(async (client) => {
        const { id, accountId } = operation;
        await client.query({ name: "end", text: naiveEnd, values: [id] });
        const values = [accountId, String(amount), String(operation.charge)];
        const { rows } = await client.query({ name: "balance", text: naiveBalance, values });
        await client.query({ name: "grant", text: naiveGrant, values });
        const kept = JSON.stringify(operation.record);
        await client.query({
          name: "request",
          text: naiveRequest,
          values: [id, accountId, operation.keyId, String(amount), String(operation.charge), kept],
        });
        await client.query({
          name: "entries",
          text: naiveEntries,
          values: [id, accountId, String(operation.charge), rows[0].seq, rows[0].posted],
        });
      });
    },
    close: () => pool.end(),
  };
}
