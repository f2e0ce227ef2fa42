import { describe, expect, test } from "vitest";
import { probeSimulator, probeUrl } from "../../test/support/probe.ts";
import { parseUsd } from "../core/money.ts";
import type { ProfileName } from "../simulator/profiles.ts";
import { startSimulator } from "../simulator/server.ts";
import { renderReport } from "./render.ts";
import type { ProbeReport, ReportAccuracy, ReportCall } from "./report-schema.ts";

const call = (report: ProbeReport, id: string): ReportCall => {
  const found = report.calls.find((one) => one.id === id);
  if (found === undefined) throw new Error(`there is no call ${id}`);
  return found;
};
const counts = (report: ProbeReport, id: string): string => {
  const { usage } = call(report, id);
  return usage === null ? "no usage" : `${usage.input}/${usage.output}/${usage.total}`;
};
const accuracy = (report: ProbeReport, id: string, by: string, method: ReportAccuracy["method"]): string => {
  const row = report.accuracy.find((one) => one.call === id && one.billed_by === by && one.method === method);
  return `${row?.estimate.total} of ${row?.billed.total}, ${row?.missing_percent_of_billed_total} % missing`;
};
const ids = (report: ProbeReport): string => report.findings.map(({ id }) => id.slice(3)).join(" ");

describe("the original investigation, repeated on gpt-5-chat", async () => {
  const { report } = await probeSimulator({ profile: "azure" }, { model: "gpt-5-chat" });

  test("an answer in one piece is 29/7/36", () => {
    expect(counts(report, "whole-a")).toBe("29/7/36");
  });

  test("a plain stream has 9 chunks and no usage, because nobody asked", () => {
    const { stream, usage_state, text } = call(report, "plain-a");
    expect([stream?.chunks, usage_state, text]).toEqual([9, "not_asked", "Hello from Azure OpenAI!"]);
    expect(call(report, "usage-a")).toMatchObject({ usage_state: "sent", stream: { chunks: 10 } });
  });

  test("characters/4 count 26, 28 % under; the tokenizer 35", () => {
    expect(accuracy(report, "plain-a", "usage-a", "characters_4")).toBe("26 of 36, 28 % missing");
    expect(accuracy(report, "plain-a", "usage-a", "tokenizer")).toBe("35 of 36, 3 % missing");
  });

  test("finds what is so, the worst first", () => {
    expect(ids(report)).toBe("P001 P022 P034 P017 P042 P032 P043");
  });
});

describe("the original investigation, repeated on gpt-5-mini", async () => {
  const { report } = await probeSimulator({ profile: "azure" }, { model: "gpt-5-mini" });
  const text = renderReport(report);

  test("answers in one piece are 28/50/78 and 31/50/81, the streamed one 31/100/131", () => {
    expect(["whole-a", "whole-b", "usage-b"].map((id) => counts(report, id))).toEqual([
      "28/50/78",
      "31/50/81",
      "31/100/131",
    ]);
    expect(call(report, "usage-b").stream?.chunks).toBe(4);
  });

  test("the plain stream's 26 are 67 % under the 78 of another answer, and its 35 are the tokenizer's", () => {
    expect(accuracy(report, "plain-a", "whole-a", "characters_4")).toBe("26 of 78, 67 % missing");
    expect(accuracy(report, "plain-a", "whole-a", "tokenizer")).toMatch(/^35 of 78/);
    expect(text).toMatch(
      /plain-a +\| characters \/ 4 +\| whole-a: another answer to the same prompt .*26: 67 % under \(base: the vendor's 78\)/,
    );
  });

  test("both refusals are given word by word", () => {
    const said = report.parameters.map(({ parameter, outcome, said: words }) => [parameter, outcome, words]);
    expect(said).toContainEqual([
      "max_tokens",
      "renamed",
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    ]);
    expect(said).toContainEqual([
      "temperature",
      "fixed",
      "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value is supported.",
    ]);
  });

  test("the 50 and the 100 are explained as hidden reasoning under the limit, the 35 against 78 as well", () => {
    const why = "hidden reasoning used all of it before any text";
    expect(text).toContain(
      `why 50: the limit was 50, and ${why} (50 billed − 0 visible = 50 hidden, 50 of them reasoning`,
    );
    expect(text).toContain(`why 100: the limit was 100, and ${why} (100 billed − 0 visible = 100 hidden`);
    expect(text).toContain(
      "Why the tokenizer says 35 for plain-a where whole-a was billed 78: 50 of them are reasoning",
    );
    expect(text).toContain(
      '"completion_tokens_details":{"accepted_prediction_tokens":0,"audio_tokens":0,"reasoning_tokens":50',
    );
  });

  test("learns what the gateway can use", () => {
    expect(
      report.lessons.map((lesson) =>
        `${lesson.kind} ${"parameter" in lesson ? lesson.parameter : ""}`.trim(),
      ),
    ).toEqual([
      "rename max_tokens",
      "drop temperature",
      "drop top_p",
      "drop presence_penalty",
      "drop frequency_penalty",
      "stream_options",
      "input_overhead",
    ]);
    expect(report.lessons.at(-1)).toMatchObject({ tokens: -1, samples: 5 });
  });

  test("finds what is so, the worst first", () => {
    expect(ids(report)).toBe("P001 P015 P016 P022 P034 P035 P036 P017 P020 P042 P032 P043");
  });
});

describe("profiles", () => {
  const found: readonly (readonly [ProfileName, string, string])[] = [
    ["clean", "gpt-4o-mini", ""],
    ["openai", "gpt-4o", "P001 P034 P032 P043"],
    ["openai", "gpt-5-mini", "P001 P015 P016 P034 P035 P036 P017 P020 P032 P043"],
    ["azure", "gpt-4.1", "P001 P022 P034 P042 P032 P043"],
    ["azure-async-filter", "gpt-4o", "P001 P022 P024 P034 P042 P043"],
    ["vllm", "llama-3.1-8b", "P001 P041 P013 P017 P042"],
    ["groq", "llama-3.3-70b-versatile", "P041 P007 P005 P013"],
    ["gemini", "gemini-2.5-flash", "P001 P015 P016 P041 P006 P010 P005 P013"],
    ["deepseek", "deepseek-reasoner", "P015 P016 P041 P005 P019 P027"],
    ["openrouter", "openai/gpt-4o-mini", "P041 P042 P014 P027"],
    ["xai", "grok-4", "P001 P015 P016 P041 P010 P014 P019"],
    ["mistral", "mistral-large-latest", "P041 P005 P013"],
    ["moonshot", "kimi-k2", "P041 P007 P008 P013"],
    ["perplexity", "sonar", "P041 P006 P005 P013"],
    ["ollama", "llama3.2", "P001 P041 P013 P017"],
    ["llamacpp", "qwen3", "P041 P013 P017"],
  ];

  test.each(found)("%s with %s: %j", async (profile, model, expected) => {
    const { report } = await probeSimulator({ profile }, { model });
    expect(ids(report)).toBe(expected);
  });

  test("an old api-version refuses stream_options, and streams have no usage", async () => {
    const { report } = await probeSimulator(
      { profile: "azure" },
      { model: "gpt-4o", apiVersion: "2024-06-01" },
    );
    expect(ids(report)).toBe("P003 P022 P034 P013 P042 P032 P043");
    expect(call(report, "usage-a").usage_state).toBe("refused");
    expect(report.lessons).toContainEqual({
      kind: "no_stream_options",
      evidence: "Unknown parameter: 'stream_options'.",
    });
    expect(call(report, "whole-c").usage_state).toBe("sent");
  });

  test("an opaque deployment is priced and counted by the model that its answers name", async () => {
    const { report } = await probeSimulator(
      { profile: "azure", deployments: { "prod-blue": "gpt-5-mini" } },
      { model: "prod-blue", isModelKnown: false },
    );
    expect(report.environment).toMatchObject({
      model: "gpt-5-mini-2025-08-07",
      price_row: expect.stringContaining("gpt-5-mini"),
    });
    expect(ids(report)).toBe("P001 P015 P016 P022 P034 P035 P036 P017 P020 P042 P032 P043");
  });

  test("a model that is not the configured one is found", async () => {
    const { report } = await probeSimulator(
      { profile: "azure", deployments: { blue: "gpt-4o" } },
      { model: "gpt-5-mini", deployment: "blue" },
    );
    expect(report.findings.find(({ id }) => id === "TG-P038")?.evidence[0]?.shows).toBe(
      "gpt-5-mini was asked for, gpt-4o-2024-08-06 served",
    );
  });
});

describe("cost and time", () => {
  test("against a vendor with 1 s answers it takes less than 20 s", async () => {
    const started = performance.now();
    const { report } = await probeSimulator({ profile: "azure", latencyMs: 1_000 }, { model: "gpt-5-mini" });
    expect(report.calls).toHaveLength(23);
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  test("the cost is what the vendor's usage comes to, and never more than allowed", async () => {
    const { report, simulator } = await probeSimulator({ profile: "openai" }, { model: "gpt-4o" });
    const bill = simulator.bill().filter(({ billed }) => billed);
    const cost = bill.reduce(
      (sum, line) => sum + BigInt(line.input) * 2_500_000n + BigInt(line.output) * 10_000_000n,
      0n,
    );
    const known = parseUsd(report.cost.known_usd);
    const most = parseUsd(report.cost.at_most_usd ?? "0");
    expect(known <= cost && cost <= known + most).toBe(true);
    expect(report.cost).toMatchObject({ calls: 23, without_usage: 2, refused: 4, max_usd: "0.05" });
  });

  test("calls that might exceed the cost are left out, and named", async () => {
    const maxCost = parseUsd("0.008");
    const { report, simulator } = await probeSimulator(
      { profile: "openai" },
      { model: "gpt-4o" },
      { maxCost },
    );
    expect(report.skipped.length).toBeGreaterThan(0);
    expect(report.calls.length + report.skipped.length).toBeGreaterThanOrEqual(22);
    const billed = simulator
      .bill()
      .reduce((sum, line) => sum + BigInt(line.input) * 2_500_000n + BigInt(line.output) * 10_000_000n, 0n);
    expect(billed <= maxCost).toBe(true);
    expect(renderReport(report)).toContain("were left out to stay within the cost");
  });

  test("nothing is sent when the first call alone may cost too much", async () => {
    const simulator = await startSimulator({ profile: "openai" });
    const place = { kind: "openai" as const, baseUrl: `${simulator.url}/v1`, model: "gpt-4o" };
    await expect(probeUrl(place, { maxCost: parseUsd("0.000001") })).rejects.toThrow(
      /^Cannot probe within \$0\.000001: the first call alone may cost \$0\.\d+; raise --max-cost\.$/,
    );
    expect(simulator.requests()).toEqual([]);
    await simulator.close();
  });

  test("without a price a bound that was asked for ends it after the first answer", async () => {
    const simulator = await startSimulator({ profile: "vllm" });
    const place = { kind: "openai" as const, baseUrl: `${simulator.url}/v1`, model: "llama" };
    await expect(probeUrl(place, { isMaxCostStrict: true })).rejects.toThrow(
      /no price is known for llama; give --price/,
    );
    expect(simulator.requests()).toHaveLength(1);
    await simulator.close();
  });

  test("a 429 is waited for once, and told", async () => {
    const waited: number[] = [];
    const simulator = await startSimulator({ profile: "openai", faultRate: 0.3, faults: ["429"], seed: 4 });
    const place = { kind: "openai" as const, baseUrl: `${simulator.url}/v1`, model: "gpt-4o-mini" };
    const report = await probeUrl(place, { sleep: async (ms) => void waited.push(ms) });
    expect(waited.length).toBeGreaterThan(0);
    expect(report.findings.map(({ id }) => id)).toContain("TG-P044");
    await simulator.close();
  });
});
