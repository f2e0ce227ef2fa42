/**
 * Compares the books with what the vendor billed and with what clients saw. Shares no code with what it judges: rows are
 * read plainly, prices are the vendors' published ones, and the arithmetic is its own.
 */
import type { BillLine } from "../../src/simulator/bill.ts";
import type { Queryable } from "../../src/store/db.ts";
import { audit } from "../auditor.ts";
import type { Seen } from "./clients.ts";

export interface Verdict {
  /** The vendor billed it, or a client got it whole, and the ledger has no charge, estimate or reason for it. */
  readonly lost: readonly string[];
  /** Charged more than once, or more than what the vendor billed is worth. */
  readonly double: readonly string[];
  /** Any sign that an account was below zero or held more than it had; anything else that the auditor found. */
  readonly overspent: readonly string[];
  /** Still held after the time in which recovery must end it. */
  readonly stuck: readonly string[];
  readonly recovered: number;
  readonly settled: Readonly<Record<"vendor" | "estimated", number>>;
  readonly released: number;
  readonly refused: number;
  /** What all customers paid, pUSD. */
  readonly charged: bigint;
  readonly estimates: Estimates;
}

/** How near the estimates came: a crash or a broken answer leaves no usage to charge by. */
export interface Estimates {
  /** What customers paid by estimates, pUSD. */
  readonly charged: bigint;
  /** What the vendors billed for those requests, at the customers' prices, pUSD. */
  readonly worth: bigint;
  /** Requests charged by an estimate that no vendor billed: after a crash nobody knows whether one had been reached. */
  readonly unbilled: number;
}

interface Row {
  readonly id: string;
  readonly state: string;
  readonly outcome: string;
  readonly source: string | null;
  readonly hold: string;
  readonly charge: string;
  readonly loss: string;
  readonly idempotency_key: string | null;
  readonly account_id: string;
  readonly attempts: readonly Attempt[] | null;
}

interface Attempt {
  readonly usage: (Readonly<Record<TokenKind, number>> & { readonly source: string }) | null;
  readonly paid_by: string | null;
  /** Why it failed, when it did. */
  readonly reason: string | null;
}

type TokenKind = "input" | "cached_input" | "cache_write" | "output" | "reasoning";
const tokenKinds: readonly TokenKind[] = ["input", "cached_input", "cache_write", "output", "reasoning"];

/** List prices in pUSD per token, as the vendors publish them (2026-01), and the markup of the proof's configuration, 5/4. */
const listPrices: Readonly<Record<string, { input: bigint; cached: bigint; output: bigint }>> = {
  "gpt-4o-mini": { input: 150_000n, cached: 75_000n, output: 600_000n },
  "gpt-5-mini": { input: 250_000n, cached: 25_000n, output: 2_000_000n },
  "text-embedding-3-small": { input: 20_000n, cached: 20_000n, output: 0n },
};
export const markup = "1.25";
const sell = (list: bigint): bigint => (list * 5n + 3n) / 4n;

export async function judge(
  db: Queryable,
  evidence: { bill: readonly BillLine[]; seen: readonly Seen[] },
): Promise<Verdict> {
  const rows = await db.query<Row>(
    `select id, state, outcome, source, hold::text, charge::text, loss::text, account_id,
       record ->> 'idempotency_key' as idempotency_key, record -> 'attempts' as attempts from requests`,
  );
  const holds = await db.query<{ id: string }>("select id from holds");
  const byId = new Map(rows.map((row) => [row.id, row]));
  const lost: string[] = [];
  const double: string[] = [];
  const byRequest = groupById(evidence.bill);
  for (const [id, lines] of byRequest) {
    const { missing, surplus } = compareOne(byId.get(id) ?? null, { id, lines });
    lost.push(...missing);
    double.push(...surplus);
  }
  for (const row of rows) {
    if (row.source === "vendor" && !byRequest.has(row.id))
      double.push(`${row.id}: charged by usage that no vendor billed`);
  }
  lost.push(...unpaidAnswers(byId, evidence.seen));
  double.push(...repeatedCharges(rows));
  const findings = await audit(db);
  const settled = rows.filter((row) => row.state === "settled");
  return {
    lost,
    double,
    overspent: findings.map((one) => `${one.rule}: ${one.where}`),
    stuck: holds.map((hold) => hold.id),
    recovered: rows.filter((row) => row.outcome === "recovered").length,
    settled: {
      vendor: settled.filter((row) => row.source === "vendor").length,
      estimated: settled.filter((row) => row.source === "estimated").length,
    },
    released: rows.filter((row) => row.state === "released").length,
    refused: rows.filter((row) => row.state === "refused").length,
    charged: rows.reduce((sum, row) => sum + BigInt(row.charge), 0n),
    estimates: sumEstimates(rows, byRequest),
  };
}

function sumEstimates(rows: readonly Row[], bill: ReadonlyMap<string, readonly BillLine[]>): Estimates {
  const estimated = rows.filter((row) => row.state === "settled" && row.source === "estimated");
  const lines = estimated.flatMap((row) => bill.get(row.id) ?? []);
  return {
    charged: estimated.reduce((sum, row) => sum + BigInt(row.charge), 0n),
    worth: lines.reduce((sum, line) => sum + worthOf(line), 0n),
    unbilled: estimated.filter((row) => !bill.has(row.id)).length,
  };
}

function groupById(bill: readonly BillLine[]): Map<string, BillLine[]> {
  const groups = new Map<string, BillLine[]>();
  for (const line of bill) {
    if (!line.billed) continue;
    // What nobody asked for is nobody's request, and missing in the ledger as well.
    const id = line.client_request_id ?? `vendor's ${line.request_id}`;
    groups.set(id, [...(groups.get(id) ?? []), line]);
  }
  return groups;
}

/** One request: what its attempts report must be lines of the vendor's bill, and every other line needs its reason. */
function compareOne(
  row: Row | null,
  about: { id: string; lines: readonly BillLine[] },
): { missing: string[]; surplus: string[] } {
  const { id } = about;
  const shown = about.lines.map((line) => `${tokensOf(line)} ${line.reason}`).join(", ");
  if (row === null) return { missing: [`${id}: billed ${shown}, not in the ledger`], surplus: [] };
  if (row.state === "refused")
    return { missing: [`${id}: billed ${shown}, refused in the ledger`], surplus: [] };
  const missing: string[] = [];
  const surplus: string[] = [];
  const open = [...about.lines];
  let exact: BillLine | null = null;
  for (const attempt of row.attempts ?? []) {
    if (attempt.usage?.source !== "vendor") continue;
    const usage = attempt.usage;
    const index = open.findIndex((line) => tokensOf(line) === tokensOf(usage));
    const [line] = index < 0 ? [] : open.splice(index, 1);
    if (line === undefined) surplus.push(`${id}: read ${tokensOf(usage)}, billed ${shown}`);
    else exact = line;
  }
  for (const line of open) {
    // A whole answer of a healthy vendor to a gateway that lived must have been read to the token.
    const mustBeExact =
      line.reason === "complete" && row.outcome !== "recovered" && line.fault === null && !line.aborted;
    // Released is what was never sent, or what the vendor itself said came to nothing.
    const isExplained =
      row.state === "released"
        ? (row.attempts ?? []).some((attempt) => attempt.reason !== null)
        : row.source === "estimated" || exact !== null;
    if (mustBeExact || !isExplained)
      missing.push(
        `${id}: billed ${tokensOf(line)} ${line.reason}, ledger ${row.state} ${row.source} ${row.outcome}`,
      );
  }
  if (row.source === "vendor" && exact !== null) {
    const worth = worthOf(exact);
    const charge = BigInt(row.charge) + BigInt(row.loss);
    if (BigInt(row.charge) > worth) surplus.push(`${id}: charged ${row.charge}, worth ${worth}`);
    if (BigInt(row.charge) < worth && BigInt(row.charge) !== BigInt(row.hold))
      missing.push(`${id}: charged ${charge}, worth ${worth}`);
  }
  return { missing, surplus };
}

const tokensOf = (tokens: Readonly<Record<TokenKind, number>>): string =>
  tokenKinds.map((kind) => tokens[kind]).join("/");

function worthOf(line: BillLine): bigint {
  const prices = listPrices[line.model ?? ""];
  if (prices === undefined) throw new Error(`the proof has no price for ${line.model}`);
  const plain = BigInt(line.input - line.cached_input);
  return (
    plain * sell(prices.input) +
    BigInt(line.cached_input) * sell(prices.cached) +
    BigInt(line.output) * sell(prices.output)
  );
}

/** The last bytes of an answer go out after its own charge is committed: not what recovery charged for a broken one. */
function unpaidAnswers(byId: ReadonlyMap<string, Row>, seen: readonly Seen[]): string[] {
  return seen.flatMap(({ requestId, status, isWhole }) => {
    if (requestId === null || status !== 200 || !isWhole) return [];
    const row = byId.get(requestId);
    if (row?.state === "settled" && row.outcome !== "recovered") return [];
    const stands =
      row === undefined ? "nothing" : `${row.state} ${row.outcome}, ${JSON.stringify(row.attempts)}`;
    return [`${requestId}: its client has the whole answer, the ledger says ${stands}`];
  });
}

/** However often it was sent: one Idempotency-Key, one charge. */
function repeatedCharges(rows: readonly Row[]): string[] {
  const charged = new Map<string, string[]>();
  for (const row of rows) {
    if (row.idempotency_key === null || row.charge === "0") continue;
    const name = `${row.account_id} ${row.idempotency_key}`;
    charged.set(name, [...(charged.get(name) ?? []), row.id]);
  }
  return [...charged]
    .filter(([, ids]) => ids.length > 1)
    .map(([name, ids]) => `${name}: charged as ${ids.join(" and ")}`);
}
