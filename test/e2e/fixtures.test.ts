import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RequestRow, startTestGateway, type TestGateway } from "../support/gateway.ts";
import {
  type Cut,
  cuts,
  type FixtureEntry,
  fixtures,
  type Replay,
  readFixture,
  startReplay,
} from "../support/replay.ts";

const paths: Readonly<Record<string, string>> = {
  chat: "chat/completions",
  completions: "completions",
  responses: "responses",
  embeddings: "embeddings",
  error: "chat/completions",
};
const served = fixtures.filter(
  (one) => one.api in paths && one.expect.source !== "pending" && one.expect.source !== "unknown",
);
const answers = served.filter((one) => one.status === 200);
const errors = served.filter((one) => one.api === "error");

/** A model that sells what the fixture shows: its service tier, its hosted tools, embeddings. */
function modelOf({ api, file }: FixtureEntry): string {
  if (api === "embeddings") return "text-embedding-3-small";
  if (api === "completions") return "gpt-3.5-turbo-instruct";
  return /tier-|tool-fees/.test(file) ? "gpt-5.2" : "gpt-4o";
}

/** Tools run at a vendor only when they were asked for. */
const toolsFor = (file: string): object =>
  file.includes("tool-fees")
    ? {
        tools: [
          { type: "file_search", vector_store_ids: ["vs_1"] },
          { type: "code_interpreter", container: { type: "auto" } },
        ],
      }
    : {};

/** What a client sends to get the recorded answer. */
function requestOf(entry: FixtureEntry): Record<string, unknown> {
  if (entry.request !== undefined) return JSON.parse(readFixture(entry.request).toString());
  if (entry.api === "responses") return { input: "Why do gates charge?", ...toolsFor(entry.file) };
  if (entry.api === "embeddings")
    return { input: "gate", encoding_format: entry.file.includes("base64") ? "base64" : "float" };
  if (entry.api === "completions") return { prompt: "Gate" };
  return { messages: [{ role: "user", content: "Hi" }] };
}

const framesOf = (text: string): string[] => text.match(/[\s\S]*?(?:\r\n\r\n|\n\n)/g) ?? [];
const dataOf = (frame: string): string | undefined =>
  frame
    .split(/\r?\n/)
    .find((line) => line.startsWith("data:"))
    ?.slice(5)
    .trim();

/** The client's view, worked out from the recorded text alone: whole frames up to the end, less what only Tollgate asked for. */
function expectedView(entry: FixtureEntry, wantsUsage: boolean): string {
  const shown: string[] = [];
  for (const frame of framesOf(readFixture(entry.file).toString("utf8"))) {
    const data = dataOf(frame);
    const json = data === undefined || data === "[DONE]" ? null : JSON.parse(data);
    const isUsageChunk =
      json?.choices?.length === 0 &&
      json.usage !== null &&
      json.usage !== undefined &&
      json.moderation === undefined;
    if (wantsUsage || entry.api === "responses") shown.push(frame);
    else if (!isUsageChunk)
      shown.push(json?.usage === null ? frame.replace(/,\s*"usage":\s*null|"usage":\s*null,\s*/, "") : frame);
    const isError = (json?.error !== undefined && json.error !== null) || json?.type === "error";
    if (data === "[DONE]" || isError) break;
  }
  return shown.join("");
}

describe.concurrent("recorded answers through the running gateway", () => {
  let replay: Replay;
  let gateway: TestGateway;
  let customer: { accountId: string; key: string };
  beforeAll(async () => {
    replay = await startReplay();
    const endpoints = cuts.flatMap((cut) => [
      `  ${cut}: { kind: openai, base_url: "${replay.url}/${cut}/v1", api_key: k }`,
      `  ${cut}-azure: { kind: azure, base_url: "${replay.url}/${cut}", api_key: k, api_version: v1 }`,
    ]);
    const models = cuts.flatMap((cut) =>
      served.map((entry) => {
        const endpoint = entry.api === "error" && entry.vendor === "azure" ? `${cut}-azure` : cut;
        return `  "${cut}/${entry.file}": { hosted_tools: [file_search, code_interpreter], deployments: [{ endpoint: ${endpoint}, deployment: "${entry.file}", model: ${modelOf(entry)} }] }`;
      }),
    );
    gateway = await startTestGateway({
      yaml: `endpoints:\n${endpoints.join("\n")}\nmodels:\n${models.join("\n")}\n`,
    });
    customer = await gateway.customer("1000");
  });
  afterAll(async () => {
    expect(await gateway.db.query("select 1 from holds")).toEqual([]);
    await gateway.close(1_000);
    await replay.close();
  });

  const send = async (
    entry: FixtureEntry,
    cut: Cut,
    wantsUsage: boolean,
  ): Promise<{ answer: Response; text: string; row: RequestRow }> => {
    const isStream = entry.file.endsWith(".sse");
    const { stream_options: _asked, ...recorded } = requestOf(entry);
    const body: Record<string, unknown> = { ...recorded, model: `${cut}/${entry.file}` };
    if (isStream) body["stream"] = true;
    else delete body["stream"];
    if (isStream && wantsUsage && entry.api === "chat") body["stream_options"] = { include_usage: true };
    const answer = await gateway.post(`/v1/${paths[entry.api]}`, customer.key, body);
    // Not text(): it would take out a BOM.
    const text = Buffer.from(await answer.arrayBuffer()).toString();
    const [row] = await gateway.records(customer.accountId, answer.headers.get("x-request-id") ?? "");
    if (row === undefined) throw new Error(`no record of ${entry.file}: ${text.slice(0, 300)}`);
    return { answer, text, row };
  };

  const readingOf = (row: RequestRow): unknown[] => [
    row.source,
    row.input,
    row.cached_input,
    row.cache_write,
    row.output,
    row.reasoning,
    row.total,
  ];
  const titled = (entries: readonly FixtureEntry[]): (readonly [string, FixtureEntry])[] =>
    entries.map((entry) => [entry.file, entry] as const);

  describe.each(cuts)("cut: %s", (cut) => {
    test.each(titled(answers))("%s gives its reading", async (_file, entry) => {
      const { row } = await send(entry, cut, false);
      const { expect: want } = entry;
      if (want.source === "none") {
        expect([row.state, row.charge, row.source]).toEqual(["released", "0", "none"]);
        return;
      }
      const isKnown = entry.request !== undefined || want.source === "vendor";
      if (isKnown)
        expect(readingOf(row)).toEqual([
          want.source,
          want.prompt,
          want.cached,
          want.cache_write,
          want.completion,
          want.reasoning,
          want.total,
        ]);
      else expect([row.source, row.output]).toEqual([want.source, want.completion]);
      const lines = (row.record.price_lines as { amount_pusd: string }[]).reduce(
        (sum, line) => sum + BigInt(line.amount_pusd),
        0n,
      );
      expect(lines.toString()).toBe(row.charge);
    });

    test.each(titled(errors))("%s gives its reading", async (_file, entry) => {
      const { row } = await send(entry, cut, false);
      if (entry.expect.source === "none")
        expect([row.state, row.charge, row.source, row.vendor_cost]).toEqual(["released", "0", "none", "0"]);
      // "Hi" to a chat: 3 + 1 + 1, and 3 for the answer.
      else
        expect([row.state, ...readingOf(row), row.record.usage.bound]).toEqual([
          "settled",
          "estimated",
          8,
          0,
          0,
          0,
          0,
          8,
          "lower_bound",
        ]);
    });
  });

  const streams = answers.filter((one) => one.file.endsWith(".sse"));
  const wholes = answers.filter((one) => one.file.endsWith(".json"));
  describe.each(cuts)("cut: %s", (cut) => {
    test.each(titled(streams))(
      "%s reaches a client that did not ask without what only Tollgate asked for",
      async (_file, entry) => {
        const { text } = await send(entry, cut, false);
        const view = expectedView(entry, false);
        if (entry.end === "cut") {
          expect(text.startsWith(view)).toBe(true);
          expect(text.slice(view.length)).toMatch(/^data: \{"error":\{.*"code":"upstream_cut"\}\}\n\n$/);
        } else expect(text).toBe(view);
        if (entry.api === "chat") expect(text).not.toContain('"usage":null');
      },
    );
    test.each(titled(streams))("%s reaches a client that asked byte for byte", async (_file, entry) => {
      const { text } = await send(entry, cut, true);
      const view = expectedView(entry, true);
      if (entry.end === "cut") expect(text.startsWith(view)).toBe(true);
      else expect(text).toBe(view);
      if (entry.end !== "done") expect(text).not.toContain("[DONE]");
    });
    test.each(titled(wholes))(
      "%s reaches the client byte for byte, with its charge in the head",
      async (_file, entry) => {
        const { text, answer, row } = await send(entry, cut, false);
        expect(text).toBe(readFixture(entry.file).toString());
        expect(answer.headers.get("x-tollgate-usage-source")).toBe("vendor");
        expect(answer.headers.get("x-tollgate-charge")).toMatch(/^0\.\d+$/);
        expect(answer.headers.get("x-request-id")).toBe(row.id);
      },
    );
  });

  // Every further thing the manifest says of an answer that is served.
  test.each(titled(answers.filter((one) => one.expect.service_tier !== undefined)))(
    "%s is recorded with its service tier",
    async (_file, entry) => {
      expect((await send(entry, "whole", false)).row.record.service_tier).toBe(entry.expect.service_tier);
    },
  );
  test.each(titled(answers.filter((one) => one.expect.billed_model !== undefined)))(
    "%s is billed as the model that served",
    async (_file, entry) => {
      const { row } = await send(entry, "whole", false);
      expect([row.model_served, entry.expect.billed_model?.startsWith(row.record.priced_as)]).toEqual([
        entry.expect.billed_model,
        true,
      ]);
    },
  );
  test.each(titled(answers.filter((one) => one.expect.billed_deployment !== undefined)))(
    "%s is recorded with the deployment that served",
    async (_file, entry) => {
      const { row } = await send(entry, "whole", false);
      expect([row.record.deployment, row.record.notes[0]?.kind]).toEqual([
        entry.expect.billed_deployment,
        "spillover",
      ]);
    },
  );
  test.each(titled(answers.filter((one) => one.expect.file_search_calls !== undefined)))(
    "%s is charged for its tools",
    async (_file, entry) => {
      const { row } = await send(entry, "whole", false);
      const fees = (row.record.price_lines as { kind: string; quantity: number }[])
        .filter((line) => !/input|output/.test(line.kind))
        .map((line) => `${line.kind} ${line.quantity}`);
      expect(fees).toEqual([
        `file_search ${entry.expect.file_search_calls}`,
        `code_interpreter ${entry.expect.containers}`,
      ]);
    },
  );

  test.each(titled(errors))(
    "%s reaches the client in OpenAI's envelope, without our credentials",
    async (_file, entry) => {
      const { text, answer, row } = await send(entry, "whole", false);
      const { error } = JSON.parse(text) as { error: Record<string, unknown> };
      const raw = readFixture(entry.file).toString("utf8");
      const sent = entry.file.endsWith(".json") ? JSON.parse(raw) : {};
      const isOurs = entry.status === 401 || entry.status === 403 || entry.status >= 500;
      expect(answer.status).toBe(isOurs ? 502 : entry.status);
      expect(Object.keys(error).slice(0, 4)).toEqual(["message", "type", "param", "code"]);
      expect(answer.headers.get("x-request-id")).toBe(row.id);
      if (isOurs) {
        expect(error["code"]).toBe(
          entry.status === 401 || entry.status === 403 ? "upstream_auth_failed" : "upstream_unavailable",
        );
      } else {
        expect(error["message"]).toBe(sent.error?.message ?? sent.message);
        expect(error["code"]).toBe(
          sent.error?.code === undefined || sent.error.code === null ? null : String(sent.error.code),
        );
        expect(error["param"]).toBe(sent.error?.param ?? null);
        expect(error["innererror"]).toEqual(sent.error?.innererror);
      }
      expect(text).not.toMatch(/sk-[A-Za-z0-9*]{8}/);
    },
  );
});
