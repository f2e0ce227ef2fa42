/** A gateway that is killed in the middle of its work: another takes up what it held, and the books still agree with the vendor's bill. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/server.ts";
import { newPostgresUrl } from "../support/databases.ts";

const program = fileURLToPath(new URL("../../bin/tollgate.js", import.meta.url));
const adminToken = "tg-adm-of-this-test";

interface Process {
  readonly url: string;
  kill(signal: NodeJS.Signals): Promise<void>;
}

let simulator: Simulator;
let config: string;
beforeAll(async () => {
  simulator = await startSimulator({ profile: "openai", latencyMs: 20, tokensPerSecond: 40 });
  config = join(mkdtempSync(join(tmpdir(), "tollgate-crash-")), "tollgate.yaml");
  writeFileSync(
    config,
    `server: { host: 127.0.0.1, port: 0 }
store: ${JSON.stringify(await newPostgresUrl())}
admin: { token: ${adminToken} }
ledger: { recovery_ms: 2000 }
endpoints: { openai: { kind: openai, base_url: "${simulator.url}/v1", api_key: k } }
models: { gpt-4.1-nano: { deployments: [{ endpoint: openai, deployment: gpt-4.1-nano }] } }
`,
  );
});
afterAll(() => simulator.close());

function start(): Promise<Process> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(process.execPath, [program, "serve", "--config", config, "--json"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const ended = new Promise<void>((done) => child.once("exit", () => done()));
    child.once("exit", (code) => reject(new Error(`the gateway ended with ${code}`)));
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const line = text.split("\n").find((one) => one.startsWith("{") && one.endsWith("}"));
      if (line === undefined) return;
      const { url } = JSON.parse(line) as { url: string };
      const kill = (signal: NodeJS.Signals): Promise<void> => {
        child.kill(signal);
        return ended;
      };
      resolve({ url, kill });
    });
  });
}

// biome-ignore lint/suspicious/noExplicitAny: answers of the admin API; the test looks at single fields.
async function admin(url: string, path: string, body?: unknown): Promise<any> {
  const answer = await fetch(`${url}/admin/v1${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

const ask = (url: string, key: string, tokens: number): Promise<string> =>
  fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: "gpt-4.1-nano",
      stream: true,
      max_tokens: 500,
      messages: [{ role: "user", content: `[[sim:tokens=${tokens}]] Write.` }],
    }),
  })
    .then((answer) => answer.text())
    .catch(() => "cut"); // the gateway was killed

async function until<Value>(look: () => Promise<Value>, isGood: (value: Value) => boolean): Promise<Value> {
  for (let tries = 0; ; tries += 1) {
    const value = await look();
    if (isGood(value)) return value;
    if (tries > 150) throw new Error(`it did not come to be: ${JSON.stringify(value)?.slice(0, 500)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

test("kill -9 in the middle of streams: nothing is lost, doubled or left held", async () => {
  const [first, second] = await Promise.all([start(), start()]);
  const account = await admin(first.url, "/accounts", { name: "acme" });
  await admin(first.url, `/accounts/${account.id}/grants`, { amount: "10" });
  const { secret } = await admin(first.url, `/accounts/${account.id}/keys`, { name: "k" });

  const short = Array.from({ length: 10 }, () => ask(first.url, secret, 5));
  const long = Array.from({ length: 20 }, () => ask(first.url, secret, 300));
  const other = Array.from({ length: 10 }, () => ask(second.url, secret, 60));
  const finished = await Promise.all(short);
  // Long enough for a checkpoint, far too short for 300 tokens at 40 a second.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  await first.kill("SIGKILL");
  await Promise.all([...long, ...other]);
  expect(finished.every((text) => text.endsWith("data: [DONE]\n\n"))).toBe(true);

  const balance = await until(
    () => admin(second.url, `/accounts/${account.id}`),
    (one) => one.balance.held === "0",
  );
  const { data: requests } = await admin(second.url, "/requests?limit=100");
  expect(requests).toHaveLength(40);
  const outcomes = requests.map(
    (one: { outcome: string; usage: { source: string } }) => `${one.outcome} ${one.usage.source}`,
  );
  expect(outcomes.filter((one: string) => one === "complete vendor")).toHaveLength(20);
  expect(outcomes.filter((one: string) => one === "recovered estimated")).toHaveLength(20);

  // Where usage was seen the ledger is the vendor's bill, request by request; the rest is a lower bound of it.
  await simulator.idle();
  const billed = new Map(simulator.bill().map((line) => [line.client_request_id, line]));
  for (const one of requests) {
    const line = billed.get(one.id);
    if (one.usage.source === "vendor")
      expect([one.usage.input, one.usage.output]).toEqual([line?.input, line?.output]);
    else {
      expect(one.usage).toMatchObject({ reason: "recovered", bound: "lower_bound" });
      expect(one.usage.input).toBe(line?.input);
      expect(one.usage.output).toBeGreaterThan(20);
      expect(one.usage.output).toBeLessThanOrEqual((line?.output ?? 0) + 2);
    }
  }
  const charged = requests.reduce((sum: bigint, one: { charge: string }) => sum + picoOf(one.charge), 0n);
  expect(picoOf(balance.balance.posted)).toBe(10n * 10n ** 12n - charged);
  expect((await admin(second.url, "/ledger/verify")).ok).toBe(true);
  await second.kill("SIGTERM");
});

/** Credits of one dollar as whole pico-dollars. */
function picoOf(text: string): bigint {
  const [whole = "0", fraction = ""] = text.split(".");
  return BigInt(whole) * 10n ** 12n + BigInt(fraction.padEnd(12, "0"));
}
