/**
 * The ledger as it is meant to behave: in memory, one operation after the other, without SQL. The databases are compared
 * with it. Amounts are pUSD; time is a count of months that the test turns, and minutes that it lets pass.
 */
import type { HoldOperation, SettleOperation } from "../../src/ports.ts";

export interface ModelGrant {
  readonly id: string;
  readonly account: string;
  readonly kind: "paid" | "promotional" | "refund";
  readonly priority: number;
  /** Sorts like the expiry; null = never. */
  readonly expiry: number | null;
  readonly age: number;
  remaining: bigint;
  reserved: bigint;
  isExpired: boolean;
  isVoided: boolean;
}

export interface KeyLimits {
  readonly spendLimit: bigint | null;
  readonly window: "month" | "total" | null;
  readonly rpm: number | null;
  readonly tpm: number | null;
  readonly maxConcurrent: number | null;
}

export interface ModelKey {
  readonly id: string;
  readonly account: string;
  limits: KeyLimits;
  isRevoked: boolean;
  /** Null before the first hold. */
  counters: Counters | null;
  minutesPassed: number;
}

interface Counters {
  window: number | null;
  spent: bigint;
  held: bigint;
  open: number;
  requests: number | null;
  tokens: number | null;
  spentTotal: bigint;
}

interface Slice {
  readonly grant: string;
  readonly amount: bigint;
}

export interface ModelHold {
  readonly account: string;
  readonly key: string | null;
  readonly amount: bigint;
  readonly slices: readonly Slice[];
  readonly tokens: number;
  readonly month: number;
  readonly idempotency: string | null;
}

export interface Ended {
  readonly account: string;
  readonly state: "settled" | "released" | "refused";
  readonly outcome: string;
  readonly charge: bigint;
  readonly slices: readonly Slice[];
  readonly refusal: string | null;
  /** By the slice that was burned. */
  readonly refunded: bigint[];
}

interface Decision {
  readonly text: string;
  readonly kind: "admitted" | "refused" | "known";
}

export interface ModelAccount {
  isFrozen: boolean;
  posted: bigint;
  held: bigint;
  seq: number;
}

const isGivenUp = (ended: Ended | undefined): boolean =>
  ended?.state === "released" && ended.outcome === "refused";

const recordedRefusals = [
  "insufficient_funds",
  "key_spend_limit",
  "request_rate_limit",
  "token_rate_limit",
  "concurrency_limit",
  "account_frozen",
];

export class LedgerModel {
  readonly accounts = new Map<string, ModelAccount>();
  readonly grants = new Map<string, ModelGrant>();
  readonly keys = new Map<string, ModelKey>();
  readonly holds = new Map<string, ModelHold>();
  readonly ended = new Map<string, Ended>();
  readonly idempotency = new Map<string, { request: string; fingerprint: string; isStored: boolean }>();
  month = 0;

  // ------------------------------------------------------------ people

  grant(
    grant: Omit<ModelGrant, "remaining" | "reserved" | "isExpired" | "isVoided" | "age">,
    amount: bigint,
  ): void {
    const rest = { remaining: amount, reserved: 0n, isExpired: false, isVoided: false };
    this.grants.set(grant.id, { ...grant, ...rest, age: this.grants.size });
    this.post(grant.account, amount);
  }

  /** Returns what was taken back. */
  void(id: string): bigint {
    const grant = must(this.grants.get(id));
    grant.isVoided = true;
    return this.takeRest(grant);
  }

  bookExpiry(account: string): void {
    const due = [...this.grants.values()].filter(
      (one) => one.account === account && (one.isExpired || one.isVoided),
    );
    for (const grant of due) this.takeRest(grant);
  }

  /** Returns what the database answers, `done AMOUNT` or why not. */
  refund(tx: string, id: string, wanted: bigint | null): string {
    const request = this.ended.get(id);
    if (request === undefined || request.state !== "settled") return "not_settled";
    const before = request.refunded.reduce((sum, one) => sum + one, 0n);
    const amount = wanted === null ? request.charge - before : wanted;
    if (amount <= 0n || amount > request.charge - before) return "exceeds_charge";
    let rest = amount;
    for (let index = request.slices.length - 1; index >= 0 && rest > 0n; index -= 1) {
      const slice = must(request.slices[index]);
      const take = smaller(rest, slice.amount - must(request.refunded[index]));
      if (take <= 0n) continue;
      const origin = must(this.grants.get(slice.grant));
      if (origin.isVoided || origin.isExpired) {
        const kind = origin.kind === "promotional" ? "promotional" : "refund";
        const { account, priority } = origin;
        // Thirty days from now: before every expiry that the test gives, and in the order of the refunds.
        const expiry = -1_000_000 + this.grants.size;
        this.grant({ id: `grt_${tx}_${index + 1}`, account, kind, priority, expiry }, take);
      } else {
        origin.remaining += take;
        this.post(origin.account, take);
      }
      request.refunded[index] = must(request.refunded[index]) + take;
      rest -= take;
    }
    return `done ${amount}`;
  }

  // ------------------------------------------------------------ requests

  /** What each settlement of a batch is answered, in the order in which they were given. */
  settleAll(operations: readonly SettleOperation[]): string[] {
    const answers: string[] = [];
    const order = operations.map((operation, index) => ({ operation, index }));
    order.sort(
      (a, b) =>
        compare(a.operation.accountId, b.operation.accountId) ||
        compare(a.operation.id, b.operation.id) ||
        a.index - b.index,
    );
    for (const { operation, index } of order) answers[index] = this.settle(operation);
    return answers;
  }

  private settle(operation: SettleOperation): string {
    const { id, charge } = operation;
    const hold = this.holds.get(id);
    const ended = this.ended.get(id);
    if (ended !== undefined) return `already ${ended.charge} ${ended.outcome}`;
    if (hold === undefined || hold.account !== operation.accountId) {
      if (operation.state === "settled") return "error unknown";
      this.ended.set(id, endOf(operation, []));
      return "already 0 unknown";
    }
    if (charge > hold.amount) return "error exceeds_hold";
    let rest: bigint = charge;
    const burned: Slice[] = [];
    for (const slice of hold.slices) {
      const take = smaller(rest, slice.amount);
      const grant = must(this.grants.get(slice.grant));
      grant.reserved -= slice.amount;
      grant.remaining -= take;
      rest -= take;
      if (take > 0n) {
        burned.push({ grant: slice.grant, amount: take });
        this.post(hold.account, -take);
      }
    }
    must(this.accounts.get(hold.account)).held -= hold.amount;
    this.countEnd(hold, operation);
    if (operation.outcome === "refused") this.freeIdempotency(hold.idempotency, id);
    this.holds.delete(id);
    this.ended.set(id, endOf(operation, burned));
    return "done";
  }

  private freeIdempotency(name: string | null, id: string): void {
    const first = name === null ? undefined : this.idempotency.get(name);
    if (name !== null && first?.request === id && !first.isStored) this.idempotency.delete(name);
  }

  private countEnd(hold: ModelHold, operation: SettleOperation): void {
    if (hold.key === null) return;
    const counters = must(must(this.keys.get(hold.key)).counters);
    const isInWindow = counters.window === null || hold.month >= counters.window;
    if (isInWindow) {
      counters.held -= hold.amount;
      counters.spent += operation.charge;
    }
    counters.spentTotal += operation.charge;
    counters.open -= 1;
    if (counters.tokens !== null) counters.tokens += hold.tokens - (operation.tokens?.total ?? 0);
  }

  /** What each hold of a batch is answered. Keys of an account go in the order of their ids, each in the order of arrival. */
  holdAll(operations: readonly HoldOperation[]): string[] {
    this.reserveIdempotency(operations);
    const answers: string[] = [];
    const working = new Map<string, Counters>();
    const order = operations.map((operation, index) => ({ operation, index }));
    order.sort(
      (a, b) =>
        compare(a.operation.accountId, b.operation.accountId) ||
        compareKeys(a.operation.keyId, b.operation.keyId) ||
        a.index - b.index,
    );
    const decided = order.map(({ operation, index }) => {
      const answer = this.hold(operation, working);
      answers[index] = answer.text;
      return { operation, answer };
    });
    if (decided.some(({ answer }) => answer.kind === "admitted")) {
      for (const [key, counters] of working)
        Object.assign(must(this.keys.get(key)), { counters, minutesPassed: 0 });
    }
    for (const { operation, answer } of decided) {
      const hasNotRun = answer.kind === "refused" || isGivenUp(this.ended.get(operation.id));
      if (hasNotRun) this.freeIdempotency(idempotencyName(operation), operation.id);
      const code = answer.text.split(" ")[0] ?? "";
      if (answer.kind !== "refused" || !operation.isFinal || !recordedRefusals.includes(code)) continue;
      const nothing = { charge: 0n, slices: [], refunded: [] };
      this.ended.set(operation.id, {
        account: operation.accountId,
        state: "refused",
        outcome: "refused",
        refusal: code,
        ...nothing,
      });
    }
    return answers;
  }

  private reserveIdempotency(operations: readonly HoldOperation[]): void {
    for (const operation of operations) {
      const name = idempotencyName(operation);
      if (name === null || operation.idempotency === null || !this.accounts.has(operation.accountId))
        continue;
      if (this.idempotency.has(name)) continue;
      this.idempotency.set(name, {
        request: operation.id,
        fingerprint: operation.idempotency.fingerprint,
        isStored: false,
      });
    }
  }

  private hold(operation: HoldOperation, working: Map<string, Counters>): Decision {
    const known = (text: string): Decision => ({ text, kind: "known" });
    const refused = (text: string): Decision => ({ text, kind: "refused" });
    const { id, accountId } = operation;
    const key = operation.keyId === null ? null : (this.keys.get(operation.keyId) ?? null);
    const isOwnKey = key !== null && key.account === accountId;
    const counters = isOwnKey ? this.countersOf(key, working) : null;
    const held = this.holds.get(id);
    if (held !== undefined) return known(`held ${held.amount}`);
    const ended = this.ended.get(id);
    if (ended !== undefined) return known(ended.refusal ?? "ended");
    const account = this.accounts.get(accountId);
    if (account === undefined) return refused("account_not_found");
    if (operation.keyId !== null && (!isOwnKey || key.isRevoked)) return refused("invalid_api_key");
    if (account.isFrozen) return refused("account_frozen");
    const name = idempotencyName(operation);
    const first = name === null ? undefined : this.idempotency.get(name);
    if (first !== undefined && first.request !== id) {
      if (first.fingerprint !== operation.idempotency?.fingerprint)
        return refused(`idempotency_key_reused ${first.request}`);
      return refused(`${first.isStored ? "replay" : "idempotency_in_progress"} ${first.request}`);
    }
    const live = this.liveGrants(accountId);
    const available = live.reduce((sum, grant) => sum + grant.remaining - grant.reserved, 0n);
    const need = this.sizeOf(operation, { key, counters, available });
    if (key !== null && counters !== null) {
      const refusal = limitRefusal(operation, { limits: key.limits, counters, need });
      if (refusal !== null) return refused(refusal);
    }
    if (need > available) return refused(`insufficient_funds ${available}`);
    if (counters !== null) {
      counters.held += need;
      counters.open += 1;
      if (counters.requests !== null) counters.requests -= 1;
      if (counters.tokens !== null) counters.tokens -= operation.tokens;
    }
    account.held += need;
    this.holds.set(id, {
      account: accountId,
      key: operation.keyId,
      amount: need,
      slices: reserve(live, need),
      tokens: operation.tokens,
      month: this.month,
      idempotency: name,
    });
    return { text: `held ${need}`, kind: "admitted" };
  }

  private countersOf(key: ModelKey, working: Map<string, Counters>): Counters {
    const existing = working.get(key.id);
    if (existing !== undefined) return existing;
    const { limits, counters } = key;
    const window =
      limits.window === null ? null : limits.window === "total" ? Number.NEGATIVE_INFINITY : this.month;
    const isSame = counters !== null && (window === null || counters.window === window);
    const refilled = (limit: number | null, level: number | null | undefined): number | null =>
      limit === null
        ? null
        : level === null || level === undefined
          ? limit
          : Math.min(limit, level + key.minutesPassed * limit);
    const fresh: Counters = {
      window,
      spent: isSame ? counters.spent : 0n,
      held: isSame ? counters.held : 0n,
      open: counters?.open ?? 0,
      requests: refilled(limits.rpm, counters?.requests),
      tokens: refilled(limits.tpm, counters?.tokens),
      spentTotal: counters?.spentTotal ?? 0n,
    };
    working.set(key.id, fresh);
    return fresh;
  }

  private sizeOf(
    operation: HoldOperation,
    about: { key: ModelKey | null; counters: Counters | null; available: bigint },
  ): bigint {
    const { amount, elastic } = operation;
    const { key, counters, available } = about;
    const limit = key?.limits.spendLimit ?? null;
    const room =
      limit === null || counters === null
        ? available
        : smaller(available, limit - counters.spent - counters.held);
    if (amount <= room || elastic === null || elastic.least > room) return amount;
    return elastic.step > 0n
      ? elastic.least + ((room - elastic.least) / elastic.step) * elastic.step
      : elastic.least;
  }

  /** In the order in which they burn. */
  private liveGrants(account: string): ModelGrant[] {
    const last = Number.POSITIVE_INFINITY;
    return [...this.grants.values()]
      .filter(
        (one) => one.account === account && !one.isVoided && !one.isExpired && one.remaining > one.reserved,
      )
      .sort(
        (a, b) =>
          a.priority - b.priority ||
          sign(a.expiry ?? last, b.expiry ?? last) ||
          Number(a.kind !== "promotional") - Number(b.kind !== "promotional") ||
          a.age - b.age,
      );
  }

  private post(account: string, amount: bigint): void {
    const books = must(this.accounts.get(account));
    books.posted += amount;
    books.seq += 1;
  }

  private takeRest(grant: ModelGrant): bigint {
    const rest = grant.remaining - grant.reserved;
    grant.remaining -= rest;
    if (rest > 0n) this.post(grant.account, -rest);
    return rest;
  }
}

function limitRefusal(
  operation: HoldOperation,
  about: { limits: KeyLimits; counters: Counters; need: bigint },
): string | null {
  const { limits, counters, need } = about;
  if (limits.maxConcurrent !== null && counters.open >= limits.maxConcurrent) return "concurrency_limit";
  if (counters.requests !== null && counters.requests < 1) return "request_rate_limit";
  if (
    limits.tpm !== null &&
    counters.tokens !== null &&
    counters.tokens < Math.min(operation.tokens, limits.tpm)
  )
    return "token_rate_limit";
  if (limits.spendLimit !== null && counters.spent + counters.held + need > limits.spendLimit) {
    const left = limits.spendLimit - counters.spent - counters.held;
    return `key_spend_limit ${left > 0n ? left : 0n}`;
  }
  return null;
}

function reserve(live: readonly ModelGrant[], amount: bigint): Slice[] {
  const slices: Slice[] = [];
  let rest = amount;
  for (const grant of live) {
    const take = smaller(rest, grant.remaining - grant.reserved);
    if (take <= 0n) continue;
    grant.reserved += take;
    rest -= take;
    slices.push({ grant: grant.id, amount: take });
  }
  return slices;
}

const endOf = (operation: SettleOperation, slices: readonly Slice[]): Ended => ({
  account: operation.accountId,
  state: operation.state,
  outcome: operation.outcome,
  charge: slices.reduce((sum, slice) => sum + slice.amount, 0n),
  slices,
  refusal: null,
  refunded: slices.map(() => 0n),
});

const idempotencyName = (operation: HoldOperation): string | null =>
  operation.idempotency === null ? null : `${operation.accountId} ${operation.idempotency.key}`;
const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const sign = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0);
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
/** As the database sorts: a missing key comes last. */
const compareKeys = (a: string | null, b: string | null): number =>
  a === b ? 0 : a === null ? 1 : b === null ? -1 : compare(a, b);

export function must<Value>(value: Value | undefined | null): Value {
  if (value === undefined || value === null) throw new Error("the model's own books are broken");
  return value;
}
