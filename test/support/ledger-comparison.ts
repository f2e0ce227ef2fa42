/** Plays a history on a database and on the model side by side. */
import { type PicoUsd, pico } from "../../src/core/money.ts";
import type { HoldOperation, HoldOutcome, SettleOperation, SettleOutcome } from "../../src/ports.ts";
import type { Db } from "../../src/store/db.ts";
import { holdOf, openBooks, settleOf } from "./books.ts";
import type { BatchStep, HoldPart, SettlePart, Step } from "./ledger-histories.ts";
import { LedgerModel, must } from "./ledger-model.ts";

export interface Comparison {
  /** Accounts and keys of their own for one history. */
  newWorld(): Promise<World>;
  close(): Promise<void>;
}

export interface World {
  /** Takes one step on both sides; the answers of the database and of the model as text. */
  take(step: Step): Promise<{ answers: readonly string[]; expected: readonly string[] }>;
  compare(): Promise<{ books: readonly string[]; expectedBooks: readonly string[] }>;
}

export async function openComparison(db: Db): Promise<Comparison> {
  const books = await openBooks(db);
  let worlds = 0;
  return {
    async newWorld() {
      const world = new TwoSides(db, books, `w${worlds++}`);
      await world.open();
      return world;
    },
    close: () => books.ledger.close(),
  };
}

const keyOwners = [0, 0, 1, 2];
const noLimits = { spendLimit: null, window: null, rpm: null, tpm: null, maxConcurrent: null } as const;

class TwoSides implements World {
  private readonly db: Db;
  private readonly books: Awaited<ReturnType<typeof openBooks>>;
  private readonly name: string;
  private readonly model = new LedgerModel();
  /** Ids of all requests so far, so that later steps can name them. */
  private readonly requests: { id: string; account: string; key: string | null; amount: bigint }[] = [];
  private readonly references = new Map<string, string>();
  private count = 0;

  constructor(db: Db, books: Awaited<ReturnType<typeof openBooks>>, name: string) {
    this.db = db;
    this.books = books;
    this.name = name;
  }

  async open(): Promise<void> {
    for (let index = 0; index < 3; index += 1) {
      await this.books.account(this.account(index));
      this.model.accounts.set(this.account(index), { isFrozen: false, posted: 0n, held: 0n, seq: 0 });
    }
    for (const [index, owner] of keyOwners.entries()) {
      const id = this.key(index);
      await this.books.key(id, this.account(owner));
      const fresh = {
        id,
        account: this.account(owner),
        limits: noLimits,
        isRevoked: false,
        counters: null,
        minutesPassed: 0,
      };
      this.model.keys.set(id, fresh);
    }
  }

  private account = (index: number): string => `${this.name}_acc${index}`;
  private key = (index: number): string => `${this.name}_key${index}`;
  private next = (kind: string): string => `${this.name}_${kind}${String(this.count++).padStart(4, "0")}`;

  async take(step: Step): Promise<{ answers: readonly string[]; expected: readonly string[] }> {
    if (step.kind === "batch") return this.batch(step);
    const answer = await this.change(step);
    return answer === null ? { answers: [], expected: [] } : { answers: [answer[0]], expected: [answer[1]] };
  }

  // ------------------------------------------------------------ what people and time do

  private async change(step: Exclude<Step, BatchStep>): Promise<readonly [string, string] | null> {
    const { db, model } = this;
    switch (step.kind) {
      case "grant":
        return this.grant(step);
      case "refund":
        return this.refund(step);
      case "limit":
        return this.limit(step);
      case "void": {
        const id = pickFrom([...model.grants.keys()], step.pick);
        if (id === null) return null;
        const [row] = await db.query<{ amount: string }>("select amount from ledger_void($1, $2)", [
          this.next("void"),
          id,
        ]);
        return [`took ${row?.amount}`, `took ${model.void(id)}`];
      }
      case "expire": {
        const id = pickFrom([...model.grants.keys()], step.pick);
        if (id === null) return null;
        await db.query("update grants set expires_at = '2020-01-01' where id = $1", [id]);
        must(model.grants.get(id)).isExpired = true;
        return null;
      }
      case "book_expiry":
        await db.query("select ledger_expire($1, 10)", [this.account(step.account)]);
        model.bookExpiry(this.account(step.account));
        return null;
      case "freeze":
        await db.query("update accounts set status = $2 where id = $1", [
          this.account(step.account),
          step.isFrozen ? "frozen" : "active",
        ]);
        must(model.accounts.get(this.account(step.account))).isFrozen = step.isFrozen;
        return null;
      case "revoke":
        await db.query("update keys set revoked_at = $2 where id = $1", [
          this.key(step.key),
          step.isRevoked ? "2020-01-01" : null,
        ]);
        must(model.keys.get(this.key(step.key))).isRevoked = step.isRevoked;
        return null;
      case "month_passes":
        model.month += 1;
        await db.query(
          "update holds set created_at = created_at - interval '1 month' where account_id like $1",
          [`${this.name}\\_%`],
        );
        await db.query(
          "update key_counters set window_start = window_start - interval '1 month' where key_id like $1 and isfinite(window_start)",
          [`${this.name}\\_%`],
        );
        return null;
      case "minute_passes":
        must(model.keys.get(this.key(step.key))).minutesPassed += 1;
        return null;
      case "store_results":
        return this.storeResults();
    }
  }

  private async grant(step: Extract<Step, { kind: "grant" }>): Promise<readonly [string, string]> {
    const account = this.account(step.account);
    const id = this.next("grt");
    const name = step.reference === null ? null : `${account} ${step.reference}`;
    const first = name === null ? undefined : this.references.get(name);
    const spec = {
      id,
      account_id: account,
      kind: step.grantKind,
      priority: step.priority,
      amount: step.amount.toString(),
      reference: step.reference === null ? null : String(step.reference),
      expires_at: step.expiry === null ? null : `2100-01-0${step.expiry}T00:00:00Z`,
    };
    const [row] = await this.db.query<{ id: string; is_new: boolean }>(
      "select id, is_new from ledger_grant($1)",
      [JSON.stringify(spec)],
    );
    if (first === undefined) {
      if (name !== null) this.references.set(name, id);
      const { priority, expiry } = step;
      this.model.grant({ id, account, kind: step.grantKind, priority, expiry }, step.amount);
    }
    return [`${row?.id} ${row?.is_new}`, `${first ?? id} ${first === undefined}`];
  }

  private async refund(step: Extract<Step, { kind: "refund" }>): Promise<readonly [string, string] | null> {
    const request = pickFrom(this.requests, step.pick);
    if (request === null) return null;
    const charge = this.model.ended.get(request.id)?.charge ?? 0n;
    const wanted = step.percent === null ? null : (charge * BigInt(step.percent)) / 100n;
    const tx = this.next("tx");
    const [row] = await this.db.query<{ code: string; amount: string | null }>(
      "select code, amount from ledger_refund($1, $2, $3, interval '30 days')",
      [tx, request.id, wanted === null ? null : wanted.toString()],
    );
    const answer = row?.code === "done" ? `done ${row.amount}` : String(row?.code);
    return [answer, this.model.refund(tx, request.id, wanted)];
  }

  private async limit(step: Extract<Step, { kind: "limit" }>): Promise<null> {
    const id = this.key(step.key);
    const { spend, rpm, tpm, maxConcurrent } = step;
    await this.db.query(
      "update keys set spend_limit = $2, spend_window = $3, rpm = $4, tpm = $5, max_concurrent = $6 where id = $1",
      [id, spend?.limit.toString() ?? null, spend?.window ?? null, rpm, tpm, maxConcurrent],
    );
    must(this.model.keys.get(id)).limits = {
      spendLimit: spend?.limit ?? null,
      window: spend?.window ?? null,
      rpm,
      tpm,
      maxConcurrent,
    };
    return null;
  }

  private async storeResults(): Promise<null> {
    for (const [name, first] of this.model.idempotency) {
      if (this.model.holds.has(first.request)) continue;
      const [account = "", key = ""] = name.split(" ");
      await this.books.ledger.rememberResult(account, key, {
        status: 200,
        headers: {},
        body: new Uint8Array(),
      });
      first.isStored = true;
    }
    return null;
  }

  // ------------------------------------------------------------ requests

  private async batch(step: BatchStep): Promise<{ answers: readonly string[]; expected: readonly string[] }> {
    // The test's own clock: the buckets have been refilled for exactly so many minutes.
    for (const key of this.model.keys.values()) {
      await this.db.query(
        "update key_counters set levels_at = clock_timestamp() - $2 * interval '1 minute' where key_id = $1",
        [key.id, key.minutesPassed],
      );
    }
    const settles = firstOfEach(
      step.parts.filter((part) => part.kind === "settle").flatMap((part) => this.settleOf(part) ?? []),
    );
    const holds = firstOfEach(
      step.parts.filter((part) => part.kind === "hold").map((part) => this.holdOf(part)),
    );
    const { ledger } = this.books;
    const settling = Promise.all(settles.map((one) => ledger.settle(one).then(showSettle, showError)));
    // A batch with a settlement that the database rejects is taken apart; holds that go alone know less of each other.
    if (settles.some((one) => one.charge > (this.model.holds.get(one.id)?.amount ?? one.charge)))
      await settling;
    const [settled, held] = await Promise.all([
      settling,
      Promise.all(holds.map((one) => ledger.hold(one).then(showHold))),
    ]);
    for (const one of holds) {
      if (this.requests.some((request) => request.id === one.id)) continue;
      this.requests.push({ id: one.id, account: one.accountId, key: one.keyId, amount: one.amount });
    }
    return {
      answers: [...settled, ...held],
      expected: [...this.model.settleAll(settles), ...this.model.holdAll(holds)],
    };
  }

  private holdOf(part: HoldPart): HoldOperation {
    const again = part.again === null ? null : pickFrom(this.requests, part.again);
    const keyAccount = part.key === null ? null : (keyOwners[part.key] ?? null);
    const account = part.isOwnKey && keyAccount !== null ? keyAccount : part.account;
    const { elastic, idempotency } = part;
    return holdOf(again?.id ?? this.next("req"), again?.account ?? this.account(account), pico(part.amount), {
      keyId: again === null ? (part.key === null ? null : this.key(part.key)) : again.key,
      elastic:
        elastic === null
          ? null
          : {
              // biome-ignore lint/complexity/useMathMinMax: these are bigints, which Math.min() does not take.
              least: pico(elastic.least < part.amount ? elastic.least : part.amount),
              step: pico(elastic.step),
            },
      isFinal: part.isFinal,
      tokens: part.tokens,
      idempotency:
        idempotency === null ? null : { key: `k${idempotency.key}`, fingerprint: `body${idempotency.body}` },
      request: {
        model_requested: "gpt-5-mini",
        stream: false,
        idempotency_key: idempotency === null ? null : `k${idempotency.key}`,
      },
    });
  }

  private settleOf(part: SettlePart): SettleOperation | null {
    const request = part.isUnknown
      ? { id: this.next("req"), account: this.account(0), key: null, amount: 0n }
      : pickFrom(this.requests, part.pick);
    if (request === null) return null;
    if (part.isUnknown) this.requests.push(request);
    const held = this.model.holds.get(request.id)?.amount ?? request.amount;
    const isRelease = part.isRelease;
    const charge: PicoUsd = pico(isRelease ? 0n : (held * BigInt(part.percent)) / 100n);
    const total = part.tokens;
    return settleOf(request.id, request.account, charge, {
      keyId: request.key,
      state: isRelease ? "released" : "settled",
      outcome: isRelease ? "refused" : "complete",
      source: isRelease ? "none" : "vendor",
      loss: pico(part.loss === null || isRelease ? 0n : part.loss),
      vendorCost: charge,
      tokens: isRelease
        ? null
        : { input: total, cachedInput: 0, cacheWrite: 0, output: 0, reasoning: 0, total },
    });
  }

  async compare(): Promise<{ books: readonly string[]; expectedBooks: readonly string[] }> {
    const rows = await this.db.query<{ line: string }>(stateOfWorld, [`${this.name}\\_%`]);
    return { books: rows.map((row) => row.line).sort(), expectedBooks: linesOf(this.model).sort() };
  }
}

const stateOfWorld = `
  select account_id || ' posted ' || posted || ' held ' || held || ' seq ' || seq as line from balances where account_id like $1
  union all
  select id || ' remaining ' || remaining || ' reserved ' || reserved from grants where account_id like $1
  union all
  select id || ' holds ' || amount || ' from ' || array_to_string(grant_ids, ',') || ' ' || array_to_string(grant_amounts, ',')
  from holds where account_id like $1
  union all
  select id || ' ' || state || ' charge ' || charge || ' from ' || array_to_string(grant_ids, ',') || ' ' || array_to_string(grant_amounts, ',')
  from requests where account_id like $1
  union all
  select key_id || ' spent ' || window_spent || ' held ' || window_held || ' open ' || open_requests || ' total ' || spent_total
  from key_counters where key_id like $1
  union all
  select scope || ' ' || key || ' ' || request_id from idempotency where scope like $1`;

function linesOf(model: LedgerModel): string[] {
  const slicesOf = (slices: readonly { grant: string; amount: bigint }[]): string =>
    `${slices.map((one) => one.grant).join(",")} ${slices.map((one) => one.amount).join(",")}`;
  return [
    ...[...model.accounts].map(([id, one]) => `${id} posted ${one.posted} held ${one.held} seq ${one.seq}`),
    ...[...model.grants.values()].map(
      (one) => `${one.id} remaining ${one.remaining} reserved ${one.reserved}`,
    ),
    ...[...model.holds].map(([id, one]) => `${id} holds ${one.amount} from ${slicesOf(one.slices)}`),
    ...[...model.ended].map(
      ([id, one]) => `${id} ${one.state} charge ${one.charge} from ${slicesOf(one.slices)}`,
    ),
    ...[...model.keys.values()].flatMap(({ id, counters }) =>
      counters === null
        ? []
        : [
            `${id} spent ${counters.spent} held ${counters.held} open ${counters.open} total ${counters.spentTotal}`,
          ],
    ),
    ...[...model.idempotency].map(([name, one]) => `${name} ${one.request}`),
  ];
}

/** Twice the same at once is split over two batches; what happens between is not the model's to know. */
const firstOfEach = <Operation extends { readonly id: string }>(
  operations: readonly Operation[],
): Operation[] =>
  operations.filter((one, index) => operations.findIndex((other) => other.id === one.id) === index);

const pickFrom = <Value>(values: readonly Value[], pick: number): Value | null =>
  values.length === 0 ? null : must(values[pick % values.length]);

const showSettle = (outcome: SettleOutcome): string =>
  outcome.code === "done" ? "done" : `already ${outcome.charge} ${outcome.outcome}`;

/** A refused settlement is a bug of its sender; the message names the case. */
function showError(error: unknown): string {
  const text = String(error);
  return text.includes("violates check constraint")
    ? "error exceeds_hold"
    : text.includes("unknown")
      ? "error unknown"
      : text;
}

function showHold(outcome: HoldOutcome): string {
  if (outcome.ok) return `held ${outcome.amount}`;
  const { code, available, requestId } = outcome.refusal;
  return [code, available, requestId].filter((one) => one !== null).join(" ");
}
