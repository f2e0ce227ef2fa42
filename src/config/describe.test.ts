import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Type } from "typebox";
import { Value } from "typebox/value";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import type { Config } from "./config.ts";
import { configTables, jsonSchema, listConfig, showConfig } from "./describe.ts";
import { loadConfig } from "./load.ts";

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "tollgate-describe-"));
});
afterAll(() => rmSync(cwd, { recursive: true }));

const env = {
  KEY: "key-that-is-secret",
  DATABASE_URL: "postgres://tollgate:hunter2@db:5432/ledger?sslpassword=hunter3",
};
const file = `
markup: 1.20
endpoints:
  east: { kind: azure, base_url: https://x.openai.azure.com, api_key: "\${KEY}", api_version: v1, headers: { x-team: "team-secret" } }
models:
  gpt-4.1: { deployments: [{ endpoint: east, deployment: d, priority: 0 }], hosted_tools: [] }
prices: [{ model: m, input: 0.10, tiers: [{ above_input_tokens: 272000, input: 0.20 }] }]
`;

function load(text: string, variables: Record<string, string> = env): Config {
  writeFileSync(join(cwd, "tollgate.yaml"), text);
  return loadConfig({ flags: { port: "9000" }, env: variables, cwd, pricedModels: () => [] });
}

test("showConfig() hides secrets and says where each value comes from", () => {
  const shown = showConfig(load(file), { withOrigin: true });
  expect(shown).not.toMatch(/key-that-is-secret|hunter|team-secret/);
  const lines = shown.split("\n").map((line) => line.trim());
  expect(lines).toEqual(
    expect.arrayContaining([
      "# Read from tollgate.yaml. Secrets are hidden.",
      "port: 9000 # --port",
      "host: 127.0.0.1 # default",
      "store: postgres://tollgate:hidden@db:5432/ledger?sslpassword=hidden # environment variable DATABASE_URL",
      'markup: "1.20" # tollgate.yaml:2:9',
      "api_key: ${KEY} # tollgate.yaml:4:71",
      'x-team: "[hidden]" # tollgate.yaml:4:117',
      "gpt-4.1:",
      "service_tiers: [auto, default, flex, priority] # default",
    ]),
  );
});

test("what showConfig() prints reads back as the same configuration", () => {
  const first = load(file);
  const again = load(showConfig(first, { withOrigin: false }));
  const { origins: _, endpoints, store, ...rest } = again;
  const { origins: __, endpoints: firstEndpoints, store: firstStore, ...firstRest } = first;
  expect(rest).toEqual(firstRest);
  expect(endpoints.get("east")?.credential).toEqual(firstEndpoints.get("east")?.credential);
  expect(store.kind).toBe(firstStore.kind);
});

test("listConfig() gives the same for machines", () => {
  expect(listConfig(load(file))).toContainEqual({ path: ["server", "port"], value: 9000, origin: "--port" });
});

test("the JSON Schema takes what the loader takes, variables and plain decimals too", () => {
  const schema = Type.Unsafe(jsonSchema());
  expect(Value.Check(schema, parse(file))).toBe(true);
  expect(Value.Check(schema, parse('server: { port: "${PORT:-1}" }'))).toBe(true);
  expect(Value.Check(schema, {})).toBe(true);
  expect(Value.Check(schema, parse("server: { prot: 1 }"))).toBe(false);
  expect(Value.Check(schema, parse("server: { port: abc }"))).toBe(false);
  expect(Value.Check(schema, parse("models: { m: {} }"))).toBe(false);
  expect(JSON.stringify(jsonSchema())).not.toMatch(/isSecret|hasPassword|expects/);
});

test("configTables() has a row for every field", () => {
  const tables = configTables();
  for (const { path } of load(file).origins) {
    const key = path.filter((step) => typeof step === "string").at(-1);
    if (key !== "x-team") expect(tables).toContain(`| \`${key}\` |`);
  }
});
