import { asArray, asObject } from "../protocol/usage.ts";
import type { CallRecord, Frame, Measurement, StreamSeen } from "./types.ts";

/** What became of usage in one call. That it was not sent is one thing, that nobody asked for it another. */
export type UsageState =
  | "sent"
  | "sent_unasked"
  | "not_asked"
  | "not_sent"
  | "refused"
  | "unreadable"
  | "no_answer";

export const usageStates: Readonly<Record<UsageState, string>> = {
  sent: "sent",
  sent_unasked: "sent, though it was not asked for",
  not_asked: "not asked for, and not sent",
  not_sent: "asked for, and not sent",
  refused: "asked for, and the request was refused because of it",
  unreadable: "sent, but it cannot be true",
  no_answer: "there was no answer",
};

export function usageState({ plan, answer, error }: CallRecord): UsageState {
  const isAsked = plan.kind === "usage_stream";
  if (answer === null)
    return isAsked && error?.message.includes("stream_options") === true ? "refused" : "no_answer";
  if (answer.usageFault !== null) return "unreadable";
  if (plan.body.stream !== true) return answer.usage === null ? "not_sent" : "sent";
  if (answer.usage === null) return isAsked ? "not_sent" : "not_asked";
  return isAsked ? "sent" : "sent_unasked";
}

export const findCall = (measurement: Measurement, id: string): CallRecord | null =>
  measurement.calls.find(({ plan }) => plan.id === id) ?? null;

/** Calls that were answered with success, errors on purpose left out. */
export const answered = (measurement: Measurement): readonly AnsweredCall[] =>
  measurement.calls.filter(
    (call): call is AnsweredCall => call.answer !== null && call.plan.kind !== "error",
  );

export type AnsweredCall = CallRecord & { readonly answer: NonNullable<CallRecord["answer"]> };

export interface StreamCall extends AnsweredCall {
  readonly stream: StreamSeen;
}

/** Calls whose answer came as a stream, with it. */
export const streams = (measurement: Measurement): readonly StreamCall[] =>
  answered(measurement).flatMap((call) => {
    const { stream } = call.answer;
    return stream === null || !stream.isEventStream ? [] : [{ ...call, stream }];
  });

/** Where in a stream usage was stated, in order; one entry for each place of each frame. */
export interface UsagePlace {
  readonly frame: Frame;
  readonly place: "top" | "x_groq" | "choice";
  readonly usage: Readonly<Record<string, unknown>>;
  readonly isOwnFrame: boolean;
}

export function usagePlaces(stream: StreamSeen): readonly UsagePlace[] {
  return stream.frames.flatMap((frame): UsagePlace[] => {
    if (frame.json === null) return [];
    const choices = asArray(frame.json.choices);
    const isOwnFrame = choices.length === 0;
    const found: readonly (readonly [UsagePlace["place"], unknown])[] = [
      ["top", frame.json.usage],
      ["x_groq", asObject(frame.json.x_groq)?.usage],
      ...choices.map((choice) => ["choice", asObject(choice)?.usage] as const),
    ];
    return found.flatMap(([place, value]) => {
      const usage = asObject(value);
      return usage === null ? [] : [{ frame, place, usage, isOwnFrame }];
    });
  });
}

/** Output that was billed and not shown, and how it is known; null when the call has no usage. */
export interface HiddenOutput {
  readonly billed: number;
  readonly visible: number;
  /** Billed − visible text − reasoning that was shown. */
  readonly hidden: number;
  /** As the vendor states it; null when its usage has no details. */
  readonly reasoning: number | null;
  readonly isCapReached: boolean;
}

export function hiddenOutput(measurement: Measurement, call: CallRecord): HiddenOutput | null {
  const counts = measurement.counts.get(call.plan.id);
  const usage = call.answer?.usage ?? null;
  if (usage === null || counts === undefined || call.answer === null || call.plan.choices > 1) return null;
  const hasDetails = reasoningIsStated(call.answer.rawUsage);
  return {
    billed: usage.output,
    visible: counts.visibleTokens,
    hidden: usage.output - counts.visibleTokens - counts.shownReasoningTokens,
    reasoning: hasDetails || usage.reasoning > 0 ? usage.reasoning : null,
    isCapReached: usage.output === call.plan.cap && call.answer.finishReasons[0] === "length",
  };
}

export function reasoningIsStated(rawUsage: Readonly<Record<string, unknown>> | null): boolean {
  const details = asObject(rawUsage?.completion_tokens_details) ?? asObject(rawUsage?.output_tokens_details);
  return typeof details?.reasoning_tokens === "number" || typeof rawUsage?.reasoning_tokens === "number";
}

/** From so many tokens on, output that is not shown is taken for reasoning; below it may be framing (dialect §6.3). */
export const reasoningLeast = 16;

/** Answers to the short prompts that are read for their tokens: the ones whose visible text is known beforehand. */
export const readCalls = (measurement: Measurement): readonly AnsweredCall[] =>
  answered(measurement).filter(({ plan }) => plan.kind !== "parameter");
