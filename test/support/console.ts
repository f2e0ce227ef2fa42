/** A gateway with a made-up month behind it, and simulated vendors for what is asked now: what the console's tests look at. */
import { createServer, request as httpRequest, type Server } from "node:http";
import { type Simulator, startSimulator } from "../../src/simulator/server.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openPostgres } from "../../src/store/postgres.ts";
import { newPostgresUrl } from "./databases.ts";
import { startTestGateway, type TestGateway } from "./gateway.ts";
import { fillMonth, type MonthOptions } from "./month.ts";

export interface ConsoleServer {
  readonly gateway: TestGateway;
  /** The customer who asks now, after the month. */
  readonly customer: { readonly accountId: string; readonly key: string };
  close(): Promise<void>;
}

const yamlOf = (azure: Simulator, openai: Simulator, timeZone: string): string => `
time_zone: ${timeZone}
credits: { usd: "0.01", name: credit }
markup: "1.20"
endpoints:
  azure-east: { kind: azure, base_url: ${azure.url}, api_key: vendor-key, api_version: 2024-12-01-preview }
  azure-west: { kind: azure, base_url: ${azure.url}, api_key: vendor-key, api_version: 2024-06-01 }
  openai: { kind: openai, base_url: ${openai.url}/v1, api_key: vendor-key }
models:
  gpt-5-mini: { markup: "1.25", deployments: [{ endpoint: azure-east, deployment: gpt-5-mini }] }
  gpt-5: { deployments: [{ endpoint: azure-east, deployment: gpt-5 }] }
  gpt-5-chat: { deployments: [{ endpoint: azure-west, deployment: gpt-5-chat }] }
  gpt-4.1-nano: { deployments: [{ endpoint: openai, deployment: gpt-4.1-nano }] }
  gpt-4o-mini: { deployments: [{ endpoint: openai, deployment: gpt-4o-mini }] }
estimates: { sample_rate: 1 }
`;

/** The month ends with the current hour unless said otherwise. */
export async function startConsoleServer(
  options: Partial<MonthOptions> & { readonly timeZone?: string } = {},
): Promise<ConsoleServer> {
  const days = options.days ?? 30;
  const endMs = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  const from = options.from ?? new Date(endMs - days * 86_400_000).toISOString();
  const databaseUrl = await newPostgresUrl();
  const db = openPostgres({ url: databaseUrl, poolSize: 2, statementTimeoutMs: 600_000 });
  await migrate(db);
  await fillMonth(db, { from, days, requests: options.requests ?? 4_000, accounts: options.accounts ?? 8 });
  await db.close();
  const azure = await startSimulator({ profile: "azure", apiKeys: ["vendor-key"] });
  const openai = await startSimulator({ profile: "openai", apiKeys: ["vendor-key"] });
  const gateway = await startTestGateway({
    databaseUrl,
    yaml: yamlOf(azure, openai, options.timeZone ?? "Europe/Berlin"),
  });
  const customer = await gateway.customer("1000", { name: "laptop" });
  return {
    gateway,
    customer,
    async close() {
      await gateway.close(1_000);
      await Promise.all([azure.close(), openai.close()]);
    },
  };
}

/** A proxy that puts `prefix` before everything, as an operator's web server does; it takes it off again for the gateway. */
export async function startPrefixProxy(
  target: string,
  prefix: string,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    const path = request.url ?? "/";
    if (!path.startsWith(`${prefix}/`)) return response.writeHead(404).end("outside of the prefix");
    const upstream = httpRequest(
      `${target}${path.slice(prefix.length)}`,
      { method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    upstream.on("error", () => response.destroy());
    request.pipe(upstream);
    response.on("close", () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}${prefix}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
