import { vendorRequestId } from "../core/dialects.ts";
import { type CreditUnit, formatCredits } from "../core/money.ts";
import type { AnswerHead } from "../gateway/types.ts";
import type { RateLimits } from "../ports.ts";

/** Header text without anything that could end a header or start another. */
export const headerText = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?").slice(0, 1_000);

/** The headers of an answer (contract §4). Vendor headers are not passed on, but for their request id. */
export function answerHeaders(head: AnswerHead, credit: CreditUnit): Record<string, string> {
  const headers: Record<string, string> = {
    "content-type": headerText(head.contentType),
    "x-request-id": head.requestId,
    ...rateLimitHeaders(head.limits),
  };
  const set = (name: string, value: string | null | undefined): void => {
    if (value !== null && value !== undefined && value !== "") headers[name] = headerText(value);
  };
  set("x-tollgate-model", head.model);
  set("x-tollgate-endpoint", head.endpoint);
  set("x-tollgate-hold", head.hold === null ? null : formatCredits(head.hold, credit));
  set("x-tollgate-output-cap", head.outputCap === null ? null : String(head.outputCap));
  set("x-tollgate-charge", head.charge === null ? null : formatCredits(head.charge, credit));
  set("x-tollgate-usage-source", head.usageSource);
  set("x-tollgate-rewrites", head.rewrites.map(rewriteText).join(", "));
  set("x-vendor-request-id", vendorRequestId(head.vendorHeaders));
  if (head.replayed !== null) Object.assign(headers, head.replayed, { "idempotency-replayed": "true" });
  if (/^text\/event-stream/i.test(head.contentType)) {
    headers["cache-control"] = "no-cache";
    headers["x-accel-buffering"] = "no";
  }
  return headers;
}

function rewriteText({ parameter, action, to }: AnswerHead["rewrites"][number]): string {
  if (action === "renamed") return `${parameter}->${to}`;
  return action === "added" ? `+${parameter}=${to}` : `-${parameter}`;
}

/** `x-ratelimit-*` in OpenAI's form, for keys that have limits. */
export function rateLimitHeaders(limits: RateLimits | null): Record<string, string> {
  const headers: Record<string, string> = {};
  if (limits === null) return headers;
  const add = (kind: "requests" | "tokens", limit: number | null, left: number | null): void => {
    if (limit === null || left === null) return;
    headers[`x-ratelimit-limit-${kind}`] = String(limit);
    headers[`x-ratelimit-remaining-${kind}`] = String(left);
    headers[`x-ratelimit-reset-${kind}`] = durationText(((limit - left) * 60_000) / limit);
  };
  add("requests", limits.rpm, limits.requestsLeft);
  add("tokens", limits.tpm, limits.tokensLeft);
  return headers;
}

/** OpenAI's form of a duration: "6ms", "1.5s", "1m30s". */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 100) / 10;
  if (seconds < 60) return `${seconds}s`;
  return `${Math.floor(seconds / 60)}m${Math.ceil(seconds % 60)}s`;
}
