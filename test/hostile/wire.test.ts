/** The edge towards clients, byte by byte: routes, framing, headers, addresses, upgrades. */
import { type AddressInfo, createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { vendorKeyCanary } from "./support/canary.ts";
import { requestText, sendRaw } from "./support/raw-client.ts";
import { smuggling } from "./support/smuggling.ts";
import { unmeteredRoutes } from "./support/vendor-routes.ts";
import { type Customer, chat, evilChat, openWorld, verdict, type World } from "./support/world.ts";

let world: World;
let customer: Customer;
/** An address that nobody may ever call. */
let canaryHost: string;
let canaryCalls = 0;
const canaryServer = createServer((socket) => {
  canaryCalls += 1;
  socket.destroy();
});
beforeAll(async () => {
  world = await openWorld();
  customer = await world.customer("100");
  await new Promise<void>((resolve) => canaryServer.listen(0, "127.0.0.1", resolve));
  canaryHost = `http://127.0.0.1:${(canaryServer.address() as AddressInfo).port}`;
});
afterAll(async () => {
  canaryServer.close();
  await world.close();
});

const path = "/v1/chat/completions";
const raw = (text: string): Promise<Awaited<ReturnType<typeof sendRaw>>> =>
  sendRaw(world.port, [text], { quietMs: 400 });
const head = (line: string, headers: readonly string[] = []): string =>
  `${[line, "Host: gateway", ...headers].join("\r\n")}\r\n\r\n`;

test("row 30: no spelling of an admin path is open to a customer or to nobody", async () => {
  const spellings = [
    "/admin/v1/accounts",
    "//admin/v1/accounts",
    "/admin//v1/accounts",
    "/./admin/v1/accounts",
    "/v1/../admin/v1/accounts",
    "/v1/..%2fadmin/v1/accounts",
    "/%61dmin/v1/accounts",
    "/admin%2fv1/accounts",
    "/ADMIN/v1/accounts",
    "/admin/v1/accounts/",
    "/admin/v1/accounts;x=/v1/models",
    "/admin/v1/accounts?/v1/models",
    "/admin/v1/accounts#/v1/models",
    "/admin/v1/accounts%00",
    "http://gateway/admin/v1/accounts",
    "http://evil.example/admin/v1/accounts",
    "/admin/v1/%61ccounts",
    "/admin\\v1\\accounts",
    "/v1/models/../../admin/v1/accounts",
    "/openai/v1/../../admin/v1/accounts",
    "/admin/v1/ledger/entries",
    "/admin/v1/openapi.json/../accounts",
  ];
  const asCustomer = [`Authorization: Bearer ${customer.key}`];
  const tricks = [
    "Host: localhost",
    "X-Original-URL: /v1/models",
    "X-Rewrite-URL: /v1/models",
    "X-Forwarded-Host: admin",
    "X-Forwarded-Prefix: /admin/v1",
  ];
  const sent = spellings.flatMap((one) => [
    head(`GET ${one} HTTP/1.1`),
    head(`GET ${one} HTTP/1.1`, asCustomer),
    ...tricks.map((trick) => head(`GET ${one} HTTP/1.1`, [...asCustomer, trick])),
  ]);
  const answers = await Promise.all(sent.map(raw));
  const wrong = answers.flatMap((answer, index) =>
    answer.statuses.length === 1 && [400, 401, 403, 404].includes(answer.statuses[0] ?? 0)
      ? []
      : [`${answer.statuses} ← ${sent[index]?.split("\r\n")[0]}`],
  );
  expect(wrong).toEqual([]);
  for (const answer of answers) expect(answer.text).not.toContain(customer.accountId);
});

test("row 30: a path header or another host never turns one route into another", async () => {
  const body = JSON.stringify(chat());
  const good = { authorization: `Bearer ${customer.key}`, "content-type": "application/json" };
  const before = world.simulator.requests().length;
  const statuses: Record<string, number | undefined> = {};
  for (const [name, text] of Object.entries({
    "x-original-url": requestText("/v1/nothing", { ...good, "x-original-url": path }, body),
    "method override": requestText("/v1/models", { ...good, "x-http-method-override": "GET" }, body),
    "encoded slash": requestText("/v1/chat%2fcompletions", good, body),
    "double slash": requestText("/v1//chat/completions", good, body),
    "trailing slash": requestText("/v1/chat/completions/", good, body),
    "upper case": requestText("/V1/Chat/Completions", good, body),
    "no host": requestText(path, good, body).replace("host: gateway\r\n", ""),
    "two hosts": requestText(path, { ...good }, body).replace(
      "host: gateway\r\n",
      "host: gateway\r\nhost: evil.example\r\n",
    ),
  })) {
    statuses[name] = (await raw(text)).statuses[0];
  }
  expect(world.simulator.requests().length - before).toBeLessThanOrEqual(1);
  expect(statuses).toMatchObject({
    "x-original-url": 404,
    "method override": 404,
    "encoded slash": 404,
    "double slash": 404,
    "trailing slash": 404,
    "upper case": 404,
    "no host": 400,
  });
});

describe("row 31: a request that two servers could cut differently is refused and its connection closed", () => {
  test.each(smuggling)("row 31: $name", async ({ bytes, mayServe }) => {
    const before = world.simulator.requests().length + world.evil.seen.length;
    const answer = await raw(bytes(customer.key));
    const served = answer.statuses.filter((status) => status < 400);
    expect(served.length).toBeLessThanOrEqual(mayServe);
    expect(answer.text).not.toContain('"object":"list"');
    if (served.length === 0)
      expect([answer.isClosed, answer.statuses.every((status) => status >= 400 && status < 500)]).toEqual([
        true,
        true,
      ]);
    expect(world.simulator.requests().length + world.evil.seen.length - before).toBeLessThanOrEqual(mayServe);
  });
});

test("row 32: the vendor sees headers made from scratch, whatever the client sends", async () => {
  const headers = {
    "api-key": customer.key,
    "openai-organization": "org-evil",
    "openai-project": "proj_evil",
    "openai-beta": "assistants=v2",
    cookie: "a=b",
    "x-forwarded-for": "10.0.0.1",
    "x-forwarded-host": "evil.example",
    "x-real-ip": "10.0.0.1",
    forwarded: "for=10.0.0.1",
    via: "1.1 evil",
    "x-client-request-id": "mine",
    "x-request-id": "mine",
    "x-ms-client-request-id": "mine",
    traceparent: "00-aaaa-bbbb-01",
    baggage: "a=b",
    "x-stainless-lang": "js",
    "user-agent": "evil/1.0",
    "proxy-authorization": "Basic x",
    te: "trailers",
    "accept-encoding": "gzip, br, zstd",
    "accept-language": "de",
    "x-azure-ad-token": "x",
    "ocp-apim-subscription-key": "x",
    "x-sim-fault": "500",
    "anthropic-version": "1",
    priority: "u=0",
  };
  const lines = Object.entries({
    ...headers,
    authorization: `Bearer ${customer.key}`,
    "content-type": "application/json",
    connection: "x-client-request-id, authorization, keep-alive",
  });
  const answer = await raw(
    requestText(
      `${path}?api-version=2020-01-01&key=x`,
      Object.fromEntries(lines),
      JSON.stringify(evilChat("none")),
    ),
  );
  expect(answer.statuses).toEqual([200]);
  const seen = world.evil.seen.at(-1);
  const [line, ...sent] = (seen?.head ?? "").trim().split("\r\n");
  expect(line).toBe("POST /v1/chat/completions HTTP/1.1");
  const [row] = await world.records(customer.accountId);
  expect(sent.map((one) => one.toLowerCase()).sort()).toEqual(
    [
      `host: 127.0.0.1:${world.evil.port}`,
      "connection: keep-alive",
      "accept: application/json, text/event-stream",
      "accept-encoding: identity",
      "user-agent: tollgate",
      `x-client-request-id: ${row?.id}`,
      "content-type: application/json",
      `authorization: bearer ${vendorKeyCanary.toLowerCase()}`,
      `content-length: ${Buffer.byteLength(seen?.body ?? "")}`,
    ].sort(),
  );
});

test("row 33: nothing a client sends chooses the host, the path or the key", async () => {
  const names = [
    "x-portkey-custom-host",
    "x-custom-host",
    "x-base-url",
    "api-base",
    "base-url",
    "x-openai-base-url",
    "helicone-openai-api-base",
    "x-litellm-api-base",
    "x-upstream",
    "x-target-url",
  ];
  const headers = Object.fromEntries(names.map((name) => [name, canaryHost]));
  const fields = Object.fromEntries(
    [
      "api_base",
      "base_url",
      "custom_host",
      "endpoint",
      "proxy",
      "azure_endpoint",
      "organization",
      "api_key",
      "deployment",
    ].map((name) => [name, canaryHost]),
  );
  const query = new URLSearchParams({ ...fields, "api-version": canaryHost, model: canaryHost });
  expect(
    await verdict(await world.post(`${path}?${query}`, customer.key, evilChat("none", fields), { headers })),
  ).toBe("200");
  const seen = world.evil.seen.at(-1);
  expect(seen?.path).toBe("/v1/chat/completions");
  expect(seen?.head).toContain(`Bearer ${vendorKeyCanary}`);
  expect(
    await verdict(
      await world.post(`/openai/deployments/blue/chat/completions?${query}`, customer.key, chat()),
    ),
  ).toBe("200");
  expect(canaryCalls).toBe(0);
});

test("row 34: addresses in a request are text to Tollgate", async () => {
  const targets = [
    canaryHost,
    "http://169.254.169.254/latest/meta-data",
    "http://2130706433/",
    "http://[::ffff:127.0.0.1]/",
    "http://0x7f000001/",
    "file:///etc/passwd",
  ];
  for (const url of targets) {
    const parts = [
      { type: "text", text: "x" },
      { type: "image_url", image_url: { url, detail: "high" } },
    ];
    await (
      await world.post(path, customer.key, {
        model: "evil",
        max_tokens: 20,
        messages: [{ role: "user", content: parts }],
      })
    ).text();
    const input = [
      {
        role: "user",
        content: [
          { type: "input_image", image_url: url },
          { type: "input_file", file_url: url },
        ],
      },
    ];
    await (
      await world.post("/v1/responses", customer.key, { model: "evil", max_output_tokens: 20, input })
    ).text();
    const tools = [{ type: "mcp", server_label: "x", server_url: url }];
    expect(
      await verdict(await world.post("/v1/responses", customer.key, { model: "evil", input: "x", tools })),
    ).toBe("400 unsupported_feature");
  }
  expect(canaryCalls).toBe(0);
});

test("row 53: routes of vendors that are not metered are 404 for every method, and never passed on", async () => {
  const before = world.simulator.requests().length + world.evil.seen.length;
  const prefixes = ["/v1", "/openai/v1", "/openai/deployments/blue", "/openai", ""];
  const calls = unmeteredRoutes.flatMap(([method, route]) =>
    prefixes.map((prefix) => [method, `${prefix}${route}`] as const),
  );
  const odd = ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"].flatMap((method) => [
    [method, path] as const,
    [method, "/v1/embeddings"] as const,
  ]);
  const wrong: string[] = [];
  const all = [...calls, ...odd];
  for (let from = 0; from < all.length; from += 50) {
    await Promise.all(
      all.slice(from, from + 50).map(async ([method, route]) => {
        const answer = await fetch(`${world.url}${route}`, {
          method,
          headers: {
            authorization: `Bearer ${customer.key}`,
            "content-type": "application/json",
            "x-http-method-override": "POST",
            "x-method-override": "POST",
          },
          ...(method === "GET" ? {} : { body: JSON.stringify(chat()) }),
        });
        await answer.text();
        if (answer.status !== 404) wrong.push(`${answer.status} ← ${method} ${route}`);
      }),
    );
  }
  expect(wrong).toEqual([]);
  expect(calls.length).toBeGreaterThan(300);
  expect(world.simulator.requests().length + world.evil.seen.length).toBe(before);
});

test("row 54: no connection becomes a WebSocket, h2c or a tunnel", async () => {
  const upgrade = (to: string): string[] => [
    `Upgrade: ${to}`,
    "Connection: Upgrade, HTTP2-Settings",
    "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    `Authorization: Bearer ${customer.key}`,
  ];
  const routes = [
    "/v1/realtime?model=gpt-4.1-nano",
    path,
    "/v1/models",
    "/healthz",
    "/admin/v1/accounts",
    "/console/",
  ];
  const sent = [
    ...routes.flatMap((route) =>
      ["websocket", "h2c", "TLS/1.0"].map((to) => head(`GET ${route} HTTP/1.1`, upgrade(to))),
    ),
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    head("CONNECT 169.254.169.254:80 HTTP/1.1"),
    head(`CONNECT ${canaryHost.slice(7)} HTTP/1.1`, [`Authorization: Bearer ${customer.key}`]),
  ];
  const answers = await Promise.all(sent.map(raw));
  for (const answer of answers) expect(answer.text).not.toMatch(/HTTP\/1\.1 (101|200 Connection)/);
  expect(canaryCalls).toBe(0);
  // A client that offers h2c, as Java's does, is served in HTTP/1.1 instead.
  const body = JSON.stringify(chat());
  const offer = {
    authorization: `Bearer ${customer.key}`,
    "content-type": "application/json",
    connection: "Upgrade, HTTP2-Settings",
    upgrade: "h2c",
    "http2-settings": "AAMAAABkAARAAAAAAAIAAAAA",
  };
  expect((await raw(requestText(path, offer, body))).statuses).toEqual([200]);
});
