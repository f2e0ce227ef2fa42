import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { post, type Reply, withSimulator } from "../../test/support/simulator.ts";
import type { JsonObject } from "./json.ts";
import type { ProfileName } from "./profiles.ts";

const fixtures = new URL("../../test/fixtures/", import.meta.url);

function readFixture(name: string): string {
  return readFileSync(new URL(name, fixtures), "utf8");
}

function deployed(name: string, version = "2024-12-01-preview"): string {
  return `/openai/deployments/${name}/chat/completions?api-version=${version}`;
}

function send(profile: ProfileName, path: string, body: JsonObject): Promise<Reply> {
  return withSimulator({ profile }, (simulator) => post(simulator, path, body));
}

type Case = readonly [fixture: string, profile: ProfileName, path: string, body: JsonObject];

const chat = "/v1/chat/completions";
const gate = { messages: [{ role: "user", content: "In one sentence, what does a toll gate do?" }] };
const asked = { stream: true, stream_options: { include_usage: true } };
const unknown = { model: "gpt-9", ...gate };
const mini = { model: "gpt-5-mini", ...gate };

/** What is sent, and the recorded refusal that comes back. */
const refusals: readonly Case[] = [
  ["azure-400-stream-options-unknown.json", "azure", deployed("gpt-4o", "2024-06-01"), { ...gate, ...asked }],
  ["azure-404-deployment.json", "azure", deployed("nope"), gate],
  ["azure-404-resource.json", "azure", "/v1/chat/completions", gate],
  ["azure-404-resource.json", "azure", deployed("gpt-4o", "latest"), gate],
  ["azure-500.json", "azure", deployed("gpt-4o"), fault("500")],
  ["azure-408-timeout.json", "azure", deployed("gpt-4o"), fault("408")],
  ["azure-429-tokens.json", "azure", deployed("gpt-5-mini"), fault("429 retry_after=33")],
  ["azure-429-day.json", "azure", deployed("gpt-5-mini"), fault("429_day")],
  ["azure-429-high-demand.json", "azure", deployed("gpt-4o"), fault("429_capacity retry_after=20")],
  ["azure-400-content-filter-prompt.json", "azure", deployed("gpt-4o"), fault("content_filter")],
  ["openai-404-model.json", "openai", chat, unknown],
  [
    "openai-400-stream-options-without-stream.json",
    "openai",
    chat,
    { ...mini, stream_options: { include_usage: true } },
  ],
  ["openai-400-unknown-parameter.json", "openai", chat, { ...mini, top_k: 4 }],
  ["openai-400-unsupported-parameter-max_tokens.json", "openai", chat, { ...mini, max_tokens: 50 }],
  [
    "openai-400-unsupported-parameter-temperature.json",
    "openai",
    chat,
    { ...gate, model: "o3-mini", temperature: 0.7 },
  ],
  ["openai-400-unsupported-value-temperature.json", "openai", chat, { ...mini, temperature: 0.7 }],
  [
    "openai-400-unsupported-value-reasoning_effort.json",
    "openai",
    chat,
    { ...gate, model: "gpt-5.4-mini", reasoning_effort: "minimal" },
  ],
  ["openai-429-insufficient-quota.json", "openai", chat, { model: "gpt-4.1", ...fault("429_quota") }],
  ["openai-500.json", "openai", chat, { model: "gpt-4.1", ...fault("500") }],
  ["openai-503.json", "openai", chat, { model: "gpt-4.1", ...fault("503 retry_after=5") }],
  [
    "openai-responses-400-min-output.json",
    "openai",
    "/v1/responses",
    { model: "gpt-5.2", input: "Go", max_output_tokens: 5 },
  ],
  [
    "openai-responses-400-previous.json",
    "openai",
    "/v1/responses",
    { model: "gpt-5.2", input: "Go", previous_response_id: "resp_example" },
  ],
  [
    "openai-responses-400-unsupported-parameter-temperature.json",
    "openai",
    "/v1/responses",
    { model: "o3-mini", input: "Go", temperature: 0.7 },
  ],
  ["gateway-html-502.txt", "openai", chat, { model: "gpt-4.1", ...fault("html_502") }],
];

function fault(words: string): JsonObject {
  return { messages: [{ role: "user", content: `[[sim:fault=${words}]]` }] };
}

interface Entry {
  readonly file: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const manifest: { fixtures: Entry[] } = JSON.parse(readFixture("manifest.json"));

describe("refusals and failures have the recorded bodies", () => {
  test.each(refusals)("%s", async (fixture, profile, path, body) => {
    const reply = await send(profile, path, body);
    const entry = manifest.fixtures.find(({ file }) => file === fixture);
    expect(reply.status).toBe(entry?.status);
    expect(reply.headers.get("retry-after")).toBe(entry?.headers?.["retry-after"] ?? null);
    if (fixture.endsWith(".txt")) expect(reply.text).toBe(readFixture(fixture));
    else expect(JSON.stringify(reply.json)).toBe(JSON.stringify(JSON.parse(readFixture(fixture))));
  });

  test("a wrong key is refused in each vendor's words", async () => {
    const refused = async (
      profile: ProfileName,
      path: string,
      headers: Record<string, string>,
    ): Promise<string> =>
      withSimulator(
        { profile, apiKeys: ["right"] },
        async (simulator) => (await post(simulator, path, mini, headers)).text,
      );
    const bare = { "api-key": "", authorization: "" };
    const masked = { authorization: "Bearer sk-exampleexampleexamplee0000" };
    const same = (fixture: string): string => JSON.stringify(JSON.parse(readFixture(fixture)));
    expect(await refused("azure", deployed("gpt-4o"), { "api-key": "wrong" })).toBe(
      same("azure-401-key.json"),
    );
    expect(await refused("openai", chat, bare)).toBe(same("openai-401-missing-key.json"));
    expect(await refused("openai", chat, masked)).toContain("Incorrect API key provided: sk-examp****");
    expect(await refused("openrouter", chat, bare)).toContain('"code":401');
  });

  test("Azure takes a bearer on a dated address for an Entra token, and on v1 for a key", () =>
    withSimulator({ profile: "azure", apiKeys: ["right"] }, async (simulator) => {
      const send = async (path: string, bearer: string): Promise<Response> =>
        fetch(`${simulator.url}${path}`, {
          method: "POST",
          headers: { "content-type": "application/json", authorization: `Bearer ${bearer}` },
          body: JSON.stringify({ model: "gpt-4o", ...gate }),
        });
      const entra = await send(deployed("gpt-4o"), "right");
      expect([entra.status, await entra.json()]).toEqual([
        401,
        JSON.parse(readFixture("azure-401-entra.json")),
      ]);
      expect((await send(deployed("gpt-4o"), "eyJ0.eyJ1.c2ln")).status).toBe(200);
      expect((await send("/openai/v1/chat/completions", "right")).status).toBe(200);
      expect((await send("/openai/v1/chat/completions", "wrong")).status).toBe(401);
    }));
});
