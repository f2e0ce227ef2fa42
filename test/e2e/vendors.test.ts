/** Every vendor that is simulated: the client sees the vendor's own bytes, and is charged what is on the vendor's own bill. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ProfileName, profileNames } from "../../src/simulator/profiles.ts";
import { type Simulator, startSimulator } from "../../src/simulator/server.ts";
import { type RequestRow, startTestGateway, type TestGateway } from "../support/gateway.ts";

/** One that answers plainly and one that thinks, as each vendor calls them. */
const modelsOf: Readonly<Record<ProfileName, readonly string[]>> = {
  openai: ["gpt-4.1-nano", "gpt-5-mini"],
  azure: ["gpt-4.1-nano", "gpt-5-mini"],
  "azure-async-filter": ["gpt-4.1-nano"],
  clean: ["llama-4"],
  vllm: ["llama-4", "qwq-32b"],
  groq: ["llama-4", "gpt-oss-120b"],
  gemini: ["gemini-1.5-flash", "gemini-2.5-flash"],
  deepseek: ["deepseek-chat", "deepseek-reasoner"],
  openrouter: ["meta/llama-4", "openai/o3-mini-think"],
  xai: ["grok-2", "grok-3-mini"],
  mistral: ["mistral-small"],
  moonshot: ["kimi-k2", "kimi-k2-thinking"],
  perplexity: ["sonar"],
  ollama: ["llama4", "deepseek-r1"],
  llamacpp: ["gemma", "gemma-think"],
};
const isAzure = (profile: string): boolean => profile.startsWith("azure");
const apiVersion = "2024-12-01-preview";

const simulators = new Map<ProfileName, Simulator>();
let gateway: TestGateway;
let customer: { accountId: string; key: string };
beforeAll(async () => {
  const endpoints: string[] = [];
  const models: string[] = [];
  const prices = new Set<string>();
  for (const profile of profileNames) {
    const simulator = await startSimulator({ profile, clock: () => 1_763_208_000_000 });
    simulators.set(profile, simulator);
    const address = isAzure(profile)
      ? `kind: azure, base_url: "${simulator.url}", api_version: ${apiVersion}`
      : `kind: openai, base_url: "${simulator.url}/v1"`;
    endpoints.push(`  ${profile}: { ${address}, api_key: k }`);
    for (const model of modelsOf[profile]) {
      models.push(
        `  "${profile}:${model}": { deployments: [{ endpoint: ${profile}, deployment: "${model}", model: "${model}" }] }`,
      );
      if (!model.startsWith("gpt-4") && !model.startsWith("gpt-5")) prices.add(model);
    }
  }
  // Known to be vLLM, so that it is asked for running totals.
  endpoints.push(
    `  counted: { kind: openai, provider: vllm, base_url: "${simulators.get("vllm")?.url}/v1", api_key: k }`,
  );
  models.push(
    '  "counted:llama-4": { deployments: [{ endpoint: counted, deployment: llama-4, model: llama-4 }] }',
  );
  const priced = [...prices].map(
    (model) =>
      `  - { model: "${model}", input: "1", cached_input: "0.5", output: "3", context_window: 128000, max_output_tokens: 8192 }`,
  );
  gateway = await startTestGateway({
    yaml: `estimates: { sample_rate: 0 }\nendpoints:\n${endpoints.join("\n")}\nmodels:\n${models.join("\n")}\nprices:\n${priced.join("\n")}\n`,
  });
  customer = await gateway.customer("1000");
});
afterAll(async () => {
  await gateway.close(1_000);
  for (const simulator of simulators.values()) await simulator.close();
});

const bodyOf = (model: string, more: object) => ({
  model,
  messages: [{ role: "user", content: "Tell of gates [[sim:tokens=12]]" }],
  [model.startsWith("gpt-5") ? "max_completion_tokens" : "max_tokens"]: 800,
  ...more,
});

/** What the vendor sends when asked directly; the simulator then forgets that it was asked, and answers alike again. */
async function direct(profile: ProfileName, model: string, more: object): Promise<string> {
  const simulator = simulators.get(profile) as Simulator;
  const path = isAzure(profile)
    ? `/openai/deployments/${model}/chat/completions?api-version=${apiVersion}`
    : "/v1/chat/completions";
  const answer = await fetch(`${simulator.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", "api-key": "k", authorization: "Bearer k" },
    body: JSON.stringify(bodyOf(model, more)),
  });
  const text = await answer.text();
  simulator.reset();
  return text;
}

async function through(
  profile: ProfileName,
  model: string,
  more: object,
): Promise<{ text: string; row: RequestRow; bill: string }> {
  const answer = await gateway.post(
    "/v1/chat/completions",
    customer.key,
    bodyOf(`${profile}:${model}`, more),
  );
  const text = await answer.text();
  const [row] = await gateway.records(customer.accountId, answer.headers.get("x-request-id") ?? "");
  const line = (simulators.get(profile) as Simulator).bill().at(-1);
  // Some bill hidden reasoning without saying how much of the output it was.
  if (row !== undefined && row.reasoning !== 0) expect(row.reasoning).toBe(line?.reasoning);
  const bill = [line?.input, line?.cached_input, line?.cache_write, line?.output].join("/");
  (simulators.get(profile) as Simulator).reset();
  return { text, row: row as RequestRow, bill };
}
const used = (row: RequestRow): string =>
  [row.input, row.cached_input, row.cache_write, row.output].join("/");
/** Ids come from the bytes of the request, which differ where the gateway asks for usage on its own account. */
const withoutRandom = (text: string): string =>
  text
    .replace(/"(id|obfuscation|system_fingerprint)":"[^"]*"/g, '"$1":""')
    .replace(/"x_groq":\{"id":"[^"]*"\}/g, "");

const cases = profileNames.flatMap((profile) => modelsOf[profile].map((model) => [profile, model] as const));
describe.each(cases)("%s, %s", (profile, model) => {
  test("in one piece", async () => {
    const want = await direct(profile, model, {});
    const { text, row, bill } = await through(profile, model, {});
    expect([withoutRandom(text), row.source, used(row)]).toEqual([withoutRandom(want), "vendor", bill]);
  });

  test("streamed with usage", async () => {
    const more = { stream: true, stream_options: { include_usage: true } };
    const want = await direct(profile, model, more);
    const { text, row, bill } = await through(profile, model, more);
    expect([withoutRandom(text), row.source, used(row)]).toEqual([withoutRandom(want), "vendor", bill]);
  });

  test("streamed without asking for usage", async () => {
    const want = await direct(profile, model, { stream: true });
    const { text, row, bill } = await through(profile, model, { stream: true });
    expect([row.source, used(row)]).toEqual(["vendor", bill]);
    // A chunk of nothing but usage, and keys that say there is none yet, are not shown to who did not ask, though some
    // vendors send them unasked.
    const shown = (frames: string): string =>
      withoutRandom(frames.replaceAll(/,"usage":null|"usage":null,/g, ""))
        .split("\n\n")
        .filter((frame) => !/"choices":\[\].*"usage":\{/.test(frame))
        .join("\n\n");
    expect(shown(text)).toBe(shown(want));
    expect(text).not.toMatch(/"choices":\[\][^\n]*"usage":\{/);
  });
});

describe("a vendor that gives running totals when asked", () => {
  const ask = async (directives: string): Promise<{ text: string; row: RequestRow; bill: string }> => {
    const simulator = simulators.get("vllm") as Simulator;
    const body = {
      ...bodyOf("counted:llama-4", { stream: true }),
      messages: [{ role: "user", content: `x [[sim:${directives}]]` }],
    };
    const answer = await gateway.post("/v1/chat/completions", customer.key, body);
    const text = await answer.text();
    const [row] = await gateway.records(customer.accountId, answer.headers.get("x-request-id") ?? "");
    const line = simulator.bill().at(-1);
    return {
      text,
      row: row as RequestRow,
      bill: [line?.input, line?.cached_input, line?.cache_write, line?.output].join("/"),
    };
  };

  test("is exact even when its stream breaks off", async () => {
    const { text, row, bill } = await ask("tokens=12 fault=drop after=6");
    expect([row.outcome, row.source, used(row)]).toEqual(["vendor_cut", "vendor", bill]);
    expect(text).not.toContain("usage");
  });

  test("shows nothing of that to a client that did not ask", async () => {
    const { text, row, bill } = await ask("tokens=12");
    expect([row.source, used(row), text.includes("usage")]).toEqual(["vendor", bill, false]);
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
  });
});
