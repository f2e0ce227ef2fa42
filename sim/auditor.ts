/**
 * An auditor of the ledger that shares nothing with the code it audits: it reads the rows as they lie there, adds them up
 * itself in whole pUSD, and names every row that disagrees. Works while nothing writes.
 */
import type { Queryable } from "../src/store/db.ts";

export interface Finding {
  /** What should hold, in a few words. */
  readonly rule: string;
  /** The row that breaks it, and the figures. */
  readonly where: string;
}

interface Rows {
  readonly balances: readonly { account_id: string; posted: string; held: string; seq: string }[];
  readonly grants: readonly {
    id: string;
    account_id: string;
    amount: string;
    remaining: string;
    reserved: string;
  }[];
  readonly holds: readonly HoldRow[];
  readonly requests: readonly RequestRow[];
  readonly entries: readonly EntryRow[];
  readonly counters: readonly { key_id: string; open_requests: string; spent_total: string }[];
  readonly rollups: readonly {
    line: string;
    requests: string;
    charge: string;
    vendor_cost: string;
    loss: string;
  }[];
}

interface HoldRow {
  readonly id: string;
  readonly account_id: string;
  readonly key_id: string | null;
  readonly amount: string;
  readonly slices: readonly string[];
  readonly grant_ids: readonly string[];
}

interface RequestRow {
  readonly id: string;
  readonly account_id: string;
  readonly key_id: string | null;
  readonly state: string;
  readonly hold: string;
  readonly charge: string;
  readonly vendor_cost: string;
  readonly loss: string;
  readonly slices: readonly string[];
  readonly grant_ids: readonly string[];
  readonly lines: readonly { amount_pusd?: string }[] | null;
}

interface EntryRow {
  readonly id: string;
  readonly tx_id: string;
  readonly kind: string;
  readonly ledger_account: string;
  readonly account_id: string;
  readonly grant_id: string | null;
  readonly amount: string;
  readonly seq: string | null;
  readonly balance_after: string | null;
  readonly corrects: string | null;
}

/** Everything that is wrong with the books; empty when nothing is. */
export async function audit(db: Queryable): Promise<readonly Finding[]> {
  const rows = await readRows(db);
  const findings: Finding[] = [];
  const expectEqual = (rule: string, where: string, a: bigint, b: bigint): void => {
    if (a !== b) findings.push({ rule, where: `${where}: ${a} against ${b}` });
  };
  const require = (rule: string, where: string, isTrue: boolean): void => {
    if (!isTrue) findings.push({ rule, where });
  };
  auditAccounts(rows, { expectEqual, require });
  auditTransactions(rows, { expectEqual, require });
  auditGrants(rows, { expectEqual, require });
  auditRequests(rows, { expectEqual, require });
  auditCounters(rows, { expectEqual, require });
  return findings;
}

interface Judge {
  readonly expectEqual: (rule: string, where: string, a: bigint, b: bigint) => void;
  readonly require: (rule: string, where: string, isTrue: boolean) => void;
}

function auditAccounts(rows: Rows, { expectEqual, require }: Judge): void {
  const held = sumsBy(
    rows.holds,
    (hold) => hold.account_id,
    (hold) => BigInt(hold.amount),
  );
  const entries = groupBy(
    rows.entries.filter((entry) => entry.ledger_account === "customer"),
    (entry) => entry.account_id,
  );
  for (const account of rows.balances) {
    const name = account.account_id;
    let posted = 0n;
    let seq = 0n;
    const own = (entries.get(name) ?? []).toSorted((a, b) => Number(BigInt(a.seq ?? 0) - BigInt(b.seq ?? 0)));
    for (const entry of own) {
      posted += BigInt(entry.amount);
      seq += 1n;
      expectEqual(
        "an account's entries are numbered without gaps",
        `entry ${entry.id}`,
        BigInt(entry.seq ?? -1),
        seq,
      );
      expectEqual(
        "an entry states the balance after it",
        `entry ${entry.id}`,
        BigInt(entry.balance_after ?? -1),
        posted,
      );
      require("no balance was ever negative", `entry ${entry.id}: ${posted}`, posted >= 0n);
    }
    expectEqual("posted is the sum of the account's entries", name, BigInt(account.posted), posted);
    expectEqual("the account's number is that of its last entry", name, BigInt(account.seq), seq);
    expectEqual(
      "held is the sum of the account's open holds",
      name,
      BigInt(account.held),
      held.get(name) ?? 0n,
    );
    require("nothing is held beyond what is posted", name, BigInt(account.held) >= 0n &&
      posted >= BigInt(account.held));
  }
}

function auditTransactions(rows: Rows, { expectEqual, require }: Judge): void {
  const settled = new Set(rows.requests.filter((one) => one.state === "settled").map((one) => one.id));
  for (const [tx, entries] of groupBy(rows.entries, (entry) => entry.tx_id)) {
    expectEqual("the entries of a ledger transaction sum to zero", tx, sumOf(entries), 0n);
    const kinds = new Set(entries.map((entry) => `${entry.kind} ${entry.account_id}`));
    require("a ledger transaction has one kind and one account", tx, kinds.size === 1);
    if (entries[0]?.kind === "settlement") require("a settlement has its request", tx, settled.has(tx));
  }
}

function auditGrants(rows: Rows, { expectEqual, require }: Judge): void {
  const reserved = new Map<string, bigint>();
  for (const hold of rows.holds) {
    for (const [index, grant] of hold.grant_ids.entries())
      add(reserved, grant, BigInt(hold.slices[index] ?? 0));
    expectEqual(
      "the slices of a hold are its amount",
      `hold ${hold.id}`,
      sumOfTexts(hold.slices),
      BigInt(hold.amount),
    );
  }
  const ofCustomers = rows.entries.filter((entry) => entry.grant_id !== null);
  const moved = sumsBy(
    ofCustomers,
    (entry) => entry.grant_id ?? "",
    (entry) => BigInt(entry.amount),
  );
  const left = sumsBy(
    rows.grants,
    (grant) => grant.account_id,
    (grant) => BigInt(grant.remaining),
  );
  for (const grant of rows.grants) {
    expectEqual(
      "what a grant has reserved is what open holds took of it",
      grant.id,
      BigInt(grant.reserved),
      reserved.get(grant.id) ?? 0n,
    );
    expectEqual(
      "what is left of a grant is the sum of its entries",
      grant.id,
      BigInt(grant.remaining),
      moved.get(grant.id) ?? 0n,
    );
    const isWithin =
      BigInt(grant.remaining) <= BigInt(grant.amount) && BigInt(grant.reserved) <= BigInt(grant.remaining);
    require("a grant gives no more than it has", grant.id, isWithin && BigInt(grant.reserved) >= 0n);
  }
  for (const account of rows.balances) {
    expectEqual(
      "posted is what the account's grants have left",
      account.account_id,
      BigInt(account.posted),
      left.get(account.account_id) ?? 0n,
    );
  }
}

function auditRequests(rows: Rows, { expectEqual, require }: Judge): void {
  const open = new Set(rows.holds.map((hold) => hold.id));
  const settlements = groupBy(
    rows.entries.filter((entry) => entry.kind === "settlement"),
    (entry) => entry.tx_id,
  );
  const refunds = sumsBy(
    rows.entries.filter((entry) => entry.kind === "refund" && entry.ledger_account === "customer"),
    (entry) => entry.corrects ?? "",
    (entry) => BigInt(entry.amount),
  );
  for (const request of rows.requests) {
    const { id } = request;
    const charge = BigInt(request.charge);
    const loss = BigInt(request.loss);
    const entries = settlements.get(id) ?? [];
    const booked = (account: string): bigint =>
      sumOf(entries.filter((entry) => entry.ledger_account === account));
    require("a request has ended or is open, not both", id, !open.has(id));
    require("no charge exceeds its hold", `${id}: ${charge}`, charge >= 0n && charge <= BigInt(request.hold));
    require("only a settled request is charged", id, request.state === "settled" ||
      (charge === 0n && entries.length === 0));
    expectEqual("the customer paid the charge, once", id, -booked("customer"), charge);
    expectEqual("earnings are the charge and the loss", id, booked("earnings"), charge + loss);
    expectEqual("the loss is booked", id, -booked("loss"), loss);
    expectEqual("the vendor's cost is booked", id, -booked("vendor_cost"), BigInt(request.vendor_cost));
    expectEqual("the vendor is owed its cost", id, booked("vendor_payable"), BigInt(request.vendor_cost));
    expectEqual("the slices of a request are its charge", id, sumOfTexts(request.slices), charge);
    if (request.lines !== null && request.lines.length > 0) {
      expectEqual(
        "the price lines add up to the charge",
        id,
        sumOfTexts(request.lines.map((line) => line.amount_pusd ?? "0")),
        charge,
      );
    }
    const refunded = refunds.get(id) ?? 0n;
    require("no refund exceeds its charge", `${id}: ${refunded}`, refunded >= 0n && refunded <= charge);
  }
}

function auditCounters(rows: Rows, { expectEqual }: Judge): void {
  const open = sumsBy(
    rows.holds,
    (hold) => hold.key_id ?? "",
    () => 1n,
  );
  const spent = sumsBy(
    rows.requests,
    (one) => one.key_id ?? "",
    (one) => BigInt(one.charge),
  );
  for (const counter of rows.counters) {
    expectEqual(
      "a key counts its open requests",
      counter.key_id,
      BigInt(counter.open_requests),
      open.get(counter.key_id) ?? 0n,
    );
    expectEqual(
      "a key's total is the sum of its charges",
      counter.key_id,
      BigInt(counter.spent_total),
      spent.get(counter.key_id) ?? 0n,
    );
  }
  const settled = rows.requests.filter((one) => one.state === "settled");
  const sum = (pick: (one: RequestRow) => string): bigint =>
    settled.reduce((total, one) => total + BigInt(pick(one)), 0n);
  const rolled = (pick: (one: Rows["rollups"][number]) => string): bigint =>
    rows.rollups.reduce((total, one) => total + BigInt(pick(one)), 0n);
  expectEqual(
    "rollups count every settled request",
    "requests",
    rolled((one) => one.requests),
    BigInt(settled.length),
  );
  expectEqual(
    "rollups add up to the charges",
    "charge",
    rolled((one) => one.charge),
    sum((one) => one.charge),
  );
  expectEqual(
    "rollups add up to the vendors' cost",
    "vendor_cost",
    rolled((one) => one.vendor_cost),
    sum((one) => one.vendor_cost),
  );
  expectEqual(
    "rollups add up to the losses",
    "loss",
    rolled((one) => one.loss),
    sum((one) => one.loss),
  );
}

async function readRows(db: Queryable): Promise<Rows> {
  const balances = await db.query<Rows["balances"][number]>(
    "select account_id, posted::text, held::text, seq::text from balances",
  );
  const grants = await db.query<Rows["grants"][number]>(
    "select id, account_id, amount::text, remaining::text, reserved::text from grants",
  );
  const holds = await db.query<HoldRow>(
    "select id, account_id, key_id, amount::text, grant_ids, grant_amounts::text[] as slices from holds",
  );
  const requests = await db.query<RequestRow>(
    `select id, account_id, key_id, state, hold::text, charge::text, vendor_cost::text, loss::text,
       grant_ids, grant_amounts::text[] as slices, record -> 'price_lines' as lines from requests`,
  );
  const entries = await db.query<EntryRow>(
    `select id::text, tx_id, kind, ledger_account, account_id, grant_id, amount::text, seq::text, balance_after::text, corrects
     from entries`,
  );
  const counters = await db.query<Rows["counters"][number]>(
    "select key_id, open_requests::text, spent_total::text from key_counters",
  );
  const rollups = await db.query<Rows["rollups"][number]>(
    "select requests::text, charge::text, vendor_cost::text, loss::text from usage_rollups",
  );
  return { balances, grants, holds, requests, entries, counters, rollups };
}

function groupBy<Value>(values: readonly Value[], keyOf: (value: Value) => string): Map<string, Value[]> {
  const groups = new Map<string, Value[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

function sumsBy<Value>(
  values: readonly Value[],
  keyOf: (value: Value) => string,
  amountOf: (value: Value) => bigint,
): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const value of values) add(sums, keyOf(value), amountOf(value));
  return sums;
}

function add(sums: Map<string, bigint>, key: string, amount: bigint): void {
  const before = sums.get(key);
  sums.set(key, before === undefined ? amount : before + amount);
}

const sumOf = (entries: readonly EntryRow[]): bigint =>
  entries.reduce((sum, entry) => sum + BigInt(entry.amount), 0n);
const sumOfTexts = (texts: readonly string[]): bigint => texts.reduce((sum, text) => sum + BigInt(text), 0n);
