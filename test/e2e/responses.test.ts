/** The Responses API: streamed, whole, in the background; what was stored is its maker's alone. */
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/server.ts";
import { createVerification } from "../../src/store/verify.ts";
import { newPostgresUrl } from "../support/databases.ts";
import { type RequestRow, startTestGateway, type TestGateway, usageOf } from "../support/gateway.ts";

let simulator: Simulator;
let gateway: TestGateway;
let databaseUrl: string;
const yaml = (): string => `
ledger: { recovery_ms: 2000 }
endpoints:
  openai: { kind: openai, base_url: "${simulator.url}/v1", api_key: k }
  other: { kind: openai, base_url: "${simulator.url}/v1", api_key: k }
  cancelling: { kind: openai, base_url: "${simulator.url}/v1", api_key: k, on_disconnect: cancel }
models:
  gpt-5.2: { hosted_tools: [code_interpreter], deployments: [{ endpoint: openai, deployment: gpt-5.2 }, { endpoint: other, deployment: gpt-5.2 }] }
  elsewhere: { deployments: [{ endpoint: other, deployment: gpt-4.1, model: gpt-4.1 }] }
  cancelling: { deployments: [{ endpoint: cancelling, deployment: gpt-5.2, model: gpt-5.2 }] }
`;
beforeAll(async () => {
  simulator = await startSimulator({ profile: "openai" });
  databaseUrl = await newPostgresUrl();
  gateway = await startTestGateway({ yaml: yaml(), databaseUrl });
});
afterAll(async () => {
  await gateway.close(1_000);
  await simulator.close();
});

const clientOf = (key: string, at: TestGateway = gateway): OpenAI =>
  new OpenAI({ apiKey: key, baseURL: `${at.url}/v1`, maxRetries: 0 });
const settled = async (accountId: string, at: TestGateway = gateway): Promise<RequestRow> => {
  for (;;) {
    const [row] = await at.records(accountId);
    if (row !== undefined) return row;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
const lastBill = (): string => {
  const line = simulator.bill().at(-1);
  return `${line?.input}/${line?.output}`;
};
const used = (row: RequestRow): string => `${row.input}/${row.output}`;

describe("a response", () => {
  test("in one piece is read, continued and deleted by the account that made it", async () => {
    const { accountId, key } = await gateway.customer("10");
    const client = clientOf(key);
    const { data: made, response } = await client.responses
      .create({ model: "gpt-5.2", input: "Hello [[sim:tokens=5]]" })
      .withResponse();
    expect(made.status).toBe("completed");
    expect(response.headers.get("x-tollgate-usage-source")).toBe("vendor");
    const first = await settled(accountId);
    expect([used(first), first.charge === "0"]).toEqual([lastBill(), false]);
    expect(await client.responses.retrieve(made.id)).toEqual(made);
    const next = await client.responses.create({
      model: "gpt-5.2",
      input: "And now?",
      previous_response_id: made.id,
    });
    expect(next.usage?.input_tokens).toBeGreaterThan(made.usage?.input_tokens ?? 0);
    const [second] = await gateway.records(accountId);
    expect(second?.record.attempts[0].endpoint).toBe("openai"); // where the first one is stored
    await client.responses.delete(made.id);
    await expect(client.responses.retrieve(made.id)).rejects.toMatchObject({
      status: 404,
      code: "stored_object_not_found",
    });
    // Reading and deleting cost nothing and leave no request behind.
    expect(await gateway.records(accountId)).toHaveLength(2);
  });

  test("in a stream is the same events, and its usage is charged", async () => {
    const { accountId, key } = await gateway.customer("10");
    const stream = await clientOf(key).responses.create({
      model: "gpt-5.2",
      input: "Hello [[sim:tokens=5]]",
      stream: true,
    });
    const types: string[] = [];
    for await (const event of stream) types.push(event.type);
    expect(types[0]).toBe("response.created");
    expect(types.at(-1)).toBe("response.completed");
    const row = await settled(accountId);
    expect([usageOf(row).split(" ")[1], used(row)]).toEqual(["vendor", lastBill()]);
  });

  test("whose stream breaks off is read again where it is stored, so that its charge is exact", async () => {
    const { accountId, key } = await gateway.customer("10");
    const sent = { model: "gpt-5.2", input: "Hello [[sim:tokens=20 fault=drop after=10]]", stream: true };
    const text = await (await gateway.post("/v1/responses", key, sent)).text();
    expect(text).toMatch(/data: \{"error":\{.*"code":"upstream_cut"\}\}\n\n$/);
    const row = await settled(accountId);
    expect([row.outcome, row.source, used(row)]).toEqual(["vendor_cut", "vendor", lastBill()]);
    const unstored = await gateway.customer("10");
    await (await gateway.post("/v1/responses", unstored.key, { ...sent, store: false })).text();
    const other = await settled(unstored.accountId);
    expect([other.outcome, other.source, other.record.usage.bound]).toEqual([
      "vendor_cut",
      "estimated",
      "lower_bound",
    ]);
  });

  test("of another account cannot be read, deleted, cancelled, continued or named", async () => {
    const owner = clientOf((await gateway.customer("10")).key);
    const { accountId, key } = await gateway.customer("10");
    const stranger = clientOf(key);
    const made = await owner.responses.create({ model: "gpt-5.2", input: "Secret" });
    const item = made.output.find((one) => one.type === "message")?.id ?? "";
    const before = simulator.requests().length;
    const refused = { status: 404, code: "stored_object_not_found" };
    await expect(stranger.responses.retrieve(made.id)).rejects.toMatchObject(refused);
    await expect(stranger.responses.delete(made.id)).rejects.toMatchObject(refused);
    await expect(stranger.responses.cancel(made.id)).rejects.toMatchObject(refused);
    await expect(
      stranger.responses.create({ model: "gpt-5.2", input: "x", previous_response_id: made.id }),
    ).rejects.toMatchObject(refused);
    await expect(
      stranger.responses.create({ model: "gpt-5.2", input: [{ type: "item_reference", id: item }] }),
    ).rejects.toMatchObject(refused);
    await expect(
      stranger.responses.create({
        model: "gpt-5.2",
        input: "x",
        tools: [{ type: "code_interpreter", container: "cntr_of_somebody" }],
      }),
    ).rejects.toMatchObject(refused);
    expect(simulator.requests().length).toBe(before);
    expect(await gateway.records(accountId)).toEqual([]);
    expect((await owner.responses.retrieve(made.id)).id).toBe(made.id);
  });

  test("that was not stored cannot be read", async () => {
    const client = clientOf((await gateway.customer("10")).key);
    const made = await client.responses.create({ model: "gpt-5.2", input: "Hello", store: false });
    await expect(client.responses.retrieve(made.id)).rejects.toMatchObject({ status: 404 });
  });

  test("stays with the vendor that stores it", async () => {
    const client = clientOf((await gateway.customer("10")).key);
    const made = await client.responses.create({ model: "elsewhere", input: "Hello" });
    await expect(
      client.responses.create({ model: "cancelling", input: "x", previous_response_id: made.id }),
    ).rejects.toMatchObject({
      status: 404,
      code: "stored_object_not_found",
    });
  });

  test.each([
    ["a stored conversation", { conversation: "conv_1" }],
    ["a stored prompt", { prompt: { id: "pmpt_1" } }],
    ["a file", { input: [{ role: "user", content: [{ type: "input_file", file_id: "file_1" }] }] }],
    [
      "a larger container",
      { tools: [{ type: "code_interpreter", container: { type: "auto", memory_limit: "4g" } }] },
    ],
    ["a hosted tool that is not enabled", { tools: [{ type: "web_search" }] }],
    ["a tool nobody knows", { tools: [{ type: "mcp", server_url: "https://example.com" }] }],
  ])("that leans on %s is refused before the vendor is called", async (_what, more) => {
    const { key } = await gateway.customer("10");
    const before = simulator.requests().length;
    const answer = await gateway.post("/v1/responses", key, { model: "gpt-5.2", input: "x", ...more });
    expect([answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([
      400,
      "unsupported_feature",
    ]);
    expect(simulator.requests().length).toBe(before);
  });

  test("cannot be streamed again, and has no other routes", async () => {
    const { key } = await gateway.customer("10");
    const status = async (method: string, path: string): Promise<number> =>
      (await fetch(`${gateway.url}${path}`, { method, headers: { authorization: `Bearer ${key}` } })).status;
    expect(await status("GET", "/v1/responses/resp_1?stream=true")).toBe(400);
    for (const path of [
      "/v1/responses/resp_1/input_items",
      "/v1/responses/input_tokens",
      "/v1/responses/compact",
      "/v1/conversations",
    ]) {
      expect(await status("POST", path)).toBe(404);
    }
  });
});

describe("a background run", () => {
  const open = (): Promise<{ n: number }[]> => gateway.db.query("select count(*)::int as n from holds");

  test("is held for until it ends, and then charged as the vendor reports", async () => {
    const { accountId, key } = await gateway.customer("10");
    const client = clientOf(key);
    const { data: queued, response } = await client.responses
      .create({ model: "gpt-5.2", input: "Hello [[sim:tokens=30 tps=60]]", background: true })
      .withResponse();
    expect([queued.status, queued.usage ?? null]).toEqual(["queued", null]);
    expect(response.headers.get("x-tollgate-charge")).toBe(null);
    expect(await gateway.records(accountId)).toEqual([]);
    expect((await gateway.balance(accountId)).held).not.toBe("0");
    await expect(client.responses.delete(queued.id)).rejects.toMatchObject({
      status: 409,
      code: "response_still_running",
    });
    const row = await settled(accountId);
    expect([row.outcome, row.source, used(row)]).toEqual(["complete", "vendor", lastBill()]);
    expect((await gateway.balance(accountId)).held).toBe("0");
    const read = await client.responses.retrieve(queued.id);
    expect([read.status, read.usage?.output_tokens]).toEqual(["completed", row.output]);
    expect(row.record.attempts).toHaveLength(1);
    await client.responses.delete(queued.id);
  });

  test("is settled by whoever reads its end first", async () => {
    const { accountId, key } = await gateway.customer("10");
    const client = clientOf(key);
    const queued = await client.responses.create({
      model: "gpt-5.2",
      input: "Hello [[sim:tokens=3]]",
      background: true,
    });
    await simulator.idle();
    expect((await client.responses.retrieve(queued.id)).status).toBe("completed");
    const [row] = await gateway.records(accountId);
    expect([row?.source, row === undefined ? "" : used(row)]).toEqual(["vendor", lastBill()]);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await gateway.records(accountId)).toHaveLength(1);
  });

  test("that is cancelled has no usage: its input is charged as an estimate", async () => {
    const { accountId, key } = await gateway.customer("10");
    const client = clientOf(key);
    const queued = await client.responses.create({
      model: "gpt-5.2",
      input: "Hello [[sim:tokens=900 tps=20]]",
      background: true,
    });
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect((await client.responses.cancel(queued.id)).status).toBe("cancelled");
    const row = await settled(accountId);
    expect([row.outcome, row.source, row.record.usage.bound, row.record.usage.reason]).toEqual([
      "client_left",
      "estimated",
      "lower_bound",
      "client_left",
    ]);
    await simulator.idle();
    const line = simulator.bill().at(-1);
    expect(row.input).toBe(line?.input);
    expect(row.output).toBeLessThanOrEqual(line?.output ?? 0);
  });

  test("outlives the process that began it", async () => {
    const { accountId, key } = await gateway.customer("10");
    const first = await startTestGateway({ yaml: yaml(), databaseUrl });
    const queued = await clientOf(key, first).responses.create({
      model: "gpt-5.2",
      input: "Hello [[sim:tokens=60 tps=50]]",
      background: true,
    });
    await first.close(0);
    const row = await settled(accountId);
    expect([row.outcome, row.source, used(row)]).toEqual(["complete", "vendor", lastBill()]);
    expect((await clientOf(key).responses.retrieve(queued.id)).status).toBe("completed");
  });

  test("that is streamed and left goes on, and is charged when it has ended", async () => {
    const { accountId, key } = await gateway.customer("10");
    const stream = await clientOf(key).responses.create({
      model: "cancelling",
      input: "Hello [[sim:tokens=40 tps=80]]",
      background: true,
      stream: true,
    });
    for await (const event of stream) if (event.type === "response.output_text.delta") break;
    const row = await settled(accountId);
    expect([row.source, used(row)]).toEqual(["vendor", lastBill()]);
  });

  test("is given back as the first result for its Idempotency-Key, once charged", async () => {
    const { accountId, key } = await gateway.customer("10");
    const body = { model: "gpt-5.2", input: "Hello [[sim:tokens=20 tps=60]]", background: true };
    const init = { headers: { "idempotency-key": "run-1" } };
    const one = await (await gateway.post("/v1/responses", key, body, init)).text();
    expect(await (await gateway.post("/v1/responses", key, body, init)).text()).toBe(one);
    const checks = await createVerification(gateway.db).verify({ recoveryMs: 60_000 });
    expect(checks.filter((check) => !check.ok)).toEqual([]);
    await settled(accountId);
    expect(await gateway.records(accountId)).toHaveLength(1);
  });

  test("needs to be stored", async () => {
    const { key } = await gateway.customer("10");
    const answer = await gateway.post("/v1/responses", key, {
      model: "gpt-5.2",
      input: "x",
      background: true,
      store: false,
    });
    expect(answer.status).toBe(400);
  });

  test("leaves nothing held", async () => {
    expect(await open()).toEqual([{ n: 0 }]);
    const checks = await createVerification(gateway.db).verify({ recoveryMs: 60_000 });
    expect(checks.filter((check) => !check.ok)).toEqual([]);
  });
});
