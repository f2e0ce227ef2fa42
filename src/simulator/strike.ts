import type { Ask } from "./ask.ts";
import { type Attempt, noCount } from "./attempt.ts";
import type { Directives } from "./directives.ts";
import { faultAnswer } from "./fault-answers.ts";
import type { FaultName } from "./faults.ts";
import type { Accepted } from "./job.ts";

/** The fault of this attempt: its own directive first, then an outage, then the fault rate. */
export function chooseFault(attempt: Attempt, ask: Ask, directives: Directives): FaultName | null {
  const { vendor, random } = attempt;
  const { faultRate, faults } = vendor.settings;
  // Drawn in any case, so that a directive does not shift what the attempt draws later.
  const isDrawn = random.fraction() < faultRate;
  const drawn = isDrawn ? (faults[random.below(faults.length)] ?? null) : null;
  if (directives.fault === "none") return null;
  if (directives.fault === null) return vendor.outage ?? drawn;
  if (directives.times === null) return directives.fault;
  const earlier = vendor.occurrences.next(`times\n${JSON.stringify(ask.messages)}`);
  return earlier < directives.times ? directives.fault : null;
}

/** Faults that come instead of an answer; true when one did. `input` is what the prompt counts. */
export function strikeInstead(accepted: Accepted, input: number): boolean {
  const { attempt, route, model, directives } = accepted;
  const { fault, response, vendor } = attempt;
  if (fault === null) return false;
  if (fault === "hang" || fault === "reset_before") {
    const aborted = fault === "hang";
    response.on("close", () => attempt.settle({ count: noCount, reason: "fault", status: null, aborted }));
    if (fault === "reset_before") response.socket?.resetAndDestroy();
    return true;
  }
  const style = vendor.settings.profile.errors;
  const error = faultAnswer(fault, { style, model: model.name, apiVersion: route.apiVersion, directives });
  if (error === null) return false;
  // Azure charges the prompt of a filtered or timed-out request though the answer states no usage.
  const isCharged = fault === "content_filter" || fault === "408";
  attempt.refuse(error, isCharged ? { ...noCount, input } : noCount);
  return true;
}
