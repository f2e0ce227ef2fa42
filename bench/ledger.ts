/**
 * `npm run bench -- ledger`: hold + settle pairs per second through the ledger's group commit, next to the naive way of one
 * transaction per operation, on the same kind of database in the same run. Latencies are of holds.
 */
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Db } from "../src/store/db.ts";
import { migrate } from "../src/store/migrate.ts";
import { type EmbeddedDb, openPglite } from "../src/store/pglite.ts";
import { openPostgres } from "../src/store/postgres.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { type Load, type Measured, runLoad } from "./ledger-load.ts";
import { addReference } from "./ledger-reference.ts";
import { addAccounts, addHistory } from "./ledger-rows.ts";

interface Options {
  readonly store: string;
  readonly seconds: number;
  readonly concurrent: readonly number[];
  readonly accounts: readonly number[];
  readonly processes: readonly number[];
  readonly rows: readonly number[];
  readonly rounds: number;
  readonly naive: boolean;
  readonly json: boolean;
}

interface Result extends Measured {
  readonly mode: Load["mode"];
  readonly rows: number;
  readonly accounts: number;
  readonly processes: number;
  readonly concurrent: number;
  readonly perSecond: number;
}

const numbers = (text: string): number[] => text.split(",").map(Number);

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      store: { type: "string", default: "postgres" },
      seconds: { type: "string", default: "3" },
      concurrent: { type: "string", default: "1,10,100,1000" },
      accounts: { type: "string", default: "1,100" },
      processes: { type: "string", default: "1" },
      rows: { type: "string", default: "0" },
      rounds: { type: "string", default: "3" },
      naive: { type: "boolean", default: true },
      json: { type: "boolean", default: false },
    },
    allowNegative: true,
  });
  return {
    store: values.store,
    seconds: Number(values.seconds),
    concurrent: numbers(values.concurrent),
    accounts: numbers(values.accounts),
    processes: numbers(values.processes),
    rows: numbers(values.rows),
    rounds: Number(values.rounds),
    naive: values.naive,
    json: values.json,
  };
}

export async function main(args: string[]): Promise<number> {
  const options = readOptions(args);
  const places: Place[] = [];
  for (const rows of options.rows)
    for (const modes of modesByPlace(options)) places.push(await preparePlace(rows, modes, options));
  const results: Result[] = [];
  for (const accounts of options.accounts) {
    for (const concurrent of options.concurrent) {
      for (const processes of options.processes) {
        if (processes > concurrent) continue;
        const scenario = { accounts, processes, concurrent, seconds: options.seconds };
        results.push(...(await measure(scenario, options, places)));
      }
    }
  }
  for (const place of places) await place.close();
  process.stdout.write(
    options.json ? results.map((one) => `${JSON.stringify(one)}\n`).join("") : table(results),
  );
  return 0;
}

type Modes = readonly Load["mode"][];

/**
 * Each way has a server of its own where we start them: one that writes thousands of transactions leaves dead rows and
 * unwritten pages to whoever comes next.
 */
function modesByPlace({ store, naive }: Options): readonly Modes[] {
  if (!naive || store === "pglite") return [["ledger"]];
  return store === "postgres" ? [["ledger"], ["naive"], ["reference"]] : [["ledger", "naive", "reference"]];
}

/** A database with accounts, and with `rows` requests served before. */
async function preparePlace(rows: number, modes: Modes, options: Options): Promise<Place> {
  const place = await openPlace(options.store, { rows, modes });
  await addAccounts(place.db, Math.max(...options.accounts));
  if (!place.closesBetween) await addReference(place.store, Math.max(...options.accounts));
  if (rows > 0) await addHistory(place.db, rows, (text) => process.stderr.write(`${text}\n`));
  if (place.closesBetween) await place.db.close();
  return place;
}

interface Scenario extends Omit<Load, "mode" | "store"> {
  readonly processes: number;
}

/** Every place and every way in turn, so that a busy machine slows all of them; the median round of each is reported. */
async function measure(scenario: Scenario, options: Options, places: readonly Place[]): Promise<Result[]> {
  const rounds = new Map<string, Result[]>();
  for (let round = 0; round < options.rounds; round += 1) {
    for (const place of places) {
      for (const mode of place.modes) {
        const result = await measureOnce(scenario, mode, place);
        const key = `${place.rows} ${mode}`;
        rounds.set(key, [...(rounds.get(key) ?? []), result]);
      }
    }
  }
  return [...rounds.values()].flatMap((all) => {
    const sorted = all.toSorted((a, b) => a.perSecond - b.perSecond);
    const median = sorted[Math.floor(sorted.length / 2)];
    if (median !== undefined) process.stderr.write(`${describe(median)}\n`);
    return median === undefined ? [] : [median];
  });
}

async function measureOnce(scenario: Scenario, mode: Load["mode"], place: Place): Promise<Result> {
  const { accounts, processes, concurrent, seconds } = scenario;
  const load = { mode, store: place.store, accounts, seconds, concurrent: Math.ceil(concurrent / processes) };
  const parts = await Promise.all(Array.from({ length: processes }, () => runOne(load, place.closesBetween)));
  const measured = joined(parts);
  const perSecond = measured.pairs / measured.seconds;
  return { mode, rows: place.rows, accounts, processes, concurrent, ...measured, perSecond };
}

function joined(parts: readonly Measured[]): Measured {
  const pairs = parts.reduce((sum, one) => sum + one.pairs, 0);
  const seconds = Math.max(...parts.map((one) => one.seconds));
  return {
    pairs,
    seconds,
    holdMs: {
      p50: Math.max(...parts.map((one) => one.holdMs.p50)),
      p99: Math.max(...parts.map((one) => one.holdMs.p99)),
    },
  };
}

/** In a process of its own; the embedded database stays in this one, which has the lock of its directory. */
async function runOne(load: Load, isEmbedded: boolean): Promise<Measured> {
  if (isEmbedded) return runLoad(load);
  const child = fork(fileURLToPath(new URL("./ledger-worker.js", import.meta.url)));
  return new Promise((resolve, reject) => {
    child.once("message", (answer: { measured?: Measured; error?: string }) => {
      if (answer.measured !== undefined) resolve(answer.measured);
      else reject(new Error(answer.error));
    });
    child.once("error", reject);
    child.send(load);
  });
}

interface Place {
  /** Requests that had been served before. */
  readonly rows: number;
  readonly modes: Modes;
  readonly store: string;
  readonly db: Db;
  readonly closesBetween: boolean;
  close(): Promise<void>;
}

async function openPlace(kind: string, about: Pick<Place, "rows" | "modes">): Promise<Place> {
  if (kind === "pglite") {
    const directory = mkdtempSync(join(tmpdir(), "tollgate-bench-"));
    const db: EmbeddedDb = await openPglite(directory);
    await migrate(db);
    return {
      ...about,
      store: directory,
      db,
      closesBetween: true,
      close: async () => rmSync(directory, { recursive: true }),
    };
  }
  const server =
    kind === "postgres"
      ? await startPostgres(["-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB"])
      : null;
  const url = server?.url ?? kind;
  const db = openPostgres({ url, poolSize: 2, statementTimeoutMs: 3_600_000 });
  await migrate(db);
  return {
    ...about,
    store: url,
    db,
    closesBetween: false,
    async close() {
      await db.close();
      await server?.stop();
    },
  };
}

function describe(one: Result): string {
  const { rows, accounts, processes, concurrent, mode, perSecond, holdMs } = one;
  const place = `${rows} rows, ${accounts} accounts, ${processes} processes, ${concurrent} concurrent`;
  return `${place}, ${mode}: ${Math.round(perSecond)} pairs/s, hold p50 ${holdMs.p50.toFixed(1)} ms, p99 ${holdMs.p99.toFixed(1)} ms`;
}

function table(results: readonly Result[]): string {
  const head =
    "| rows | accounts | processes | concurrent | pairs/s | hold p50 | p99 | naive pairs/s | ratio | reference pairs/s | ratio |";
  const lines = results
    .filter((one) => one.mode === "ledger")
    .map((one) => {
      const cells = [one.rows, one.accounts, one.processes, one.concurrent, Math.round(one.perSecond)];
      const ms = [one.holdMs.p50, one.holdMs.p99].map((value) => `${value.toFixed(1)} ms`);
      const others = (["naive", "reference"] as const).flatMap((mode) => {
        const other = results.find((each) => each.mode === mode && sameScenario(one, each));
        if (other === undefined) return ["", ""];
        return [String(Math.round(other.perSecond)), `${(one.perSecond / other.perSecond).toFixed(2)}×`];
      });
      return `| ${[...cells, ...ms, ...others].join(" | ")} |`;
    });
  return `${cpus().length} CPUs, Node ${process.versions.node}\n\n${head}\n${head.replace(/[^|]+/g, " --- ")}\n${lines.join("\n")}\n`;
}

const sameScenario = (a: Result, b: Result): boolean =>
  a.rows === b.rows &&
  a.accounts === b.accounts &&
  a.processes === b.processes &&
  a.concurrent === b.concurrent;
