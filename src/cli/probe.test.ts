import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type Ran, runCommand } from "../../test/support/cli.ts";
import { parseUsd } from "../core/money.ts";
import { type Simulator, startSimulator } from "../simulator/server.ts";

const key = "vendor-key-of-this-test-4711";
let cwd = "";
let azure: Simulator;
let clean: Simulator;
beforeAll(async () => {
  azure = await startSimulator({ profile: "azure", apiKeys: [key] });
  clean = await startSimulator({ profile: "clean", apiKeys: [key] });
});
afterAll(() => Promise.all([azure.close(), clean.close()]));
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "tollgate-probe-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const env = { AZURE_OPENAI_API_KEY: key, OPENAI_API_KEY: key };
const run = async (line: string, more: Parameters<typeof runCommand>[1] = {}): Promise<Ran> => {
  const ran = await runCommand(line.split(" "), { env, cwd, ...more });
  expect(ran.out + ran.err).not.toContain(key);
  expect(ran.err).not.toMatch(/^ +at /m);
  return ran;
};
const onAzure = (rest: string): string =>
  `probe --base-url ${azure.url} --kind azure --api-version 2024-12-01-preview ${rest}`;
const lastLine = (text: string): string | undefined => text.trimEnd().split("\n").at(-1);

describe("tollgate probe", () => {
  test("prints the report as Markdown, progress on stderr, and exits with 3 on findings", async () => {
    const { exitCode, out, err } = await run(onAzure("--deployment gpt-5-mini"));
    expect(exitCode).toBe(3);
    expect(out.match(/^## .*/gm)).toEqual([
      "## 1. Environment",
      "## 2. Non-streaming",
      "## 3. Streaming, as a plain client asks for it",
      "## 4. Streaming with include_usage",
      "## 5. Parameter matrix",
      "## 6. Error envelopes",
      "## 7. Estimation accuracy by kind of token",
      "## 8. What mis-metering costs",
      "## 9. Recommendations by priority",
    ]);
    expect(out).toMatch(
      /\*\*12 findings\. The worst, TG-P001 \(high\): A stream has usage only when it is asked for\.\*\*/,
    );
    expect(out).toMatch(/credential +\| environment variable AZURE_OPENAI_API_KEY \[hidden\]/);
    expect(err).toMatch(/^ 1\/\d+ ! Answer in one piece, max_tokens 50: 400 Unsupported parameter/m);
    expect(err.match(/^ ?\d+\/23 /gm)?.length).toBeGreaterThan(20);
    expect(lastLine(err)).toMatch(/^Cost: \$0\.001143 by the vendor's usage, and at most \$/);
  });

  test("exits with 0 when nothing is found", async () => {
    const { exitCode, out } = await run(`probe ${clean.url}/v1 --model gpt-4o-mini`);
    expect([exitCode, out.includes("Nothing was found: usage is exact, streamed and not.")]).toEqual([
      0,
      true,
    ]);
  });

  test("--json prints one versioned object", async () => {
    const { out } = await run(onAzure("--deployment gpt-5-chat --json"));
    expect(out.trimEnd().split("\n")).toHaveLength(1);
    expect(JSON.parse(out)).toMatchObject({
      schema: "tollgate.probe/1",
      environment: { deployment: "gpt-5-chat", api_version: "2024-12-01-preview" },
    });
  });

  test("--dry-run lists the calls with the most they can cost, needs no key and sends nothing", async () => {
    const before = azure.requests().length;
    const { exitCode, out, err } = await run(onAzure("--deployment gpt-5-mini --dry-run"), { env: {} });
    expect([exitCode, azure.requests().length]).toEqual([0, before]);
    expect(out).toMatch(/^whole-a +Answer in one piece, max_completion_tokens 50 +\$0\.\d+$/m);
    expect(err).toMatch(/Together at most \$0\.\d+.*; allowed are \$0\.05\./);
    const plan = JSON.parse(
      (await run(onAzure("--deployment gpt-5-mini --dry-run --json"), { env: {} })).out,
    );
    expect(plan).toMatchObject({ schema: "tollgate.probe-plan/1", max_cost_usd: "0.05" });
    const sum = plan.calls.reduce(
      (total: bigint, one: { largest_cost_usd: string }) => total + parseUsd(one.largest_cost_usd),
      0n,
    );
    expect(sum).toBe(parseUsd(plan.largest_cost_usd));
  });

  test("--compare says what changed since", async () => {
    const before = await run(onAzure("--deployment gpt-5-chat --json"));
    writeFileSync(join(cwd, "before.json"), before.out);
    const same = await run(onAzure("--deployment gpt-5-chat --compare before.json"));
    expect(same.out).toMatch(/## Changes since 20.*Z\n\nNone\./);
    const other = await run(onAzure("--deployment gpt-5-mini --compare before.json --json"));
    expect(JSON.parse(other.out).changes.lines).toEqual(
      expect.arrayContaining([
        "environment deployment: gpt-5-chat before, gpt-5-mini now",
        "new finding TG-P015: Reasoning is billed that no text shows",
        "parameter temperature: accepted before, fixed now",
        "whole-a output tokens: 7 before, 50 now",
        "prompt overhead: 0 before, -1 now",
      ]),
    );
    writeFileSync(join(cwd, "other.json"), '{"schema":"something"}');
    expect(await run(onAzure("--deployment gpt-5-chat --compare other.json"))).toMatchObject({
      exitCode: 2,
      err: 'Cannot compare with other.json: its schema is "something", not tollgate.probe/1.\n',
    });
  });

  test("--price and --volume decide the money section", async () => {
    const { out } = await run(onAzure("--deployment gpt-5-chat --price 1/0.5/100 --volume 2000000 --json"));
    const report = JSON.parse(out);
    expect(report.environment.price_row).toMatch(/^operator\/gpt-5-chat/);
    const [vendor, characters] = report.money.cases[0].lines;
    // 29 × $1 + 7 × $100 per million, two million times.
    expect(vendor).toMatchObject({
      method: "vendor",
      each_usd: "0.000729",
      all_usd: "1458",
      missing_usd: "0",
    });
    expect(characters).toMatchObject({
      method: "characters_4",
      each_usd: "0.00062",
      all_usd: "1240",
      missing_usd: "218",
      missing_percent_of_billed: 15,
    });
  });

  test("an address from a portal brings deployment and api-version along", async () => {
    const address = `${azure.url}/openai/deployments/gpt-5-chat/chat/completions?api-version=2024-06-01`;
    const { out } = await run(`probe ${address} --json`);
    expect(JSON.parse(out).environment).toMatchObject({
      kind: "azure",
      deployment: "gpt-5-chat",
      api_version: "2024-06-01",
      base_url: expect.stringMatching(/gpt-5-chat$/),
    });
  });

  test("--save FILE writes what was learned", async () => {
    await run(onAzure("--deployment gpt-5-mini --save quirks.yaml"));
    const quirks = parse(readFileSync(join(cwd, "quirks.yaml"), "utf8"));
    expect(quirks).toMatchObject({
      schema: "tollgate.quirks/1",
      deployment: "gpt-5-mini",
      limit_parameter: "max_completion_tokens",
    });
    expect(quirks.lessons).toContainEqual(expect.objectContaining({ kind: "input_overhead", tokens: -1 }));
    await run(onAzure("--deployment gpt-5-mini --save quirks.json"));
    expect(JSON.parse(readFileSync(join(cwd, "quirks.json"), "utf8")).lessons).toHaveLength(7);
  });

  test.each([
    ["probe http://x", "Cannot probe: no model is named; add --model NAME."],
    ["probe https://x.openai.azure.com", "Cannot probe: no deployment is named; add --deployment NAME."],
    ["probe --base-url ftp://x --model m", 'Cannot probe "ftp://x": it is no http URL'],
    [
      "probe http://u:secret@x/v1 --model m",
      "Cannot probe: the address holds a login; set the key in the environment instead.",
    ],
    [
      "probe http://x/v1 --model m --save",
      "Cannot save for an address: no configured endpoint has it; write --save FILE",
    ],
    ["probe --save azure-east", 'Cannot save to "azure-east": write a name that ends in .yaml or .json'],
    [
      "probe http://x/v1 --model m --max-cost 0",
      'Cannot read --max-cost "0": write dollars like 0.05, more than 0.',
    ],
    [
      "probe http://x/v1 --model m --price cheap",
      'Cannot read --price "cheap": write USD per million tokens',
    ],
    ["probe http://x/v1 --model m --price 1/2/3/4", 'Cannot read --price "1/2/3/4"'],
    ["probe http://x/v1 --model m --timeout 0", "Write a whole number from 1 to 600."],
    [
      "probe http://x/v1 http://y/v1 --model m --save a.json",
      "Cannot use one file for several targets; probe them one by one.",
    ],
  ])("%s is a mistake that is explained", async (line, message) => {
    const { exitCode, out, err } = await run(line);
    expect([exitCode, out]).toEqual([2, ""]);
    expect(err).toContain(message);
  });

  test("without an endpoint it says how to name one", async () => {
    expect(await run("probe", { env: {} })).toMatchObject({
      exitCode: 2,
      err: "Cannot probe: no endpoint is configured; give an address, like `tollgate probe https://api.openai.com/v1 --model gpt-4o-mini`.\n",
    });
  });

  test("a key that must be there is asked for", async () => {
    const ran = await run("probe https://x.openai.azure.com --deployment d", { env: {} });
    expect(ran).toMatchObject({
      exitCode: 2,
      err: "Cannot probe: there is no key; set AZURE_OPENAI_API_KEY, or name another variable with --key-env.\n",
    });
  });
});

describe("a configured endpoint", () => {
  const yaml = (url: string): string => `
endpoints:
  azure-east: { kind: azure, base_url: ${url}, api_key: ${key}, api_version: 2024-12-01-preview }
  other: { kind: openai, base_url: ${clean.url}/v1, api_key: ${key} }
models:
  mini: { deployments: [{ endpoint: azure-east, deployment: gpt-5-mini, model: gpt-5-mini }] }
  chat: { deployments: [{ endpoint: azure-east, deployment: gpt-5-chat, model: gpt-5-chat }] }
  small: { deployments: [{ endpoint: other, deployment: gpt-4o-mini, model: gpt-4o-mini }] }
`;
  const configure = (): void =>
    writeFileSync(join(cwd, "tollgate.yaml"), `store: ./data\n${yaml(azure.url)}`);

  test("is found by its name; the deployment must be clear", async () => {
    configure();
    expect(await run("probe other")).toMatchObject({ exitCode: 0 });
    expect(await run("probe azure-east")).toMatchObject({
      exitCode: 2,
      err: "Cannot tell which deployment of azure-east to probe; choose one with --deployment: gpt-5-mini, gpt-5-chat.\n",
    });
    expect(await run("probe azure-eats")).toMatchObject({
      exitCode: 2,
      err: 'Cannot probe "azure-eats": there is no endpoint of this name; did you mean azure-east?\n',
    });
    expect(await run("probe")).toMatchObject({
      exitCode: 2,
      err: "Cannot tell which endpoint to probe; name one: azure-east, other.\n",
    });
    expect(await run("probe other --model gpt-9")).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("no model is served by it under this name"),
    });
    const both = await run("probe azure-east other --model gpt-4o-mini");
    expect(both.exitCode).toBe(2);
  });

  test("--save keeps what was learned in the store, and a server goes by it from its start", async () => {
    configure();
    const saved = await run("probe azure-east --deployment gpt-5-mini --save");
    expect([saved.exitCode, saved.err]).toEqual([
      3,
      expect.stringContaining("Saved 7 facts about gpt-5-mini for the gateway."),
    ]);
    const { openPglite } = await import("../store/pglite.ts");
    const { createLessonStore } = await import("../store/lessons.ts");
    const db = await openPglite(join(cwd, "data"));
    const lessons = await createLessonStore(db).all();
    await db.close();
    expect(
      lessons.map(({ endpoint, deployment, lesson }) => `${endpoint} ${deployment} ${lesson.kind}`),
    ).toContain("azure-east gpt-5-mini input_overhead");
  });
});
