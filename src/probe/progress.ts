import { plain } from "./markdown.ts";
import type { CallRecord, Progress } from "./types.ts";

/** One line of the live checklist. */
export function progressOf(record: CallRecord, done: number, of: number): Progress {
  return {
    done,
    of,
    title: record.plan.title,
    durationMs: Math.round(record.durationMs),
    ...outcomeOf(record),
  };
}

function outcomeOf(record: CallRecord): Pick<Progress, "mark" | "detail"> {
  const { plan, status, fault, error, answer } = record;
  if (fault !== null) return { mark: "failed", detail: plain(fault.message) };
  if (error !== null) {
    const isExpected = plan.kind === "error" || plan.kind === "parameter";
    return {
      mark: isExpected && status !== 429 ? "note" : "failed",
      detail: `${status} ${plain(error.message.slice(0, 120))}`,
    };
  }
  const usage = answer?.usage ?? null;
  const counts = usage === null ? "no usage" : `${usage.input}/${usage.output}/${usage.total} tokens`;
  const chunks = answer?.stream === null || answer === null ? "" : `, ${answer.stream.chunks} chunks`;
  return { mark: answer?.usageFault == null ? "ok" : "note", detail: `${status}, ${counts}${chunks}` };
}
