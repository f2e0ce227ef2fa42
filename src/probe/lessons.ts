import { type Lesson, lessonFrom } from "../core/parameters.ts";
import { promptOverhead } from "./accuracy.ts";
import { findCall, usageState } from "./facts.ts";
import type { Measurement } from "./types.ts";

/**
 * What the gateway can use of a measurement: parameters that are renamed or dropped for this deployment, whether usage
 * can be asked for in streams, and what the vendor counts for a prompt beyond the tokenizer.
 */
export function lessonsOf(measurement: Measurement): readonly Lesson[] {
  const lessons: Lesson[] = [];
  const names = new Set<string>();
  const add = (lesson: Lesson): void => {
    const name = "parameter" in lesson ? lesson.parameter : lesson.kind;
    if (!names.has(name)) lessons.push(lesson);
    names.add(name);
  };
  for (const { plan, status, error } of measurement.calls) {
    if (status !== 400 || error === null || plan.kind === "error") continue;
    const lesson = lessonFrom(error, plan.body);
    if (lesson !== null) add(lesson);
  }
  const asked = findCall(measurement, "usage-a");
  if (asked !== null && usageState(asked) === "sent") {
    add({ kind: "stream_options", evidence: "a probe asked for usage in a stream and got it" });
  }
  const { constant, samples } = promptOverhead(measurement);
  if (constant !== null)
    add({
      kind: "input_overhead",
      tokens: constant,
      samples: samples.length,
      evidence: overheadEvidence(measurement),
    });
  return lessons;
}

function overheadEvidence(measurement: Measurement): string {
  const pairs = promptOverhead(measurement).samples.map(({ billed, counted }) => `${billed} for ${counted}`);
  return `billed for counted by ${measurement.encoding.name}: ${[...new Set(pairs)].join(", ")}`;
}
