import { servedDeployment } from "../core/dialects.ts";
import type { EstimateReason } from "../core/usage.ts";
import type { Ports } from "../ports.ts";
import type { AnswerMeter } from "../protocol/answer-meter.ts";
import { asText } from "../protocol/usage.ts";
import { endingOf, type VendorEnd } from "./endings.ts";
import { attemptOf, inputReading, keptReason } from "./failures.ts";
import type { Finish, Kept, Note, RelayContext, Tried, VendorCall } from "./outcome.ts";
import { readBack } from "./read-back.ts";
import { type Reading, readAnswer } from "./reading.ts";
import type { AnswerHead, PricedDeployment } from "./types.ts";

/** What is known of an answer, streamed or whole, once its body has ended. */
export interface EndedAnswer {
  readonly call: VendorCall;
  readonly meter: AnswerMeter;
  readonly end: VendorEnd;
  readonly hasReachedClient: boolean;
  readonly firstByteAtMs: number | null;
  /** Why it broke, when it did. */
  readonly reason: string | null;
  readonly finish: Finish;
}

/** Errors in a 200 that another deployment would give as well. */
const requestFaults = /invalid_request|invalid_prompt|content_filter|content_policy|context_length/i;

/**
 * Turns a read answer into its outcome: who served it, what it used, who pays, and whether another deployment may be
 * tried. An answer that brought the customer nothing is the operator's loss.
 */
export async function endAnswer(ports: Ports, context: RelayContext, about: EndedAnswer): Promise<Tried> {
  const { call, end } = about;
  const meter = (end === "cut" ? await readBack(ports, context, about) : null) ?? about.meter;
  const { client } = context;
  const { outcome, reason } = endingOf(end, client.isGone());
  const { served, notes } = servedBy(ports, context, call);
  const isEmpty =
    !about.hasReachedClient &&
    !client.isGone() &&
    (end === "cut" || (end === "failed" && !meter.hasOutput()));
  const read = await readingOf(ports, context, { served, isEmpty, ...about, meter, reason });
  const attempt = attemptOf(ports, served, {
    status: call.answer.status,
    headers: call.answer.headers,
    reason: about.reason === null ? null : keptReason(about.reason, context, call.answer),
    startedAt: call.startedAt,
    reading: read.reading,
    paidBy: isEmpty ? "operator" : "customer",
  });
  const mayHelp = !requestFaults.test(`${meter.errorCode} ${meter.errorMessage}`);
  return {
    failover: isEmpty && mayHelp ? { retryAfterMs: null } : null,
    outcome: {
      outcome,
      attempts: [attempt],
      modelServed: meter.model,
      serviceTier: meter.serviceTier,
      rewrites: call.body.rewrites,
      cap: call.body.cap,
      firstByteAtMs: about.firstByteAtMs,
      vendorEndedAtMs: ports.clock.elapsed(),
      vendorHeaders: call.answer.headers,
      notes: [...notes, ...read.notes],
      sample: read.sample,
      kept: keptOf(context, meter),
      finish: about.finish,
    },
  };
}

async function readingOf(
  ports: Ports,
  context: RelayContext,
  about: EndedAnswer & { served: PricedDeployment; reason: EstimateReason; isEmpty: boolean },
): Promise<Reading> {
  const { meter, served } = about;
  const { admitted } = context;
  // Nothing to read at all, though the vendor took the request: its input is what it may bill.
  if (about.isEmpty && about.end === "cut" && meter.usage() === null && !meter.hasOutput()) {
    return { reading: await inputReading(ports, admitted, served, "vendor_cut"), notes: [], sample: null };
  }
  return readAnswer(ports, meter, {
    admitted,
    served,
    cap: about.call.body.cap,
    isComplete: about.end === "complete",
    reason: about.reason,
  });
}

/** The deployment that served: Azure names it when a provisioned one has overflowed to another (dialect §3.5). */
function servedBy(
  ports: Ports,
  context: RelayContext,
  call: VendorCall,
): { served: PricedDeployment; notes: readonly Note[] } {
  const { served } = call;
  const name = servedDeployment(call.answer.headers);
  if (name === null || name.toLowerCase() === served.route.deployment.toLowerCase())
    return { served, notes: [] };
  const isSpilled = call.answer.headers["x-ms-spillover-from-deployment"] !== undefined;
  const route = ports.catalog.findDeployment(served.route.endpoint, name);
  const row =
    route === null
      ? null
      : context.admitted.book.find(route.provider, route.model, context.admitted.admittedAtMs);
  if (!isSpilled && row === null) return { served, notes: [] };
  const note: Note = { kind: "spillover", asked: served.route.deployment, served: name };
  const known =
    route !== null && row !== null
      ? { route, row }
      : { route: { ...served.route, deployment: name }, row: served.row };
  return { served: known, notes: [note] };
}

/** The response object that the vendor keeps, if it does, and what in it can be named later: items, containers. */
function keptOf(context: RelayContext, meter: AnswerMeter): Kept | null {
  const { facts } = context.admitted.request;
  const id = meter.vendorId;
  if (!facts.isKept || id === null || meter.status === null) return null;
  const parts = meter
    .outputItems()
    .flatMap((item) => [asText(item["id"]), asText(item["container_id"])].filter((part) => part !== null));
  const isRunning = facts.background && (meter.status === "queued" || meter.status === "in_progress");
  return { id, parts, isRunning };
}

/** The head of an answer from what is known at its first byte. */
export function answeredBy(
  context: RelayContext,
  call: VendorCall,
  seen: { model: string | null; contentType: string },
): AnswerHead {
  const { admitted } = context;
  return {
    status: call.answer.status,
    contentType: seen.contentType,
    requestId: admitted.id,
    model: seen.model ?? call.served.route.model,
    endpoint: call.served.route.endpoint,
    hold: admitted.hold,
    outputCap: admitted.isCapOurs ? call.body.cap : null,
    rewrites: call.body.rewrites,
    vendorHeaders: call.answer.headers,
    limits: admitted.limits,
    charge: null,
    usageSource: null,
    replayed: null,
  };
}
