import type { MeterKind, PriceRow } from "../core/prices.ts";
import { canRate, quantitiesOf } from "../core/rating.ts";
import {
  type EstimateReason,
  type Fees,
  type MeterReading,
  nothingBilled,
  type Usage,
  usageFault,
} from "../core/usage.ts";
import type { Ports } from "../ports.ts";
import type { AnswerMeter } from "../protocol/answer-meter.ts";
import { estimateReading } from "./estimate.ts";
import type { Note } from "./outcome.ts";
import { overheadOf, shapeOf } from "./overheads.ts";
import type { Sample } from "./sampling.ts";
import type { Admitted, PricedDeployment } from "./types.ts";

export interface Reading {
  readonly reading: MeterReading;
  readonly notes: readonly Note[];
  /** Null when there is no vendor usage to compare with. */
  readonly sample: Sample | null;
}

/** What is known when an answer has ended. */
export interface AnswerEnd {
  readonly admitted: Admitted;
  readonly served: PricedDeployment;
  /** The cap per choice that was sent. */
  readonly cap: number | null;
  readonly isComplete: boolean;
  /** The reason of an estimate, should one be needed. */
  readonly reason: EstimateReason;
}

/**
 * Reads what the answer used: the vendor's usage when there is one that can be true, else an estimate that says why
 * (contract §5). Usage that is not believed raises an alarm; a total that is not the sum of its parts is noted.
 */
export async function readAnswer(ports: Ports, meter: AnswerMeter, about: AnswerEnd): Promise<Reading> {
  const { admitted, served } = about;
  const atMs = admitted.admittedAtMs;
  const usage = meter.usage();
  const limits = rowServed(admitted, served, { model: meter.model, atMs, kinds: [] });
  const fault = usage === null ? meter.unreadable : usageFault(usage, limits);
  const model = tokenizerModel(served, meter.model);
  const { facts } = admitted.request;
  if (usage !== null && fault === null) {
    const fees = withSearches(meter.fees, meter, about);
    const reading: MeterReading = { usage, fees, source: "vendor", method: null, bound: null, reason: null };
    const row = rowServed(admitted, served, { model: meter.model, atMs, kinds: kindsOf(usage, fees) });
    const sample = { row, serviceTier: meter.serviceTier, model, usage, output: meter.output(), ...about };
    return { reading, notes: totalNotes(usage), sample };
  }
  const notes: Note[] = [];
  // A failure that the vendor reports before any output is billed by nobody.
  if (fault === null && about.reason === "vendor_error" && !meter.hasOutput())
    return { reading: nothingBilled, notes, sample: null };
  if (fault !== null) {
    ports.observe({
      event: "usage_rejected",
      requestId: admitted.id,
      endpoint: served.route.endpoint,
      reason: fault,
    });
    notes.push({ kind: "usage_rejected", reason: fault });
  }
  const lessons = ports.catalog.lessons(served.route.endpoint, served.route.deployment);
  const target = { facts, model, overhead: overheadOf(lessons, shapeOf(facts)), cap: about.cap };
  const reason = fault === null ? about.reason : "vendor_error";
  const estimated = await estimateReading(ports.tokens, meter, {
    ...target,
    reason,
    isComplete: about.isComplete,
  });
  return { reading: { ...estimated, fees: withSearches(estimated.fees, meter, about) }, notes, sample: null };
}

/** The vendor's own sum, recorded as found (dialect §2.3). */
const totalNotes = (usage: Usage): readonly Note[] =>
  usage.total === usage.input + usage.output
    ? []
    : [{ kind: "total_differs", stated: usage.total, parts: usage.input + usage.output }];

/** A chat answer does not count its searches: a request that asks for one, or a model that always does, makes one. */
function withSearches(fees: Fees, meter: AnswerMeter, about: AnswerEnd): Fees {
  const { facts } = about.admitted.request;
  const searches = facts.operation === "chat" && facts.hostedTools.includes("web_search");
  return searches && meter.hasOutput() ? { ...fees, webSearch: Math.max(fees.webSearch, 1) } : fees;
}

export const kindsOf = (usage: Usage, fees: Fees): readonly MeterKind[] =>
  quantitiesOf(usage, fees).map(([kind]) => kind);

/**
 * The price row of the model that served, when the book has one with a price for every kind that was used; else the
 * deployment's own, for which the request was admitted.
 */
export function rowServed(
  admitted: Pick<Admitted, "book">,
  served: PricedDeployment,
  seen: { model: string | null; atMs: number; kinds: readonly MeterKind[] },
): PriceRow {
  if (seen.model === null || seen.model === served.route.model || seen.model === served.route.deployment)
    return served.row;
  const row = admitted.book.find(served.route.provider, seen.model, seen.atMs);
  return row !== null && canRate(row, null, seen.kinds) ? row : served.row;
}

/** Azure may answer with the deployment's name as `model`; then the configured model tells the tokenizer. */
const tokenizerModel = (served: PricedDeployment, model: string | null): string =>
  model === null || model === served.route.deployment ? served.route.model : model;
