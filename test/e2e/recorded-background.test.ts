/** The recorded life of a background run, however the network cuts its answers. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { type OddVendor, startOddVendor } from "../support/odd-vendor.ts";
import { type Cut, cuts, fixtures, piecesOf, readFixture } from "../support/replay.ts";

const recordedId = "resp_07482b892fe4ccaff2f5dc4b4a3772febe2962662bbd61ec0a";
let vendor: OddVendor;
let gateway: TestGateway;
let runs = 0;
beforeAll(async () => {
  vendor = await startOddVendor();
  gateway = await startTestGateway({
    yaml: `
estimates: { sample_rate: 0 }
endpoints: { v: { kind: openai, base_url: "${vendor.url}/v1", api_key: k } }
models: { gpt-5.2: { deployments: [{ endpoint: v, deployment: gpt-5.2 }] } }
`,
  });
});
afterAll(async () => {
  expect(await gateway.db.query("select 1 from holds")).toEqual([]);
  await gateway.close(1_000);
  await vendor.close();
});

/** Answers with recorded bytes, under an id of this run's own; the run ends as `end` says. */
function play(cut: Cut, end: "completed" | "cancelled"): { id: string; body: (state: string) => string } {
  runs += 1;
  const id = recordedId.slice(0, -3) + String(runs).padStart(3, "0");
  const body = (state: string): string => {
    const file = state === "cancelled" ? "cancelled" : `background-${state}`;
    return readFixture(`openai-responses-${file}.json`).toString().replaceAll(recordedId, id);
  };
  let state = "queued";
  vendor.talk = async (response, request) => {
    if (request.method === "GET" && end === "completed") state = end;
    if (request.url?.endsWith("/cancel")) state = "cancelled";
    response.writeHead(200, { "content-type": "application/json" });
    for (const piece of piecesOf(Buffer.from(body(state)), cut, 7)) {
      response.write(piece);
      if (cut !== "whole") await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  };
  return { id, body };
}

const begin = async (id: string): Promise<{ accountId: string; key: string; text: string }> => {
  const { accountId, key } = await gateway.customer("10");
  const answer = await gateway.post("/v1/responses", key, {
    model: "gpt-5.2",
    input: "Hi",
    background: true,
  });
  expect([answer.status, answer.headers.get("x-tollgate-charge")]).toEqual([200, null]);
  const text = await answer.text();
  expect(JSON.parse(text).id).toBe(id);
  return { accountId, key, text };
};
const call = (method: string, path: string, key: string): Promise<Response> =>
  fetch(`${gateway.url}/v1/responses/${path}`, { method, headers: { authorization: `Bearer ${key}` } });

describe.each(cuts)("cut: %s", (cut) => {
  test("queued and then completed: pending until its usage is read", async () => {
    const want = fixtures.find((one) => one.file === "openai-responses-background-completed.json")?.expect;
    const { id, body } = play(cut, "completed");
    const { accountId, key, text } = await begin(id);
    expect(text).toBe(body("queued"));
    expect(await gateway.records(accountId)).toEqual([]);
    expect((await gateway.balance(accountId)).held).not.toBe("0");
    expect(await (await call("GET", id, key)).text()).toBe(body("completed"));
    const [row] = await gateway.records(accountId);
    expect([row?.outcome, row?.source, row?.input, row?.output, row?.total]).toEqual([
      "complete",
      want?.source,
      want?.prompt,
      want?.completion,
      want?.total,
    ]);
  });

  test("queued and then cancelled: no usage, so an estimate of the input that says so", async () => {
    const { id, body } = play(cut, "cancelled");
    const { accountId, key } = await begin(id);
    expect(await (await call("POST", `${id}/cancel`, key)).text()).toBe(body("cancelled"));
    const [row] = await gateway.records(accountId);
    expect([
      row?.outcome,
      row?.source,
      row?.output,
      row?.record.usage.bound,
      row?.record.usage.reason,
    ]).toEqual(["client_left", "estimated", 0, "lower_bound", "client_left"]);
  });
});
