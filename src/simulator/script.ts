import type { Answer, Choice, Count, Finish } from "./answers.ts";
import { type Step, still } from "./chunks.ts";
import type { Directives } from "./directives.ts";
import type { FaultName } from "./faults.ts";
import type { Random } from "./seeded.ts";

/** How the connection ends after the last step. */
export type Ending = "end" | "drop" | "reset" | "hang";

export interface Script {
  readonly steps: Iterable<Step>;
  readonly ending: Ending;
}

interface FaultContext {
  readonly fault: FaultName | null;
  readonly directives: Directives;
  readonly random: Random;
  /** Billed output of the whole answer. */
  readonly output: number;
  /** The vendor's error frame, ready to send. */
  readonly errorFrame: string;
  readonly doneFrame: string;
  /** Usage comes in a chunk of its own, after the finish. */
  readonly hasUsageChunk: boolean;
}

const hugeLineBytes = 8 * 1_048_576;
/** Even an endless stream ends some day. */
const endlessSteps = 1_000_000;

/** The answer's steps as the fault leaves them. */
export function faultScript(steps: Iterable<Step>, context: FaultContext): Script {
  const { fault } = context;
  const at = context.directives.after ?? Math.floor(context.output / 2);
  const error = context.errorFrame;
  switch (fault) {
    case "cut_before_usage":
      return { steps: beforeUsage(steps, context.hasUsageChunk), ending: "end" };
    case "cut_mid_text":
      return { steps: until(steps, at, []), ending: "end" };
    case "cut_mid_frame":
      return { steps: untilHalfFrame(steps, at), ending: "end" };
    case "drop":
    case "reset":
      return { steps: until(steps, at, []), ending: fault };
    case "hang_mid":
      return { steps: until(steps, at, []), ending: "hang" };
    case "error_first":
      return { steps: [still("after", error)], ending: "end" };
    case "error_event":
      return { steps: until(steps, at, [still("after", error)]), ending: "end" };
    case "error_event_done":
      return {
        steps: until(steps, at, [still("after", error), still("after", context.doneFrame)]),
        ending: "end",
      };
    case "error_event_named":
      return {
        steps: until(steps, at, [
          still("after", error.startsWith("event:") ? error : `event: error\n${error}`),
        ]),
        ending: "end",
      };
    case "huge_line":
      return {
        steps: withHugeLine(steps, context.directives.bytes ?? hugeLineBytes, context.random),
        ending: "end",
      };
    case "endless":
      return { steps: endless(steps), ending: "end" };
    case "short_body":
      return { steps, ending: "drop" };
    default:
      return { steps, ending: "end" };
  }
}

/** Everything is generated and billed, but what carries usage or follows it never leaves. */
function* beforeUsage(steps: Iterable<Step>, hasUsageChunk: boolean): Generator<Step> {
  for (const step of steps) {
    if (step.kind === "usage" || step.kind === "ending" || step.kind === "after") return;
    yield step.kind === "finish" && !hasUsageChunk ? { ...step, data: "" } : step;
  }
}

function* until(steps: Iterable<Step>, output: number, last: readonly Step[]): Generator<Step> {
  let generated = 0;
  for (const step of steps) {
    if (generated + step.output > output || step.kind === "finish") break;
    generated += step.output;
    yield step;
  }
  yield* last;
}

function* untilHalfFrame(steps: Iterable<Step>, output: number): Generator<Step> {
  let generated = 0;
  for (const step of steps) {
    if ((generated + step.output > output && step.data !== "") || step.kind === "finish") {
      yield { ...step, data: step.data.slice(0, Math.ceil(step.data.length / 2)) };
      return;
    }
    generated += step.output;
    yield step;
  }
}

function* withHugeLine(steps: Iterable<Step>, bytes: number, random: Random): Generator<Step> {
  let isSent = false;
  for (const step of steps) {
    if (step.kind === "finish" && !isSent) {
      isSent = true;
      const filler = random.text(64).repeat(Math.ceil(bytes / 64));
      yield still("after", `data: ${JSON.stringify({ choices: [], obfuscation: filler })}\n\n`);
    }
    yield step;
  }
}

function* endless(steps: Iterable<Step>): Generator<Step> {
  const recent: Step[] = [];
  for (const step of steps) {
    if (step.kind === "finish") break;
    if (step.kind === "text") recent.push(step);
    yield step;
  }
  for (let count = 0; recent.length > 0 && count < endlessSteps; count++) {
    const step = recent[count % recent.length];
    if (step !== undefined) yield step;
  }
}

/** What the answer says it used; a fault may make it say nothing or nonsense. */
export function reportedCount(count: Count, fault: FaultName | null): Count | null {
  if (fault === "no_usage" || fault === "content_filter_cut_no_usage") return null;
  if (fault === "absurd_usage") return { ...count, input: 1_000_000_000, output: 1_000_000_000 };
  if (fault === "negative_usage") return { ...count, output: -1 };
  return count;
}

/** Tokens that the output filter withholds: generated and billed, never shown. */
const withheldTokens = 5;

/**
 * The answer as the output filter cuts it: half of the text, and what was generated meanwhile is billed too.
 */
export function cutByFilter(answer: Answer): Answer {
  const finish: Finish = "content_filter";
  const choices = answer.choices.map((choice): Choice => {
    const kept = choice.pieces.slice(0, Math.ceil(choice.pieces.length / 2));
    const hidden = Math.min(withheldTokens, choice.pieces.length - kept.length);
    return { ...choice, pieces: kept, calls: [], hidden, finish };
  });
  const output = choices.reduce((total, choice) => {
    return (
      total +
      choice.reasoning +
      choice.hidden +
      choice.pieces.reduce((tokens, piece) => tokens + piece.tokens, 0)
    );
  }, 0);
  return { choices, count: { ...answer.count, output, acceptedPrediction: 0, rejectedPrediction: 0 } };
}

interface BodyContext {
  readonly count: Count;
  readonly fault: FaultName | null;
  /** The vendor's error object, as JSON. */
  readonly error: string;
}

/**
 * An answer that is not streamed: all tokens are generated, then the body comes, as whole as the fault lets
 * it.
 */
export function bodyScript(
  body: string,
  context: BodyContext,
): { script: Script; headers: Record<string, string> } {
  const { count, fault, error } = context;
  const generated: Step = { kind: "reasoning", data: "", output: count.output, reasoning: count.reasoning };
  const half = still("after", body.slice(0, Math.floor(body.length / 2)));
  const script = (steps: Iterable<Step>, ending: Ending, length: number | null) => ({
    script: { steps, ending },
    headers: length === null ? {} : { "content-length": String(length) },
  });
  const whole = Buffer.byteLength(body);
  switch (fault) {
    case "cut_before_usage":
    case "cut_mid_text":
    case "cut_mid_frame":
    case "drop":
      return script([generated, half], "drop", whole);
    case "reset":
      return script([generated, half], "reset", whole);
    case "hang_mid":
      return script([generated, half], "hang", whole);
    case "short_body":
      return script([generated, still("after", body)], "drop", whole + 100);
    case "error_first":
    case "error_event":
    case "error_event_done":
    case "error_event_named":
      return script(
        [
          {
            ...generated,
            output: Math.floor(count.output / 2),
            reasoning: Math.min(count.reasoning, Math.floor(count.output / 2)),
          },
          still("after", error),
        ],
        "end",
        Buffer.byteLength(error),
      );
    case "huge_line":
      return script(
        [generated, still("after", body + " ".repeat(hugeLineBytes))],
        "end",
        whole + hugeLineBytes,
      );
    case "endless":
      return script(dripping([generated, half]), "end", null);
    default:
      return script([generated, still("after", body)], "end", whole);
  }
}

function* dripping(first: readonly Step[]): Generator<Step> {
  yield* first;
  for (let count = 0; count < endlessSteps; count++) yield still("after", " ".repeat(1_024));
}
