/** Loaded into every contestant before its own code: answers "vitals" with what the process used since the last answer. */
import { monitorEventLoopDelay } from "node:perf_hooks";

export interface Vitals {
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** Since the process began. */
  readonly rssPeakBytes: number;
  readonly loopP99Ms: number;
}

const delay = monitorEventLoopDelay({ resolution: 2 });
delay.enable();
let last = process.cpuUsage();
process.on("message", (message) => {
  if (message !== "vitals") return;
  const used = process.cpuUsage(last);
  last = process.cpuUsage();
  const vitals: Vitals = {
    cpuMs: (used.user + used.system) / 1_000,
    rssBytes: process.memoryUsage.rss(),
    rssPeakBytes: process.resourceUsage().maxRSS * 1_024,
    loopP99Ms: Math.max(delay.percentile(99) / 1e6 - 2, 0),
  };
  delay.reset();
  process.send?.({ vitals });
});
