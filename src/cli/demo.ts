import { type DemoRequest, demoRequests } from "../simulator/demo-traffic.ts";
import { readConfig, type ServeOptions, serveDemo } from "./serve.ts";
import { CliError, exitCodes, type Terminal } from "./terminal.ts";

const burst = 60;

/** `tollgate demo`: demo mode with generated traffic of all kinds, so that every page has something to show. */
export async function runDemo(options: ServeOptions, terminal: Terminal): Promise<void> {
  if (terminal.env["NODE_ENV"] === "production") {
    throw new CliError(
      exitCodes.usage,
      "Cannot start: demo mode is refused with NODE_ENV=production; unset it, or configure a vendor and run `tollgate serve`.",
    );
  }
  const config = readConfig(
    { ...options, config: undefined },
    { ...terminal, env: withoutVendors(terminal.env) },
  );
  await serveDemo(
    config,
    { ...options, onReady: async (gateway, key) => void sendTraffic(gateway.url, key) },
    terminal,
  );
}

/** Demo mode always: what names a vendor or a file is not read. */
function withoutVendors(env: Terminal["env"]): Terminal["env"] {
  const hidden = /^(OPENAI_|AZURE_OPENAI_|DATABASE_URL|TOLLGATE_CONFIG)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !hidden.test(name)));
}

/** A first burst so that there is something to see at once, then one request after the other for as long as the process lives. */
async function sendTraffic(url: string, key: string): Promise<void> {
  for (let round = 0; ; round += 1) {
    for (const request of demoRequests(8402 + round, burst)) {
      const sent = sendOne(url, key, request);
      if (round > 0) await sent;
      await new Promise((resolve) => setTimeout(resolve, round === 0 ? 100 : request.pauseMs).unref());
    }
  }
}

async function sendOne(url: string, key: string, request: DemoRequest): Promise<void> {
  const abort = new AbortController();
  const timer =
    request.leavesAfterMs === null ? null : setTimeout(() => abort.abort(), request.leavesAfterMs).unref();
  try {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(request.body),
      signal: abort.signal,
    });
    await answer.arrayBuffer();
  } catch {
    // The generated client left, or the server is stopping: both are part of the show.
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}
