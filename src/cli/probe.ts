import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { loadPriceBook } from "../config/load-price-book.ts";
import { operatorRow, PriceEntryError } from "../config/price-entry.ts";
import { AmountError, formatUsd, type PicoUsd, parseUsd, pico } from "../core/money.ts";
import type { PriceBook, PriceRow } from "../core/prices.ts";
import { createIds } from "../lib/ids.ts";
import { compareReports, readReport } from "../probe/compare.ts";
import { runProbe } from "../probe/probe.ts";
import { renderReport, showCost } from "../probe/render.ts";
import { type ProbeReport, probeSchema } from "../probe/report-schema.ts";
import { ProbeFailure, type ProbeFailureCode, type ProbePorts, type Progress } from "../probe/types.ts";
import { createTokenCounter } from "../tokens/token-counter.ts";
import { createVendorClient } from "../vendor/client.ts";
import { connect } from "./client.ts";
import { hideAll, hideSecrets } from "./hide-secrets.ts";
import { printPlan } from "./probe-plan.ts";
import { serverProbeMsMax } from "./probe-port.ts";
import { checkQuirksFile, type LessonKeeper, openLessonKeeper, writeQuirks } from "./probe-save.ts";
import { findJobs, type ProbeJob, type TargetOptions } from "./probe-targets.ts";
import { readConfig } from "./settings.ts";
import { CliError, type ExitCode, exitCodes, type Terminal } from "./terminal.ts";

export interface ProbeCommandOptions extends TargetOptions {
  readonly json?: true;
  readonly save?: string | true;
  readonly dryRun?: true;
  readonly compare?: string;
  readonly maxCost?: string;
  readonly volume: number;
  readonly price?: string;
  readonly timeout: number;
  readonly config?: string;
  readonly server?: string;
}

const usualMaxCost = "0.05";

/** `tollgate probe`: measures each target in turn. The amount of --max-cost is for all of them together. */
export async function runProbeCommand(
  terminal: Terminal,
  names: readonly string[],
  options: ProbeCommandOptions,
): Promise<ExitCode> {
  if (typeof options.save === "string") checkQuirksFile(options.save);
  const jobs = findJobs(terminal, names, options, () => readConfig(terminal, { config: options.config }));
  checkOptions(jobs, options);
  const maxCost = readAmount(options.maxCost ?? usualMaxCost, "--max-cost");
  const book = readBook(terminal, jobs, options);
  if (options.dryRun === true) {
    for (const { target } of jobs)
      printPlan(terminal, target, {
        row: readPrice(options.price, target.route.model),
        book,
        maxCost,
        asJson: options.json === true,
      });
    return exitCodes.ok;
  }
  const earlier = options.compare === undefined ? null : await readEarlier(terminal, options.compare);
  const keeper = await openKeeper(terminal, jobs, options);
  let left = maxCost;
  let hasFound = false;
  try {
    for (const job of jobs) {
      const report =
        keeper === "server"
          ? await askServer(terminal, job, options, left)
          : await probeJob(terminal, job, { ...options, left, book });
      if (keeper !== null && keeper !== "server") await keepLessons(terminal, job, keeper, report);
      if (typeof options.save === "string") await saveFile(terminal, options.save, report);
      print(terminal, report, { earlier, asJson: options.json === true });
      hasFound ||= report.findings.length > 0;
      left = pico(left - spentOf(report) > 0n ? left - spentOf(report) : 0n);
    }
  } finally {
    if (keeper !== null && keeper !== "server") await keeper.close();
  }
  return hasFound ? exitCodes.findings : exitCodes.ok;
}

function checkOptions(jobs: readonly ProbeJob[], options: ProbeCommandOptions): void {
  if (options.save === true && jobs.some(({ isConfigured }) => !isConfigured)) {
    throw new CliError(
      exitCodes.usage,
      "Cannot save for an address: no configured endpoint has it; write --save FILE, or name the endpoint.",
    );
  }
  if (jobs.length > 1 && (options.compare !== undefined || typeof options.save === "string")) {
    throw new CliError(exitCodes.usage, "Cannot use one file for several targets; probe them one by one.");
  }
}

function readAmount(text: string, flag: string): PicoUsd {
  try {
    const amount = parseUsd(text);
    if (amount > 0n) return amount;
  } catch (error) {
    if (!(error instanceof AmountError)) throw error;
  }
  throw new CliError(
    exitCodes.usage,
    `Cannot read ${flag} ${JSON.stringify(text)}: write dollars like 0.05, more than 0.`,
  );
}

/** `IN/OUT` or `IN/CACHED/OUT`, USD per million tokens. */
function readPrice(text: string | undefined, model: string): PriceRow | null {
  if (text === undefined) return null;
  const parts = text.split("/");
  const [input, cached, output] = parts.length === 2 ? [parts[0], undefined, parts[1]] : parts;
  try {
    if (parts.length === 2 || parts.length === 3) {
      return operatorRow({
        model,
        input: input ?? "",
        output: output ?? "",
        ...(cached === undefined ? {} : { cached_input: cached }),
      });
    }
  } catch (error) {
    if (!(error instanceof PriceEntryError)) throw error;
  }
  throw new CliError(
    exitCodes.usage,
    `Cannot read --price ${JSON.stringify(text)}: write USD per million tokens as input/output or input/cached/output, like 0.25/2.00.`,
  );
}

/** The prices that the gateway would use, those of the configuration included. */
function readBook(terminal: Terminal, jobs: readonly ProbeJob[], options: ProbeCommandOptions): PriceBook {
  const own = jobs.some(({ isConfigured }) => isConfigured)
    ? readConfig(terminal, { config: options.config }).prices
    : [];
  return loadPriceBook({ operatorRows: own.map((entry) => operatorRow(entry)), adminRows: [] });
}

async function readEarlier(terminal: Terminal, file: string): Promise<ProbeReport> {
  let text: string;
  try {
    text = await readFile(resolve(terminal.cwd, file), "utf8");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new CliError(exitCodes.usage, `Cannot read ${file}: ${reason}.`, { cause: error });
  }
  const read = readReport(text);
  if (!read.ok) throw new CliError(exitCodes.usage, `Cannot compare with ${file}: ${read.reason}.`);
  return read.report;
}

/** "server": a running server has the store for itself, and makes the probe. */
async function openKeeper(
  terminal: Terminal,
  jobs: readonly ProbeJob[],
  options: ProbeCommandOptions,
): Promise<LessonKeeper | "server" | null> {
  if (options.save !== true || jobs.length === 0) return null;
  return (await openLessonKeeper(readConfig(terminal, { config: options.config }))) ?? "server";
}

interface JobOptions extends ProbeCommandOptions {
  readonly left: PicoUsd;
  readonly book: PriceBook;
}

async function probeJob(terminal: Terminal, job: ProbeJob, options: JobOptions): Promise<ProbeReport> {
  const timeoutMs = options.timeout * 1_000;
  const { endpoint, secrets } = job.open(timeoutMs);
  const vendor = createVendorClient(new Map([[endpoint.name, endpoint]]));
  const ports: ProbePorts = {
    vendor,
    tokens: createTokenCounter(),
    clock: { now: () => Date.now(), elapsed: () => performance.now() },
    catalog: { prices: () => options.book },
  };
  terminal.note(
    `Probing ${job.target.route.deployment} at ${endpoint.name}, for at most $${formatUsd(options.left)}. Key: ${job.target.credential}.`,
  );
  try {
    const report = await runProbe(ports, job.target, {
      ...{
        id: createIds().next("probe"),
        maxCost: options.left,
        isMaxCostStrict: options.maxCost !== undefined,
      },
      ...{ price: readPrice(options.price, job.target.route.model), volume: options.volume, timeoutMs },
      signal: terminal.interrupted,
      onProgress: (progress) => terminal.note(hideSecrets(showProgress(progress, terminal), secrets)),
    });
    return hideAll(report, secrets);
  } catch (error) {
    if (!(error instanceof ProbeFailure)) throw error;
    throw new CliError(codeOf[error.code], hideSecrets(error.message, secrets), { cause: error });
  } finally {
    await vendor.close();
  }
}

const codeOf: Readonly<Record<ProbeFailureCode, ExitCode>> = {
  unreachable: exitCodes.unreachable,
  not_authorised: exitCodes.notAuthorised,
  usage: exitCodes.usage,
  failed: exitCodes.failed,
  interrupted: exitCodes.interrupted,
};

const marks = { ok: "✓", note: "!", failed: "✗" };
const plainMarks = { ok: "ok", note: "! ", failed: "x " };

function showProgress({ done, of, title, mark, detail, durationMs }: Progress, terminal: Terminal): string {
  const sign = terminal.env.TERM === "dumb" ? plainMarks[mark] : marks[mark];
  return `${String(done).padStart(2)}/${of} ${sign} ${title}: ${detail} (${durationMs} ms)`;
}

/** Lets the server that has the store probe and learn by itself; it goes by what it learned from its next request on. */
async function askServer(
  terminal: Terminal,
  job: ProbeJob,
  options: ProbeCommandOptions,
  left: PicoUsd,
): Promise<ProbeReport> {
  const client = await connect(terminal, options);
  const { endpoint, deployment } = job.target.route;
  terminal.note(`A server uses the store; asking ${client.url} to probe ${deployment} at ${endpoint}.`);
  const body = { deployment, save: true, max_cost_usd: formatUsd(left), volume: options.volume };
  const path = `/endpoints/${encodeURIComponent(endpoint)}/probe`;
  const answer = await client.post(path, body, { timeoutMs: serverProbeMsMax + 30_000 });
  if (answer.schema !== probeSchema)
    throw new CliError(
      exitCodes.failed,
      `Cannot read the answer of ${client.url}: it is no ${probeSchema} report.`,
    );
  return answer as unknown as ProbeReport;
}

async function keepLessons(
  terminal: Terminal,
  job: ProbeJob,
  keeper: LessonKeeper,
  report: ProbeReport,
): Promise<void> {
  await keeper.keep(job.target, report);
  terminal.note(`Saved ${report.lessons.length} facts about ${job.target.route.deployment} for the gateway.`);
}

async function saveFile(terminal: Terminal, file: string, report: ProbeReport): Promise<void> {
  await writeQuirks(terminal.cwd, file, report);
  terminal.note(`Saved ${report.lessons.length} facts to ${file}.`);
}

function print(
  terminal: Terminal,
  report: ProbeReport,
  { earlier, asJson }: { earlier: ProbeReport | null; asJson: boolean },
): void {
  const changes = earlier === null ? null : compareReports(earlier, report);
  if (asJson) terminal.print(JSON.stringify(changes === null ? report : { ...report, changes }));
  else terminal.print(renderReport(report, changes).trimEnd());
  terminal.note(showCost(report));
}

const spentOf = ({ cost }: ProbeReport): bigint =>
  parseUsd(cost.known_usd) + parseUsd(cost.at_most_usd ?? "0");
