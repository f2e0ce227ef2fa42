import { describe, expect, test } from "vitest";
import { post, type Reply, withSimulator } from "../../test/support/simulator.ts";
import { type FaultName, faultNames, faults } from "./faults.ts";
import type { JsonObject } from "./json.ts";
import { type Simulator, startSimulator } from "./server.ts";

/** 20 visible tokens and nothing hidden, so that counts can be read off. */
const body = { model: "gpt-4o", messages: [{ role: "user", content: "[[sim:tokens=20]] go" }] };

interface Outcome {
  readonly reply: string;
  readonly bill: string;
}

/** Faults that end only when the client leaves. */
const silent: readonly FaultName[] = ["hang", "hang_mid", "endless"];

function run(fault: FaultName, fields: JsonObject): Promise<Outcome> {
  return withSimulator({ profile: "openai" }, async (simulator) => {
    const pace: Record<string, string> = fault === "slow" ? { "x-sim-tps": "400" } : {};
    const headers = { "x-sim-fault": fault, "x-sim-bytes": "100000", ...pace };
    const leaving = new AbortController();
    const asked = post(simulator, "/v1/chat/completions", { ...body, ...fields }, headers, leaving.signal);
    if (silent.includes(fault)) void leaveOnceOpen(simulator, leaving);
    const reply = await asked.catch(() => (leaving.signal.aborted ? "silence" : "no answer"));
    await simulator.idle();
    const line = simulator.bill()[0];
    return {
      reply: typeof reply === "string" ? reply : leaving.signal.aborted ? "silence" : describeReply(reply),
      bill:
        `${line?.output} of 20, ${line?.billed ? "" : "not "}billed, ${line?.reason}` +
        `${line?.aborted ? ", aborted" : ""}`,
    };
  });
}

/** Leaves some turns of the event loop after the simulator took the request up. */
async function leaveOnceOpen(simulator: Simulator, leaving: AbortController): Promise<void> {
  while (simulator.open() === 0) await new Promise(setImmediate);
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
  leaving.abort();
}

function describeReply(reply: Reply): string {
  const text = reply.chunks.filter(
    (chunk) =>
      JSON.stringify(chunk).includes('"content":"') && !JSON.stringify(chunk).includes('"content":""'),
  );
  const parts: string[] = [String(reply.status)];
  if (reply.status !== 200) return parts.join(" ");
  if (reply.headers.get("content-type")?.startsWith("text/event-stream") === true)
    parts.push(`${text.length} texts`);
  if (reply.text.includes("total_tokens")) parts.push("usage");
  if (reply.text.includes('"error"')) parts.push("error");
  if (reply.text.includes("event: error")) parts.push("named");
  if (reply.isDone) parts.push("[DONE]");
  if (reply.chunks.some((chunk) => "unparsed" in chunk) || "unparsed" in reply.json) parts.push("half");
  if (reply.isBroken) parts.push("broken");
  return parts.join(" ");
}

const streamed = { stream: true, stream_options: { include_usage: true } };

/** Fault, then what a streaming client sees and what the bill says, then the same when not streamed. */
const table: Record<FaultName, [string, string, string, string]> = {
  "429": ["429", "0 of 20, not billed, fault", "429", "0 of 20, not billed, fault"],
  "429_day": ["429", "0 of 20, not billed, fault", "429", "0 of 20, not billed, fault"],
  "429_capacity": ["429", "0 of 20, not billed, fault", "429", "0 of 20, not billed, fault"],
  "429_quota": ["429", "0 of 20, not billed, fault", "429", "0 of 20, not billed, fault"],
  "401": ["401", "0 of 20, not billed, fault", "401", "0 of 20, not billed, fault"],
  "408": ["408", "0 of 20, billed, fault", "408", "0 of 20, billed, fault"],
  "500": ["500", "0 of 20, not billed, fault", "500", "0 of 20, not billed, fault"],
  "503": ["503", "0 of 20, not billed, fault", "503", "0 of 20, not billed, fault"],
  html_502: ["502", "0 of 20, not billed, fault", "502", "0 of 20, not billed, fault"],
  redirect: ["307", "0 of 20, not billed, fault", "307", "0 of 20, not billed, fault"],
  content_filter: ["400", "0 of 20, billed, fault", "400", "0 of 20, billed, fault"],
  hang: ["silence", "0 of 20, not billed, fault, aborted", "silence", "0 of 20, not billed, fault, aborted"],
  reset_before: ["no answer", "0 of 20, not billed, fault", "no answer", "0 of 20, not billed, fault"],
  cut_before_usage: ["200 20 texts", "20 of 20, billed, fault", "200 half broken", "20 of 20, billed, fault"],
  cut_mid_text: ["200 10 texts", "10 of 20, billed, fault", "200 half broken", "20 of 20, billed, fault"],
  cut_mid_frame: [
    "200 10 texts half",
    "11 of 20, billed, fault",
    "200 half broken",
    "20 of 20, billed, fault",
  ],
  drop: ["200 10 texts broken", "10 of 20, billed, fault", "200 half broken", "20 of 20, billed, fault"],
  reset: ["200 10 texts broken", "10 of 20, billed, fault", "200 half broken", "20 of 20, billed, fault"],
  hang_mid: [
    "silence",
    "10 of 20, billed, client_left, aborted",
    "silence",
    "20 of 20, billed, client_left, aborted",
  ],
  slow: ["200 20 texts usage [DONE]", "20 of 20, billed, fault", "200 usage", "20 of 20, billed, fault"],
  error_first: ["200 0 texts error", "0 of 20, not billed, fault", "200 error", "0 of 20, not billed, fault"],
  error_event: ["200 10 texts error", "10 of 20, billed, fault", "200 error", "10 of 20, billed, fault"],
  error_event_done: [
    "200 10 texts error [DONE]",
    "10 of 20, billed, fault",
    "200 error",
    "10 of 20, billed, fault",
  ],
  error_event_named: [
    "200 10 texts error named",
    "10 of 20, billed, fault",
    "200 error",
    "10 of 20, billed, fault",
  ],
  content_filter_cut: [
    "200 10 texts usage [DONE]",
    "15 of 20, billed, fault",
    "200 usage",
    "15 of 20, billed, fault",
  ],
  content_filter_cut_no_usage: [
    "200 10 texts [DONE]",
    "15 of 20, billed, fault",
    "200",
    "15 of 20, billed, fault",
  ],
  huge_line: ["200 20 texts usage [DONE]", "20 of 20, billed, fault", "200 usage", "20 of 20, billed, fault"],
  endless: [
    "silence",
    "many of 20, billed, client_left, aborted",
    "silence",
    "20 of 20, billed, client_left, aborted",
  ],
  short_body: [
    "200 20 texts usage [DONE] broken",
    "20 of 20, billed, fault",
    "200 usage broken",
    "20 of 20, billed, fault",
  ],
  surplus_bytes: [
    "200 20 texts usage [DONE]",
    "20 of 20, billed, fault",
    "200 usage",
    "20 of 20, billed, fault",
  ],
  no_usage: ["200 20 texts [DONE]", "20 of 20, billed, fault", "200", "20 of 20, billed, fault"],
  absurd_usage: [
    "200 20 texts usage [DONE]",
    "20 of 20, billed, fault",
    "200 usage",
    "20 of 20, billed, fault",
  ],
  negative_usage: [
    "200 20 texts usage [DONE]",
    "20 of 20, billed, fault",
    "200 usage",
    "20 of 20, billed, fault",
  ],
};

describe("each fault, as the client and the bill see it", () => {
  test.each(faultNames.map((name) => [name, faults[name].about] as const))("%s: %s", async (name) => {
    const [reply, bill, bodyReply, bodyBill] = table[name];
    const stream = await run(name, streamed);
    const many = { ...stream, bill: stream.bill.replace(/^\d{3,}/, "many") };
    expect(many).toEqual({ reply, bill });
    expect(await run(name, {})).toEqual({ reply: bodyReply, bill: bodyBill });
  });
});

describe("how a fault is chosen", () => {
  test("a directive in the message strikes, and heals after the times it gives", () =>
    withSimulator({ profile: "openai" }, async (simulator) => {
      const failing = {
        model: "gpt-4o",
        messages: [{ role: "user", content: "Hello [[sim:fault=500 times=2]]" }],
      };
      const statuses: number[] = [];
      for (let attempt = 0; attempt < 4; attempt++)
        statuses.push((await post(simulator, "/v1/chat/completions", failing)).status);
      expect(statuses).toEqual([500, 500, 200, 200]);
    }));

  test("an outage strikes every attempt until it ends", () =>
    withSimulator({ profile: "openai" }, async (simulator) => {
      const send = async (): Promise<number> => (await post(simulator, "/v1/chat/completions", body)).status;
      simulator.setOutage("503");
      expect([await send(), await send()]).toEqual([503, 503]);
      simulator.setOutage(null);
      expect(await send()).toBe(200);
      const order = (fault: string | null): Promise<Response> =>
        fetch(`${simulator.url}/_sim/outage`, { method: "POST", body: JSON.stringify({ fault }) });
      expect([(await order("500")).status, await send()]).toEqual([204, 500]);
      expect([(await order(null)).status, await send()]).toEqual([204, 200]);
      expect((await order("fire")).status).toBe(400);
    }));

  test("the fault rate strikes the same requests again with the same seed", async () => {
    const statuses = (seed: number): Promise<string> =>
      withSimulator(
        { profile: "openai", seed, faultRate: 0.5, faults: ["500", "429"] },
        async (simulator) => {
          const seen: number[] = [];
          for (let at = 0; at < 40; at++) {
            const asked = { model: "gpt-4o", messages: [{ role: "user", content: `question ${at % 8}` }] };
            seen.push((await post(simulator, "/v1/chat/completions", asked)).status);
          }
          return seen.join(" ");
        },
      );
    const first = await statuses(7);
    expect(await statuses(7)).toBe(first);
    expect(await statuses(8)).not.toBe(first);
    expect(new Set(first.split(" "))).toEqual(new Set(["200", "429", "500"]));
  });

  test("an unknown fault or directive is said so", () =>
    withSimulator({ profile: "openai" }, async (simulator) => {
      const odd = (text: string): Promise<Reply> =>
        post(simulator, "/v1/chat/completions", {
          model: "gpt-4o",
          messages: [{ role: "user", content: text }],
        });
      expect((await odd("[[sim:fault=fire]]")).json).toMatchObject({
        error: { message: "Cannot apply the simulator fault 'fire': there is none of that name." },
      });
      expect((await odd("[[sim:tokens=few]]")).status).toBe(400);
      expect((await odd("[[sim:colour=red]]")).status).toBe(400);
    }));

  test("options that cannot be met are refused at the start", async () => {
    await expect(startSimulator({ profile: "openai", faultRate: 2 })).rejects.toThrow("faultRate is 2");
    await expect(startSimulator({ profile: "openai", deployments: { blue: "gpt-9" } })).rejects.toThrow(
      "deployment 'blue'",
    );
  });
});
