import { readFileSync } from "node:fs";
import OpenAI, { AzureOpenAI } from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/server.ts";
import { databaseKinds } from "../support/databases.ts";
import { startTestGateway, type TestGateway, usageOf } from "../support/gateway.ts";

const prompt = (text: string): OpenAI.ChatCompletionMessageParam[] => [
  { role: "system", content: "You are a helpful assistant." },
  { role: "user", content: `Say "${text}" and nothing else.` },
];
const azureHello = prompt("Hello from Azure OpenAI!");
const standardHello = prompt("Hello from Standard Provider on Azure OpenAI!");

/** Σ price lines = charge, balance = grants − charges, nothing left held. */
async function expectBalanced(gateway: TestGateway, accountId: string, granted: bigint): Promise<void> {
  const rows = await gateway.records(accountId);
  for (const row of rows) {
    const lines = (row.record.price_lines as { amount_pusd: string }[]).reduce(
      (sum, line) => sum + BigInt(line.amount_pusd),
      0n,
    );
    expect(lines.toString()).toBe(row.charge);
  }
  const charged = rows.reduce((sum, row) => sum + BigInt(row.charge), 0n);
  expect(await gateway.balance(accountId)).toEqual({ posted: (granted - charged).toString(), held: "0" });
}

describe.each(databaseKinds)("the recorded runs on %s", (store) => {
  let simulator: Simulator;
  let gateway: TestGateway;
  beforeAll(async () => {
    simulator = await startSimulator({ profile: "azure", apiKeys: ["vendor-key"] });
    gateway = await startTestGateway({
      store,
      yaml: `
endpoints:
  azure-east: { kind: azure, base_url: ${simulator.url}, api_key: vendor-key, api_version: 2024-12-01-preview }
  azure-old: { kind: azure, base_url: ${simulator.url}, api_key: vendor-key, api_version: 2024-06-01 }
models:
  gpt-5-chat: { deployments: [{ endpoint: azure-east, deployment: gpt-5-chat }] }
  gpt-5-mini: { deployments: [{ endpoint: azure-east, deployment: gpt-5-mini }] }
  old-chat: { deployments: [{ endpoint: azure-old, deployment: gpt-5-chat, model: gpt-5-chat }] }
`,
    });
  });
  afterAll(async () => {
    await gateway.close(1_000);
    await simulator.close();
  });
  const clients = (key: string): { plain: OpenAI; azure: AzureOpenAI } => ({
    plain: new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 }),
    azure: new AzureOpenAI({
      apiKey: key,
      endpoint: gateway.url,
      apiVersion: "2024-12-01-preview",
      maxRetries: 0,
    }),
  });
  const ten = 10n * 10n ** 12n;

  test.each(["plain", "azure"] as const)("gpt-5-chat answers 29/7/36 through the %s client", async (name) => {
    const { accountId, key } = await gateway.customer("10");
    const answer = await clients(key)[name].chat.completions.create({
      model: "gpt-5-chat",
      messages: azureHello,
      max_tokens: 50,
      temperature: 0.7,
    });
    expect(answer.choices[0]?.message.content).toBe("Hello from Azure OpenAI!");
    expect([
      answer.usage?.prompt_tokens,
      answer.usage?.completion_tokens,
      answer.usage?.total_tokens,
    ]).toEqual([29, 7, 36]);
    const [row] = await gateway.records(accountId);
    expect(usageOf(row)).toBe("29/7/36 vendor");
    // 29 × $1.25 + 7 × $10 per million, × 1.2 markup by default or as configured.
    expect(row?.record.price_lines).toHaveLength(2);
    await expectBalanced(gateway, accountId, ten);
  });

  test.each(["plain", "azure"] as const)(
    "gpt-5-mini answers 28/50/78 through the %s client",
    async (name) => {
      const { accountId, key } = await gateway.customer("10");
      const answer = await clients(key)[name].chat.completions.create({
        model: "gpt-5-mini",
        messages: azureHello,
        max_completion_tokens: 50,
      });
      expect(answer.usage?.total_tokens).toBe(78);
      expect(usageOf((await gateway.records(accountId))[0])).toBe("28/50/78 vendor");
      await expectBalanced(gateway, accountId, ten);
    },
  );

  test("gpt-5-mini through the plain client answers 31/50/81", async () => {
    const { accountId, key } = await gateway.customer("10");
    await clients(key).plain.chat.completions.create({
      model: "gpt-5-mini",
      messages: standardHello,
      max_completion_tokens: 50,
    });
    expect(usageOf((await gateway.records(accountId))[0])).toBe("31/50/81 vendor");
    await expectBalanced(gateway, accountId, ten);
  });

  test.each(["plain", "azure"] as const)(
    "streamed with usage gives 31/100/131 and one usage chunk to the %s client",
    async (name) => {
      const { accountId, key } = await gateway.customer("10");
      const stream = await clients(key)[name].chat.completions.create({
        model: "gpt-5-mini",
        messages: standardHello,
        max_completion_tokens: 100,
        stream: true,
        stream_options: { include_usage: true },
      });
      const totals: (number | undefined)[] = [];
      for await (const chunk of stream) if (chunk.usage) totals.push(chunk.usage.total_tokens);
      expect(totals).toEqual([131]);
      const [row] = await gateway.records(accountId);
      expect(usageOf(row)).toBe("31/100/131 vendor");
      expect(row?.reasoning).toBe(100);
      await expectBalanced(gateway, accountId, ten);
    },
  );

  test("a client that did not ask sees no usage and no extra chunk, and is charged exactly all the same", async () => {
    const { accountId, key } = await gateway.customer("10");
    const body = JSON.parse(
      readFileSync(new URL("../fixtures/requests/azure-gpt5chat-100-stream.json", import.meta.url), "utf8"),
    );
    const text = await (await gateway.post("/v1/chat/completions", key, body)).text();
    expect(text).not.toContain('"usage"');
    const events = text.split("\n\n").filter((event) => event !== "");
    expect(events).toHaveLength(10); // the nine chunks and [DONE]
    expect(events.at(-1)).toBe("data: [DONE]");
    expect(usageOf((await gateway.records(accountId))[0])).toBe("29/7/36 vendor");
  });

  test("an api-version that refuses stream_options comes out as estimated, 29 + 6 = 35", async () => {
    const { accountId, key } = await gateway.customer("10");
    const stream = await clients(key).plain.chat.completions.create({
      model: "old-chat",
      messages: azureHello,
      max_tokens: 100,
      stream: true,
    });
    let text = "";
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    expect(text).toBe("Hello from Azure OpenAI!");
    const [row] = await gateway.records(accountId);
    expect(usageOf(row)).toBe("29/6/35 estimated");
    expect(row?.record.usage).toMatchObject({
      method: "tokenizer",
      bound: "exact_in_practice",
      reason: "vendor_sends_none",
    });
    await expectBalanced(gateway, accountId, ten);
  });
});
