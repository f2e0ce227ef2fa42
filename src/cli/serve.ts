import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/config.ts";
import { loadConfig } from "../config/load.ts";
import { loadPriceBook } from "../config/load-price-book.ts";
import { listPricedModels } from "../config/priced-models.ts";
import { DirectoryLocked } from "../store/directory-lock.ts";
import { readCrashPoint } from "./crash-points.ts";
import { type DemoVendor, demoHome, ensureDemoCustomer, startDemoVendor } from "./demo-mode.ts";
import { type RunningGateway, startGateway } from "./gateway-process.ts";
import { CliError, exitCodes, type Terminal } from "./terminal.ts";
import { version } from "./version.ts";
import { isWorker, runWorkers } from "./workers.ts";

export interface ServeOptions {
  readonly config?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly workers?: string | undefined;
  readonly json?: boolean | undefined;
}

/** How long running requests may go on after a stop was asked for, ms. */
const graceMs = 600_000;

/** `tollgate serve`: the gateway until it is stopped. Without a vendor it is demo mode, unless that is refused. */
export async function runServe(options: ServeOptions, terminal: Terminal): Promise<void> {
  const config = readConfig(options, terminal);
  if (config.isConfigured) return serveConfigured(config, options, terminal);
  if (terminal.env["NODE_ENV"] === "production") {
    throw new CliError(
      exitCodes.usage,
      "Cannot start: no vendor is configured, and demo mode is refused with NODE_ENV=production; set OPENAI_API_KEY, or AZURE_OPENAI_ENDPOINT and its three companions, or write a tollgate.yaml.",
    );
  }
  return serveDemo(config, { ...options, onReady: async () => undefined }, terminal);
}

export function readConfig(options: ServeOptions, terminal: Terminal): Config {
  const book = loadPriceBook({ operatorRows: [], adminRows: [] });
  try {
    return loadConfig({
      flags: { config: options.config, host: options.host, port: options.port, workers: options.workers },
      env: terminal.env,
      cwd: terminal.cwd,
      pricedModels: (provider) => listPricedModels(book, provider, Date.now()),
    });
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(exitCodes.usage, error.message);
    throw error;
  }
}

async function serveConfigured(config: Config, options: ServeOptions, terminal: Terminal): Promise<void> {
  const { workers } = config.server;
  if (workers > 1 && !isWorker()) {
    if (config.store.kind === "pglite") {
      throw new CliError(
        exitCodes.usage,
        "Cannot run several workers on the embedded database: it has one process; set DATABASE_URL to a PostgreSQL server, or --workers 1.",
      );
    }
    terminal.note(`Tollgate ${version}: starting ${workers} workers…`);
    const { host, port } = config.server;
    const url = `http://${host}:${port}`;
    return runWorkers(workers, terminal, () => announce(terminal, { config, options, url, loginUrl: null }));
  }
  if (!isWorker()) terminal.note(`Tollgate ${version}: starting…`);
  const gateway = await start(config, { terminal });
  if (!isWorker())
    announce(terminal, { config, options, url: gateway.url, loginUrl: await gateway.createLoginUrl() });
  await untilStopped(isWorker() ? { ...terminal, note: () => undefined } : terminal, gateway);
}

/** `loginUrl` is null where several processes share the port: then nobody of them is the one to make it. */
function announce(
  terminal: Terminal,
  about: { config: Config; options: ServeOptions; url: string; loginUrl: string | null },
): void {
  const { config, options, url, loginUrl } = about;
  if (options.json === true) {
    terminal.print(JSON.stringify({ url, console_url: loginUrl, version }));
    return;
  }
  terminal.print(`Tollgate ${version} serves ${config.models.length} models at ${url}`);
  terminal.print(`  API     ${url}/v1   (also ${url}/openai for Azure clients)`);
  terminal.print(`  Admin   ${url}/admin/v1   (tollgate accounts create …)`);
  terminal.print(
    `  Console ${loginUrl === null ? `${url}/console/   (log in with an admin token)` : `${loginUrl}   (works once, for 15 minutes)`}`,
  );
}

/** Demo mode: a simulated vendor, an account with credit, and one command to paste. */
export async function serveDemo(
  config: Config,
  options: ServeOptions & { onReady: (gateway: RunningGateway, key: string) => Promise<void> },
  terminal: Terminal,
): Promise<void> {
  terminal.note(`Tollgate ${version}: starting in demo mode…`);
  const vendor = await startDemoVendor(config);
  try {
    const gateway = await start(vendor.config, {
      terminal,
      tokenDirectory: demoHome(config),
      logLevel: "warn",
      isDemo: true,
    });
    const { key } = await ensureDemoCustomer(gateway);
    const loginUrl = await gateway.createLoginUrl();
    if (options.json === true)
      terminal.print(JSON.stringify({ demo: true, url: gateway.url, console_url: loginUrl, key, version }));
    else printWelcome(terminal, { gateway, key, loginUrl });
    await options.onReady(gateway, key);
    await untilStopped(terminal, gateway);
  } finally {
    await closeVendor(vendor);
  }
}

const closeVendor = (vendor: DemoVendor): Promise<void> => vendor.close();

function printWelcome(
  terminal: Terminal,
  about: { gateway: RunningGateway; key: string; loginUrl: string },
): void {
  const { gateway, key, loginUrl } = about;
  const body = {
    model: "gpt-5-chat",
    stream: true,
    messages: [{ role: "user", content: "What does a toll gate do?" }],
  };
  terminal.print(`Tollgate ${version} runs in demo mode: a simulated vendor, nothing is bought and nothing is sent anywhere.

Ask it something (the answer streams):

curl -N ${gateway.url}/v1/chat/completions -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" -d '${JSON.stringify(body)}'

See what it cost (the address works once, for 15 minutes):

${loginUrl}

Addresses
  API      ${gateway.url}/v1
  Admin    ${gateway.url}/admin/v1   (token in ${gateway.tokenPlace})
  Console  ${gateway.url}/console/   (log in with the address above or that token)

Add a real vendor: stop this, set OPENAI_API_KEY (or AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY, OPENAI_API_VERSION and
AZURE_OPENAI_DEPLOYMENT_NAME) and start again; or write a tollgate.yaml (docs/reference/configuration.md).`);
}

async function start(
  config: Config,
  about: { terminal: Terminal; tokenDirectory?: string; logLevel?: string; isDemo?: boolean },
): Promise<RunningGateway> {
  const { terminal } = about;
  const reach = readCrashPoint(terminal.env["TOLLGATE_CRASH_AT"]);
  try {
    return await startGateway({
      config,
      logLevel: about.logLevel ?? "info",
      progress: (text) => terminal.note(text),
      isDemo: about.isDemo ?? false,
      ...(reach === undefined ? {} : { reach }),
      ...(about.tokenDirectory === undefined ? {} : { tokenDirectory: about.tokenDirectory }),
    });
  } catch (error) {
    if (error instanceof DirectoryLocked) throw new CliError(exitCodes.failed, error.message);
    const { code } = error as { code?: string };
    const place = `${config.server.host}:${config.server.port}`;
    if (code === "EADDRINUSE")
      throw new CliError(
        exitCodes.failed,
        `Cannot listen on ${place}: something else does; choose another with --port.`,
      );
    if (code === "EACCES")
      throw new CliError(
        exitCodes.failed,
        `Cannot listen on ${place}: this user may not; choose another with --port.`,
      );
    if (code === "ECONNREFUSED" || code === "ENOTFOUND") {
      throw new CliError(
        exitCodes.unreachable,
        `Cannot reach the database (${code}); check DATABASE_URL or \`store\`.`,
      );
    }
    throw error;
  }
}

/** Until SIGTERM or SIGINT; then running requests may end, and a second signal ends at once. */
async function untilStopped(terminal: Terminal, gateway: RunningGateway): Promise<void> {
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, resolve);
  });
  terminal.note(`${signal}: no new requests; running ones may end (again to stop now)`);
  for (const name of ["SIGTERM", "SIGINT"] as const)
    process.once(name, () => process.exit(exitCodes.interrupted));
  await gateway.close(graceMs);
}
