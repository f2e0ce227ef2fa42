import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ConfigError } from "./config.ts";
import { loadConfig } from "./load.ts";

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "tollgate-problems-"));
});
afterAll(() => rmSync(cwd, { recursive: true }));

function refusalOf(file: string, env: Record<string, string> = {}): string {
  writeFileSync(join(cwd, "tollgate.yaml"), file);
  try {
    loadConfig({ flags: {}, env, cwd, pricedModels: () => [] });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "accepted";
}

const only = (problem: string): string =>
  `Cannot use the configuration: there is 1 problem; correct what is listed and try again.\n  ${problem}`;

const local = "endpoints: { local: { kind: openai, base_url: http://x/v1, api_key: none } }\n";
const e = (fields: string): string =>
  `endpoints: { e: { kind: openai, base_url: http://x/v1, api_key: none, ${fields} } }\n`;
const m = (fields: string): string => `${e("")}models:\n  m: { ${fields} }`;
const p = (fields: string): string => `prices:\n  - { model: m, ${fields} }`;

test.each<[string, string, string]>([
  [
    "an unknown key",
    "sever: { port: 1 }",
    'tollgate.yaml:1:1: "sever" is not a key of the configuration; did you mean "server"?',
  ],
  [
    "an unknown key below",
    "server:\n  prot: 1",
    'tollgate.yaml:2:3: "prot" is not a key of server; did you mean "port"?',
  ],
  [
    "a key in camel case",
    e("apiVersion: v1"),
    'tollgate.yaml:1:71: "apiVersion" is not a key of endpoints.e; did you mean "api_version"?',
  ],
  [
    "a key at the wrong level",
    "port: 1",
    'tollgate.yaml:1:1: "port" is not a key of the configuration; did you mean "server.port"?',
  ],
  [
    "a key unlike any other",
    "errors: { zebra: 1 }",
    'tollgate.yaml:1:11: "zebra" is not a key of errors; use one of quota_status',
  ],
  [
    "a key of the prototype",
    "errors: { constructor: 1 }",
    'tollgate.yaml:1:11: "constructor" is not a key of errors; use one of quota_status',
  ],
  [
    "a merge key",
    "errors: { <<: {} }",
    'tollgate.yaml:1:11: "<<" is not a key of errors; use one of quota_status',
  ],
  [
    "a key given twice",
    "server:\n  port: 1\n  port: 2",
    "tollgate.yaml:3:3: this key is given twice; keep one of them",
  ],
  [
    "a word for a number",
    "server:\n  port: abc",
    'tollgate.yaml:2:9: server.port must be a whole number from 0 to 65535, not "abc"',
  ],
  [
    "a fraction for a whole number",
    "server: { port: 1.5 }",
    'tollgate.yaml:1:17: server.port must be a whole number from 0 to 65535, not "1.5"',
  ],
  [
    "a quoted number",
    'server: { port: "1" }',
    'tollgate.yaml:1:17: server.port must be a whole number from 0 to 65535, not the text "1"',
  ],
  [
    "a number out of bounds",
    "server: { port: 70000 }",
    'tollgate.yaml:1:17: server.port must be a whole number from 0 to 65535, not "70000"',
  ],
  [
    "a word for true or false",
    e("charge_filtered_prompt: yes"),
    'tollgate.yaml:1:95: endpoints.e.charge_filtered_prompt must be true or false, not "yes"',
  ],
  [
    "nothing",
    "server: { port: }",
    "tollgate.yaml:1:11: server.port must be a whole number from 0 to 65535, not nothing",
  ],
  [
    "a list for text",
    "markup: [1]",
    'tollgate.yaml:1:9: markup must be decimal text like "1.20", not a list',
  ],
  [
    "text for a map",
    "server: here",
    "tollgate.yaml:1:9: server must be a map (key: value), not a single value",
  ],
  ["a map for a list", "prices: { model: m }", "tollgate.yaml:1:9: prices must be a list, not a map"],
  [
    "a whole file that is no map",
    "- a",
    "tollgate.yaml:1:1: the configuration must be a map (key: value), not a list",
  ],
  [
    "a word that is not a choice",
    "errors: { quota_status: 403 }",
    'tollgate.yaml:1:25: errors.quota_status must be 402 or 429, not "403"',
  ],
  [
    "a float's exponent",
    "markup: 1e3",
    'tollgate.yaml:1:9: markup must be decimal text like "1.20", not "1e3"',
  ],
  [
    "a markup of nothing",
    "markup: 0",
    'tollgate.yaml:1:9: markup is 0, which would give everything away; write "1" to sell at list price',
  ],
  [
    "a credit without a finite form",
    'credits: { usd: "0.03" }',
    'tollgate.yaml:1:17: Cannot use a credit of 0.03 USD: some amounts would have no finite decimal form; use a value like "1", "0.01" or "0.05".',
  ],
  [
    "a time zone that is none",
    "time_zone: Europe/Berlim",
    'tollgate.yaml:1:12: there is no time zone "Europe/Berlim"; did you mean "Europe/Berlin"?',
  ],
  [
    "a store of another kind",
    "store: mysql://x/y",
    "tollgate.yaml:1:8: store is a URL of another kind; write postgres://… or a directory for the embedded database",
  ],
  [
    "workers on the embedded database",
    "server: { workers: 2 }",
    "tollgate.yaml:1:20: server.workers is more than 1, but the embedded database serves one process; set store to a postgres:// URL",
  ],
  [
    "a short admin token",
    "admin: { token: short }",
    "tollgate.yaml:1:17: admin.token must be 16 to 200 characters without spaces; make one with: openssl rand -hex 24",
  ],
  [
    "a missing field",
    "endpoints:\n  e: { kind: openai, api_key: none }",
    'tollgate.yaml:2:6: endpoints.e has no "base_url"; add it: a URL that starts with "https://" or "http://"',
  ],
  [
    "Azure without a version",
    "endpoints:\n  e: { kind: azure, base_url: https://x, api_key: k }",
    'tollgate.yaml:2:6: endpoints.e has no "api_version", which kind azure needs; add a dated version or v1',
  ],
  [
    "an endpoint without a key",
    "endpoints:\n  e: { kind: openai, base_url: http://x/v1 }",
    'tollgate.yaml:2:6: endpoints.e has no "api_key"; add it, or token_command, or token_file, or write api_key: none',
  ],
  [
    "a key and a command",
    e("token_command: [az]"),
    "tollgate.yaml:1:17: endpoints.e has more than one of api_key, token_command and token_file; keep one of them",
  ],
  [
    "a header of ours",
    e("headers: { Authorization: x }"),
    "tollgate.yaml:1:97: the header authorization is set by Tollgate itself; remove it",
  ],
  [
    "a model without deployments",
    m("markup: 1"),
    'tollgate.yaml:3:6: models.m has no "deployments"; add it: a list',
  ],
  [
    "a model with none in the list",
    m("deployments: []"),
    "tollgate.yaml:3:21: models.m.deployments must have at least one entry",
  ],
  [
    "an endpoint that is not there",
    m("deployments: [{ endpoint: f, deployment: d }]"),
    'tollgate.yaml:3:34: there is no endpoint "f"; add it under endpoints',
  ],
  [
    "priorities for some",
    m("deployments: [{ endpoint: e, deployment: a, priority: 1 }, { endpoint: e, deployment: b }]"),
    "tollgate.yaml:3:21: some of these deployments have a priority and some have none; give it to all or to none",
  ],
  [
    "a price too fine",
    p('input: "0.0000001"'),
    'tollgate.yaml:2:24: Cannot read input of the price of m: "0.0000001" is not an exact price; write it as decimal text like "0.25".',
  ],
  [
    "a price without input",
    p("output: 1"),
    'tollgate.yaml:2:5: Cannot read input of the price of m: it is missing; give a price, or "0" if it is free.',
  ],
  [
    "a day that is none",
    p("from: 2026-13-01T00:00:00Z, input: 1"),
    'tollgate.yaml:2:23: Cannot read from of the price of m: "2026-13-01T00:00:00Z" is not an instant; write UTC like "2026-01-01T00:00:00Z".',
  ],
  [
    "tiers out of order",
    p("input: 1, tiers: [{ above_input_tokens: 2, input: 1 }, { above_input_tokens: 1, input: 1 }]"),
    "tollgate.yaml:2:94: Cannot read tiers[1].above_input_tokens of the price of m: 1 is not a whole number above 2; order tiers from the smallest bound up.",
  ],
  [
    "a variable that is not set",
    "store: ${NOWHERE}",
    "tollgate.yaml:1:8: the environment variable NOWHERE is not set; set it, or write ${NOWHERE:-default}",
  ],
  [
    "a variable inside text",
    'store: "./a/${NOWHERE}"',
    "tollgate.yaml:1:13: the environment variable NOWHERE is not set; set it, or write ${NOWHERE:-default}",
  ],
  [
    "a variable that is nearly set",
    "store: ${OPENAI_KEY}",
    "tollgate.yaml:1:8: the environment variable OPENAI_KEY is not set; did you mean OPEN_AI_KEY, which is set?",
  ],
  [
    "a variable that is no variable",
    "store: ${1X}",
    "tollgate.yaml:1:8: ${ begins no variable; write ${NAME} or ${NAME:-default}, or $${ for the characters themselves",
  ],
  [
    "a variable as a key",
    "${OPEN_AI_KEY}: 1",
    "tollgate.yaml:1:1: variables are read in values, not in keys; write the key out",
  ],
  [
    "an endpoint that is nearly there",
    `${local}models: { m: { deployments: [{ endpoint: locla, deployment: d }] } }`,
    'tollgate.yaml:2:42: there is no endpoint "locla"; did you mean "local"?',
  ],
  [
    "a name with a space",
    "endpoints: { a b: { kind: openai, base_url: http://x/v1, api_key: none } }",
    'tollgate.yaml:1:19: the name "a b" has a space or an unusual character, or is too long; use letters, digits and . _ : / -',
  ],
  [
    "an alias in itself",
    "prices: &p [*p]",
    "tollgate.yaml:1:13: this alias contains itself; write the value out",
  ],
])("%s is refused with its place", (_, file, problem) => {
  expect(refusalOf(file, { OPEN_AI_KEY: "x" })).toBe(only(problem));
});

test("everything that is wrong is told at once, from top to bottom", () => {
  const file = "server: { port: x, hots: y }\nstore: ${NOWHERE}\nmodels: { m: {} }\nzebra: 1\n";
  expect(refusalOf(file)).toBe(
    [
      "Cannot use the configuration: there are 5 problems; correct what is listed and try again.",
      '  tollgate.yaml:1:17: server.port must be a whole number from 0 to 65535, not "x"',
      '  tollgate.yaml:1:20: "hots" is not a key of server; did you mean "host"?',
      "  tollgate.yaml:2:8: the environment variable NOWHERE is not set; set it, or write ${NOWHERE:-default}",
      '  tollgate.yaml:3:14: models.m has no "deployments"; add it: a list',
      '  tollgate.yaml:4:1: "zebra" is not a key of the configuration; use one of server, store, admin, credits, markup, errors, endpoints, models, prices, limits, ledger, idempotency, estimates, time_zone',
    ].join("\n"),
  );
});

test("text that is no YAML is refused with its place", () => {
  expect(refusalOf("server: { port: 1\nstore: x\n")).toMatch(
    /^Cannot use [^\n]*\n {2}tollgate\.yaml:2:1: this is not YAML: /,
  );
  expect(refusalOf("a: b: c")).toMatch(/\n {2}tollgate\.yaml:1:4: this is not YAML: /);
});

test("a refusal never shows what a variable or a secret holds", () => {
  const env = { KEY: "sk-very-secret value" };
  const files = [
    "server: { port: ${KEY} }",
    "endpoints: { e: { kind: openai, base_url: ${KEY}, api_key: ${KEY} } }",
    "endpoints: { e: { kind: openai, base_url: http://x/v1, api_key: ${KEY} } }",
    "store: postgres://${KEY}:x",
    "admin: { token: ${KEY} }",
    "endpoints: { e: { kind: openai, base_url: http://x/v1, api_key: [sk-very-secret] } }",
  ];
  for (const file of files) {
    const refusal = refusalOf(file, env);
    expect(refusal).not.toBe("accepted");
    expect(refusal).not.toContain("very-secret");
  }
  expect(refusalOf("server: { port: ${KEY} }", env)).toBe(
    only("tollgate.yaml:1:17: server.port must be a whole number from 0 to 65535, not the content of KEY"),
  );
});
