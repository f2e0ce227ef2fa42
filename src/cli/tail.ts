import type { AdminClient } from "./client.ts";
import { type Column, formatTable, type Row } from "./output.ts";
import { CliError, exitCodes, type Terminal } from "./terminal.ts";

export interface RequestFilter {
  readonly account?: string;
  readonly key?: string;
  readonly model?: string;
  readonly endpoint?: string;
  readonly status?: string;
  readonly source?: string;
}

interface Tail {
  readonly client: AdminClient;
  readonly terminal: Terminal;
  readonly columns: readonly Column[];
  readonly filter: RequestFilter;
  /** How many that have ended already are printed first. */
  readonly lines: number;
  readonly intervalMs: number;
  readonly asJson: boolean;
}

const rowsPerLook = 2_000;
/** How far looks overlap: a request that was admitted earlier may become visible later. */
const overlapMs = 60_000;

/**
 * Prints each request once, when it has ended, until the user interrupts. A request is looked at again while its
 * hold is open, however old it is.
 */
export async function tailRequests(tail: Tail): Promise<void> {
  const signal = tail.terminal.interrupted;
  let known = new Set<string>();
  let open = new Set<string>();
  let newest: string | null = null;
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    const rows = await look(tail, newest);
    newest = rows.reduce<string | null>((latest, row) => laterOf(latest, String(row.created_at)), newest);
    const seen = new Set(rows.map(idOf));
    const missing = [...open].filter((id) => !seen.has(id));
    const older = (await Promise.all(missing.map((id) => findRequest(tail.client, id)))).filter(
      (row) => row !== null,
    );
    const all = [...rows, ...older];
    const ended = all.filter(
      (row) => row.state !== "open" && !known.has(idOf(row)) && matches(tail.filter, row),
    );
    const shown = isFirst ? ended.slice(0, tail.lines) : ended;
    await printEnded(tail, shown.reverse(), isFirst);
    open = new Set(all.filter((row) => row.state === "open").map(idOf));
    // What is older than the overlap does not come again.
    known = new Set(all.filter((row) => row.state !== "open").map(idOf));
    await pause(tail.intervalMs, signal);
  }
}

/** The newest requests, back to a little before `newest`. What a request becomes is known at its end, so that is filtered later. */
async function look(
  { client, filter, terminal, lines }: Tail,
  newest: string | null,
): Promise<readonly Row[]> {
  const { account, key } = filter;
  const from = newest === null ? undefined : new Date(Date.parse(newest) - overlapMs).toISOString();
  const rows: Row[] = [];
  for await (const row of client.list("/requests", { account, key, from }, rowsPerLook)) {
    rows.push(row);
    const isOldEnough =
      Date.parse(String(rows[0]?.created_at)) - Date.parse(String(row.created_at)) > overlapMs;
    if (newest === null && rows.length >= lines && isOldEnough) break;
  }
  if (newest !== null && rows.length === rowsPerLook) {
    terminal.note(
      `More than ${rowsPerLook} requests in the last minute: some are not shown. Narrow it down with --account or --key.`,
    );
  }
  return rows;
}

async function findRequest(client: AdminClient, id: string): Promise<Row | null> {
  try {
    return await client.get(`/requests/${encodeURIComponent(id)}`);
  } catch (error) {
    if (error instanceof CliError && error.exitCode === exitCodes.failed) return null;
    throw error;
  }
}

function matches({ model, endpoint, status, source }: RequestFilter, row: Row): boolean {
  const usage = row.usage as Row | null | undefined;
  return (
    (model === undefined || row.model_requested === model || row.model_served === model) &&
    (endpoint === undefined || row.endpoint === endpoint) &&
    (status === undefined || row.state === status || row.outcome === status) &&
    (source === undefined || usage?.source === source)
  );
}

const idOf = (row: Row): string => String(row.id);
const laterOf = (a: string | null, b: string): string => (a === null || b > a ? b : a);

async function printEnded(
  { terminal, asJson, columns }: Tail,
  rows: readonly Row[],
  isFirst: boolean,
): Promise<void> {
  if (asJson) {
    for (const row of rows) await terminal.write(`${JSON.stringify(row)}\n`);
    return;
  }
  // The heading is printed once; later lines have the widths that they need.
  const table = formatTable(rows, columns, terminal.hasColour);
  if (isFirst) await terminal.write(table);
  else if (rows.length > 0) await terminal.write(table.slice(table.indexOf("\n") + 1));
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}
