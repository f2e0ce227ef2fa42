import { type EstimateReason, type MeterReading, usageFault } from "../core/usage.ts";
import type { Ports } from "../ports.ts";
import type { AnswerMeter } from "../protocol/answer-meter.ts";
import { countInput, estimateOutput, estimateReading } from "./estimate.ts";
import type { Admitted, GatewaySettings, PricedDeployment } from "./types.ts";

export interface Reading {
  readonly reading: MeterReading;
  readonly rejectedUsage: string | null;
  readonly estimate: { readonly input: number; readonly output: number } | null;
}

/** Texts above this are not estimated only for the statistics: the client would wait for it. */
const maxSampledBytes = 20_000;

/**
 * Reads what the answer used: the vendor's usage when there is one that can be true, else an estimate that says why
 * (contract §5). A sampled share is estimated beside the vendor's usage, so that the estimator's accuracy is known.
 */
export async function readAnswer(
  ports: Ports,
  meter: AnswerMeter,
  about: {
    admitted: Admitted;
    served: PricedDeployment;
    settings: GatewaySettings;
    isComplete: boolean;
    /** The reason of an estimate, should one be needed. */
    reason: EstimateReason;
  },
): Promise<Reading> {
  const { admitted, served } = about;
  const row = rowServed(admitted, served, { model: meter.model, at: admitted.admittedAtMs });
  const usage = meter.usage();
  const fault = usage === null ? meter.unreadable : usageFault(usage, row);
  const overhead = overheadOf(ports, served);
  const target = { facts: admitted.request.facts, model: tokenizerModel(served, meter.model), overhead, cap: admitted.cap };
  if (usage !== null && fault === null) {
    return {
      reading: { usage, fees: meter.fees, source: "vendor", method: null, bound: null, reason: null },
      rejectedUsage: null,
      estimate: await sampleEstimate(ports, meter, { ...about, target }),
    };
  }
  if (fault !== null) {
    ports.observe({ event: "usage_rejected", requestId: admitted.id, endpoint: served.route.endpoint, reason: fault });
  }
  const reason = fault === null ? about.reason : "vendor_error";
  const reading = await estimateReading(ports.tokens, meter, { ...target, reason, isComplete: about.isComplete });
  return { reading, rejectedUsage: fault, estimate: null };
}

async function sampleEstimate(
  ports: Ports,
  meter: AnswerMeter,
  about: {
    admitted: Admitted;
    settings: GatewaySettings;
    isComplete: boolean;
    target: Omit<Parameters<typeof estimateOutput>[2], "isComplete"> & { overhead: number };
  },
): Promise<Reading["estimate"]> {
  const { facts } = about.admitted.request;
  if (facts.bodyBytes > maxSampledBytes || about.settings.random() >= about.settings.estimateSampleRate) return null;
  if (meter.output().text.length > maxSampledBytes) return null;
  const input = await countInput(ports.tokens, facts, about.target);
  const output = await estimateOutput(ports.tokens, meter, { ...about.target, isComplete: about.isComplete });
  return { input: input.tokens, output: output.tokens };
}

/** The price row of the model that served, when the book has one; else the deployment's own. */
export function rowServed(admitted: Admitted, served: PricedDeployment, seen: { model: string | null; at: number }): PricedDeployment["row"] {
  if (seen.model === null || seen.model === served.route.model) return served.row;
  return admitted.book.find(served.route.provider, seen.model, seen.at) ?? served.row;
}

/** Azure may answer with the deployment's name as `model`; then the configured model tells the tokenizer. */
const tokenizerModel = (served: PricedDeployment, model: string | null): string =>
  model === null || model === served.route.deployment ? served.route.model : model;

function overheadOf(ports: Ports, served: PricedDeployment): number {
  for (const lesson of ports.catalog.lessons(served.route.endpoint, served.route.deployment)) {
    if (lesson.kind === "input_overhead") return lesson.tokens;
  }
  return 0;
}
