import { vendorRequestId } from "../core/dialects.ts";
import { type CreditUnit, formatCredits } from "../core/money.ts";
import type { Refusal, RefusalCode } from "../gateway/types.ts";
import { headerText, rateLimitHeaders } from "./headers.ts";

/** An HTTP answer in OpenAI's error envelope. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: { readonly error: ErrorBody };
}

export interface ErrorBody {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
  readonly metadata?: Record<string, unknown>;
  readonly innererror?: Readonly<Record<string, unknown>>;
}

/** Status and type of every refusal (contract §4.1); the compiler demands an answer for each code. */
const httpAnswers: Record<RefusalCode, { status: number; type: string; shouldRetry?: boolean }> = {
  invalid_api_key: { status: 401, type: "invalid_request_error" },
  account_frozen: { status: 403, type: "invalid_request_error" },
  model_not_found: { status: 404, type: "invalid_request_error" },
  model_not_priced: { status: 400, type: "invalid_request_error" },
  credit_balance_exhausted: { status: 402, type: "insufficient_quota", shouldRetry: false }, // 429 would be retried by SDKs
  key_spend_limit_exceeded: { status: 429, type: "insufficient_quota", shouldRetry: false },
  rate_limit_exceeded: { status: 429, type: "rate_limit_error", shouldRetry: true },
  unsupported_feature: { status: 400, type: "invalid_request_error" },
  stored_object_not_found: { status: 404, type: "invalid_request_error" },
  response_still_running: { status: 409, type: "invalid_request_error", shouldRetry: false },
  idempotency_key_reused: { status: 422, type: "idempotency_error" },
  idempotency_in_progress: { status: 409, type: "idempotency_error" },
  idempotency_result_not_kept: { status: 409, type: "idempotency_error", shouldRetry: false },
  ledger_unavailable: { status: 503, type: "server_error" },
  upstream_unavailable: { status: 502, type: "server_error" },
  upstream_auth_failed: { status: 502, type: "server_error", shouldRetry: false },
  overloaded: { status: 503, type: "server_error" },
  vendor_refused: { status: 400, type: "invalid_request_error" },
};

export interface AnswerSettings {
  readonly credit: CreditUnit;
  readonly quotaStatus: 402 | 429;
}

export function answerOf(refusal: Refusal, settings: AnswerSettings): ErrorAnswer {
  const known = httpAnswers[refusal.code];
  const { vendor, funds } = refusal;
  const status =
    vendor?.status ?? (refusal.code === "credit_balance_exhausted" ? settings.quotaStatus : known.status);
  const headers: Record<string, string> = {
    "content-type": "application/json; charset=utf-8",
    "x-request-id": refusal.requestId,
    ...rateLimitHeaders(refusal.limits),
  };
  if (refusal.endpoint !== null) headers["x-tollgate-endpoint"] = headerText(refusal.endpoint);
  if (refusal.model !== null) headers["x-tollgate-model"] = headerText(refusal.model);
  if (refusal.hold !== null) headers["x-tollgate-hold"] = formatCredits(refusal.hold, settings.credit);
  const shouldRetry = shouldRetryOf(refusal) ?? known.shouldRetry;
  if (shouldRetry !== undefined) headers["x-should-retry"] = String(shouldRetry);
  const retryAfterMs = refusal.retryAfterMs ?? (status === 503 ? 1_000 : null);
  if (retryAfterMs !== null) {
    headers["retry-after"] = String(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
    // Clients ignore waits over a minute and come back at once (dialect §8): say that it is no use.
    if (vendor !== null && retryAfterMs > 60_000) headers["x-should-retry"] = "false";
  }
  const vendorId = vendor === null ? null : vendorRequestId(vendor.headers);
  if (vendorId !== null) headers["x-vendor-request-id"] = headerText(vendorId);
  const credits = (amount: NonNullable<typeof funds>["required"]): string =>
    formatCredits(amount, settings.credit);
  const error: ErrorBody = {
    message: refusal.message,
    type: vendor === null ? known.type : (vendor.type ?? typeOfStatus(vendor.status)),
    param: refusal.param,
    code: vendor === null ? refusal.code : vendor.code,
    ...(vendor === null || vendor.innerError === null ? {} : { innererror: vendor.innerError }),
    ...(funds === null
      ? {}
      : {
          metadata: {
            limit_source: funds.limitSource,
            required: credits(funds.required),
            available: funds.available === null ? null : credits(funds.available),
            max_affordable_output_tokens: funds.maxAffordableOutputTokens,
            request_id: refusal.requestId,
          },
        }),
  };
  return { status, headers, body: { error } };
}

/** Whether clients may come back, by the vendor's own word; a vendor account without credit is not helped by that. */
function shouldRetryOf({ vendor }: Refusal): boolean | undefined {
  if (vendor === null) return undefined;
  const said = vendor.headers["x-should-retry"];
  if (said === "true" || said === "false") return said === "true";
  return vendor.status === 402 || vendor.type === "insufficient_quota" ? false : undefined;
}

/** Vendors that name no type: by status, as OpenAI names them. */
const typeOfStatus = (status: number): string =>
  status === 429 ? "rate_limit_error" : status >= 500 ? "server_error" : "invalid_request_error";

/** Faults of the request itself, before any story begins. */
export function requestError(
  requestId: string,
  status: number,
  error: Omit<ErrorBody, "type"> & { type?: string },
): ErrorAnswer {
  return {
    status,
    headers: { "content-type": "application/json; charset=utf-8", "x-request-id": requestId },
    body: { error: { type: "invalid_request_error", ...error } },
  };
}
