import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { cuts, type FixtureEntry, fixtures, readFixture, type Replay, startReplay } from "../support/replay.ts";

const chat = fixtures.filter((one) => one.api === "chat" && one.status === 200);

/** The client's view, worked out from the recorded text alone: whole frames up to the end, less what only Tollgate asked for. */
function expectedView(entry: FixtureEntry, wantsUsage: boolean): string {
  const text = readFixture(entry.file).toString("utf8");
  const frames = text.match(/[\s\S]*?(?:\r\n\r\n|\n\n)/g) ?? [];
  const shown: string[] = [];
  for (const frame of frames) {
    const data = frame.split(/\r?\n/).find((line) => line.startsWith("data:"))?.slice(5).trim();
    const json = data === undefined || data === "[DONE]" ? null : JSON.parse(data);
    const isUsageChunk = json?.choices?.length === 0 && json.usage !== null && json.usage !== undefined && json.moderation === undefined;
    if (wantsUsage) shown.push(frame);
    else if (!isUsageChunk) shown.push(json?.usage === null ? frame.replace(/,\s*"usage":\s*null|"usage":\s*null,\s*/, "") : frame);
    if (data === "[DONE]" || json?.error !== undefined) break;
  }
  return shown.join("");
}

describe("recorded chat answers through the running gateway", () => {
  let replay: Replay;
  let gateway: TestGateway;
  beforeAll(async () => {
    replay = await startReplay();
    const endpoints = cuts.map((cut) => `  ${cut}: { kind: openai, base_url: ${replay.url}/${cut}/v1, api_key: k }`);
    const models = cuts.flatMap((cut) =>
      chat.map(({ file }) => `  "${cut}/${file}": { deployments: [{ endpoint: ${cut}, deployment: "${file}", model: gpt-4o }] }`),
    );
    gateway = await startTestGateway({ yaml: `endpoints:\n${endpoints.join("\n")}\nmodels:\n${models.join("\n")}\n` });
  });
  afterAll(async () => {
    await gateway.close(1_000);
    await replay.close();
  });

  const send = async (entry: FixtureEntry, cut: string, wantsUsage: boolean) => {
    const { accountId, key } = await gateway.customer("1000");
    const recorded = entry.request === undefined ? { messages: [{ role: "user", content: "Hi" }] } : JSON.parse(readFixture(entry.request).toString());
    const stream = entry.file.endsWith(".sse");
    const body = { ...recorded, model: `${cut}/${entry.file}`, stream };
    delete body.stream_options;
    if (stream && wantsUsage) body.stream_options = { include_usage: true };
    const answer = await gateway.post("/v1/chat/completions", key, body);
    const text = await answer.text();
    const [row] = await gateway.records(accountId);
    return { answer, text, row };
  };

  describe.each(cuts)("cut: %s", (cut) => {
    test.each(chat.map((entry) => [entry.file, entry] as const))("%s gives its reading", async (_file, entry) => {
      const { row } = await send(entry, cut, false);
      const { expect: want } = entry;
      if (want.source === "none") {
        expect([row?.state, row?.charge]).toEqual(["released", "0"]);
        return;
      }
      expect(row?.source).toBe(want.source);
      const known = entry.request !== undefined || want.source === "vendor";
      if (known) {
        expect([row?.input, row?.cached_input, row?.cache_write, row?.output, row?.reasoning, row?.total]).toEqual([
          want.prompt, want.cached, want.cache_write, want.completion, want.reasoning, want.total,
        ]);
      } else expect(row?.output).toBe(want.completion);
      const lines = (row?.record.price_lines as { amount_pusd: string }[]).reduce((sum, line) => sum + BigInt(line.amount_pusd), 0n);
      expect(lines.toString()).toBe(row?.charge);
      expect(await gateway.db.query("select 1 from holds")).toEqual([]);
    });
  });

  const streams = chat.filter((one) => one.file.endsWith(".sse"));
  test.each(streams.map((entry) => [entry.file, entry] as const))("%s reaches a client that did not ask without what only Tollgate asked for", async (_file, entry) => {
    const { text } = await send(entry, "random", false);
    const view = expectedView(entry, false);
    if (entry.end === "cut") {
      expect(text.startsWith(view)).toBe(true);
      expect(text.slice(view.length)).toMatch(/^data: \{"error":\{.*"code":"upstream_cut"\}\}\n\n$/);
    } else expect(text).toBe(view);
    expect(text).not.toContain('"usage":null');
  });
  test.each(streams.map((entry) => [entry.file, entry] as const))("%s reaches a client that asked byte for byte", async (_file, entry) => {
    const { text } = await send(entry, "random", true);
    const view = expectedView(entry, true);
    if (entry.end === "cut") expect(text.startsWith(view)).toBe(true);
    else expect(text).toBe(view);
    if (entry.end !== "done") expect(text).not.toContain("[DONE]");
  });
  const wholes = chat.filter((one) => one.file.endsWith(".json"));
  test.each(wholes.map((entry) => [entry.file, entry] as const))("%s reaches the client byte for byte, with its charge in the head", async (_file, entry) => {
    const { text, answer } = await send(entry, "random", false);
    expect(text).toBe(readFixture(entry.file).toString());
    expect(answer.headers.get("x-tollgate-usage-source")).toBe("vendor");
    expect(answer.headers.get("x-tollgate-charge")).toMatch(/^0\.\d+$/);
  });
});
