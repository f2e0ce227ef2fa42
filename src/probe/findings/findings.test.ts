import { expect, test } from "vitest";
import { probeOptions, probePorts, probeTarget } from "../../../test/support/probe.ts";
import {
  type Asked,
  bill,
  chunksOf,
  dropUsage,
  idealVendor,
  insert,
  type Json,
  refusal,
  replace,
  type Scripted,
  serveAs,
  usageHolder,
  usageOf,
} from "../../../test/support/probe-vendor.ts";
import type { Vendor } from "../../ports.ts";
import { runProbe } from "../probe.ts";
import type { ReportFinding } from "../report-schema.ts";
import { findingRules } from "./all.ts";

const model = "gpt-4o-mini";

async function find(
  vendor: Vendor,
  place: Partial<Parameters<typeof probeTarget>[0]> = {},
): Promise<readonly ReportFinding[]> {
  const target = probeTarget({ kind: "openai", baseUrl: "http://127.0.0.1:1/v1", model, ...place });
  return (await runProbe(probePorts(vendor), target, probeOptions())).findings;
}

const changing = (change: (answer: Scripted, asked: Asked) => void): Promise<readonly ReportFinding[]> =>
  find(idealVendor(change));

/** One way for each finding to come about, and the words or quote that must show it. */
const cases: Record<string, { change: (answer: Scripted, asked: Asked) => void; shows: RegExp }> = {
  "TG-P001": {
    change: (answer, { asksUsage, isStream }) => isStream && !asksUsage && dropUsage(answer),
    shows: /no usage in \d+ chunks; it was not asked for/,
  },
  "TG-P002": {
    change: (answer, { isStream }) => isStream && dropUsage(answer),
    shows: /asked for, and is in none of/,
  },
  "TG-P003": {
    change: (answer, { asksUsage }) =>
      asksUsage && replace(answer, refusal(400, "Unknown parameter: 'stream_options'.", "stream_options")),
    shows: /HTTP 400: Unknown parameter: 'stream_options'/,
  },
  "TG-P004": {
    change: (answer, { isStream }) => !isStream && dropUsage(answer),
    shows: /the answer has no `usage`/,
  },
  "TG-P005": {
    change: (answer, { isStream }) => {
      if (!isStream) return;
      const [finish] = chunksOf(answer).slice(-2);
      Object.assign(finish ?? {}, { usage: usageOf(answer) });
      answer.frames?.splice(-2, 1);
    },
    shows: /has choices too/,
  },
  "TG-P006": {
    change: (answer) => {
      for (const [index, chunk] of chunksOf(answer).slice(0, -1).entries())
        chunk.usage = { ...usageOf(answer), completion_tokens: index };
    },
    shows: /chunks state usage, with \d+ different figures/,
  },
  "TG-P007": {
    change: (answer) => answer.frames !== null && insert(answer, -1, { ...(usageHolder(answer) as Json) }),
    shows: /is stated 2 times/,
  },
  "TG-P008": {
    change: (answer) => {
      const [finish, last] = chunksOf(answer).slice(-2);
      if (finish === undefined || last === undefined) return;
      (finish.choices as Json[])[0] = { ...(finish.choices as Json[])[0], usage: last.usage };
      dropUsage(answer);
    },
    shows: /choices\[0\]\.usage/,
  },
  "TG-P009": {
    change: (answer) =>
      bill(answer, (usage) => Object.assign(usage, { prompt_tokens_details: { cached_tokens: 10_000 } })),
    shows: /exceed input/,
  },
  "TG-P010": {
    change: (answer) =>
      bill(answer, (usage) => Object.assign(usage, { total_tokens: usage.total_tokens + 5 })),
    shows: /29 \+ 6 is not 40/,
  },
  "TG-P011": {
    change: (answer, { body }) =>
      body.max_tokens === 50 &&
      bill(answer, (usage) => Object.assign(usage, { completion_tokens: 70, total_tokens: 99 })),
    shows: /70 output tokens are billed under a limit of 50/,
  },
  "TG-P012": {
    change: (answer, { isStream }) =>
      isStream &&
      bill(answer, (usage) =>
        Object.assign(usage, { completion_tokens: 9, total_tokens: usage.prompt_tokens + 9 }),
      ),
    shows: /9 tokens for the text streamed, 6 in one piece/,
  },
  "TG-P013": {
    change: (answer) =>
      bill(answer, (usage) => {
        delete usage.prompt_tokens_details;
        delete usage.completion_tokens_details;
      }),
    shows: /neither cached nor reasoning tokens/,
  },
  "TG-P014": {
    change: (answer) => bill(answer, (usage) => Object.assign(usage, { cost: 0.00001 })),
    shows: /usage has `cost`/,
  },
  "TG-P015": {
    change: (answer) =>
      bill(answer, (usage) =>
        Object.assign(usage, {
          completion_tokens: usage.completion_tokens + 64,
          completion_tokens_details: { reasoning_tokens: 64 },
        }),
      ),
    shows: /70 output tokens billed, 6 visible, 64 stated as reasoning/,
  },
  "TG-P016": {
    change: (answer, { body, isStream }) => {
      if (isStream || body.max_tokens !== 50 || typeof answer.body !== "object" || answer.body === null)
        return;
      answer.body.choices = [
        { index: 0, message: { role: "assistant", content: "" }, finish_reason: "length" },
      ];
      bill(answer, (usage) =>
        Object.assign(usage, { completion_tokens: 50, total_tokens: usage.prompt_tokens + 50 }),
      );
    },
    shows: /the limit of 50 is billed in full/,
  },
  "TG-P017": {
    change: (answer) =>
      bill(answer, (usage) => Object.assign(usage, { completion_tokens: usage.completion_tokens + 1 })),
    shows: /7 output tokens billed, 6 visible: 1 more/,
  },
  "TG-P018": {
    change: (answer) =>
      bill(answer, (usage) => Object.assign(usage, { completion_tokens: usage.completion_tokens - 1 })),
    shows: /5 output tokens billed for a text of 6/,
  },
  "TG-P019": {
    change: (answer) => {
      const delta =
        ((chunksOf(answer)[0]?.choices as Json[] | undefined)?.[0]?.delta as Json | undefined) ?? {};
      delta.reasoning_content = "well, well";
    },
    shows: /10 characters of reasoning/,
  },
  "TG-P020": {
    change: (answer) =>
      bill(answer, (usage) => Object.assign(usage, { prompt_tokens: usage.prompt_tokens - 1 })),
    shows: /−1 token in \d answers/,
  },
  "TG-P021": {
    change: (answer, { call }) =>
      bill(answer, (usage) => Object.assign(usage, { prompt_tokens: usage.prompt_tokens + (call % 3) })),
    shows: /different differences/,
  },
  "TG-P022": {
    change: (answer) =>
      answer.frames !== null && insert(answer, 0, { choices: [], id: "", model: "", created: 0 }),
    shows: /the first chunk has `choices: \[\]`/,
  },
  "TG-P023": {
    change: (answer) =>
      answer.frames !== null &&
      insert(answer, 2, { id: chunksOf(answer)[0]?.id, choices: [], moderation: {} }),
    shows: /`choices: \[\]` without usage \(chunk 3/,
  },
  "TG-P024": {
    change: (answer) =>
      answer.frames !== null &&
      insert(answer, 2, { choices: [{ index: 0, finish_reason: null, content_filter_offsets: {} }] }),
    shows: /a choice without `delta`/,
  },
  "TG-P025": { change: (answer) => void answer.frames?.pop(), shows: /the last frame is not \[DONE\]/ },
  "TG-P026": {
    change: (answer) => void answer.frames?.push({ late: true }),
    shows: /frames follow \[DONE\]/,
  },
  "TG-P027": {
    change: (answer) => answer.frames !== null && insert(answer, 0, ": keep-alive"),
    shows: /: keep-alive/,
  },
  "TG-P028": {
    change: (answer) => answer.frames !== null && insert(answer, 1, 'event: ping\ndata: {"type":"ping"}'),
    shows: /event: ping/,
  },
  "TG-P029": {
    change: (answer, { asksUsage }) =>
      asksUsage && insert(answer, 3, { error: { message: "it broke", type: "server_error" } }),
    shows: /it broke/,
  },
  "TG-P030": {
    change: (answer, { asksUsage }) =>
      void (asksUsage && Object.assign(answer, { cut: "the vendor closed the connection" })),
    shows: /the vendor closed the connection/,
  },
  "TG-P031": {
    change: (answer, { isStream }) => {
      if (isStream)
        replace(answer, {
          status: 200,
          headers: { "content-type": "application/json" },
          frames: null,
          body: {
            ...chunksOf(answer)[0],
            choices: [{ index: 0, message: { content: "Hello" }, finish_reason: "stop" }],
          },
        });
    },
    shows: /content-type: application\/json/,
  },
  "TG-P032": {
    change: (answer) => void chunksOf(answer).map((chunk) => Object.assign(chunk, { obfuscation: "Xy12" })),
    shows: /`obfuscation`/,
  },
  "TG-P033": {
    change: (answer) =>
      void chunksOf(answer).map((chunk) =>
        (chunk.choices as Json[]).map((choice) => Object.assign(choice, { finish_reason: null })),
      ),
    shows: /no choice states a finish_reason/,
  },
  "TG-P034": {
    change: (answer, { body }) =>
      body.seed !== undefined &&
      replace(answer, refusal(400, "Unsupported parameter: 'seed' is not supported with this model.")),
    shows: /`seed: 7` is answered with 400/,
  },
  "TG-P035": {
    change: (answer, { body }) =>
      body.max_tokens !== undefined &&
      replace(
        answer,
        refusal(
          400,
          "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
          "max_tokens",
        ),
      ),
    shows: /`max_tokens: 50` is answered with 400/,
  },
  "TG-P036": {
    change: (answer, { body }) =>
      body.temperature !== undefined &&
      replace(
        answer,
        refusal(
          400,
          "Unsupported value: 'temperature' does not support 0.7 with this model. Only the default (1) value is supported.",
        ),
      ),
    shows: /`temperature: 0\.7`/,
  },
  "TG-P037": {
    change: (answer, { body }) =>
      body.n === 2 &&
      typeof answer.body === "object" &&
      void Object.assign(answer.body ?? {}, {
        choices: ((answer.body?.choices as Json[]) ?? []).slice(0, 1),
      }),
    shows: /1 choice where 2 were asked for/,
  },
  "TG-P038": {
    change: (answer) => serveAs(answer, "gpt-4o"),
    shows: /gpt-4o-mini was asked for, gpt-4o served/,
  },
  "TG-P039": { change: (answer) => serveAs(answer, undefined), shows: /no `model` in the answer/ },
  "TG-P040": {
    change: (answer, { isStream }) =>
      void (
        !isStream &&
        typeof answer.body === "object" &&
        Object.assign(answer.body ?? {}, { service_tier: "priority" })
      ),
    shows: /asked for: none; served: priority/,
  },
  "TG-P042": {
    change: (answer) =>
      answer.status === 404 &&
      void Object.assign(answer, { body: { error: { code: 404, message: "none" } } }),
    shows: /HTTP 404: `type` is missing, `param` is missing, `code` is a number/,
  },
  "TG-P043": {
    change: (answer) => void Object.assign(answer.headers, { "x-ratelimit-remaining-tokens": "199" }),
    shows: /x-ratelimit-remaining-tokens: 199/,
  },
  "TG-P044": {
    change: (answer, { body }) =>
      body.seed !== undefined &&
      replace(answer, { ...refusal(429, "slow down"), headers: { "retry-after": "1" } }),
    shows: /retry-after: 1/,
  },
  "TG-P045": {
    change: (answer, { body }) =>
      body.seed !== undefined &&
      replace(answer, { ...refusal(429, "come back tomorrow"), headers: { "retry-after": "86400" } }),
    shows: /retry-after: 86400/,
  },
  "TG-P049": {
    change: (answer) => void chunksOf(answer).map((chunk) => Object.assign(chunk, { id: "chatcmpl-same" })),
    shows: /"id": "chatcmpl-same"/,
  },
  "TG-P050": {
    change: (answer) => void delete answer.headers["x-request-id"],
    shows: /none of x-request-id/,
  },
};

test("an ideal endpoint gives no finding", async () => {
  expect((await find(idealVendor())).map(({ id }) => id)).toEqual([]);
});

test.each(Object.entries(cases))("%s comes with its evidence", async (id, { change, shows }) => {
  const findings = await changing((answer, asked) => void change(answer, asked));
  const finding = findings.find((one) => one.id === id);
  const said = finding?.evidence.map((one) => `${one.shows} ${one.quote ?? ""}`).join("\n");
  expect(said, `found: ${findings.map((one) => one.id).join(", ")}`).toMatch(shows);
});

test("TG-P041 comes for a model without a price", async () => {
  const findings = await find(idealVendor(), { model: "my-own-model" });
  expect(findings.map(({ id }) => id)).toEqual(["TG-P041"]);
});

test("TG-P046 and TG-P047 come for a slow stream, with the span that was measured", async () => {
  let time = 0;
  const ideal = idealVendor();
  const vendor: Vendor = {
    async call(request) {
      const answer = await ideal.call(request);
      const slow = async function* (): AsyncGenerator<Uint8Array> {
        time += 6_000;
        for await (const bytes of answer.body) {
          for (const frame of new TextDecoder().decode(bytes).split(/(?<=\n\n)/)) {
            yield new TextEncoder().encode(frame);
            time += 150;
          }
        }
      };
      return { ...answer, body: Object.assign(slow(), { destroy: () => undefined }) };
    },
  };
  const ports = { ...probePorts(vendor), clock: { now: Date.now, elapsed: () => time } };
  const target = probeTarget({ kind: "openai", baseUrl: "http://127.0.0.1:1/v1", model });
  const { findings } = await runProbe(ports, target, probeOptions());
  expect(findings.map(({ id }) => id)).toEqual(["TG-P046", "TG-P047"]);
  expect(findings.map(({ evidence }) => evidence[0]?.shows)).toEqual([
    expect.stringMatching(/^median \d+ ms in 5 streams, \d+ to \d+ ms$/),
    expect.stringMatching(/^median \d+ ms in 5 streams/),
  ]);
});

test("TG-P048 comes when the vendor's clock is off", async () => {
  const findings = await find(idealVendor(undefined, () => Date.now() - 7_200_000));
  expect(findings.map(({ id, evidence }) => `${id} ${evidence[0]?.shows}`)).toEqual([
    expect.stringMatching(/^TG-P048 7[12]\d\d s behind this machine$/),
  ]);
});

test("TG-P051 comes when the key would cross a network in clear", async () => {
  expect((await find(idealVendor(), { baseUrl: "http://vendor.example/v1" })).map(({ id }) => id)).toEqual([
    "TG-P051",
  ]);
  expect(await find(idealVendor(), { baseUrl: "https://vendor.example/v1" })).toEqual([]);
});

test("every finding has its test, an id of its own, and words", () => {
  const tested = [...Object.keys(cases), "TG-P041", "TG-P046", "TG-P047", "TG-P048", "TG-P051"].sort();
  expect(findingRules.map(({ id }) => id)).toEqual(tested);
  expect(new Set(findingRules.map(({ name }) => name)).size).toBe(findingRules.length);
  for (const { title, meaning, advice } of findingRules) {
    expect([title, meaning, advice].map((text) => text.length > 10)).toEqual([true, true, true]);
  }
});
