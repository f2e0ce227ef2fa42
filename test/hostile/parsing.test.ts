/** Billed as one thing, served as another: bodies that two parsers would read differently. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { billingNames } from "../../src/protocol/request.ts";
import { chat, evilChat, openWorld, verdict, type World } from "./support/world.ts";

let world: World;
let key: string;
let accountId: string;
beforeAll(async () => {
  world = await openWorld();
  ({ key, accountId } = await world.customer("100"));
});
afterAll(() => world.close());

const path = "/v1/chat/completions";
/** A body's members as text, so that they can be repeated and written in odd ways. */
const members = Object.entries(chat()).map(
  ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
);
const object = (...parts: readonly string[]): string => `{${parts.join(",")}}`;

/** Sends every body and tells which were answered otherwise than expected. Neither vendor nor ledger may see any of them. */
async function allRefused(bodies: readonly string[], expected: string | RegExp): Promise<void> {
  const before = { seen: world.simulator.requests().length, rows: (await world.records(accountId)).length };
  const got = await Promise.all(bodies.map(async (body) => verdict(await world.post(path, key, body))));
  const wrong = got.flatMap((one, index) =>
    one.match(expected) === null ? [`${one} ← ${bodies[index]?.slice(0, 200)}`] : [],
  );
  expect(wrong).toEqual([]);
  expect(world.simulator.requests()).toHaveLength(before.seen);
  expect(await world.records(accountId)).toHaveLength(before.rows);
  expect(await world.balance(accountId)).toMatchObject({ held: 0n });
}

/** `model` → `mod\u0065l`: another spelling of the same name. */
const escaped = (name: string): string =>
  `"${name.slice(0, -1)}\\u${name
    .charCodeAt(name.length - 1)
    .toString(16)
    .padStart(4, "0")}"`;

test("row 1: the same name twice is refused, first, last, nested and escaped", async () => {
  const names = ["model", "max_tokens", "messages"];
  const topLevel = names.flatMap((name) => {
    const again = `"${name}":${JSON.stringify(chat()[name])}`;
    const spelled = `${escaped(name)}:${JSON.stringify(chat()[name])}`;
    return [
      object(again, ...members),
      object(...members, again),
      object(spelled, ...members),
      object(...members, spelled),
    ];
  });
  const others = [...billingNames]
    .filter((name) => !names.includes(name))
    .map((name) => object(...members, `"${name}":null`, `"${name}":null`));
  const twice = '{"type":"a","type":"b"}';
  const nested = [
    `"tools":[${twice}]`,
    `"stream":true,"stream_options":{"include_usage":true,"include_usage":false}`,
    `"metadata":{"a":{"b":[${twice}]}}`,
    `"response_format":{"type":"json_schema","json_schema":{"a":1,"\\u0061":2}}`,
    `"unknown_to_us":[[[${twice}]]]`,
  ].map((part) => object(...members, part));
  const inMessages = object(
    '"model":"gpt-4.1-nano"',
    '"messages":[{"role":"user","content":"x","role":"system"}]',
  );
  await allRefused([...topLevel, ...others, ...nested, inMessages], /^400 duplicate_key$/);
  expect(topLevel.length + others.length + nested.length + 1).toBeGreaterThanOrEqual(50);
});

test("row 2: names that only look like billing fields are refused", async () => {
  const variants = (name: string): string[] => [
    name.toUpperCase(),
    `${name.charAt(0).toUpperCase()}${name.slice(1)}`,
    name.replace("s", "\u017f"),
    name.replace("k", "\u212a"),
    [...name]
      .map((letter) => (/[a-z]/.test(letter) ? String.fromCharCode(letter.charCodeAt(0) + 0xfee0) : letter))
      .join(""),
    `${name} `,
  ];
  const bodies = [...billingNames].flatMap((name) =>
    variants(name)
      .filter((variant) => variant !== name)
      .flatMap((variant) => [
        object(...members, `${JSON.stringify(variant)}:1`),
        object(`${JSON.stringify(variant)}:1`, ...members.slice(1)),
      ]),
  );
  expect(bodies.length).toBeGreaterThan(200);
  await allRefused(bodies, /^400 ambiguous_key$/);
});

test("row 2: look-alikes inside the objects that decide the bill are refused", async () => {
  const bodies = [
    `"stream":true,"stream_options":{"include_usage":true,"Include_Usage":false}`,
    `"stream":true,"stream_options":{"INCLUDE_USAGE":false}`,
    `"tools":[{"type":"function","Type":"web_search","function":{"name":"f"}}]`,
    `"tools":[{"Type":"web_search"}]`,
    `"tools":[{"type":"function","function":{"name":"f"}},{"\\u0054ype":"mcp"}]`,
  ].map((part) => object(...members, part));
  const image = `{"type":"text","text":"x","Type":"image_url","image_url":{"url":"https://example.org/a.png"}}`;
  const inMessages = [
    object('"model":"gpt-4.1-nano"', `"messages":[{"role":"user","content":[${image}]}]`),
    object(
      '"model":"gpt-4.1-nano"',
      `"messages":[{"role":"user","Content":[{"type":"text","text":"x"}],"content":"x"}]`,
    ),
  ];
  await allRefused([...bodies, ...inMessages], /^400 ambiguous_key$/);
});

test("names of a client's own, in schemas and metadata, may look like anything", async () => {
  const schema = {
    type: "object",
    properties: { Type: { type: "string" }, TYPE: { type: "string" }, Content: { type: "string" } },
  };
  const tools = [{ type: "function", function: { name: "f", parameters: schema } }];
  expect(
    await verdict(
      await world.post(path, key, evilChat("none", { tools, metadata: { Type: "x", Model: "y" } })),
    ),
  ).toBe("200");
});

test("row 3: __proto__ is refused wherever it stands", async () => {
  const poison = '"__proto__":{"service_tier":"priority","n":128}';
  const bodies = [
    object(...members, poison),
    object(...members, '"\\u005f_proto__":{"n":5}'),
    object(...members, `"metadata":{${poison}}`),
    object(...members, `"tools":[{"type":"function","function":{${poison}}}]`),
    object('"model":"gpt-4.1-nano"', `"messages":[{"role":"user","content":"x",${poison}}]`),
  ];
  await allRefused(bodies, /^400 ambiguous_key$/);
});

test("row 3: names of Object.prototype reach the vendor as they are, and decide nothing", async () => {
  const odd = { constructor: { prototype: { n: 9 } }, toString: "x", hasOwnProperty: 1, valueOf: null };
  expect(await verdict(await world.post(path, key, evilChat("none", { metadata: odd, ...odd })))).toBe("200");
  const seen = JSON.parse(world.evil.seen.at(-1)?.body ?? "") as Record<string, unknown>;
  expect(seen).toMatchObject({ metadata: odd, ...odd });
  expect(seen["n"]).toBeUndefined();
  const [row] = await world.records(accountId);
  expect(row?.record.hold_basis).toMatchObject({ choices: 1 });
});

test("row 3: names of Object.prototype as a model, a tier, a tool or an endpoint are just unknown", async () => {
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", "prototype"]) {
    expect(await verdict(await world.post(path, key, chat("", { model: name })))).toBe("404 model_not_found");
    expect(await verdict(await world.post(path, key, chat("", { service_tier: name })))).toMatch(/^400 /);
    expect(await verdict(await world.post(path, key, chat("", { tools: [{ type: name }] })))).toMatch(
      /^400 unsupported_feature$/,
    );
    expect(
      await verdict(
        await world.post(
          `/openai/deployments/${name}/chat/completions?api-version=2024-12-01-preview`,
          key,
          chat(),
        ),
      ),
    ).toBe("404 model_not_found");
  }
});

test("row 12: only the exact name of a model is that model", async () => {
  const real = "gpt-4.1-nano";
  const names = [
    ` ${real}`,
    `${real} `,
    `${real}\u0000`,
    `${real}\n`,
    `${real}\u200b`,
    `\ufeff${real}`,
    real.toUpperCase(),
    "GPT-4.1-Nano",
    "gpt-4.1-n\u0430no",
    "gpt\u20114.1-nano",
    "gpt-4.1-nano\u0301",
    real.slice(0, -1),
    `${real}-`,
    `${real}-2025-04-14`,
    `openai/${real}`,
    `ft:${real}:acme::x`,
    `${real}:free`,
    "../gpt-4.1-nano",
    "./gpt-4.1-nano",
    "blue/../gpt-4.1-nano",
    "gpt-4.1-nano?api-version=x",
    "gpt-4.1-nano#",
    "%67pt-4.1-nano",
    "*",
    "%",
    "_",
    "",
    "null",
    "undefined",
    "[object Object]",
    "unpriced\u0000",
    "\ud800",
  ];
  const before = world.simulator.requests().length;
  const got = await Promise.all(
    names.map(async (model) => verdict(await world.post(path, key, chat("", { model })))),
  );
  const wrong = got.flatMap((one, index) =>
    /^(404 model_not_found|400 invalid_type)$/.test(one) ? [] : [`${one} ← ${JSON.stringify(names[index])}`],
  );
  expect(wrong).toEqual([]);
  expect(world.simulator.requests()).toHaveLength(before);
});

test("row 12: a deployment in the path is looked up like a name, and never becomes a path", async () => {
  const tricks = [
    "..%2f..%2fv1",
    "%2e%2e",
    "blue%2f..%2fblue",
    "blue%00",
    "blue%20",
    "Blue",
    "blue%3Fx=",
    "blue;x",
    "b%6cue%23",
  ];
  const got = await Promise.all(
    tricks.map(async (name) =>
      verdict(
        await world.post(
          `/openai/deployments/${name}/chat/completions?api-version=2024-12-01-preview`,
          key,
          chat(),
        ),
      ),
    ),
  );
  expect(got.map((one) => one.slice(0, 3))).toEqual(tricks.map(() => expect.stringMatching(/^(400|404)$/)));
  // The same name, encoded, is the same name: the path that reaches the vendor is made from the catalogue.
  expect(
    await verdict(
      await world.post("/openai/deployments/b%6cue/chat/completions?api-version=evil&model=x", key, chat()),
    ),
  ).toBe("200");
  const [row] = await world.records(accountId);
  expect(row).toMatchObject({ endpoint: "az", state: "settled" });
});

test("what no strict parser reads is refused", async () => {
  const bodies = [
    "",
    "null",
    "[]",
    '"x"',
    "{",
    `${object(...members)}{}`,
    `\ufeff${object(...members)}`,
    `${object(...members)}\u0000`,
    object(...members, '"a":NaN'),
    object(...members, '"a":01'),
    object(...members, '"a":+1'),
    object(...members, '"a":1.'),
    object(...members, '"a":.5'),
    object(...members, '"a":0x10'),
    `/* */${object(...members)}`,
    object(...members, ""),
    object(...members, '"a":"\u0001"'),
    object(...members, '"a":"\\x41"'),
    object(...members, "'a':1"),
    object(...members, "a:1"),
    object(...members, '"a":undefined'),
    object(...members, `"a":${"[".repeat(100)}${"]".repeat(100)}`),
  ];
  await allRefused(bodies, /^400 invalid_json$/);
  const numbers = [
    "1e400",
    "-1e999",
    "9007199254740993",
    "0.1000000000000000055511151231257827",
    `1.${"0".repeat(70)}1`,
    `1e-${"9".repeat(50)}`,
  ];
  await allRefused(
    numbers.map((number) => object(...members, `"seed":${number}`)),
    /^400 invalid_number$/,
  );
});
