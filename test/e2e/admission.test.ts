import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/server.ts";
import { databaseKinds } from "../support/databases.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";

describe.each(databaseKinds)("admission on %s", (store) => {
  let simulator: Simulator;
  let gateway: TestGateway;
  beforeAll(async () => {
    simulator = await startSimulator({ profile: "openai", latencyMs: 400 });
    gateway = await startTestGateway({
      store,
      yaml: `
markup: "1.25"
credits: { usd: "0.01", name: credit }
endpoints: { openai: { kind: openai, base_url: "${simulator.url}/v1", api_key: k } }
models:
  gpt-4.1-nano: { deployments: [{ endpoint: openai, deployment: gpt-4.1-nano }] }
  unpriced: { deployments: [{ endpoint: openai, deployment: gpt-4.1-nano, model: no-such-model }] }
`,
    });
  });
  afterAll(async () => {
    await gateway.close(1_000);
    await simulator.close();
  });
  const body = {
    model: "gpt-4.1-nano",
    max_tokens: 1_000,
    messages: [{ role: "user" as const, content: 'Say "Hi" and nothing else.' }],
  };

  test("400 concurrent requests on a balance that covers about ten: the covered ones run, the others get 402", async () => {
    const { accountId, key } = await gateway.customer("0.6");
    const before = simulator.requests().length;
    const answers = await Promise.all(
      Array.from({ length: 400 }, () => gateway.post("/v1/chat/completions", key, body)),
    );
    const admitted = answers.filter((answer) => answer.status === 200).length;
    expect(admitted).toBeGreaterThanOrEqual(9);
    expect(admitted).toBeLessThan(60);
    expect(answers.filter((answer) => answer.status === 402)).toHaveLength(400 - admitted);
    expect(simulator.requests().length - before).toBe(admitted);
    const refused = answers.find((answer) => answer.status === 402);
    if (refused === undefined) throw new Error("none was refused");
    expect(refused.headers.get("x-should-retry")).toBe("false");
    const { error } = (await refused.json()) as {
      error: Record<string, unknown> & { metadata: Record<string, unknown> };
    };
    expect(error).toMatchObject({
      type: "insufficient_quota",
      code: "credit_balance_exhausted",
      param: null,
    });
    expect(error.metadata).toEqual({
      limit_source: "account_balance",
      required: expect.stringMatching(/^0\.\d+$/),
      available: expect.stringMatching(/^0(\.\d+)?$/),
      max_affordable_output_tokens: expect.toSatisfy(
        (value: unknown) => value === null || Number.isInteger(value),
      ),
      request_id: refused.headers.get("x-request-id"),
    });
    const { posted, held } = await gateway.balance(accountId);
    expect(BigInt(posted) >= 0n).toBe(true);
    expect(held).toBe("0");
    const charged = (await gateway.records(accountId)).filter((row) => row.state === "settled");
    expect(charged).toHaveLength(admitted);
    expect(charged.reduce((sum, row) => sum + BigInt(row.charge), BigInt(posted))).toBe(6_000_000_000n);
  });

  test("the answer's head tells hold, charge and source in credits", async () => {
    const { accountId, key } = await gateway.customer("100");
    const answer = await gateway.post("/v1/chat/completions", key, body);
    const [row] = await gateway.records(accountId);
    expect(answer.headers.get("x-request-id")).toBe(row?.id);
    expect(answer.headers.get("x-tollgate-model")).toBe(row?.model_served);
    expect(answer.headers.get("x-tollgate-endpoint")).toBe("openai");
    expect(answer.headers.get("x-tollgate-usage-source")).toBe("vendor");
    // Credits of one cent: pUSD / 10^10, exactly.
    expect(BigInt((answer.headers.get("x-tollgate-charge") ?? "").replace("0.", "").padEnd(10, "0"))).toBe(
      BigInt(row?.charge ?? 0),
    );
    expect(answer.headers.get("x-vendor-request-id")).toBeTruthy();
  });

  test("what cannot be billed is refused before the vendor is called", async () => {
    const { key } = await gateway.customer("100", { models: ["gpt-4.1-nano", "unpriced"] });
    const before = simulator.requests().length;
    const status = async (path: string, sent: unknown, secret = key): Promise<string> => {
      const answer = await gateway.post(path, secret, sent);
      const { error } = (await answer.json()) as { error: { code: string } };
      return `${answer.status} ${error.code}`;
    };
    expect(await status("/v1/chat/completions", { ...body, model: "unpriced" })).toBe("400 model_not_priced");
    expect(await status("/v1/chat/completions", { ...body, model: "nope" })).toBe("404 model_not_found");
    expect(await status("/v1/chat/completions", "{")).toBe("400 invalid_json");
    expect(
      await status("/v1/chat/completions", '{"model":"gpt-4.1-nano","model":"gpt-4.1-nano","messages":[]}'),
    ).toBe("400 duplicate_key");
    expect(await status("/v1/chat/completions", { ...body, n: "5" })).toBe("400 invalid_type");
    expect(await status("/v1/chat/completions", { ...body, web_search_options: {} })).toBe(
      "400 unsupported_feature",
    );
    expect(await status("/v1/chat/completions", body, "sk-tg-live-wrong")).toBe("401 invalid_api_key");
    expect(await status("/v1/images/generations", body)).toBe("404 unknown_url");
    expect(simulator.requests().length).toBe(before);
  });

  test("an Idempotency-Key counts for API keys that opted in, and for no others", async () => {
    const charges = async (idempotency: boolean): Promise<number> => {
      const { accountId, key } = await gateway.customer("100", {
        settings: { usageCost: false, idempotency },
      });
      const headers = { "idempotency-key": "once" };
      await gateway.post("/v1/chat/completions", key, body, { headers });
      await gateway.post("/v1/chat/completions", key, body, { headers });
      return (await gateway.records(accountId)).length;
    };
    expect(await charges(true)).toBe(1);
    expect(await charges(false)).toBe(2);
  });

  test("models are listed for the key that asks, if they have a price", async () => {
    const { key } = await gateway.customer("0");
    const client = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1` });
    const ids: string[] = [];
    for await (const model of client.models.list()) ids.push(model.id);
    expect(ids).toEqual(["gpt-4.1-nano"]);
    expect((await client.models.retrieve("gpt-4.1-nano")).id).toBe("gpt-4.1-nano");
    await expect(client.models.retrieve("unpriced")).rejects.toThrow(/404/);
  });
});
