/** Fields that multiply or hide what a request costs: choices, caps, tiers, tools, usage, stored input. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { chatAnswer, streamHead, usage, usualStream, wholeAnswer } from "./support/evil-vendor.ts";
import {
  type Customer,
  chat,
  evilChat,
  openWorld,
  type RecordRow,
  verdict,
  type World,
} from "./support/world.ts";

let world: World;
let customer: Customer;
beforeAll(async () => {
  world = await openWorld();
  customer = await world.customer("1000");
});
afterAll(() => world.close());

const send = (body: unknown, path = "/v1/chat/completions"): Promise<Response> =>
  world.post(path, customer.key, body);
const newest = async (): Promise<RecordRow> => {
  const [row] = await world.records(customer.accountId);
  if (row === undefined) throw new Error("There is no request yet");
  return row;
};
/** Sell prices of the evil vendor's models at a markup of 1.25, pUSD per token. */
const inputPrice = 1_250_000n;
const outputPrice = 2_500_000n;

test("row 4: n is plain digits from 1 to 128", async () => {
  for (const n of [
    '"5"',
    "1e1",
    "1.0",
    "-1",
    "0",
    "129",
    "true",
    "[]",
    "{}",
    "2.5",
    "9007199254740993",
    "-0",
  ]) {
    const body = JSON.stringify(evilChat("none")).replace("{", `{"n":${n},`);
    expect(`${n} ${await verdict(await send(body))}`).toMatch(
      / 400 (invalid_type|invalid_value|invalid_number)$/,
    );
  }
  expect(await verdict(await send(evilChat("none", { n: null })))).toBe("200");
});

test("row 4: the hold grows by a whole answer for each choice", async () => {
  const holdOf = async (n: number): Promise<bigint> => {
    expect(await verdict(await send(evilChat("none", { n, max_tokens: 100 })))).toBe("200");
    return BigInt((await newest()).hold);
  };
  // The body is longer by the digits of n, and a byte is at most a token.
  const one = await holdOf(1);
  expect((await holdOf(9)) - one).toBe(8n * 100n * outputPrice);
  expect((await holdOf(128)) - one).toBe(127n * 100n * outputPrice + 2n * inputPrice);
});

test("row 5: best_of and lists of prompts are held for as often as they are generated", async () => {
  const cases: [object, number][] = [
    [{ prompt: "a", n: 2, best_of: 5 }, 5],
    [{ prompt: ["a", "b", "c"], n: 2 }, 6],
    [{ prompt: ["a", "b"], best_of: 4 }, 8],
    [{ prompt: [[1, 2], [3], [4]] }, 3],
    [{ prompt: [1, 2, 3] }, 1],
  ];
  for (const [fields, choices] of cases) {
    await (await send({ model: "evil", max_tokens: 10, ...fields }, "/v1/completions")).text();
    expect((await newest()).record.hold_basis.choices).toBe(choices);
  }
  const answer = await send(
    { model: "gpt-3.5-turbo-instruct", prompt: ["Hello", "World"], n: 1, max_tokens: 30 },
    "/v1/completions",
  );
  expect(await verdict(answer)).toBe("200");
  expect(await newest()).toMatchObject({ source: "vendor", loss: "0" });
});

test("row 6: two output caps that differ are refused, equal ones become one", async () => {
  expect(await verdict(await send(chat("", { max_tokens: 10, max_completion_tokens: 20 })))).toBe(
    "400 conflicting_limits",
  );
  for (const cap of ["0", "-5", "1e3", '"10"', "10.0", "10000001", "99999999999999"]) {
    const body = JSON.stringify(chat("", { max_tokens: undefined })).replace(
      "{",
      `{"max_completion_tokens":${cap},`,
    );
    expect(`${cap} ${await verdict(await send(body))}`).toMatch(/ 400 invalid_/);
  }
});

test("row 6: the hold covers a vendor that writes as much as it may", async () => {
  for (const more of [
    { max_tokens: 400 },
    { max_tokens: undefined },
    { max_tokens: undefined, max_completion_tokens: 300 },
    { n: 3, max_tokens: 200 },
  ]) {
    expect(await verdict(await send(chat("[[sim:tokens=100000]]", more)))).toBe("200");
    const row = await newest();
    expect(row).toMatchObject({ source: "vendor", loss: "0" });
    expect(BigInt(row.charge)).toBeLessThanOrEqual(BigInt(row.hold));
  }
  // Without a cap of the client one is sent, and it is what the balance covers.
  const poor = await world.customer("0.01");
  const answer = await world.post(
    "/v1/chat/completions",
    poor.key,
    chat("[[sim:tokens=100000]]", { max_tokens: undefined }),
  );
  expect(answer.status).toBe(200);
  const cap = Number(answer.headers.get("x-tollgate-output-cap"));
  const [row] = await world.records(poor.accountId);
  expect(row).toMatchObject({ output: cap, loss: "0" });
});

test("row 7: a tier that is not enabled or has no price is refused, unknown ones too", async () => {
  for (const [model, tier] of [
    ["tiered", "flex"],
    ["tiered", "scale"],
    ["evil", "priority"],
    ["evil", "flex"],
  ]) {
    expect(
      `${model} ${tier} ${await verdict(await send(evilChat("none", { model, service_tier: tier })))}`,
    ).toMatch(/ 400 unsupported_feature$/);
  }
  for (const tier of ["Priority", "batch", "", 1, {}]) {
    expect(await verdict(await send(evilChat("none", { model: "tiered", service_tier: tier })))).toMatch(
      /^400 invalid_/,
    );
  }
});

test("row 7: the tier that served decides the price, whatever was asked for", async () => {
  const served = (tier: string) => (socket: { write(text: string): unknown }) =>
    void socket.write(
      wholeAnswer(chatAnswer({ usage: usage(10, 5), model: "tiered", more: { service_tier: tier } })),
    );
  for (const tier of ["default", "priority"]) world.evil.scripts.set(`served ${tier}`, served(tier));
  const chargeOf = async (tier: string, asked: string | undefined): Promise<bigint> => {
    expect(
      await verdict(await send(evilChat(`served ${tier}`, { model: "tiered", service_tier: asked }))),
    ).toBe("200");
    return BigInt((await newest()).charge);
  };
  const standard = 10n * inputPrice + 5n * outputPrice;
  expect(await chargeOf("default", undefined)).toBe(standard);
  expect(await chargeOf("default", "priority")).toBe(standard);
  expect(await chargeOf("priority", "priority")).toBe(2n * standard);
  expect(await chargeOf("priority", undefined)).toBe(2n * standard);
});

test("row 8: usage is asked for whatever the client says, and stays hidden from a client that did not ask", async () => {
  world.evil.scripts.set("stream", (socket) => void socket.end(streamHead() + usualStream()));
  for (const stream_options of [undefined, null, {}, { include_usage: false }, { include_usage: null }]) {
    const answer = await send(evilChat("stream", { stream: true, stream_options }));
    const text = await answer.text();
    expect(text).not.toContain("usage");
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(JSON.parse(world.evil.seen.at(-1)?.body ?? "{}")).toMatchObject({
      stream_options: { include_usage: true },
    });
    expect(await newest()).toMatchObject({
      source: "vendor",
      charge: String(10n * inputPrice + 5n * outputPrice),
    });
  }
  const asked = await (
    await send(evilChat("stream", { stream: true, stream_options: { include_usage: true } }))
  ).text();
  expect(asked).toBe(usualStream());
});

test("row 8: stream options of a wrong form are refused", async () => {
  for (const options of [
    '"x"',
    "[]",
    "1",
    '{"include_usage":"false"}',
    '{"include_usage":0}',
    '{"include_usage":[]}',
  ]) {
    const body = JSON.stringify(evilChat("stream", { stream: true })).replace(
      "{",
      `{"stream_options":${options},`,
    );
    expect(`${options} ${await verdict(await send(body))}`).toMatch(/ 400 invalid_type$/);
  }
  expect(await verdict(await send(evilChat("stream", { stream_options: { include_usage: true } })))).toMatch(
    /^400 invalid_value$/,
  );
  for (const stream of ['"true"', "1", "[]"]) {
    const body = JSON.stringify(evilChat("stream")).replace("{", `{"stream":${stream},`);
    expect(await verdict(await send(body))).toMatch(/^400 invalid_type$/);
  }
});

test("row 9: tools that the vendor runs are refused unless enabled, also those nobody knows yet", async () => {
  const tools = [
    "web_search",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "file_search",
    "code_interpreter",
    "image_generation",
    "mcp",
    "local_shell",
    "tool_of_2031",
  ];
  const before = world.evil.seen.length;
  for (const type of tools) {
    const body = { model: "evil", input: "x", tools: [{ type: "function", name: "f" }, { type }] };
    expect(`${type} ${await verdict(await send(body, "/v1/responses"))}`).toBe(
      `${type} 400 unsupported_feature`,
    );
    expect(await verdict(await send(evilChat("none", { tools: [{ type }] })))).toBe(
      "400 unsupported_feature",
    );
  }
  expect(await verdict(await send(evilChat("none", { web_search_options: {} })))).toBe(
    "400 unsupported_feature",
  );
  expect(
    await verdict(await send({ model: "searching", input: "x", tools: [{ type: "mcp" }] }, "/v1/responses")),
  ).toBe("400 unsupported_feature");
  expect(world.evil.seen).toHaveLength(before);
});

/** A response with this many searches, counted by its items or by the vendor's own number. */
function searched(calls: number, counted: unknown): string {
  const output = Array.from({ length: calls }, (_, index) => ({
    type: "web_search_call",
    id: `ws_${index}`,
    status: "completed",
    action: { type: "search", query: "x" },
  }));
  const tool_usage = counted === undefined ? {} : { tool_usage: { web_search: { num_requests: counted } } };
  const stated = { input_tokens: 10, output_tokens: 5, total_tokens: 15 };
  return wholeAnswer({
    id: "resp_evil",
    object: "response",
    status: "completed",
    model: "searching",
    output,
    usage: stated,
    ...tool_usage,
  });
}

test("row 9: searches are counted and charged; what exceeds the hold is the operator's loss", async () => {
  const fee = 12_500_000_000n;
  const standard = 10n * inputPrice + 5n * outputPrice;
  const run = async (calls: number, counted?: unknown): Promise<RecordRow> => {
    world.evil.scripts.set("search", (socket) => void socket.write(searched(calls, counted)));
    const body = {
      model: "searching",
      input: "[[evil:search]]",
      max_output_tokens: 100,
      max_tool_calls: 5,
      tools: [{ type: "web_search" }],
    };
    expect(await verdict(await send(body, "/v1/responses"))).toBe("200");
    return newest();
  };
  expect(await run(3)).toMatchObject({ charge: String(3n * fee + standard), loss: "0" });
  expect(await run(0, 2)).toMatchObject({ charge: String(2n * fee + standard), loss: "0" });
  const absurd = await run(0, 1_000_000);
  expect(absurd.charge).toBe(absurd.hold);
  expect(BigInt(absurd.loss)).toBeGreaterThan(0n);
  // A count that is none is not believed; the items are.
  expect(await run(1, -5)).toMatchObject({ charge: String(fee + standard), loss: "0" });
});

test("row 9: a search that nobody asked for and nothing prices does not stop the books", async () => {
  world.evil.scripts.set("search", (socket) => void socket.write(searched(4, undefined)));
  await (
    await send({ model: "evil", input: "[[evil:search]]", max_output_tokens: 100 }, "/v1/responses")
  ).text();
  expect(await newest()).toMatchObject({ state: "settled" });
  expect(await world.balance(customer.accountId)).toMatchObject({ held: 0n });
});

const stored: [string, object][] = [
  ["previous_response_id", { previous_response_id: "resp_of_another" }],
  ["conversation", { conversation: "conv_of_another" }],
  ["conversation object", { conversation: { id: "conv_of_another" } }],
  ["prompt template", { prompt: { id: "pmpt_of_another" } }],
  ["item reference", { input: [{ type: "item_reference", id: "msg_of_another" }] }],
  ["file", { input: [{ role: "user", content: [{ type: "input_file", file_id: "file-of-another" }] }] }],
  [
    "image file",
    { input: [{ role: "user", content: [{ type: "input_image", file_id: "file-of-another" }] }] },
  ],
  ["vector store", { tools: [{ type: "file_search", vector_store_ids: ["vs_of_another"] }] }],
  ["container", { tools: [{ type: "code_interpreter", container: "cntr_of_another" }] }],
];

test.each(stored)(
  "row 10: another account's %s is refused before any vendor is called",
  async (_, fields) => {
    const before = world.evil.seen.length;
    expect(await verdict(await send({ model: "evil", input: "x", ...fields }, "/v1/responses"))).toMatch(
      /^(404 stored_object_not_found|400 unsupported_feature)$/,
    );
    const chatFile = [{ role: "user", content: [{ type: "file", file: { file_id: "file-of-another" } }] }];
    expect(await verdict(await send({ model: "evil", messages: chatFile }))).toMatch(
      /^(404 stored_object_not_found|400 unsupported_feature)$/,
    );
    expect(world.evil.seen).toHaveLength(before);
  },
);

test("row 10: a response is read, continued and deleted by its own account only", async () => {
  world.evil.scripts.set("stored", (socket) => {
    const stated = { input_tokens: 10, output_tokens: 5, total_tokens: 15 };
    socket.write(
      wholeAnswer({
        id: "resp_mine",
        object: "response",
        status: "completed",
        model: "evil",
        output: [],
        usage: stated,
      }),
    );
  });
  expect(await verdict(await send({ model: "evil", input: "[[evil:stored]]" }, "/v1/responses"))).toBe("200");
  const other = await world.customer("10");
  const before = world.evil.seen.length;
  const asOther = { authorization: `Bearer ${other.key}` };
  for (const method of ["GET", "DELETE"]) {
    const foreign = await fetch(`${world.url}/v1/responses/resp_mine`, { method, headers: asOther });
    const unknown = await fetch(`${world.url}/v1/responses/resp_none`, { method, headers: asOther });
    expect([
      foreign.status,
      (await foreign.text()).replaceAll("resp_mine", "ID").replace(/req_\w+/g, ""),
    ]).toEqual([404, (await unknown.text()).replaceAll("resp_none", "ID").replace(/req_\w+/g, "")]);
  }
  const continued = { model: "evil", input: "x", previous_response_id: "resp_mine" };
  expect(await verdict(await world.post("/v1/responses", other.key, continued))).toBe(
    "404 stored_object_not_found",
  );
  expect(world.evil.seen).toHaveLength(before);
});

test("row 11: a response of one's own is held for at the context window and charged as the vendor bills", async () => {
  world.evil.scripts.set("hidden", (socket) => {
    const stated = { input_tokens: 90_000, output_tokens: 5, total_tokens: 90_005 };
    socket.write(
      wholeAnswer({
        id: "resp_next",
        object: "response",
        status: "completed",
        model: "evil",
        output: [],
        usage: stated,
      }),
    );
  });
  const body = {
    model: "evil",
    input: "[[evil:hidden]]",
    previous_response_id: "resp_mine",
    max_output_tokens: 100,
  };
  expect(await verdict(await send(body, "/v1/responses"))).toBe("200");
  const row = await newest();
  expect(row).toMatchObject({
    source: "vendor",
    loss: "0",
    charge: String(90_000n * inputPrice + 5n * outputPrice),
  });
  expect(BigInt(row.hold)).toBe(100_000n * inputPrice + 100n * outputPrice);
});
