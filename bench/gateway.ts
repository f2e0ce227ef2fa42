/**
 * `npm run bench -- gateway`: Tollgate between a client and a paced vendor, next to the vendor itself, a bare relay, and a
 * gateway that bills nothing. Every contestant is a process of its own; rounds are interleaved; medians are reported.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { migrate } from "../src/store/migrate.ts";
import { openPostgres } from "../src/store/postgres.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { findRegressions, writeBudget } from "./gateway/budget.ts";
import type { LoadOrder } from "./gateway/loader.ts";
import { writePage } from "./gateway/page.ts";
import { Child, installPortkey } from "./gateway/processes.ts";
import { type Cell, type LeftOut, type Report, renderReport } from "./gateway/report.ts";
import { addHistory } from "./ledger-rows.ts";

interface Contestant {
  readonly name: string;
  readonly url: string;
  readonly child: Child | null;
  readonly headers: (pace: "fast" | "paced") => Record<string, string>;
  /** Path and model for a pace. */
  readonly path: (pace: "fast" | "paced") => string;
  readonly model: (pace: "fast" | "paced") => string;
  readonly isBilling: boolean;
}

interface Load {
  readonly name: string;
  readonly pace: "fast" | "paced";
  readonly stream: boolean;
  readonly concurrent: number;
  readonly bodyBytes: number;
  readonly abortShare: number;
  readonly ratePerSecond: number | null;
  readonly seconds: number;
  /** Over which the first requests are spread. */
  readonly spreadSeconds: number;
}

const budgetFile = "bench/gateway/budget.json";
const warmSeconds = 2;
/** What `--quick` measures within a minute, and whom. */
const quickLoads = /^whole|^stream as fast|200 at once$/;
const quickContestants = ["vendor", "bare relay", "PostgreSQL", "Portkey"];
const usual = { bodyBytes: 400, abortShare: 0, ratePerSecond: null } as const;
const whole = { ...usual, pace: "fast", stream: false, spreadSeconds: 0 } as const;
/** A stream takes 4 s, so that all run together from the end of the spreading to the end of the first. */
const paced = { ...usual, pace: "paced", stream: true, spreadSeconds: 2 } as const;
const loads: readonly Load[] = [
  { name: "whole, 50 at once", ...whole, concurrent: 50, seconds: 4 },
  { name: "stream as fast as possible, 20 at once", ...whole, stream: true, concurrent: 20, seconds: 4 },
  { name: "paced stream, 1 at once", ...paced, concurrent: 1, seconds: 2 },
  { name: "paced streams, 10 at once", ...paced, concurrent: 10, seconds: 2 },
  { name: "paced streams, 200 at once", ...paced, concurrent: 200, seconds: 2 },
  { name: "paced streams, 1000 at once", ...paced, concurrent: 1_000, seconds: 2 },
  {
    name: "1 MB bodies, 10 a second",
    ...whole,
    bodyBytes: 1_000_000,
    concurrent: 10,
    ratePerSecond: 10,
    seconds: 5,
  },
  {
    name: "paced streams, 100 at once, 1 of 10 leaves",
    ...paced,
    concurrent: 100,
    abortShare: 0.1,
    seconds: 2,
  },
];

export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      rounds: { type: "string" },
      only: { type: "string" },
      contestants: { type: "string" },
      write: { type: "boolean", default: false },
      budget: { type: "boolean", default: false },
      "write-budget": { type: "boolean", default: false },
      history: { type: "string" },
    },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 2));
  if (!(Number.isInteger(rounds) && rounds > 0)) {
    process.stderr.write(`Cannot run ${values.rounds} rounds: give --rounds a whole number from 1 on.\n`);
    return 2;
  }
  const chosen = loads.filter(({ name }) => values.only === undefined || name.includes(values.only));
  const shown = values.quick
    ? chosen
        .filter(({ name }) => quickLoads.test(name))
        .map((load) => ({ ...load, seconds: 1, spreadSeconds: Math.min(load.spreadSeconds, 1) }))
    : chosen;
  const note = (text: string): void => void process.stderr.write(`${text}\n`);
  const postgres = await startPostgres();
  const history = values.history === undefined ? null : await startHistory(Number(values.history), note);
  const vendor = await Child.start("vendor");
  const loader = await Child.start("loader");
  const wanted = values.contestants?.split(",") ?? (values.quick ? quickContestants : [""]);
  const isWanted = (name: string): boolean => wanted.some((part) => name.includes(part));
  const contestants = await startContestants({ vendor, postgresUrl: postgres.url, history, note, isWanted });
  try {
    const cells: Cell[] = [];
    const warmed = new Set<string>();
    const failing = new Set<string>();
    const leftOut: LeftOut[] = [];
    for (const load of shown) {
      // Every contestant is warm before the first round: what a compiler does to cold code is not the question here.
      for (const contestant of contestants) {
        const kind = `${contestant.name} ${load.pace} ${load.stream}`;
        if (contestant.child === null || warmed.has(kind)) continue;
        warmed.add(kind);
        note(`${load.name}: warming ${contestant.name}`);
        const cell = await measure({
          vendor,
          loader,
          contestant,
          load: {
            ...load,
            concurrent: Math.max(load.concurrent, 50),
            abortShare: 0,
            seconds: Math.min(load.seconds, warmSeconds),
          },
        });
        if (!cell.skipped && cell.result.totalMs.length === 0) failing.add(kind);
      }
      // A contestant that answers nothing has no times; the page says so instead.
      const running = contestants.filter(({ name }) => !failing.has(`${name} ${load.pace} ${load.stream}`));
      for (const { name } of contestants.filter((one) => !running.includes(one)))
        leftOut.push({ load: load.name, contestant: name });
      for (let round = 0; round < rounds; round += 1) {
        for (const contestant of running) {
          note(`${load.name}: ${contestant.name} (${round + 1}/${rounds})`);
          cells.push(await measure({ vendor, loader, contestant, load }));
        }
      }
    }
    const report: Report = { machine: machine(), commit: commit(), rounds, cells, leftOut };
    process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : renderReport(report));
    if (values.write)
      writePage(report, {
        page: "docs/performance.md",
        picture: "docs/images/performance.svg",
        notes: readFileSync("bench/gateway/notes.md", "utf8"),
      });
    if (values["write-budget"]) writeBudget(report, budgetFile);
    if (cells.some(({ difference }) => difference !== null && difference !== 0)) return 3;
    const regressions = values.budget ? findRegressions(report, budgetFile) : [];
    for (const line of regressions) note(`Slower than it was: ${line}`);
    return regressions.length > 0 ? 1 : 0;
  } finally {
    await Promise.all(
      [vendor, loader, ...contestants.flatMap(({ child }) => (child === null ? [] : [child]))].map((one) =>
        one.stop(),
      ),
    );
    await postgres.stop();
    await history?.stop();
  }
}

/** A server whose ledger has `rows` requests behind it. */
async function startHistory(rows: number, note: (text: string) => void): Promise<History> {
  const server = await startPostgres();
  const db = openPostgres({ url: server.url, poolSize: 2, statementTimeoutMs: 3_600_000 });
  await migrate(db);
  await addHistory(db, rows, note);
  await db.close();
  return { rows, url: server.url, stop: () => server.stop() };
}

interface History {
  readonly rows: number;
  readonly url: string;
  stop(): Promise<void>;
}

async function startContestants(about: {
  vendor: Child;
  postgresUrl: string;
  history: History | null;
  note: (text: string) => void;
  isWanted: (name: string) => boolean;
}): Promise<Contestant[]> {
  const { isWanted, history } = about;
  const vendorUrl = `http://127.0.0.1:${about.vendor.port}`;
  const direct: Contestant = {
    name: "vendor directly",
    url: vendorUrl,
    child: null,
    headers: () => ({ authorization: "Bearer k" }),
    path: (pace) => `/${pace}/v1/chat/completions`,
    model: () => "gpt-4.1-nano",
    isBilling: false,
  };
  const list = isWanted(direct.name) ? [direct] : [];
  for (const pace of ["fast", "paced"] as const) {
    if (!isWanted(`bare relay ${pace}`)) continue;
    const child = await Child.start("relay", [`${vendorUrl}/${pace}/v1`]);
    list.push({
      ...direct,
      name: `bare relay ${pace}`,
      url: `http://127.0.0.1:${child.port}`,
      child,
      path: () => "/v1/chat/completions",
    });
  }
  for (const [name, store] of [
    ["Tollgate, no ledger writes", "memory"],
    ["Tollgate on PGlite", "pglite"],
    ["Tollgate on PostgreSQL", about.postgresUrl],
    ...(history === null ? [] : [[`Tollgate on PostgreSQL, ${history.rows} before`, history.url] as const]),
  ] as const) {
    if (!isWanted(name)) continue;
    const child = await Child.start("tollgate", [store, vendorUrl]);
    list.push({
      name,
      url: `http://127.0.0.1:${child.port}`,
      child,
      headers: () => ({ authorization: `Bearer ${child.key}` }),
      path: () => "/v1/chat/completions",
      model: (pace) => pace,
      isBilling: true,
    });
  }
  if (!isWanted("Portkey")) return list;
  const portkey = installPortkey(about.note);
  if (portkey === null) about.note("Portkey's gateway cannot be installed here; it is left out.");
  else {
    const port = 18_787;
    const child = await Child.startForeign(portkey, [`--port=${port}`, "--headless"], port);
    list.push({
      ...direct,
      name: "Portkey",
      url: `http://127.0.0.1:${port}`,
      child,
      headers: (pace) => ({
        authorization: "Bearer k",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": `${vendorUrl}/${pace}/v1`,
      }),
      path: () => "/v1/chat/completions",
    });
  }
  return list;
}

async function measure(about: {
  vendor: Child;
  loader: Child;
  contestant: Contestant;
  load: Load;
}): Promise<Cell> {
  const { vendor, loader, contestant, load } = about;
  // The bare relay is one process per pace; its name is the same in the report.
  const isOtherPace = contestant.name.startsWith("bare relay") && !contestant.name.endsWith(load.pace);
  const name = contestant.name.replace(/ (fast|paced)$/, "");
  if (isOtherPace) return { load: load.name, contestant: name, skipped: true, difference: null } as Cell;
  const billedBefore = await vendor.ask<number>("bill", "billed");
  const chargedBefore = contestant.isBilling
    ? await contestant.child?.ask<number | null>("charged", "charged")
    : null;
  await contestant.child?.vitals();
  const order: LoadOrder = {
    url: contestant.url,
    path: contestant.path(load.pace),
    headers: contestant.headers(load.pace),
    model: contestant.model(load.pace),
    stream: load.stream,
    concurrent: load.concurrent,
    forMs: load.seconds * 1_000,
    bodyBytes: load.bodyBytes,
    abortShare: load.abortShare,
    spreadMs: load.spreadSeconds * 1_000,
    ratePerSecond: load.ratePerSecond,
  };
  const result = await loader.load(order);
  const vitals = (await contestant.child?.vitals()) ?? null;
  // Streams whose client left are read to their end; wait for that before comparing.
  if (load.abortShare > 0 && contestant.isBilling) await new Promise((resolve) => setTimeout(resolve, 5_000));
  const billed = (await vendor.ask<number>("bill", "billed")) - billedBefore;
  const chargedAfter = contestant.isBilling
    ? await contestant.child?.ask<number | null>("charged", "charged")
    : null;
  const charged = contestant.isBilling ? (chargedAfter ?? 0) - (chargedBefore ?? 0) : null;
  return {
    load: load.name,
    contestant: name,
    skipped: false,
    result,
    vitals,
    difference: charged === null ? null : charged - billed,
  };
}

const machine = (): string =>
  `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, Node ${process.versions.node}`;

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}
