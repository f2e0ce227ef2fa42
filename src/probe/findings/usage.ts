import {
  answered,
  findCall,
  readCalls,
  reasoningIsStated,
  streams,
  usagePlaces,
  usageState,
} from "../facts.ts";
import type { Measurement } from "../types.ts";
import { type Evidence, evidence, type FindingRule, quoteFrame } from "./finding.ts";

const ofStream = (prefix: "plain" | "usage", measurement: Measurement) =>
  streams(measurement).filter(({ plan }) => plan.id.startsWith(`${prefix}-`));

/** Where usage is in streams and answers. */
export const usageRules: readonly FindingRule[] = [
  {
    ...{ id: "TG-P001", name: "stream_usage_only_on_request", severity: "high" },
    title: "A stream has usage only when it is asked for",
    meaning:
      "A plain client's stream ends without any token count, so whoever bills by the stream must estimate.",
    advice:
      "Send `stream_options: {include_usage: true}` with every stream. The gateway does so, and takes the extra chunk out for clients that did not ask.",
    detect(measurement) {
      const plain = ofStream("plain", measurement).filter((call) => usageState(call) === "not_asked");
      const asked = ofStream("usage", measurement).filter((call) => usageState(call) === "sent");
      if (plain.length === 0 || asked.length === 0) return [];
      return [
        ...plain
          .slice(0, 1)
          .map((call) =>
            evidence(
              call,
              `no usage in ${call.stream.chunks} chunks; it was not asked for`,
              quoteFrame(call.stream.frames.at(-1)),
            ),
          ),
        ...asked
          .slice(0, 1)
          .map((call) =>
            evidence(call, "usage was asked for, and came", quoteFrame(usagePlaces(call.stream)[0]?.frame)),
          ),
      ];
    },
  },
  {
    ...{ id: "TG-P002", name: "stream_usage_never", severity: "high" },
    title: "A stream has no usage even when it is asked for",
    meaning: "`stream_options` is accepted and has no effect: what a stream used can only be estimated.",
    advice: "Bill streams of this endpoint as estimates, or answer in one piece where exactness matters.",
    detect: (measurement) =>
      ofStream("usage", measurement)
        .filter(
          (call) => usageState(call) === "not_sent" && call.stream.cut === null && call.stream.error === null,
        )
        .map((call) =>
          evidence(
            call,
            `usage was asked for, and is in none of ${call.stream.chunks} chunks`,
            quoteFrame(call.stream.frames.at(-1)),
          ),
        ),
  },
  {
    ...{ id: "TG-P003", name: "stream_usage_refused", severity: "high" },
    title: "Asking for usage in a stream is refused",
    meaning:
      "A request with `stream_options` fails, on Azure because of its api-version; without it a stream has no usage.",
    advice:
      "On Azure use api-version 2024-09-01-preview or later, or v1. Elsewhere leave `stream_options` out and bill streams as estimates.",
    detect: (measurement) =>
      measurement.calls
        .filter((call) => usageState(call) === "refused")
        .map((call) => evidence(call, `HTTP ${call.status}: ${call.error?.message}`, call.error?.raw)),
  },
  {
    ...{ id: "TG-P004", name: "whole_usage_missing", severity: "high" },
    title: "An answer in one piece has no usage",
    meaning: "Not even a whole answer says what it used.",
    advice: "Bill this endpoint as estimates, and compare them with the vendor's invoice.",
    detect: (measurement) =>
      readCalls(measurement)
        .filter((call) => call.plan.kind === "whole" && usageState(call) === "not_sent")
        .map((call) => evidence(call, "the answer has no `usage`")),
  },
  {
    ...{ id: "TG-P005", name: "usage_on_content_chunk", severity: "low" },
    title: "Usage comes on a chunk with choices",
    meaning: "A reader that looks for usage in a chunk with `choices: []` alone misses it.",
    advice: "Read usage on every chunk, and let the last one count.",
    detect: (measurement) =>
      firstStream(measurement, (call) => {
        const places = usagePlaces(call.stream).filter(({ place }) => place === "top");
        const [first] = places;
        if (first === undefined || places.some(({ isOwnFrame }) => isOwnFrame)) return null;
        return evidence(call, "the chunk with the usage has choices too", quoteFrame(first.frame));
      }),
  },
  {
    ...{ id: "TG-P006", name: "usage_running_totals", severity: "medium" },
    title: "Usage comes on many chunks, as running totals",
    meaning: "Adding the figures of all chunks up counts every token many times.",
    advice: "Let the last usage of a stream count, and never add.",
    detect: (measurement) =>
      firstStream(measurement, (call) => {
        const places = usagePlaces(call.stream).filter(({ place }) => place === "top");
        const totals = new Set(places.map(({ usage }) => JSON.stringify(usage)));
        if (totals.size < 2) return null;
        return evidence(
          call,
          `${places.length} chunks state usage, with ${totals.size} different figures`,
          quoteFrame(places[0]?.frame),
        );
      }),
  },
  {
    ...{ id: "TG-P007", name: "usage_repeated", severity: "medium" },
    title: "The same usage is stated more than once",
    meaning: "Adding up what one stream states doubles the bill.",
    advice: "Let the last usage of a stream count, and never add.",
    detect: (measurement) =>
      firstStream(measurement, (call) => {
        const tokens = usagePlaces(call.stream).map(
          ({ usage }) => `${usage.prompt_tokens}/${usage.completion_tokens}`,
        );
        // Different figures are running totals, which are another finding.
        if (tokens.length < 2 || new Set(tokens).size > 1) return null;
        return evidence(
          call,
          `${tokens[0]} is stated ${tokens.length} times`,
          quoteFrame(usagePlaces(call.stream)[0]?.frame),
        );
      }),
  },
  {
    ...{ id: "TG-P008", name: "usage_in_unusual_place", severity: "medium" },
    title: "Usage is not at the top of a chunk",
    meaning: "Clients that read `chunk.usage` find nothing.",
    advice: "Look for usage inside `choices[0]` and `x_groq` too.",
    detect: (measurement) =>
      firstStream(measurement, (call) => {
        const places = usagePlaces(call.stream);
        const odd = places.find(({ place }) => place !== "top");
        if (odd === undefined || places.some(({ place }) => place === "top")) return null;
        return evidence(
          call,
          `usage is in \`${odd.place === "choice" ? "choices[0].usage" : "x_groq.usage"}\` alone`,
          quoteFrame(odd.frame),
        );
      }),
  },
  {
    ...{ id: "TG-P009", name: "usage_impossible", severity: "high" },
    title: "Usage cannot be true",
    meaning: "The figures contradict themselves, so they cannot be billed.",
    advice: "Bill these answers as estimates, and show the evidence to the vendor.",
    detect: (measurement) =>
      answered(measurement)
        .filter((call) => call.answer.usageFault !== null)
        .map((call) => evidence(call, String(call.answer.usageFault), JSON.stringify(call.answer.rawUsage))),
  },
  {
    ...{ id: "TG-P010", name: "usage_total_not_sum", severity: "medium" },
    title: "The total is not the sum of prompt and completion",
    meaning: "Reasoning is billed that `completion_tokens` leaves out: 12 + 2 can be 354.",
    advice:
      "Bill what the total holds. The gateway adds stated reasoning, and thinking that only the total shows.",
    detect: (measurement) =>
      readCalls(measurement).flatMap((call) => {
        const {
          prompt_tokens: input,
          completion_tokens: output,
          total_tokens: total,
        } = call.answer.rawUsage ?? {};
        if (typeof input !== "number" || typeof output !== "number" || typeof total !== "number") return [];
        if (total === input + output) return [];
        return [evidence(call, `${input} + ${output} is not ${total}`, JSON.stringify(call.answer.rawUsage))];
      }),
  },
  {
    ...{ id: "TG-P011", name: "usage_above_cap", severity: "high" },
    title: "More output is billed than the request allows",
    meaning: "The output limit does not bound the cost, so a hold that rests on it is too small.",
    advice: "Hold more than the limit says for this deployment, and ask the vendor what else it bills.",
    detect: (measurement) =>
      answered(measurement).flatMap((call) => {
        const output = call.answer.usage?.output ?? 0;
        const most = call.plan.cap * call.plan.choices;
        if (output <= most) return [];
        return [
          evidence(
            call,
            `${output} output tokens are billed under a limit of ${most}`,
            JSON.stringify(call.answer.rawUsage),
          ),
        ];
      }),
  },
  {
    ...{ id: "TG-P012", name: "usage_streamed_differs", severity: "high" },
    title: "A stream is counted otherwise than an answer in one piece",
    meaning: "The same prompt, or the same text, has two counts: one of them is not what is billed.",
    advice: "Compare both with the vendor's invoice before relying on either.",
    detect: (measurement) => ["a", "b"].flatMap((prompt) => streamedDiffers(measurement, prompt)),
  },
  {
    ...{ id: "TG-P013", name: "usage_without_details", severity: "low" },
    title: "Usage has no details",
    meaning: "Cached input and reasoning cannot be told from the rest, so a discount is not seen.",
    advice:
      "Price all input at the full rate, or ask for a version that states the details (Azure: 2024-12-01-preview, v1; vLLM: --enable-prompt-tokens-details).",
    detect: (measurement) => {
      const call = readCalls(measurement).find(({ answer }) => answer.rawUsage !== null);
      if (call === undefined || call.answer.rawUsage === null) return [];
      const { prompt_tokens_details: prompt } = call.answer.rawUsage;
      if (reasoningIsStated(call.answer.rawUsage) || (typeof prompt === "object" && prompt !== null))
        return [];
      return [
        evidence(
          call,
          "neither cached nor reasoning tokens are stated",
          JSON.stringify(call.answer.rawUsage),
        ),
      ];
    },
  },
  {
    ...{ id: "TG-P014", name: "usage_has_cost", severity: "info" },
    title: "Usage states a cost of its own",
    meaning: "The vendor says in each answer what it bills.",
    advice: "Compare it with the price book now and then; it is a float, so it is not for the ledger.",
    detect: (measurement) => {
      for (const call of readCalls(measurement)) {
        const name = Object.keys(call.answer.rawUsage ?? {}).find((key) => /cost/i.test(key));
        if (name !== undefined)
          return [evidence(call, `usage has \`${name}\``, JSON.stringify(call.answer.rawUsage))];
      }
      return [];
    },
  },
];

/** Evidence of the first stream that has any: the shape of the others is the same. */
function firstStream(
  measurement: Measurement,
  look: (call: ReturnType<typeof streams>[number]) => Evidence | null,
): readonly Evidence[] {
  for (const call of streams(measurement)) {
    const found = look(call);
    if (found !== null) return [found];
  }
  return [];
}

/** The prompt must count the same; the output too, when the same text ended by itself. Reasoning may vary. */
function streamedDiffers(measurement: Measurement, prompt: string): readonly Evidence[] {
  const whole = findCall(measurement, `whole-${prompt}`)?.answer ?? null;
  const call = findCall(measurement, `usage-${prompt}`);
  const streamed = call?.answer ?? null;
  if (call === null || whole?.usage == null || streamed?.usage == null || streamed.stream === null) return [];
  const found: Evidence[] = [];
  const quote = `${JSON.stringify(whole.rawUsage)} against ${JSON.stringify(streamed.rawUsage)}`;
  if (whole.usage.input !== streamed.usage.input) {
    found.push(
      evidence(
        call,
        `${streamed.usage.input} prompt tokens streamed, ${whole.usage.input} in one piece`,
        quote,
      ),
    );
  }
  const isSameText =
    whole.text === streamed.text && whole.finishReasons[0] === "stop" && streamed.finishReasons[0] === "stop";
  const [inOne, inStream] = [whole.usage, streamed.usage].map(({ output, reasoning }) => output - reasoning);
  if (isSameText && inOne !== inStream)
    found.push(evidence(call, `${inStream} tokens for the text streamed, ${inOne} in one piece`, quote));
  return found;
}
