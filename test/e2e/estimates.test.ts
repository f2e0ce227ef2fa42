/** Estimates beside the vendor's usage: made in the background, kept, and learned from. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/server.ts";
import { type RequestRow, startTestGateway, type TestGateway } from "../support/gateway.ts";

let simulator: Simulator;
let gateway: TestGateway;
beforeAll(async () => {
  simulator = await startSimulator({ profile: "azure" });
  const endpoint = (more: string): string =>
    `{ kind: azure, base_url: "${simulator.url}", api_key: k, api_version: ${more} }`;
  gateway = await startTestGateway({
    yaml: `
estimates: { sample_rate: 0 }
endpoints:
  azure: ${endpoint("2024-12-01-preview")}
  old: ${endpoint("2024-06-01")}
models:
  gpt-4.1-nano: { deployments: [{ endpoint: azure, deployment: gpt-4.1-nano }] }
  gpt-5-mini: { deployments: [{ endpoint: azure, deployment: gpt-5-mini }] }
  gpt-5-chat: { deployments: [{ endpoint: azure, deployment: gpt-5-chat }] }
  old-chat: { deployments: [{ endpoint: old, deployment: gpt-4.1-nano, model: gpt-4.1-nano }] }
`,
  });
});
afterAll(async () => {
  await gateway.close(1_000);
  await simulator.close();
});

const until = async <T>(look: () => Promise<T | undefined>): Promise<T> => {
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
async function ask(model: string, text: string, more: object = {}): Promise<RequestRow> {
  const { accountId, key } = await gateway.customer("100");
  const cap = model.startsWith("gpt-5-mini") ? { max_completion_tokens: 900 } : { max_tokens: 200 };
  await (
    await gateway.post("/v1/chat/completions", key, {
      model,
      messages: [{ role: "user", content: text }],
      ...cap,
      ...more,
    })
  ).text();
  return (await gateway.records(accountId))[0] as RequestRow;
}
const sampleOf = (id: string) =>
  until(
    async () =>
      (
        await gateway.db.query<Record<string, unknown>>("select * from usage_samples where request_id = $1", [
          id,
        ])
      )[0],
  );
const lessonOf = (deployment: string, name: string) =>
  until(
    async () =>
      (
        await gateway.db.query<{ value: { tokens: number } }>(
          "select value from lessons where deployment = $1 and lesson = $2",
          [deployment, name],
        )
      )[0],
  );

describe("an estimate beside the vendor's usage", () => {
  test("is kept with its request after the answer, with what simpler counting would have said", async () => {
    const text = "Tell of gates [[sim:tokens=9]]";
    const row = await ask("gpt-4.1-nano", text);
    const sample = await sampleOf(row.id);
    expect(sample).toMatchObject({
      endpoint: "azure",
      deployment: "gpt-4.1-nano",
      kind: "plain",
      input: row.input,
      output: 9,
      estimated_input: row.input,
      estimated_output: 9,
      input_characters: text.length,
    });
    const [later] = await gateway.db.query<{ estimate: unknown }>(
      "select record -> 'estimate' as estimate from requests where id = $1",
      [row.id],
    );
    expect(later?.estimate).toEqual({ input: row.input, output: 9 });
  });

  test("says what it is good at: reasoning and tools apart", async () => {
    const thinking = await sampleOf((await ask("gpt-5-mini", "Think [[sim:tokens=9 reasoning=64]]")).id);
    expect(thinking).toMatchObject({ kind: "reasoning", reasoning: 64 });
    expect(Number(thinking["estimated_output"])).toBeLessThan(Number(thinking["output"]));
    const tools = [
      { type: "function", function: { name: "f", parameters: { type: "object", properties: {} } } },
    ];
    expect(await sampleOf((await ask("gpt-5-chat", "x [[sim:tokens=3]]", { tools })).id)).toMatchObject({
      kind: "tools",
    });
  });

  test("is made for the first requests of a deployment and then for the share that is asked for: none here", async () => {
    for (let i = 0; i < 6; i += 1) await ask("gpt-5-chat", `Tell ${i} [[sim:tokens=3]]`);
    await lookLong();
    const [row] = await gateway.db.query<{ n: number }>(
      "select count(*)::int as n from usage_samples where deployment = 'gpt-5-chat' and kind = 'plain'",
    );
    expect(row?.n).toBe(3);
  });
});

const lookLong = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 150));

describe("what a deployment adds to the input", () => {
  test("is learned from requests that report usage, and used where none is reported", async () => {
    for (let i = 0; i < 4; i += 1) await ask("gpt-5-mini", `Think of ${i} [[sim:tokens=3 reasoning=0]]`);
    // gpt-5-mini bills one token less than the published rule says (dialect §6.3).
    expect((await lessonOf("gpt-5-mini", "input_overhead")).value.tokens).toBe(-1);
    const row = await ask("gpt-5-mini", "Think again [[sim:tokens=3 fault=no_usage]]");
    expect([row.source, row.input]).toEqual(["estimated", simulator.bill().at(-1)?.input]);
    expect(row.record.usage.bound).toBe("lower_bound"); // hidden reasoning
  });

  test("is learned for tools apart", async () => {
    const tools = [
      {
        type: "function",
        function: {
          name: "open_gate",
          description: "Opens it.",
          parameters: { type: "object", properties: { gate: { type: "string", description: "Which." } } },
        },
      },
    ];
    for (let i = 0; i < 4; i += 1) await ask("gpt-4.1-nano", `Open ${i} [[sim:tokens=3]]`, { tools });
    const { value } = await lessonOf("gpt-4.1-nano", "input_overhead tools");
    expect(value.tokens).not.toBe(0);
    const row = await ask("gpt-4.1-nano", "Open more [[sim:tokens=3 fault=no_usage]]", { tools });
    expect([row.source, row.input, row.record.usage.bound]).toEqual([
      "estimated",
      simulator.bill().at(-1)?.input,
      "lower_bound",
    ]);
  });
});

describe("an answer without usage", () => {
  test("that stopped at the cap is billed the cap", async () => {
    const row = await ask("gpt-5-mini", "Think hard [[sim:tokens=9 reasoning=640 fault=no_usage]]", {
      max_completion_tokens: 100,
    });
    expect([row.source, row.record.usage.method, row.output, simulator.bill().at(-1)?.output]).toEqual([
      "estimated",
      "cap_reached",
      100,
      100,
    ]);
  });

  test("that Azure's older versions give in every stream is exact in practice for plain text, a lower bound otherwise", async () => {
    const row = await ask("old-chat", "Tell of gates [[sim:tokens=9]]", { stream: true });
    const line = simulator.bill().at(-1);
    expect([row.input, row.output, row.record.usage.bound, row.record.usage.reason]).toEqual([
      line?.input,
      line?.output,
      "exact_in_practice",
      "vendor_sends_none",
    ]);
    const own = await ask("gpt-4.1-nano", "Tell of my data [[sim:tokens=9]]", {
      stream: true,
      stream_options: { include_usage: true },
      data_sources: [{ type: "azure_search", parameters: {} }],
    });
    expect([own.source, own.record.usage.bound]).toEqual(["estimated", "lower_bound"]);
    expect(own.record.rewrites).toContainEqual({
      parameter: "stream_options",
      action: "dropped",
      to: null,
      reason: "refused together with data_sources",
    });
    expect(simulator.requests().at(-1)?.body.toString()).not.toContain("stream_options");
  });
});
