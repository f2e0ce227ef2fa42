import pino, { type Logger } from "pino";
import { formatUsd } from "../core/money.ts";
import type { Observation } from "../ports.ts";

export type { Logger };

/** Logs go to stderr as JSON lines. They carry ids and counts only: no prompt, no answer, no credential. */
export function createLogger(level: string): Logger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: false }),
  );
}

const warnings = new Set([
  "usage_rejected",
  "billed_beyond_hold",
  "attempt_failed",
  "settle_retried",
  "hold_recovered",
]);

export function logObservation(logger: Logger, observation: Observation): void {
  const level = observation.event === "fault" ? "error" : warnings.has(observation.event) ? "warn" : "info";
  // What is not written is not put together either.
  if (!logger.isLevelEnabled(level)) return;
  if (observation.event === "fault") {
    logger.error(observation, "fault");
    return;
  }
  if (observation.event === "request_ended") {
    const { charge, vendorCost, loss, ...rest } = observation;
    logger.info(
      {
        ...rest,
        chargeUsd: formatUsd(charge),
        vendorCostUsd: formatUsd(vendorCost),
        lossUsd: formatUsd(loss),
      },
      "request ended",
    );
    return;
  }
  const money = "loss" in observation ? { lossUsd: formatUsd(observation.loss) } : {};
  const { loss: _loss, ...plain } = observation as Observation & { loss?: unknown };
  logger[level]({ ...plain, ...money }, observation.event.replaceAll("_", " "));
}
