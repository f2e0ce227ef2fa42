import { asArray, asObject } from "../../protocol/usage.ts";
import { readCalls, type StreamCall, streams } from "../facts.ts";
import type { Frame, Measurement } from "../types.ts";
import { type Evidence, evidence, type FindingRule, quoteFrame } from "./finding.ts";

/** How a stream is built. */
export const streamRules: readonly FindingRule[] = [
  {
    ...{ id: "TG-P022", name: "empty_first_chunk", severity: "medium" },
    title: "The first chunk has no choices",
    meaning: "A client that reads `choices[0]` of every chunk fails on the first one.",
    advice: "Read `choices[0]?.delta`. Azure puts the prompt's filter results there.",
    detect: (measurement) =>
      firstOf(
        measurement,
        ({ frames: [first] }) => (first !== undefined && isEmpty(first) && !hasUsage(first) ? first : null),
        "the first chunk has `choices: []`",
      ),
  },
  {
    ...{ id: "TG-P023", name: "empty_chunk_without_usage", severity: "medium" },
    title: "A chunk in the middle has neither choices nor usage",
    meaning: "`choices: []` is taken for the usage chunk by some readers, which then stop or fail.",
    advice: "Take a chunk for the usage chunk only when it has usage.",
    detect: (measurement) =>
      firstOf(
        measurement,
        ({ frames }) => frames.slice(1).find((frame) => isEmpty(frame) && !hasUsage(frame)) ?? null,
        "`choices: []` without usage",
      ),
  },
  {
    ...{ id: "TG-P024", name: "choice_without_delta", severity: "medium" },
    title: "A choice has no delta",
    meaning: "A client that reads `choices[0].delta.content` fails on it.",
    advice: "Read `choices[0]?.delta?.content`. Azure's asynchronous filter sends its annotations so.",
    detect: (measurement) =>
      firstOf(
        measurement,
        ({ frames }) =>
          frames.find(({ json }) =>
            asArray(json?.choices).some((choice) => asObject(asObject(choice)?.delta) === null),
          ) ?? null,
        "a choice without `delta`",
      ),
  },
  {
    ...{ id: "TG-P025", name: "no_done", severity: "medium" },
    title: "The stream ends without [DONE]",
    meaning: "A complete stream cannot be told from one that broke off.",
    advice:
      "Take finish_reason and usage for the end. Clients that wait for [DONE] wait for the connection to close.",
    detect: (measurement) =>
      firstCall(
        measurement,
        ({ stream }) => !stream.hasDone && stream.cut === null && stream.error === null,
        "the last frame is not [DONE]",
        ({ stream }) => quoteFrame(stream.frames.at(-1)),
      ),
  },
  {
    ...{ id: "TG-P026", name: "frames_after_done", severity: "low" },
    title: "Frames come after [DONE]",
    meaning: "Clients stop at [DONE] and never see them.",
    advice: "Read to the end of the connection when usage might come there.",
    detect: (measurement) =>
      firstCall(
        measurement,
        ({ stream }) => stream.framesAfterDone > 0,
        "frames follow [DONE]",
        () => null,
      ),
  },
  {
    ...{ id: "TG-P027", name: "keep_alive_comments", severity: "info" },
    title: "The stream has comments",
    meaning: "Lines that start with a colon keep the connection alive; simple readers take them for data.",
    advice: "Skip lines that start with a colon, as the rules of event streams say.",
    detect: (measurement) =>
      firstCall(
        measurement,
        ({ stream }) => stream.comments.length > 0,
        "comment lines between the frames",
        ({ stream }) => stream.comments[0] ?? null,
      ),
  },
  {
    ...{ id: "TG-P028", name: "named_events", severity: "low" },
    title: "Frames have event names",
    meaning: "Browsers' EventSource does not deliver them to `onmessage`.",
    advice: "Read frames whatever their event name.",
    detect: (measurement) =>
      firstCall(
        measurement,
        ({ stream }) => stream.eventNames.length > 0,
        "frames carry `event:` lines",
        ({ stream }) => `event: ${stream.eventNames.join(", ")}`,
      ),
  },
  {
    ...{ id: "TG-P029", name: "error_in_stream", severity: "high" },
    title: "A failure is reported inside a stream that began with 200",
    meaning:
      "By its status the request succeeded; what was generated until then may be billed, and no usage says how much.",
    advice:
      "Look at every frame for `error`. The gateway ends such a request as failed and bills an estimate that says so.",
    detect: (measurement) =>
      firstCall(
        measurement,
        ({ stream }) => stream.error !== null,
        "an `error` in a frame",
        ({ stream }) =>
          quoteFrame(stream.frames.find(({ json }) => json?.error !== undefined) ?? stream.frames.at(-1)),
      ),
  },
  {
    ...{ id: "TG-P030", name: "stream_cut", severity: "high" },
    title: "A stream broke off",
    meaning: "What was generated is billed, and no usage says how much.",
    advice:
      "Run the probe again. If it stays so, look at proxies and time limits between here and the endpoint.",
    detect: (measurement) =>
      streams(measurement).flatMap((call) =>
        call.stream.cut === null
          ? []
          : [evidence(call, call.stream.cut, quoteFrame(call.stream.frames.at(-1)))],
      ),
  },
  {
    ...{ id: "TG-P031", name: "stream_not_streamed", severity: "medium" },
    title: "A stream was asked for, and the answer came in one piece",
    meaning: "`stream: true` has no effect: clients that read an event stream find none.",
    advice: "Check the endpoint and what lies before it; some proxies hold answers back.",
    detect: (measurement) =>
      readCalls(measurement).flatMap((call) =>
        call.answer.stream?.isEventStream === false
          ? [
              evidence(
                call,
                "the content type is no event stream",
                `content-type: ${call.headers["content-type"] ?? "(none)"}`,
              ),
            ]
          : [],
      ),
  },
  {
    ...{ id: "TG-P032", name: "delta_padding", severity: "info" },
    title: "Chunks are padded",
    meaning:
      "Each chunk carries random filler (`obfuscation`) against guessing text from packet sizes; it is traffic, not tokens.",
    advice:
      "Send `stream_options: {include_obfuscation: false}` where bandwidth matters and the network is trusted.",
    detect: (measurement) =>
      firstOf(
        measurement,
        ({ frames }) => frames.find(({ json }) => typeof json?.obfuscation === "string") ?? null,
        "a chunk with `obfuscation`",
      ),
  },
  {
    ...{ id: "TG-P033", name: "no_finish_reason", severity: "medium" },
    title: "An answer has no finish_reason",
    meaning: "A limit that was reached cannot be told from an answer that ended by itself.",
    advice: "Treat such answers as possibly cut.",
    detect: (measurement) =>
      readCalls(measurement)
        .filter(
          ({ answer }) =>
            answer.finishReasons.length === 0 && answer.stream?.cut == null && answer.stream?.error == null,
        )
        .slice(0, 1)
        .map((call) =>
          evidence(call, "no choice states a finish_reason", quoteFrame(call.answer.stream?.frames.at(-1))),
        ),
  },
];

const isEmpty = ({ json }: Frame): boolean => Array.isArray(json?.choices) && json.choices.length === 0;
const hasUsage = ({ json }: Frame): boolean => asObject(json?.usage) !== null;

function firstOf(
  measurement: Measurement,
  look: (stream: StreamCall["stream"]) => Frame | null,
  shows: string,
): readonly Evidence[] {
  for (const call of streams(measurement)) {
    const frame = look(call.stream);
    if (frame !== null)
      return [
        evidence(call, `${shows} (chunk ${frame.index + 1} of ${call.stream.chunks})`, quoteFrame(frame)),
      ];
  }
  return [];
}

function firstCall(
  measurement: Measurement,
  is: (call: StreamCall) => boolean,
  shows: string,
  quote: (call: StreamCall) => string | null,
): readonly Evidence[] {
  const call = streams(measurement).find(is);
  return call === undefined ? [] : [evidence(call, shows, quote(call))];
}
