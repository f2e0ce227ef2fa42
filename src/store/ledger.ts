import { type PicoUsd, pico } from "../core/money.ts";
import type {
  HoldOperation,
  HoldOutcome,
  HoldRefusalCode,
  Ledger,
  SettleOperation,
  SettleOutcome,
  StoredResult,
} from "../ports.ts";
import { type Batch, Batcher, type BatchResult } from "./batcher.ts";
import { type Db, sql } from "./db.ts";

const applyBatch = sql`
  select part, ord, code, amount, detail from ledger_apply($1, $2::text[], $3::json, $4, $5::json, $6, $7, $8::json)`;
const rememberResult = sql`update idempotency set status = $3, headers = $4, body = $5 where scope = $1 and key = $2 and status is null`;
/** No instance has this id, so the hold is an orphan. */
const abandonHold = sql`update holds set instance_id = 'abandoned' where id = $1`;
const selectResult = sql`
  select status, headers, body from idempotency where scope = $1 and key = $2 and status is not null and expires_at > clock_timestamp()`;

interface ResultRow {
  readonly part: "settle" | "hold";
  readonly ord: number;
  readonly code: string;
  /** Of a hold what is held, of a settlement that was made before its charge. */
  readonly amount: string | null;
  readonly detail: Record<string, unknown> | null;
}

/** The lease of this process was lost: it must register again before it may hold. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}

export interface LedgerOptions {
  /** The database connections of the money path. */
  readonly db: Db;
  /** Batches in flight at a time, one for each connection of `db`. */
  readonly lanes?: number;
  /** The id under which this process holds now. */
  readonly instance: () => string;
  /** Called when the database says that the lease lapsed; resolves when there is a new one. */
  readonly renewLease: () => Promise<void>;
  readonly now: () => number;
  readonly onRetry: (error: unknown) => void;
  /** Told when a batch has been sent, before its answer; absent but in tests. */
  readonly onSent?: () => void;
  readonly maxOperations?: number;
  readonly maxBytes?: number;
  readonly maxQueuedHolds?: number;
  readonly holdPatienceMs?: number;
}

export interface StoreLedger extends Ledger {
  close(): Promise<void>;
}

/** The money path on a database: group commit over one SQL function. */
export function createLedger(options: LedgerOptions): StoreLedger {
  const { db } = options;
  const batcher = new Batcher({
    apply: async (batch) => {
      const applying = apply(db, options.instance(), batch);
      options.onSent?.();
      const result = await applying;
      if (result !== "lease_lost") return result;
      await options.renewLease();
      const again = await apply(db, options.instance(), batch);
      if (again === "lease_lost")
        throw new LeaseLost("Cannot hold: the lease of this process cannot be kept (connection too slow)");
      return again;
    },
    toJson,
    lanes: options.lanes ?? 1,
    maxOperations: options.maxOperations ?? 512,
    maxBytes: options.maxBytes ?? 4 * 1024 * 1024,
    maxQueuedHolds: options.maxQueuedHolds ?? 5_000,
    holdPatienceMs: options.holdPatienceMs ?? 3_000,
    now: options.now,
    onRetry: options.onRetry,
  });
  return {
    hold: (operation) => batcher.hold(operation),
    settle: (operation) => batcher.settle(operation),
    checkpoint: (id, progress) => batcher.checkpoint(id, toJson({ id, progress })),
    abandon(id) {
      db.query(abandonHold, [id]).catch(options.onRetry);
    },
    async rememberResult(accountId, key, result) {
      await db.query(rememberResult, [
        accountId,
        key,
        result.status,
        JSON.stringify(result.headers),
        Buffer.from(result.body),
      ]);
    },
    async findResult(accountId, key) {
      const [row] = await db.query<StoredResult>(selectResult, [accountId, key]);
      return row ?? null;
    },
    close: () => batcher.close(),
  };
}

/** Parts JSON texts: none contains it, because control characters are escaped in them. */
const separator = "\u001e";

/**
 * JSON that the database takes. NUL and unpaired surrogates, which JavaScript strings and vendors' answers may contain, are
 * refused by `jsonb` and `text`: they become U+FFFD, so that no odd character can keep a settlement from being written.
 */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (!text.includes("\\u0000") && !text.includes("\\ud")) return text;
  return text.replace(/\\\\|\\u(?:0000|d[89a-f][0-9a-f]{2})/g, (found) =>
    found === "\\\\" ? found : "\\ufffd",
  );
}

async function apply(db: Db, instance: string, batch: Batch): Promise<BatchResult | "lease_lost"> {
  const { settles, holds, progress } = batch;
  const accounts = new Set<string>();
  for (const { operation } of settles) accounts.add(operation.accountId);
  for (const { operation } of holds) accounts.add(operation.accountId);
  const json = (queue: Batch["settles"] | Batch["holds"]): string =>
    queue.map((one) => one.json).join(separator);
  const rows = await db.query<ResultRow>(applyBatch, [
    instance,
    [...accounts],
    settles.length === 0
      ? null
      : toJson(settles.map(({ operation }, index) => settleToRow(operation, index))),
    settles.length === 0 ? null : json(settles),
    holds.length === 0 ? null : toJson(holds.map(({ operation }, index) => holdToRow(operation, index))),
    holds.length === 0 ? null : json(holds),
    holds.some(({ operation }) => operation.idempotency !== null),
    progress.size === 0 ? null : `[${[...progress.values()].join(",")}]`,
  ]);
  const settled: (SettleOutcome | Error)[] = [];
  const held: HoldOutcome[] = [];
  for (const row of rows) {
    if (row.code === "lease_lost") return "lease_lost";
    if (row.part === "settle") settled[row.ord - 1] = settleFromRow(row);
    else held[row.ord - 1] = holdFromRow(row);
  }
  return { settles: settled, holds: held };
}

function holdToRow(operation: HoldOperation, index: number): Record<string, unknown> {
  const { elastic, idempotency } = operation;
  return {
    ord: index + 1,
    id: operation.id,
    acc: operation.accountId,
    key: operation.keyId,
    amount: operation.amount.toString(),
    ...(elastic === null ? {} : { least: elastic.least.toString(), step: elastic.step.toString() }),
    ...(operation.isFinal ? { final: true } : {}),
    tokens: operation.tokens,
    ...(idempotency === null ? {} : { idem: idempotency.key, fingerprint: idempotency.fingerprint }),
  };
}

function settleToRow(operation: SettleOperation, index: number): Record<string, unknown> {
  const { tokens } = operation;
  return {
    ord: index + 1,
    id: operation.id,
    acc: operation.accountId,
    key: operation.keyId,
    state: operation.state,
    outcome: operation.outcome,
    model_requested: operation.modelRequested,
    model_served: operation.modelServed,
    endpoint: operation.endpoint,
    source: operation.source,
    stream: operation.stream,
    charge: operation.charge.toString(),
    cost: operation.vendorCost.toString(),
    loss: operation.loss.toString(),
    input: tokens?.input ?? null,
    cached_input: tokens?.cachedInput ?? null,
    cache_write: tokens?.cacheWrite ?? null,
    output: tokens?.output ?? null,
    reasoning: tokens?.reasoning ?? null,
    total: tokens?.total ?? null,
  };
}

function settleFromRow(row: ResultRow): SettleOutcome | Error {
  if (row.code === "done") return { code: "done" };
  if (row.code === "already" && row.amount !== null) {
    return { code: "already", charge: pico(BigInt(row.amount)), outcome: String(row.detail?.["outcome"]) };
  }
  // The charge of a hold that this database does not know: it lost one that it had acknowledged, or this is a bug.
  return new Error(
    `Cannot settle: the hold is unknown to the ledger (${row.code}); compare the ledger with the vendor's bill.`,
  );
}

function holdFromRow(row: ResultRow): HoldOutcome {
  const detail = row.detail;
  if (row.code === "held") {
    if (row.amount === null) throw new Error("Bug: a hold was answered without its amount");
    return {
      ok: true,
      amount: pico(BigInt(row.amount)),
      limits: {
        rpm: countOf(detail, "rpm"),
        requestsLeft: countOf(detail, "requests_left"),
        tpm: countOf(detail, "tpm"),
        tokensLeft: countOf(detail, "tokens_left"),
      },
    };
  }
  return {
    ok: false,
    refusal: {
      code: row.code as HoldRefusalCode,
      available: amountOf(detail, "available"),
      limit: detail?.["limit"] === undefined ? null : String(detail["limit"]),
      remaining: countOf(detail, "remaining"),
      retryAfterMs: countOf(detail, "retry_after_ms"),
      requestId: typeof detail?.["request_id"] === "string" ? detail["request_id"] : null,
    },
  };
}

function amountOf(detail: Record<string, unknown> | null, field: string): PicoUsd | null {
  const text = detail?.[field];
  return typeof text === "string" ? pico(BigInt(text)) : null;
}

function countOf(detail: Record<string, unknown> | null, field: string): number | null {
  const value = detail?.[field];
  return typeof value === "number" ? value : null;
}
