/** Words for ledger tests: accounts, grants, holds and settlements on a real database, and a readable picture of it. */
import { formatUsd, type PicoUsd, parseUsd, pico } from "../../src/core/money.ts";
import type { HoldOperation, HoldOutcome, SettleOperation, SettleOutcome } from "../../src/ports.ts";
import type { Db } from "../../src/store/db.ts";
import { createLeases } from "../../src/store/leases.ts";
import { createLedger, type StoreLedger } from "../../src/store/ledger.ts";

export interface Books {
  readonly db: Db;
  readonly ledger: StoreLedger;
  account(id: string, grants?: readonly GrantSpec[]): Promise<void>;
  key(id: string, accountId: string, limits?: Record<string, unknown>): Promise<void>;
  hold(id: string, accountId: string, usd: string, more?: Partial<HoldOperation>): Promise<HoldOutcome>;
  settle(id: string, accountId: string, usd: string, more?: Partial<SettleOperation>): Promise<SettleOutcome>;
  release(id: string, accountId: string): Promise<SettleOutcome>;
  show(accountId: string): Promise<string>;
}

export interface GrantSpec {
  readonly id: string;
  readonly usd: string;
  readonly kind?: "paid" | "promotional" | "refund";
  readonly priority?: number;
  readonly expiresAt?: string;
}

export async function openBooks(db: Db, options: { leaseMs?: number } = {}): Promise<Books> {
  let epoch = 0;
  const seed = `${process.pid}-${Math.random().toString(36).slice(2)}`;
  const leases = createLeases(db, () => `gw_${seed}_${epoch++}`, {});
  await leases.register(options.leaseMs ?? 60_000);
  const ledger = createLedger({
    db,
    instance: leases.current,
    renewLease: async () => void (await leases.register(60_000)),
    now: () => performance.now(),
    onRetry: () => undefined,
    // A busy machine is no reason to refuse: what is tested is who is admitted, not how soon.
    holdPatienceMs: 60_000,
  });
  return {
    db,
    ledger,
    async account(id, grants = []) {
      await db.query("insert into accounts (id, name) values ($1, $1)", [id]);
      await db.query("insert into balances (account_id) values ($1)", [id]);
      for (const grant of grants) {
        await db.query("select ledger_grant($1)", [
          JSON.stringify({
            id: grant.id,
            account_id: id,
            kind: grant.kind ?? "paid",
            priority: grant.priority ?? 50,
            amount: parseUsd(grant.usd).toString(),
            expires_at: grant.expiresAt ?? null,
          }),
        ]);
      }
    },
    async key(id, accountId, limits = {}) {
      const columns = { id, account_id: accountId, name: id, display: id, ...limits };
      const names = Object.keys(columns);
      const marks = names.map((_, index) => `$${index + 1}`);
      await db.query(
        `insert into keys (${names.join(", ")}) values (${marks.join(", ")})`,
        Object.values(columns),
      );
    },
    hold: (id, accountId, usd, more = {}) => ledger.hold(holdOf(id, accountId, parseUsd(usd), more)),
    settle: (id, accountId, usd, more = {}) => ledger.settle(settleOf(id, accountId, parseUsd(usd), more)),
    release: (id, accountId) =>
      ledger.settle(settleOf(id, accountId, pico(0n), { state: "released", source: "none" })),
    async show(accountId) {
      const [balance] = await db.query<{ posted: string; held: string }>(
        "select posted::text, held::text from balances where account_id = $1",
        [accountId],
      );
      if (balance === undefined) return `${accountId} unknown`;
      return `${accountId} posted ${usdOf(balance.posted)} held ${usdOf(balance.held)}`;
    },
  };
}

export const usdOf = (text: string): string => formatUsd(pico(BigInt(text)));

export function holdOf(
  id: string,
  accountId: string,
  amount: PicoUsd,
  more: Partial<HoldOperation> = {},
): HoldOperation {
  return {
    id,
    accountId,
    keyId: null,
    amount,
    elastic: null,
    isFinal: true,
    tokens: 100,
    idempotency: null,
    request: { model_requested: "gpt-5-mini", stream: false },
    ...more,
  };
}

export function settleOf(
  id: string,
  accountId: string,
  charge: PicoUsd,
  more: Partial<SettleOperation> = {},
): SettleOperation {
  return {
    id,
    accountId,
    keyId: null,
    state: "settled",
    outcome: "complete",
    charge,
    loss: pico(0n),
    vendorCost: charge,
    modelRequested: "gpt-5-mini",
    modelServed: "gpt-5-mini-2025-08-07",
    endpoint: "sim",
    source: "vendor",
    stream: false,
    tokens: { input: 10, cachedInput: 0, cacheWrite: 0, output: 5, reasoning: 0, total: 15 },
    record: { price_lines: [] },
    ...more,
  };
}
