/** The same request again, with an Idempotency-Key: the first result, the same bytes, one charge. And what keys may ask to see. */
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/server.ts";
import { createVerification } from "../../src/store/verify.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";

let simulator: Simulator;
let gateway: TestGateway;
beforeAll(async () => {
  simulator = await startSimulator({ profile: "openai" });
  const endpoint = `kind: openai, base_url: "${simulator.url}/v1", api_key: k`;
  gateway = await startTestGateway({
    yaml: `
credits: { usd: "0.01", name: token }
estimates: { sample_rate: 0 }
endpoints:
  openai: { ${endpoint} }
  cancelling: { ${endpoint}, on_disconnect: cancel }
models:
  nano: { deployments: [{ endpoint: openai, deployment: gpt-4.1-nano, model: gpt-4.1-nano }] }
  cancelling: { deployments: [{ endpoint: cancelling, deployment: gpt-4.1-nano, model: gpt-4.1-nano }] }
  gpt-5.2: { deployments: [{ endpoint: openai, deployment: gpt-5.2 }] }
`,
  });
});
afterAll(async () => {
  const checks = await createVerification(gateway.db).verify({ recoveryMs: 60_000 });
  expect(checks.filter((check) => !check.ok)).toEqual([]);
  await gateway.close(1_000);
  await simulator.close();
});

const chat = (directives: string, more: object = {}) => ({
  model: "nano",
  messages: [{ role: "user", content: `Tell. [[sim:${directives}]]` }],
  max_tokens: 200,
  ...more,
});
const once = (key: string): RequestInit => ({ headers: { "idempotency-key": key } });
const settledRows = async (
  accountId: string,
  count: number,
): Promise<Awaited<ReturnType<TestGateway["records"]>>> => {
  for (;;) {
    const rows = await gateway.records(accountId);
    if (rows.length >= count) return rows;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

describe("a repeated request", () => {
  test.each([
    ["whole", { stream: false }],
    ["streamed", { stream: true }],
    ["streamed with usage", { stream: true, stream_options: { include_usage: true } }],
  ])(
    "%s gets the same bytes, the same type and the same request id, and is charged once",
    async (_how, more) => {
      const { accountId, key } = await gateway.customer("100");
      const body = chat("tokens=20", more);
      const first = await gateway.post("/v1/chat/completions", key, body, once("k"));
      const text = await first.text();
      const before = simulator.requests().length;
      const again = await gateway.post("/v1/chat/completions", key, body, once("k"));
      expect(await again.text()).toBe(text);
      expect([again.status, again.headers.get("content-type"), again.headers.get("x-request-id")]).toEqual([
        200,
        first.headers.get("content-type"),
        first.headers.get("x-request-id"),
      ]);
      expect([first.headers.get("idempotency-replayed"), again.headers.get("idempotency-replayed")]).toEqual([
        null,
        "true",
      ]);
      expect(simulator.requests().length).toBe(before);
      expect(await gateway.records(accountId)).toHaveLength(1);
    },
  );

  test("of a client that left in the middle gets the whole answer", async () => {
    const { accountId, key } = await gateway.customer("100");
    const body = chat("tokens=30 tps=300", { stream: true });
    const abort = new AbortController();
    const first = await gateway.post("/v1/chat/completions", key, body, {
      ...once("k"),
      signal: abort.signal,
    });
    const reader = first.body?.getReader();
    await reader?.read();
    abort.abort();
    await settledRows(accountId, 1);
    const again = await (await gateway.post("/v1/chat/completions", key, body, once("k"))).text();
    expect(again.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(again.match(/"content":"[^"]/g)?.length).toBe(30);
    expect(await gateway.records(accountId)).toHaveLength(1);
  });

  test("while the first one runs is told so; with another body it is refused", async () => {
    const { key } = await gateway.customer("100");
    const running = gateway.post("/v1/chat/completions", key, chat("tokens=5 latency_ms=200"), once("k"));
    await new Promise((resolve) => setTimeout(resolve, 80));
    const second = await gateway.post(
      "/v1/chat/completions",
      key,
      chat("tokens=5 latency_ms=200"),
      once("k"),
    );
    expect([second.status, ((await second.json()) as { error: { code: string } }).error.code]).toEqual([
      409,
      "idempotency_in_progress",
    ]);
    await (await running).text();
    const other = await gateway.post("/v1/chat/completions", key, chat("tokens=6"), once("k"));
    expect([other.status, ((await other.json()) as { error: { code: string } }).error.code]).toEqual([
      422,
      "idempotency_key_reused",
    ]);
  });

  test("gets the vendor's refusal again, without asking it again", async () => {
    const { key } = await gateway.customer("100");
    const body = chat("tokens=5", { temperature: 9 });
    const first = await gateway.post("/v1/chat/completions", key, body, once("k"));
    const text = await first.text();
    const before = simulator.requests().length;
    const again = await gateway.post("/v1/chat/completions", key, body, once("k"));
    expect([again.status, await again.text(), simulator.requests().length]).toEqual([400, text, before]);
  });

  test("after a failure that cost nothing runs anew", async () => {
    const { accountId, key } = await gateway.customer("100");
    const body = chat("tokens=5 fault=500 times=1");
    const first = await gateway.post("/v1/chat/completions", key, body, once("k"));
    expect(first.status).toBe(502);
    const again = await gateway.post("/v1/chat/completions", key, body, once("k"));
    expect([again.status, again.headers.get("idempotency-replayed")]).toEqual([200, null]);
    await again.text();
    expect((await gateway.records(accountId)).filter((row) => row.charge !== "0")).toHaveLength(1);
  });

  test("of an answer larger than 8 MiB is told that it was not kept", async () => {
    const { accountId, key } = await gateway.customer("100");
    const body = chat(`tokens=4 fault=huge_line bytes=${9 * 1024 * 1024}`, { stream: true });
    const first = await (await gateway.post("/v1/chat/completions", key, body, once("k"))).text();
    expect(first.length).toBeGreaterThan(9 * 1024 * 1024);
    const again = await gateway.post("/v1/chat/completions", key, body, once("k"));
    expect([again.status, ((await again.json()) as { error: { code: string } }).error.code]).toEqual([
      409,
      "idempotency_result_not_kept",
    ]);
    expect(again.headers.get("x-should-retry")).toBe("false");
    expect(await gateway.records(accountId)).toHaveLength(1);
  });

  test("of one that was cancelled before there was an answer is told that it was charged", async () => {
    const { accountId, key } = await gateway.customer("100");
    const body = { ...chat("tokens=5 latency_ms=300"), model: "cancelling" };
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 100);
    await gateway
      .post("/v1/chat/completions", key, body, { ...once("k"), signal: abort.signal })
      .catch(() => undefined);
    const [row] = await settledRows(accountId, 1);
    expect([row?.outcome, row?.source, row?.charge === "0"]).toEqual(["client_left", "estimated", false]);
    const again = await gateway.post("/v1/chat/completions", key, body, once("k"));
    expect([again.status, ((await again.json()) as { error: { code: string } }).error.code]).toEqual([
      409,
      "idempotency_result_not_kept",
    ]);
  });

  test("whose first run ended without a result is told so once a minute has passed", async () => {
    const { accountId, key } = await gateway.customer("100");
    const body = chat("tokens=5");
    await (await gateway.post("/v1/chat/completions", key, body, once("k"))).text();
    // As after a crash between the charge and the keeping of the answer.
    await gateway.db.query(
      "update idempotency set status = null, headers = null, body = null where scope = $1",
      [accountId],
    );
    await gateway.db.query(
      "update requests set settled_at = settled_at - interval '2 minutes' where account_id = $1",
      [accountId],
    );
    expect(
      await gateway.ports.results.seal({
        status: 500,
        headers: { "content-type": "application/json" },
        body: Buffer.from('{"error":{"code":"interrupted"}}'),
      }),
    ).toBe(1);
    const again = await gateway.post("/v1/chat/completions", key, body, once("k"));
    expect([again.status, await again.text()]).toEqual([500, '{"error":{"code":"interrupted"}}']);
    expect(await gateway.records(accountId)).toHaveLength(1);
  });
});

describe("the cost in the answer, for keys that ask for it", () => {
  const inCredits = (pusd: string): string => {
    const padded = pusd.padStart(11, "0");
    return `${padded.slice(0, -10)}.${padded.slice(-10)}`.replace(/\.?0+$/, "");
  };

  test("stands in the usage, exact and in credits, in one piece and in a stream", async () => {
    const { accountId, key } = await gateway.customer("100", { settings: { usageCost: true } });
    const client = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
    const messages = [{ role: "user" as const, content: "Tell. [[sim:tokens=7]]" }];
    const whole = await client.chat.completions.create({ model: "nano", messages, max_tokens: 50 });
    const amount = inCredits((await gateway.records(accountId))[0]?.charge ?? "");
    expect(whole.usage).toMatchObject({
      completion_tokens: 7,
      cost: Number(amount),
      cost_details: { amount, currency: "token", status: "exact" },
    });
    const stream = await client.chat.completions.create({
      model: "nano",
      messages,
      max_tokens: 50,
      stream: true,
      stream_options: { include_usage: true },
    });
    const costs: unknown[] = [];
    for await (const chunk of stream) if (chunk.usage) costs.push(chunk.usage);
    expect(costs).toEqual([whole.usage]);
    const response = await client.responses.create({
      model: "gpt-5.2",
      input: "Tell. [[sim:tokens=7]]",
      max_output_tokens: 300,
    });
    expect(response.usage).toMatchObject({ cost_details: { status: "exact" } });
    const events = await client.responses.create({
      model: "gpt-5.2",
      input: "Tell. [[sim:tokens=7]]",
      max_output_tokens: 300,
      stream: true,
    });
    for await (const event of events)
      if (event.type === "response.completed")
        expect(event.response.usage).toMatchObject({ cost_details: { status: "exact" } });
  });

  test("is not shown to a stream that did not ask for usage, nor to other keys", async () => {
    const asking = await gateway.customer("100", { settings: { usageCost: true } });
    const plain = await gateway.customer("100");
    const bare = await (
      await gateway.post("/v1/chat/completions", asking.key, chat("tokens=7", { stream: true }))
    ).text();
    const other = await (await gateway.post("/v1/chat/completions", plain.key, chat("tokens=7"))).text();
    expect(`${bare}${other}`).not.toContain("cost");
    expect(bare).not.toContain("usage");
  });
});

test("every answer tells the request, the model, the endpoint and the hold", async () => {
  const { key } = await gateway.customer("100");
  const names = ["x-request-id", "x-tollgate-model", "x-tollgate-endpoint", "x-tollgate-hold"];
  const bodies = [
    chat("tokens=3"),
    chat("tokens=3", { stream: true }),
    chat("tokens=3 fault=500"),
    chat("tokens=3 fault=429"),
    chat("tokens=3", { temperature: 9 }),
  ];
  for (const body of bodies) {
    const answer = await gateway.post("/v1/chat/completions", key, body);
    await answer.text();
    expect(names.filter((name) => answer.headers.get(name) === null)).toEqual([]);
    expect(answer.headers.get("x-tollgate-charge") === null).toBe(
      answer.status !== 200 || answer.headers.get("content-type")?.startsWith("text/event-stream"),
    );
  }
});
