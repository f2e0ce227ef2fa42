/**
 * `npm run bench -- verify`: how long `ledger verify` takes with a million requests behind it, on PostgreSQL, and what
 * traffic notices of it. The budget is a minute.
 */
import { parseArgs } from "node:util";
import type { VerificationCheck } from "../src/ports-reports.ts";
import type { Db } from "../src/store/db.ts";
import { migrate } from "../src/store/migrate.ts";
import { openPostgres } from "../src/store/postgres.ts";
import { createVerification } from "../src/store/verify.ts";
import { fillMonth } from "../test/support/month.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { type Measured, runLoad } from "./ledger-load.ts";
import { addAccounts } from "./ledger-rows.ts";

const budgetMs = 60_000;
const recoveryMs = 60_000;
const busyAccounts = 10;

export async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      requests: { type: "string", default: "1000000" },
      concurrent: { type: "string", default: "10" },
      seconds: { type: "string", default: "10" },
      json: { type: "boolean", default: false },
    },
  });
  const server = await startPostgres(["-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB"]);
  try {
    const db = openPostgres({ url: server.url, poolSize: 4, statementTimeoutMs: 3_600_000 });
    await migrate(db);
    await fillMonth(db, {
      from: "2026-01-01T00:00:00Z",
      days: 30,
      requests: Number(values.requests),
      accounts: 200,
    });
    await addAccounts(db, busyAccounts);
    const alone = await verify(db);
    // The snapshot is taken first: what the load settles has made-up price lines, which a later one would find.
    const verifying = verify(db);
    await pause(200);
    const load = {
      mode: "ledger",
      store: server.url,
      accounts: busyAccounts,
      concurrent: Number(values.concurrent),
      seconds: Number(values.seconds),
    } as const;
    const beside = await runLoad(load);
    const busy = await verifying;
    const undisturbed = await runLoad(load);
    await db.close();
    const result = { requests: Number(values.requests), alone, busy, beside, undisturbed };
    process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : tableOf(result));
    return alone.ms > budgetMs ? 1 : 0;
  } finally {
    await server.stop();
  }
}

interface Verified {
  readonly ms: number;
  readonly checks: number;
  readonly slowest: string;
}

async function verify(db: Db): Promise<Verified> {
  const startedAt = performance.now();
  const checks = await createVerification(db).verify({ recoveryMs });
  const ms = performance.now() - startedAt;
  const broken = checks.find((one) => !one.ok);
  if (broken !== undefined) throw new Error(`${broken.name} is broken: ${JSON.stringify(broken.firstBad)}`);
  const [slowest] = checks.toSorted((a, b) => b.durationMs - a.durationMs);
  return { ms, checks: checks.length, slowest: describe(slowest) };
}

const describe = (check: VerificationCheck | undefined): string =>
  check === undefined ? "none" : `${check.name}, ${(check.durationMs / 1_000).toFixed(1)} s`;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function tableOf(result: {
  requests: number;
  alone: Verified;
  busy: Verified;
  beside: Measured;
  undisturbed: Measured;
}): string {
  const { requests, alone, busy, beside, undisturbed } = result;
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  const load = ({ pairs, seconds: took, holdMs }: Measured): string =>
    `${Math.round(pairs / took)} pairs/s, hold p50 ${holdMs.p50.toFixed(1)} ms, p99 ${holdMs.p99.toFixed(1)} ms`;
  return `| ${requests} requests, ${alone.checks} checks | |
| --- | --- |
| verify, nothing else running | ${seconds(alone.ms)}; slowest ${alone.slowest} |
| verify beside traffic | ${seconds(busy.ms)} |
| traffic beside it | ${load(beside)} |
| traffic without it | ${load(undisturbed)} |
`;
}
