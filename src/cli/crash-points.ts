import type { CrashPoint } from "../ports.ts";

const points: readonly CrashPoint[] = [
  "after_hold",
  "before_send",
  "after_first_byte",
  "after_usage",
  "before_settle",
  "after_settle",
  "inside_batch",
];

/**
 * Reads `TOLLGATE_CRASH_AT`, "after_usage" or "after_usage:17": kills this process, without a chance to clean up, when a
 * request (here the 17th) reaches that place. For tests of recovery only; undefined when the variable is empty.
 */
export function readCrashPoint(text: string | undefined): ((point: CrashPoint) => void) | undefined {
  if (text === undefined || text === "") return undefined;
  const [name = "", count = "1"] = text.split(":");
  if (!points.some((point) => point === name) || !/^[1-9]\d{0,6}$/.test(count)) {
    throw new Error(
      `Cannot read TOLLGATE_CRASH_AT "${text}"; write one of ${points.join(", ")}, and ":17" for the 17th time.`,
    );
  }
  let left = Number(count);
  return (point) => {
    if (point !== name) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, "SIGKILL");
  };
}
