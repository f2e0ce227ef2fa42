import { type Lesson, lessonFrom } from "../core/parameters.ts";
import { readVendorError, type VendorError } from "../core/vendor-errors.ts";
import { type MeterReading, nothingBilled } from "../core/usage.ts";
import { type Ports, type VendorAnswer, VendorFault } from "../ports.ts";
import { operations } from "../protocol/request.ts";
import type { CoolDowns } from "./cool-downs.ts";
import { estimateInputOnly } from "./estimate.ts";
import { refusal } from "./refusals.ts";
import { relayStream } from "./stream.ts";
import type { Admitted, Attempt, Client, GatewaySettings, PricedDeployment, Refusal } from "./types.ts";
import { type UpstreamBody, upstreamBody } from "./upstream-body.ts";
import { readWhole } from "./whole.ts";
import type { RequestOutcome } from "../ports.ts";

/** How the request ended at the vendors, before it is settled. */
export interface Outcome {
  readonly outcome: RequestOutcome;
  readonly reading: MeterReading;
  readonly served: PricedDeployment;
  readonly modelServed: string | null;
  readonly serviceTier: string | null;
  readonly attempts: readonly Attempt[];
  readonly rewrites: UpstreamBody["rewrites"];
  readonly firstByteAtMs: number | null;
  readonly vendorEndedAtMs: number;
  readonly vendorHeaders: Readonly<Record<string, string>>;
  /** Why the vendor's usage was not believed, when it was not. */
  readonly rejectedUsage: string | null;
  readonly estimate: { readonly input: number; readonly output: number } | null;
  /** What goes to the client once the charge is committed: a whole answer, a stream's end, or a refusal. */
  readonly finish: Finish;
}

export type Finish =
  | { readonly kind: "whole"; readonly status: number; readonly contentType: string; readonly body: Uint8Array }
  | { readonly kind: "stream_end"; readonly tail: readonly Uint8Array[] }
  | { readonly kind: "refusal"; readonly refusal: Refusal };

export interface RelayContext {
  readonly settings: GatewaySettings;
  readonly coolDowns: CoolDowns;
  readonly admitted: Admitted;
  readonly client: Client;
}

/** An attempt that brought no answer, and what may be done about it. */
interface Failure {
  readonly attempt: Attempt;
  readonly refusal: Refusal;
  readonly canFailOver: boolean;
  readonly reading: MeterReading;
  readonly retryAfterMs: number | null;
  readonly headers: Readonly<Record<string, string>>;
}

type Tried = { readonly ok: true; readonly outcome: Outcome } | { readonly ok: false; readonly failure: Failure };

/** A vendor's 400 can name one parameter at a time; more lessons than this in one request is a loop. */
const maxLessonsPerRequest = 4;

/**
 * Tries the deployments in order until one answers. Fails over on connection errors, 429, 5xx and timeouts before the
 * first byte; never after bytes have reached the client.
 */
export async function relay(ports: Ports, context: RelayContext): Promise<Outcome> {
  const attempts: Attempt[] = [];
  const { deployments } = context.admitted;
  let last: { failure: Failure; served: PricedDeployment } | null = null;
  for (const served of deployments) {
    const tried = await tryDeployment(ports, context, { served, attempts });
    if (tried.ok) return tried.outcome;
    attempts.push(tried.failure.attempt);
    last = { failure: tried.failure, served };
    if (!tried.failure.canFailOver || context.client.isGone()) break;
    const coolMs = Math.min(tried.failure.retryAfterMs ?? context.settings.coolDownMs, 60_000);
    context.coolDowns.start(served.route, ports.clock.now() + coolMs);
  }
  if (last === null) throw new Error("Bug: an admitted request has no deployment");
  return failedOutcome(ports, { ...last, attempts });
}

function failedOutcome(ports: Ports, about: { failure: Failure; served: PricedDeployment; attempts: readonly Attempt[] }): Outcome {
  const { failure } = about;
  return {
    outcome: "vendor_error",
    reading: failure.reading,
    served: about.served,
    modelServed: null,
    serviceTier: null,
    attempts: about.attempts,
    rewrites: [],
    firstByteAtMs: null,
    vendorEndedAtMs: ports.clock.elapsed(),
    vendorHeaders: failure.headers,
    rejectedUsage: null,
    estimate: null,
    finish: { kind: "refusal", refusal: failure.refusal },
  };
}

/** One deployment, with as many calls as its lessons take. */
async function tryDeployment(
  ports: Ports,
  context: RelayContext,
  about: { served: PricedDeployment; attempts: Attempt[] },
): Promise<Tried> {
  const { route } = about.served;
  const { facts } = context.admitted.request;
  const learned: Lesson[] = [];
  for (;;) {
    const lessons = [...ports.catalog.lessons(route.endpoint, route.deployment), ...learned];
    const body = upstreamBody(facts, { route, cap: context.admitted.cap, isCapOurs: context.admitted.isCapOurs, lessons });
    const started = new Date(ports.clock.now()).toISOString();
    const abort = new AbortController();
    const answer = await callVendor(ports, context, { served: about.served, body, abort });
    if (answer instanceof VendorFault) return { ok: false, failure: faultFailure(ports, context, { fault: answer, about, started }) };
    if (answer.status >= 200 && answer.status < 300) {
      context.coolDowns.end(route);
      const call = { served: about.served, body, answer, abort, started, attempts: about.attempts };
      return { ok: true, outcome: facts.stream ? await relayStream(ports, context, call) : await readWhole(ports, context, call) };
    }
    const failure = await statusFailure(ports, context, { answer, about, started });
    const lesson = answer.status === 400 && !context.admitted.model.strictParameters ? lessonFrom(failure.error, body.json) : null;
    if (lesson === null || learned.length >= maxLessonsPerRequest) return { ok: false, failure };
    about.attempts.push(failure.attempt);
    learned.push(lesson);
    await ports.catalog.learn(route.endpoint, route.deployment, lesson);
    ports.observe({ event: "lesson_learned", endpoint: route.endpoint, deployment: route.deployment, lesson: lesson.kind });
  }
}

export interface VendorCall {
  readonly served: PricedDeployment;
  readonly body: UpstreamBody;
  readonly answer: VendorAnswer;
  /** Gives the call up: closes the vendor's socket. */
  readonly abort: AbortController;
  readonly started: string;
  readonly attempts: readonly Attempt[];
}

async function callVendor(
  ports: Ports,
  context: RelayContext,
  call: { served: PricedDeployment; body: UpstreamBody; abort: AbortController },
): Promise<VendorAnswer | VendorFault> {
  const { route } = call.served;
  const { id, request } = context.admitted;
  // Joins the next batch: after a crash it is known that a vendor was called, and which.
  ports.ledger.checkpoint(id, { sent: true, endpoint: route.endpoint, deployment: route.deployment, priced_as: call.served.row.model, price_row: call.served.row.id, provider: route.provider, model: route.model });
  const leave = (): void => {
    if (route.onDisconnect === "cancel") call.abort.abort();
  };
  context.client.gone.addEventListener("abort", leave, { once: true });
  if (context.client.isGone()) leave();
  try {
    return await ports.vendor.call({
      deployment: route,
      operation: operations[request.facts.operation],
      method: "POST",
      body: call.body.bytes,
      requestId: id,
      signal: call.abort.signal,
    });
  } catch (error) {
    if (error instanceof VendorFault) return error;
    throw error;
  }
}

function faultFailure(
  ports: Ports,
  context: RelayContext,
  about: { fault: VendorFault; about: { served: PricedDeployment }; started: string },
): Failure {
  const { route } = about.about.served;
  const { id } = context.admitted;
  ports.observe({ event: "attempt_failed", requestId: id, endpoint: route.endpoint, status: null, reason: about.fault.message });
  const message = `No deployment of "${context.admitted.model.name}" could be reached; try again shortly.`;
  return {
    attempt: attemptOf(ports, about.about.served, { status: null, headers: {}, reason: about.fault.message, started: about.started, usage: null }),
    refusal: refusal(id, "upstream_unavailable", message, { endpoint: route.endpoint }),
    canFailOver: about.fault.code !== "aborted",
    reading: nothingBilled,
    retryAfterMs: null,
    headers: {},
  };
}

const maxErrorBytes = 65_536;

async function statusFailure(
  ports: Ports,
  context: RelayContext,
  about: { answer: VendorAnswer; about: { served: PricedDeployment }; started: string },
): Promise<Failure & { error: VendorError }> {
  const { answer } = about;
  const { served } = about.about;
  const { id } = context.admitted;
  const error = readVendorError(answer.status, await readText(answer));
  const retryAfterMs = retryAfter(answer.headers);
  ports.observe({ event: "attempt_failed", requestId: id, endpoint: served.route.endpoint, status: answer.status, reason: error.message.slice(0, 200) });
  const isFilteredPrompt = answer.status === 400 && error.isContentFilter && served.route.kind === "azure" && served.route.chargeFilteredPrompt;
  const isProcessed = answer.status === 408 && served.route.kind === "azure" && served.route.chargeFilteredPrompt;
  const reading =
    isFilteredPrompt || isProcessed
      ? await estimateInputOnly(ports.tokens, { ...estimateTarget(context.admitted, served), reason: "vendor_error", isComplete: false })
      : nothingBilled;
  return {
    error,
    attempt: attemptOf(ports, served, { status: answer.status, headers: answer.headers, reason: error.message.slice(0, 300), started: about.started, usage: null }),
    refusal: { ...refusalOfStatus(context.admitted, served, { answer, error }), retryAfterMs },
    canFailOver: answer.status === 429 || answer.status >= 500 || (answer.status === 408 && !isProcessed) || answer.status === 401 || answer.status === 403,
    reading,
    retryAfterMs,
    headers: answer.headers,
  };
}

function refusalOfStatus(admitted: Admitted, served: PricedDeployment, seen: { answer: VendorAnswer; error: VendorError }): Refusal {
  const { answer, error } = seen;
  const more = { endpoint: served.route.endpoint };
  if (answer.status === 401 || answer.status === 403) {
    return refusal(admitted.id, "upstream_auth_failed", "The vendor refused the gateway's own credential; the operator must check it.", more);
  }
  if (answer.status < 400 || answer.status >= 500) {
    return refusal(admitted.id, "upstream_unavailable", `The vendor failed with HTTP ${answer.status}; try again shortly.`, more);
  }
  const vendor = { status: answer.status, type: error.type, code: error.code, headers: answer.headers };
  return refusal(admitted.id, "vendor_refused", error.message, { ...more, vendor, param: error.param });
}

async function readText(answer: VendorAnswer): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of answer.body) {
      pieces.push(chunk);
      size += chunk.length;
      if (size > maxErrorBytes) {
        answer.body.destroy();
        break;
      }
    }
  } catch {
    // An error answer that breaks off is still that error; what came of it is read.
  }
  return Buffer.concat(pieces).toString("utf8", 0, maxErrorBytes);
}

/** `retry-after-ms`, else `retry-after` in seconds; null when there is none that can be read. */
export function retryAfter(headers: Readonly<Record<string, string>>): number | null {
  const ms = headers["retry-after-ms"];
  if (ms !== undefined && /^\d{1,10}$/.test(ms)) return Number(ms);
  const seconds = headers["retry-after"];
  return seconds !== undefined && /^\d{1,7}$/.test(seconds) ? Number(seconds) * 1_000 : null;
}

export function attemptOf(
  ports: Pick<Ports, "clock">,
  served: PricedDeployment,
  seen: { status: number | null; headers: Readonly<Record<string, string>>; reason: string | null; started: string; usage: unknown },
): Attempt {
  return {
    endpoint: served.route.endpoint,
    deployment: served.route.deployment,
    status: seen.status,
    vendor_request_id: seen.headers["apim-request-id"] ?? seen.headers["x-request-id"] ?? null,
    usage: seen.usage,
    reason: seen.reason,
    started_at: seen.started,
    ended_at: new Date(ports.clock.now()).toISOString(),
  };
}

/** What an estimate for this deployment starts from. */
export function estimateTarget(admitted: Admitted, served: PricedDeployment): { facts: Admitted["request"]["facts"]; model: string; overhead: number; cap: number | null } {
  return { facts: admitted.request.facts, model: served.route.model, overhead: 0, cap: admitted.cap };
}
