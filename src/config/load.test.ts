import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Config, ConfigError, showOrigin, showPath } from "./config.ts";
import { loadConfig } from "./load.ts";
import type { ConfigFlags } from "./overlay.ts";

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "tollgate-config-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

interface Given {
  readonly file?: string;
  readonly env?: Record<string, string>;
  readonly flags?: ConfigFlags;
}

function load({ file, env = {}, flags = {} }: Given): Config {
  if (file !== undefined) writeFileSync(join(cwd, "tollgate.yaml"), file);
  return loadConfig({
    flags,
    env,
    cwd,
    pricedModels: (vendor) => (vendor === "openai" ? ["gpt-5", "gpt-5-mini"] : []),
  });
}

/** The problems as they are printed, one on each line. */
function problemsOf(given: Given): readonly string[] {
  try {
    load(given);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ origin, message }) => `${showOrigin(origin)}: ${message}`);
  }
  return [];
}

const local = "endpoints: { local: { kind: openai, base_url: http://127.0.0.1:8000/v1, api_key: none } }\n";

/** `deployments` of one model, as "deployment → its turn". */
const turnsOf = (deployments: string): readonly (string | number)[][] =>
  load({ file: `${local}models:\n  m:\n    deployments:\n${deployments}` }).models.flatMap((model) =>
    model.deployments.map((one) => [one.deployment, one.priority, one.weight]),
  );

const example = `
server: { host: 127.0.0.1, port: 8402 }
store: \${DATABASE_URL:-./tollgate-data}     # postgres://… or a directory
admin: { token: \${TOLLGATE_ADMIN_TOKEN:-} } # empty: one is made
credits: { usd: "0.01", name: credit }
markup: "1.20"
errors: { quota_status: 402 }
endpoints:
  azure-east:
    kind: azure
    base_url: \${AZURE_OPENAI_ENDPOINT}
    api_key: \${AZURE_OPENAI_API_KEY}
    api_version: 2024-12-01-preview
    on_disconnect: drain
    drain_timeout_ms: 600000
  local:
    kind: openai
    base_url: http://127.0.0.1:8000/v1
    api_key: none
models:
  gpt-5-mini:
    markup: "1.25"
    deployments:
      - { endpoint: azure-east, deployment: my-gpt5-mini, model: gpt-5-mini, weight: 1 }
      - { endpoint: local, deployment: gpt-5-mini }
prices:
  - { model: my-tuned, from: 2026-01-01T00:00:00Z, input: "0.25", cached_input: "0.025", output: "2.00" }
limits: { body_bytes: 10485760, concurrent_requests: 2000, default_max_output_tokens: 4096 }
`;
const azure = {
  AZURE_OPENAI_ENDPOINT: "https://acme.openai.azure.com/",
  AZURE_OPENAI_API_KEY: "key-of-azure",
};

describe("a right file", () => {
  test("is read with its defaults", () => {
    const config = load({ file: example, env: azure });
    expect(config.server).toEqual({ host: "127.0.0.1", port: 8402, workers: 1 });
    expect(config.store).toEqual({ kind: "pglite", directory: join(cwd, "tollgate-data") });
    expect(config.adminToken).toBeNull();
    expect(config.credit.unit.picoPerCredit).toBe(10_000_000_000n);
    expect(config.markup).toEqual({ units: 12n, scale: 1 });
    expect(config.isConfigured).toBe(true);
    const endpoint = config.endpoints.get("azure-east");
    expect(endpoint).toMatchObject({
      baseUrl: "https://acme.openai.azure.com",
      auth: "key",
      apiVersion: "2024-12-01-preview",
    });
    expect(endpoint?.credential.kind === "api_key" && endpoint.credential.key.reveal()).toBe("key-of-azure");
    expect(config.endpoints.get("local")).toMatchObject({
      credential: { kind: "none" },
      auth: "bearer",
      idleTimeoutMs: 120_000,
    });
    expect(config.models).toEqual([
      {
        name: "gpt-5-mini",
        markup: { units: 125n, scale: 2 },
        strictParameters: false,
        hostedTools: [],
        serviceTiers: ["auto", "default", "flex", "priority"],
        deployments: [
          {
            endpoint: "azure-east",
            kind: "azure",
            provider: "azure",
            deployment: "my-gpt5-mini",
            model: "gpt-5-mini",
            weight: 1,
            priority: 0,
            onDisconnect: "drain",
            drainTimeoutMs: 600_000,
            apiVersion: "2024-12-01-preview",
            chargeFilteredPrompt: true,
          },
          {
            endpoint: "local",
            kind: "openai",
            provider: "openai",
            deployment: "gpt-5-mini",
            model: "gpt-5-mini",
            weight: 1,
            priority: 1,
            onDisconnect: "drain",
            drainTimeoutMs: 600_000,
            apiVersion: null,
            chargeFilteredPrompt: true,
          },
        ],
      },
    ]);
    expect(config.prices).toMatchObject([
      { model: "my-tuned", from: "2026-01-01T00:00:00Z", cached_input: "0.025", output: "2.00" },
    ]);
  });

  test("cannot be changed afterwards", () => {
    const config = load({ file: example, env: azure });
    expect(() => Object.assign(config.server, { port: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.models[0] ?? {}, { name: "x" })).toThrow(TypeError);
  });

  test("keeps secrets out of everything that prints the result", () => {
    const env = {
      ...azure,
      DATABASE_URL: "postgres://u:hunter2@db/x",
      TOLLGATE_ADMIN_TOKEN: "admin-token-of-sixteen",
    };
    const shown = inspect(load({ file: example, env }), { depth: null, showHidden: true });
    for (const secret of ["key-of-azure", "hunter2", "admin-token-of-sixteen"])
      expect(shown).not.toContain(secret);
  });

  test("takes an amount without quotes as it is written, not as a float", () => {
    const config = load({
      file: `${local}markup: 1.10\nprices: [{ model: m, input: 0.10, output: 12345678901234567.123456 }]`,
    });
    expect(config.markup).toEqual({ units: 11n, scale: 1 });
    expect(config.prices[0]).toMatchObject({ input: "0.10", output: "12345678901234567.123456" });
  });

  test("may use anchors", () => {
    const file = `endpoints:\n  a: &a { kind: openai, base_url: "http://a/v1", api_key: none }\n  b: *a\n`;
    expect([...load({ file }).endpoints.keys()]).toEqual(["a", "b"]);
  });

  test("may be empty", () => {
    expect(load({ file: "# nothing yet\n" })).toMatchObject({ isConfigured: true, models: [] });
  });
});

describe("variables", () => {
  test.each([
    ["a default with braces, commas and colons nearby", "{ name: ${NAME:-a, b: c} }", {}, "a, b: c"],
    ["a variable in the middle", "{ name: x-${NAME}-y }", { NAME: "z" }, "x-z-y"],
    ["two variables", '{ name: "${A}${B:-2}" }', { A: "1" }, "12"],
    ["a variable that is set to nothing", "{ name: ${NAME:-default} }", { NAME: "" }, "default"],
    ["content that looks like YAML", "{ name: ${NAME} }", { NAME: "{ a: [1] } # b" }, "{ a: [1] } # b"],
    ["content that looks like a variable", "{ name: ${NAME} }", { NAME: "${OTHER}" }, "${OTHER}"],
    ["the escape", '{ name: "$${NAME}" }', {}, "${NAME}"],
    ["a variable in a comment", "{ name: plain } # ${NOWHERE}", {}, "plain"],
  ])("%s", (_, credits, env, name) => {
    expect(load({ file: `credits: ${credits}`, env }).credit.name).toBe(name);
  });

  test("become numbers where numbers are wanted", () => {
    expect(
      load({ file: 'server: { port: "${P}", workers: ${W:-1} }', env: { P: "9000" } }).server,
    ).toMatchObject({ port: 9000, workers: 1 });
  });

  test("come from files that X_FILE names", () => {
    writeFileSync(join(cwd, "key"), "key-in-file\n");
    const file = "endpoints: { o: { kind: openai, base_url: http://x/v1, api_key: ${OPENAI_API_KEY} } }";
    const credential = load({ file, env: { OPENAI_API_KEY_FILE: join(cwd, "key") } }).endpoints.get(
      "o",
    )?.credential;
    expect(credential?.kind === "api_key" && credential.key.reveal()).toBe("key-in-file");
  });
});

describe("precedence", () => {
  const origins = (given: Given) =>
    Object.fromEntries(load(given).origins.map(({ path, origin }) => [showPath(path), showOrigin(origin)]));

  test("is flag, environment, file, default", () => {
    const file = "server: { host: 0.0.0.0, port: 1000 }\n";
    expect(load({ file }).server).toEqual({ host: "0.0.0.0", port: 1000, workers: 1 });
    expect(load({ file, env: { PORT: "2000" } }).server.port).toBe(2000);
    expect(load({ file, env: { PORT: "2000" }, flags: { port: "3000" } }).server.port).toBe(3000);
    expect(load({ file: "", env: { HOST: "::1" } }).server).toEqual({ host: "::1", port: 8402, workers: 1 });
  });

  test("is told for every value", () => {
    const file = "server: { host: 0.0.0.0 }\n";
    expect(origins({ file, env: { PORT: "2000" }, flags: { workers: "1" } })).toMatchObject({
      "server.host": "tollgate.yaml:1:17",
      "server.port": "environment variable PORT",
      "server.workers": "--workers",
      store: "default",
    });
  });

  test("names the file that was asked for", () => {
    writeFileSync(join(cwd, "other.yaml"), "server: { port: 7 }");
    expect(load({ flags: { config: "other.yaml" } })).toMatchObject({
      file: "other.yaml",
      server: { port: 7 },
    });
    expect(load({ env: { TOLLGATE_CONFIG: "other.yaml" } }).server.port).toBe(7);
    expect(problemsOf({ flags: { config: "none.yaml" } })).toEqual([
      "--config: the file none.yaml cannot be read (ENOENT); check its name and its permissions",
    ]);
  });
});

describe("the environment alone", () => {
  const azureAlone = {
    ...azure,
    OPENAI_API_VERSION: "2024-10-21",
    AZURE_OPENAI_DEPLOYMENT_NAME: "gpt-5-mini",
  };
  const routes = (config: Config) =>
    config.models.map(
      ({ name, deployments }) => `${name}: ${deployments.map((one) => one.endpoint).join(", ")}`,
    );

  test("is nothing: then only demo mode can serve", () => {
    expect(load({})).toMatchObject({ isConfigured: false, models: [], file: null });
  });

  test("OPENAI_API_KEY makes every priced OpenAI model", () => {
    const config = load({ env: { OPENAI_API_KEY: "sk-x" } });
    expect(config.isConfigured).toBe(true);
    expect(config.endpoints.get("openai")).toMatchObject({
      kind: "openai",
      baseUrl: "https://api.openai.com/v1",
      auth: "bearer",
    });
    expect(routes(config)).toEqual(["gpt-5: openai", "gpt-5-mini: openai"]);
  });

  test("OPENAI_BASE_URL says where", () => {
    const env = { OPENAI_API_KEY: "none", OPENAI_BASE_URL: "http://127.0.0.1:9/v1/" };
    expect(load({ env }).endpoints.get("openai")).toMatchObject({
      baseUrl: "http://127.0.0.1:9/v1",
      credential: { kind: "none" },
    });
  });

  test("AZURE_OPENAI_* makes one model, named as its deployment", () => {
    const config = load({ env: azureAlone });
    expect(config.endpoints.get("azure")).toMatchObject({
      kind: "azure",
      apiVersion: "2024-10-21",
      auth: "key",
    });
    expect(config.models).toMatchObject([
      { name: "gpt-5-mini", deployments: [{ deployment: "gpt-5-mini", model: "gpt-5-mini" }] },
    ]);
  });

  test("both: a name that both serve goes to Azure first", () => {
    expect(routes(load({ env: { ...azureAlone, OPENAI_API_KEY: "sk-x" } }))).toEqual([
      "gpt-5-mini: azure, openai",
      "gpt-5: openai",
    ]);
  });

  test("adds nothing to a file that names endpoints, and no models to one that names models", () => {
    const env = { OPENAI_API_KEY: "sk-x" };
    expect([...load({ file: local, env }).endpoints.keys()]).toEqual(["local"]);
    const file = "models: { mine: { deployments: [{ endpoint: openai, deployment: gpt-5 }] } }";
    expect(routes(load({ file, env }))).toEqual(["mine: openai"]);
  });

  test("half described is refused", () => {
    expect(problemsOf({ env: azure })).toEqual([
      'environment variable AZURE_OPENAI_*: the environment begins to describe the endpoint "azure", but AZURE_OPENAI_API_VERSION (or OPENAI_API_VERSION), AZURE_OPENAI_DEPLOYMENT_NAME are not set; set all of them or none',
    ]);
    expect(problemsOf({ env: { OPENAI_BASE_URL: "http://x/v1" } })).toEqual([
      'environment variable OPENAI_BASE_URL: the environment begins to describe the endpoint "openai", but OPENAI_API_KEY is not set; set it ("none" when the server needs none)',
    ]);
  });

  test("a secret in two forms is refused", () => {
    expect(problemsOf({ env: { OPENAI_API_KEY: "sk-x", OPENAI_API_KEY_FILE: "/nowhere" } })).toEqual([
      "environment variable OPENAI_API_KEY: both OPENAI_API_KEY and OPENAI_API_KEY_FILE are set; keep one of them",
    ]);
    expect(problemsOf({ env: { DATABASE_URL_FILE: "/nowhere/url" } })).toEqual([
      "environment variable DATABASE_URL: the file that DATABASE_URL_FILE names cannot be read (ENOENT): /nowhere/url",
    ]);
  });
});

describe("the turn of deployments", () => {
  test.each([
    [
      "without weights, each in its turn",
      ["{ endpoint: local, deployment: a }", "{ endpoint: local, deployment: b }"],
      [
        ["a", 0, 1],
        ["b", 1, 1],
      ],
    ],
    [
      "neighbours of one weight share a turn",
      [
        "{ endpoint: local, deployment: a, weight: 1 }",
        "{ endpoint: local, deployment: b, weight: 1 }",
        "{ endpoint: local, deployment: c, weight: 2 }",
      ],
      [
        ["a", 0, 1],
        ["b", 0, 1],
        ["c", 1, 2],
      ],
    ],
    [
      "a weight given and a weight left out are not the same",
      ["{ endpoint: local, deployment: a, weight: 1 }", "{ endpoint: local, deployment: b }"],
      [
        ["a", 0, 1],
        ["b", 1, 1],
      ],
    ],
    [
      "priority decides when it is given, and then weights share",
      [
        "{ endpoint: local, deployment: a, priority: 5 }",
        "{ endpoint: local, deployment: b, priority: 0, weight: 3 }",
        "{ endpoint: local, deployment: c, priority: 0 }",
      ],
      [
        ["a", 5, 1],
        ["b", 0, 3],
        ["c", 0, 1],
      ],
    ],
  ])("%s", (_, deployments, turns) => {
    expect(turnsOf(deployments.map((one) => `      - ${one}\n`).join(""))).toEqual(turns);
  });
});
