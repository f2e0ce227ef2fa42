/** Requests in forms that clients do send: nulls, both limits, models in paths. What the vendor gets of them. */
import { request } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { type OddVendor, plain, sends, startOddVendor, wholeAnswer } from "../support/odd-vendor.ts";

let vendor: OddVendor;
let gateway: TestGateway;
let key: string;
beforeAll(async () => {
  vendor = await startOddVendor();
  vendor.talk = (response, request) =>
    vendor.bodies.at(-1)?.stream === true
      ? sends(plain)(response, request)
      : sends(JSON.stringify(wholeAnswer), { "content-type": "application/json" })(response, request);
  const model = (name: string, of: string): string =>
    `  "${name}": { deployments: [{ endpoint: v, deployment: ${of}, model: ${of} }] }`;
  gateway = await startTestGateway({
    yaml: `
estimates: { sample_rate: 0 }
endpoints: { v: { kind: openai, base_url: "${vendor.url}/v1", api_key: k } }
models:
${[model("nano", "gpt-4.1-nano"), model("mini", "gpt-5-mini"), model("org/nano:free", "gpt-4.1-nano")].join("\n")}
`,
  });
  ({ key } = await gateway.customer("1000"));
});
afterAll(async () => {
  await gateway.close(1_000);
  await vendor.close();
});
beforeEach(() => {
  vendor.bodies.length = 0;
});

const messages = [{ role: "user", content: "Hi" }];
const ask = (body: object, path = "/v1/chat/completions", init: RequestInit = {}): Promise<Response> =>
  gateway.post(path, key, body, init);
/** What the vendor got, without the messages. */
const sent = (): object => {
  const { messages: _same, ...rest } = vendor.bodies.at(-1) ?? {};
  return rest;
};
const asked = { stream: true, stream_options: { include_usage: true } };

describe("a field of null is as if it were not there", () => {
  test.each<[object, object]>([
    [{ max_tokens: null }, { max_tokens: 32_768 }],
    [{ max_completion_tokens: null }, { max_completion_tokens: null, max_tokens: 32_768 }],
    [
      { max_tokens: 50, max_completion_tokens: null },
      { max_tokens: 50, max_completion_tokens: null },
    ],
    [
      { max_tokens: 50, stream: null },
      { max_tokens: 50, stream: null },
    ],
    [
      { max_tokens: 50, stream_options: null },
      { max_tokens: 50, stream_options: null },
    ],
    [
      { max_tokens: 50, stream: true, stream_options: null },
      { max_tokens: 50, ...asked },
    ],
    [
      { max_tokens: 50, stream: true, stream_options: {} },
      { max_tokens: 50, ...asked },
    ],
    [
      { max_tokens: 50, stream: true, stream_options: { include_usage: null } },
      { max_tokens: 50, ...asked },
    ],
    [
      { max_tokens: 50, n: null },
      { max_tokens: 50, n: null },
    ],
    [
      { max_tokens: 50, service_tier: null, tools: null },
      { max_tokens: 50, service_tier: null, tools: null },
    ],
  ])("%j", async (more, want) => {
    const answer = await ask({ model: "nano", messages, ...more });
    expect([answer.status, sent()]).toEqual([200, { model: "gpt-4.1-nano", ...want }]);
    if (answer.headers.get("content-type")?.startsWith("text/event-stream"))
      expect(await answer.text()).not.toContain("usage");
  });

  test.each<[object, object]>([
    [
      { max_tokens: null, temperature: null },
      { max_completion_tokens: 128_000, temperature: null },
    ],
    [{ max_tokens: 50, max_completion_tokens: null }, { max_completion_tokens: 50 }],
    [{ max_tokens: null, max_completion_tokens: 50 }, { max_completion_tokens: 50 }],
    [{ max_tokens: 50, max_completion_tokens: 50 }, { max_completion_tokens: 50 }],
    [
      { max_tokens: 50, temperature: 1, top_p: 1 },
      { max_completion_tokens: 50, temperature: 1, top_p: 1 },
    ],
  ])("%j to a model that takes max_completion_tokens alone", async (more, want) => {
    const answer = await ask({ model: "mini", messages, ...more });
    expect([answer.status, sent()]).toEqual([200, { model: "gpt-5-mini", ...want }]);
  });
});

describe("the model", () => {
  test.each([
    ["org/nano:free", "/v1/chat/completions", 200],
    ["nobody's", "/openai/deployments/nano/chat/completions?api-version=2024-06-01", 200],
    ["nobody's", "/openai/deployments/org%2Fnano%3Afree/chat/completions?api-version=2024-06-01", 200],
    [undefined, "/openai/deployments/nano/chat/completions", 200],
    ["nano", "/openai/deployments/nobodys/chat/completions", 404],
    ["nobody's", "/v1/chat/completions", 404],
    [undefined, "/v1/chat/completions", 400],
    ["", "/v1/chat/completions", 400],
  ])("%j at %s", async (model, path, status) => {
    const answer = await ask({ model, messages, max_tokens: 50 }, path);
    expect([answer.status, vendor.bodies.map((body) => body.model)]).toEqual([
      status,
      status === 200 ? ["gpt-4.1-nano"] : [],
    ]);
  });

  test.each(["/v1/models", "/openai/v1/models", "/openai/models?api-version=2024-10-21"])(
    "is listed at %s",
    async (path) => {
      const answer = await fetch(`${gateway.url}${path}`, { headers: { "api-key": key } });
      const { data } = (await answer.json()) as { data: { id: string }[] };
      expect(data.map((one) => one.id).sort()).toEqual(["mini", "nano", "org/nano:free"]);
    },
  );
});

describe("a body", () => {
  const body = { model: "nano", messages, max_tokens: 50 };
  test("in chunks, of a client that waits for 100 Continue, is read", async () => {
    const text = JSON.stringify(body);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const call = request(
        `${gateway.url}/v1/chat/completions`,
        {
          method: "POST",
          headers: {
            authorization: `Bearer ${key}`,
            "content-type": "application/json",
            "transfer-encoding": "chunked",
            expect: "100-continue",
          },
        },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        },
      );
      call.on("error", reject);
      call.on("continue", () => {
        call.write(text.slice(0, 20));
        call.end(text.slice(20));
      });
      call.flushHeaders();
    });
    expect([status, sent()]).toEqual([200, { model: "gpt-4.1-nano", max_tokens: 50 }]);
  });

  test.each<[string, Record<string, string>, number]>([
    ["that says it is JSON in UTF-8", { "content-type": "application/json; charset=UTF-8" }, 200],
    [
      "that says it is a form, as curl does by itself",
      { "content-type": "application/x-www-form-urlencoded" },
      415,
    ],
    ["that is compressed", { "content-encoding": "gzip" }, 415],
  ])("%s is answered as it should be", async (_what, headers, status) => {
    expect((await ask(body, "/v1/chat/completions", { headers })).status).toBe(status);
  });
});
