import { measure } from "./measure.ts";
import { reportOf } from "./report.ts";
import type { ProbeReport } from "./report-schema.ts";
import type { ProbeOptions, ProbePorts, ProbeTarget } from "./types.ts";

/**
 * Measures one deployment and says what was found. At most `options.maxCost` is spent where a price is known.
 * Rejects with a `ProbeFailure` when the endpoint gives no answer to measure, or when `options.signal` interrupts.
 * `report.lessons` is what a gateway can store; nothing is stored here.
 */
export async function runProbe(
  ports: ProbePorts,
  target: ProbeTarget,
  options: ProbeOptions,
): Promise<ProbeReport> {
  return reportOf(await measure(ports, target, options));
}
