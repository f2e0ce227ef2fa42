/**
 * `npm run bench -- console`: how long the console's pages wait for their answers with a million requests behind them, on
 * PostgreSQL. A page's time is that of all its calls at once, as a browser sends them; the budget is 500 ms.
 */
import { parseArgs } from "node:util";
import type { Db } from "../src/store/db.ts";
import { migrate } from "../src/store/migrate.ts";
import { openPostgres } from "../src/store/postgres.ts";
import { type AdminClient, openAdmin } from "../test/support/admin.ts";
import { fillMonth } from "../test/support/month.ts";
import { startPostgres } from "../test/support/postgres.ts";

const budgetMs = 500;
const days = 30;

interface Timing {
  readonly page: string;
  readonly calls: number;
  readonly medianMs: number;
  readonly longestMs: number;
  /** Of the slowest call by itself. */
  readonly slowest: string;
}

/** Fills a database, or takes the one of `--database`, which was filled before, and prints the table. */
export async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      requests: { type: "string", default: "1000000" },
      accounts: { type: "string", default: "200" },
      rounds: { type: "string", default: "7" },
      database: { type: "string" },
    },
  });
  const postgres = values.database === undefined ? await startPostgres() : null;
  try {
    const url = postgres?.url ?? values.database ?? "";
    const db = openPostgres({ url, poolSize: 8, statementTimeoutMs: 1_800_000 });
    if (postgres !== null) await fill(db, Number(values.requests), Number(values.accounts));
    // As pages do, two days with every look; a whole month is there after its first few pages.
    await db.query("select usage_sum_hours(100000)");
    const admin = openAdmin(db);
    const pages = await pagesOf(db);
    const timings: Timing[] = [];
    for (const [page, calls] of Object.entries(pages))
      timings.push(await measure(admin, { page, calls, rounds: Number(values.rounds) }));
    process.stdout.write(tableOf(timings));
    await admin.app.close();
    await db.close();
    if (timings.some((timing) => timing.medianMs >= budgetMs)) process.exitCode = 1;
  } finally {
    await postgres?.stop();
  }
}

async function fill(db: Db, requests: number, accounts: number): Promise<void> {
  await migrate(db);
  const startedAt = performance.now();
  const from = new Date(Math.floor(Date.now() / 3_600_000) * 3_600_000 - days * 86_400_000).toISOString();
  await fillMonth(db, { from, days, requests, accounts });
  // What autovacuum has long done where a month's requests came in a month.
  await db.query("vacuum analyze");
  process.stderr.write(`${requests} requests in ${Math.round((performance.now() - startedAt) / 1_000)} s\n`);
}

/** What each page asks when it is opened, with its widest usual period. */
async function pagesOf(db: Db): Promise<Readonly<Record<string, readonly string[]>>> {
  const hour = Math.floor(Date.now() / 3_600_000) * 3_600_000 + 3_600_000;
  const period = (length: number): string =>
    `from=${new Date(hour - length * 86_400_000).toISOString()}&to=${new Date(hour).toISOString()}`;
  const [row] = await db.query<{ id: string }>(
    "select id from requests where state = 'settled' order by id desc limit 1",
  );
  const overview = (length: number, bucket: string): string[] => [
    `/overview?${period(length)}`,
    `/usage?${period(length)}&bucket=${bucket}&tz=Europe/Berlin&group_by=model&limit=5000`,
    `/reports/traffic?${period(length)}&bucket=${bucket}&tz=Europe/Berlin`,
    "/models/unpriced",
  ];
  const requests = (filter: string, length = 30): string[] => [
    `/requests?${period(length)}&limit=50${filter}`,
    `/usage?${period(length)}&limit=1`,
  ];
  return {
    "Overview, 24 hours": overview(1, "hour"),
    "Overview, 7 days": overview(7, "day"),
    "Overview, 30 days": overview(30, "day"),
    "Requests, 24 hours": requests("", 1),
    "Requests, 30 days": requests(""),
    "Requests, of a model": requests("&model=gpt-5-chat"),
    "Requests, of an account": requests("&account=acc_000150"),
    "Requests, of a key": requests("&key=key_000150_2"),
    "Requests, estimated": requests("&source=estimated"),
    "Requests, refused": requests("&status=refused"),
    "Requests, recovered (none)": requests("&status=recovered"),
    "Requests, of a model that is not": requests("&model=no-such-model"),
    "Requests, first week of the month": [
      `/requests?from=${new Date(hour - 30 * 86_400_000).toISOString()}&to=${new Date(hour - 23 * 86_400_000).toISOString()}&limit=50`,
    ],
    Request: [`/requests/${row?.id}`],
    Accounts: ["/reports/accounts?limit=50"],
    "Accounts, searched": ["/reports/accounts?limit=50&search=fjord"],
    Account: [
      "/reports/accounts/acc_000000",
      "/accounts/acc_000000/grants?limit=200",
      "/keys?account=acc_000000&limit=100",
      `/usage?account=acc_000000&${period(30)}&bucket=day&tz=Europe/Berlin&group_by=model&limit=5000`,
      "/requests?account=acc_000000&limit=8",
    ],
    Keys: ["/keys?limit=50"],
    "Ledger, 7 days": [`/ledger/entries?${period(7)}&limit=100`],
    "Ledger, one account": [`/ledger/entries?${period(30)}&account=acc_000150&limit=100`],
    "Ledger, grants (rare)": [`/ledger/entries?${period(7)}&ledger_account=cash&limit=100`],
    "Ledger, first week of the month": [
      `/ledger/entries?from=${new Date(hour - 30 * 86_400_000).toISOString()}&to=${new Date(hour - 23 * 86_400_000).toISOString()}&limit=100`,
    ],
    Prices: ["/models?limit=200", "/models/unpriced", "/prices?limit=25"],
    Endpoints: ["/endpoints?limit=200"],
    "Estimation, 30 days": [
      `/reports/estimation?${period(30)}&limit=200`,
      `/reports/leak?${period(30)}&limit=200`,
      `/reports/estimation/samples?${period(30)}&limit=500`,
    ],
    Settings: ["/settings", "/tokens?limit=200", "/audit?limit=20"],
  };
}

async function measure(
  admin: AdminClient,
  about: { page: string; calls: readonly string[]; rounds: number },
): Promise<Timing> {
  const single = new Map<string, number>();
  const call = async (path: string): Promise<void> => {
    const startedAt = performance.now();
    const { status, text } = await admin.call("GET", path);
    if (status !== 200) throw new Error(`${path} was answered with ${status}: ${text}`);
    single.set(path, Math.max(single.get(path) ?? 0, performance.now() - startedAt));
  };
  await Promise.all(about.calls.map(call));
  single.clear();
  const times: number[] = [];
  for (let round = 0; round < about.rounds; round += 1) {
    const startedAt = performance.now();
    await Promise.all(about.calls.map(call));
    times.push(performance.now() - startedAt);
  }
  times.sort((a, b) => a - b);
  const [slowest = ""] = [...single].sort(([, a], [, b]) => b - a)[0] ?? [];
  return {
    page: about.page,
    calls: about.calls.length,
    medianMs: times[Math.floor(times.length / 2)] ?? 0,
    longestMs: times.at(-1) ?? 0,
    slowest: `${slowest.split("?")[0]} ${Math.round(single.get(slowest) ?? 0)} ms`,
  };
}

function tableOf(timings: readonly Timing[]): string {
  const lines = timings.map(
    ({ page, calls, medianMs, longestMs, slowest }) =>
      `| ${page} | ${calls} | ${Math.round(medianMs)} | ${Math.round(longestMs)} | ${slowest} |`,
  );
  return `| page | calls | median ms | longest ms | slowest call |\n| --- | --- | --- | --- | --- |\n${lines.join("\n")}\n`;
}
