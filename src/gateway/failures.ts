import { vendorRequestId } from "../core/dialects.ts";
import { planInput } from "../core/tokens/input.ts";
import { type MeterReading, nothingBilled } from "../core/usage.ts";
import { readVendorError, redact, repeatsAny, type VendorError } from "../core/vendor-errors.ts";
import type { Ports, RequestOutcome, VendorAnswer, VendorFault } from "../ports.ts";
import { operations } from "../protocol/request.ts";
import type { Departure } from "./departure.ts";
import { estimateInputOnly } from "./estimate.ts";
import type { Finish, Outcome, RelayContext, Tried } from "./outcome.ts";
import { overheadOf, shapeOf } from "./overheads.ts";
import { refusal } from "./refusals.ts";
import type { Admitted, Attempt, PricedDeployment, Refusal } from "./types.ts";

/** A call that ended without an answer. */
export interface FailedCall {
  readonly served: PricedDeployment;
  /** RFC 3339. */
  readonly startedAt: string;
}

/**
 * The vendor could not be reached, or did not answer in time. A request that may have reached it may be billed for its
 * input: the operator pays that, and another deployment is tried. When it was given up because the customer left, the
 * customer pays.
 */
export async function faultTried(
  ports: Ports,
  context: RelayContext,
  about: FailedCall & { fault: VendorFault; departure: Departure },
): Promise<Tried> {
  const { fault, served, startedAt } = about;
  const { admitted } = context;
  ports.observe({
    event: "attempt_failed",
    requestId: admitted.id,
    endpoint: served.route.endpoint,
    status: null,
    reason: fault.message,
  });
  const isGivenUp = about.departure.isGivenUp();
  const reading = fault.mayHaveReached
    ? await inputReading(ports, admitted, served, isGivenUp ? "client_left" : "vendor_cut")
    : nothingBilled;
  const attempt = attemptOf(ports, served, {
    status: null,
    headers: {},
    reason: fault.message,
    startedAt,
    reading,
    paidBy: isGivenUp ? "customer" : "operator",
  });
  const message = `No deployment of "${admitted.model.name}" could be reached; try again shortly.`;
  const finish: Finish = isGivenUp
    ? { kind: "nothing" }
    : {
        kind: "refusal",
        refusal: refusal(admitted.id, "upstream_unavailable", message, calledOf(admitted, served)),
      };
  return {
    outcome: failedOutcome(ports, {
      attempt,
      finish,
      headers: {},
      outcome: isGivenUp ? "client_left" : "vendor_error",
    }),
    failover: isGivenUp ? null : { retryAfterMs: null },
  };
}

/** What a status other than success means, as data: who is billed for it, and whether another deployment may help. */
interface StatusRule {
  readonly fits: (status: number, error: VendorError, isAzure: boolean) => boolean;
  readonly input: "billed to the customer" | "billed to the operator" | "not billed";
  readonly mayFailOver: boolean;
}

/** First match wins. What Azure bills: dialect §3.6; nobody else says that a refusal costs anything. */
const statusRules: readonly StatusRule[] = [
  {
    fits: (status, error, isAzure) => isAzure && status === 400 && error.isContentFilter,
    input: "billed to the customer",
    mayFailOver: false,
  },
  {
    fits: (status, _error, isAzure) => isAzure && status === 408,
    input: "billed to the operator",
    mayFailOver: true,
  },
  {
    fits: (status) => [401, 402, 403, 404, 408, 429].includes(status),
    input: "not billed",
    mayFailOver: true,
  },
  { fits: (status) => status < 400 || status >= 500, input: "not billed", mayFailOver: true },
  { fits: () => true, input: "not billed", mayFailOver: false },
];

/** The vendor answered with a status other than success. */
export async function statusTried(
  ports: Ports,
  context: RelayContext,
  about: FailedCall & { answer: VendorAnswer },
): Promise<Tried & { error: VendorError }> {
  const { answer, served, startedAt } = about;
  const { admitted } = context;
  const error = readVendorError(answer.status, await readText(answer));
  const reason = keptReason(error.message, context, answer);
  const retryAfterMs = retryAfter(answer.headers, ports.clock.now());
  ports.observe({
    event: "attempt_failed",
    requestId: admitted.id,
    endpoint: served.route.endpoint,
    status: answer.status,
    reason: reason.slice(0, 200),
  });
  const rule = statusRules.find((one) =>
    one.fits(answer.status, error, served.route.kind === "azure"),
  ) as StatusRule;
  const reading =
    rule.input === "not billed" ? nothingBilled : await inputReading(ports, admitted, served, "vendor_error");
  // The operator may choose to bear filtered prompts: Azure bills them all the same.
  const paidBy =
    rule.input === "billed to the customer" && served.route.chargeFilteredPrompt ? "customer" : "operator";
  const attempt = attemptOf(ports, served, {
    status: answer.status,
    headers: answer.headers,
    reason,
    startedAt,
    reading,
    paidBy,
  });
  const finish: Finish = {
    kind: "refusal",
    refusal: { ...refusalOfStatus(admitted, served, { answer, error }), retryAfterMs },
  };
  return {
    error,
    outcome: failedOutcome(ports, { attempt, finish, headers: answer.headers, outcome: "vendor_error" }),
    failover: rule.mayFailOver ? { retryAfterMs } : null,
  };
}

function refusalOfStatus(
  admitted: Admitted,
  served: PricedDeployment,
  seen: { answer: VendorAnswer; error: VendorError },
): Refusal {
  const { answer, error } = seen;
  const more = calledOf(admitted, served);
  if (answer.status === 401 || answer.status === 403) {
    return refusal(
      admitted.id,
      "upstream_auth_failed",
      "The vendor refused the gateway's own credential; the operator must check it.",
      more,
    );
  }
  if (answer.status < 400 || answer.status >= 500) {
    return refusal(
      admitted.id,
      "upstream_unavailable",
      `The vendor failed with HTTP ${answer.status}; try again shortly.`,
      more,
    );
  }
  const vendor = {
    status: answer.status,
    type: error.type,
    code: error.code,
    headers: answer.headers,
    innerError: error.innerError,
  };
  return refusal(admitted.id, "vendor_refused", error.message, { ...more, vendor, param: error.param });
}

/** What every refusal tells once a vendor was called. */
export const calledOf = (
  admitted: Admitted,
  served: PricedDeployment,
): Pick<Refusal, "endpoint" | "model" | "hold"> => ({
  endpoint: served.route.endpoint,
  model: served.route.model,
  hold: admitted.hold,
});

function failedOutcome(
  ports: Ports,
  about: {
    attempt: Attempt;
    finish: Finish;
    headers: Readonly<Record<string, string>>;
    outcome: RequestOutcome;
  },
): Outcome {
  return {
    outcome: about.outcome,
    attempts: [about.attempt],
    modelServed: null,
    serviceTier: null,
    rewrites: [],
    cap: null,
    firstByteAtMs: null,
    vendorEndedAtMs: ports.clock.elapsed(),
    vendorHeaders: about.headers,
    notes: [],
    sample: null,
    kept: null,
    finish: about.finish,
  };
}

/** The input alone: what a vendor may bill of a call that brought nothing. */
export function inputReading(
  ports: Ports,
  admitted: Admitted,
  served: PricedDeployment,
  reason: NonNullable<MeterReading["reason"]>,
): Promise<MeterReading> {
  const { facts } = admitted.request;
  const lessons = ports.catalog.lessons(served.route.endpoint, served.route.deployment);
  const overhead = overheadOf(lessons, shapeOf(facts));
  return estimateInputOnly(ports.tokens, {
    facts,
    model: served.route.model,
    overhead,
    cap: null,
    reason,
    isComplete: false,
  });
}

export function attemptOf(
  ports: Pick<Ports, "clock">,
  served: PricedDeployment,
  seen: {
    status: number | null;
    headers: Readonly<Record<string, string>>;
    reason: string | null;
    startedAt: string;
    reading: MeterReading;
    paidBy: Attempt["paidBy"];
  },
): Attempt {
  return {
    served,
    status: seen.status,
    vendorRequestId: vendorRequestId(seen.headers),
    reason: seen.reason,
    reading: seen.reading,
    paidBy: seen.paidBy,
    startedAt: seen.startedAt,
    endedAt: new Date(ports.clock.now()).toISOString(),
  };
}

const maxErrorBytes = 65_536;

/** The text of an answer, bounded. An error that breaks off is still that error; what came of it is read. */
export async function readText(answer: VendorAnswer, limit: number = maxErrorBytes): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of answer.body) {
      pieces.push(chunk);
      size += chunk.length;
      if (size > limit) {
        answer.body.destroy();
        break;
      }
    }
  } catch {
    answer.body.destroy();
  }
  const text = Buffer.concat(pieces).toString("utf8", 0, limit);
  return answer.status >= 400 ? answer.hide(text) : text;
}

/** What is kept of a vendor's message, in log and record: no credential, and nothing that repeats the customer's text. */
export function keptReason(message: string, { admitted }: RelayContext, answer: VendorAnswer): string {
  const { facts } = admitted.request;
  const clean = redact(answer.hide(message)).slice(0, 300);
  const { texts } = planInput(operations[facts.operation], facts.body, "");
  return repeatsAny(clean, texts) ? `HTTP ${answer.status}; the message repeats the request` : clean;
}

/** `retry-after-ms`, else `retry-after` in seconds or as a date; null when there is none that can be read. */
export function retryAfter(headers: Readonly<Record<string, string>>, nowMs: number): number | null {
  const ms = headers["retry-after-ms"];
  if (ms !== undefined && /^\d{1,10}$/.test(ms)) return Number(ms);
  const after = headers["retry-after"];
  if (after === undefined) return null;
  if (/^\d{1,7}$/.test(after)) return Number(after) * 1_000;
  // A date has letters; without any, the parser would read years into numbers.
  const at = /[a-z]/i.test(after) ? Date.parse(after) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(at - nowMs, 0);
}
