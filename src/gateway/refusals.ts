import { type CreditUnit, formatCredits, type PicoUsd } from "../core/money.ts";
import type { HoldRefusal, RateLimits } from "../ports.ts";
import type { Refusal, RefusalCode } from "./types.ts";

/** A refusal with everything that does not apply left null. */
export function refusal(
  requestId: string,
  code: RefusalCode,
  message: string,
  more: Partial<Refusal> = {},
): Refusal {
  return {
    code,
    message,
    requestId,
    param: null,
    retryAfterMs: null,
    funds: null,
    limits: null,
    vendor: null,
    endpoint: null,
    model: null,
    hold: null,
    ...more,
  };
}

/** What a refused hold means to the customer. */
export function refusalOfHold(
  requestId: string,
  held: HoldRefusal,
  about: { required: PicoUsd; maxAffordableOutputTokens: number | null; credit: CreditUnit },
): Refusal {
  const { available } = held;
  const required = formatCredits(about.required, about.credit);
  const left = available === null ? "less than that" : `${formatCredits(available, about.credit)} credits`;
  const funds = (limitSource: "account_balance" | "key_spend_limit"): Partial<Refusal> => ({
    funds: {
      limitSource,
      required: about.required,
      available,
      maxAffordableOutputTokens: about.maxAffordableOutputTokens,
    },
  });
  const afford =
    about.maxAffordableOutputTokens === null || about.maxAffordableOutputTokens < 1
      ? "add credit or send less input"
      : `add credit or set max_completion_tokens to at most ${about.maxAffordableOutputTokens}`;
  switch (held.code) {
    case "insufficient_funds": {
      const message = `This request may cost up to ${required} credits, and the balance has ${left} available; ${afford}.`;
      return refusal(requestId, "credit_balance_exhausted", message, funds("account_balance"));
    }
    case "key_spend_limit": {
      const message = `This request may cost up to ${required} credits, and the key may spend ${left} more in its window; ${afford} or wait for the next window.`;
      return refusal(requestId, "key_spend_limit_exceeded", message, funds("key_spend_limit"));
    }
    case "request_rate_limit":
    case "token_rate_limit":
    case "concurrency_limit": {
      const what = {
        request_rate_limit: "requests per minute",
        token_rate_limit: "tokens per minute",
        concurrency_limit: "requests at once",
      }[held.code];
      return refusal(
        requestId,
        "rate_limit_exceeded",
        `Rate limit reached for this key: ${held.limit} ${what}; try again shortly.`,
        {
          retryAfterMs: held.retryAfterMs ?? 1_000,
          limits: limitsOf(held),
        },
      );
    }
    case "account_frozen":
      return refusal(requestId, "account_frozen", "This account is frozen; contact the operator.");
    case "idempotency_key_reused":
      return refusal(
        requestId,
        "idempotency_key_reused",
        "This Idempotency-Key was used with another request; use a new one.",
      );
    case "idempotency_in_progress":
      return refusal(
        requestId,
        "idempotency_in_progress",
        "The first request with this Idempotency-Key is still running; wait for it.",
      );
    default:
      return refusal(
        requestId,
        "invalid_api_key",
        "Incorrect API key provided: it is unknown, revoked or expired.",
      );
  }
}

/** The limit that was reached and what is left of it, as OpenAI shows them on its own 429; null where it has no such headers. */
function limitsOf({ code, limit, remaining }: HoldRefusal): RateLimits | null {
  if (limit === null || code === "concurrency_limit") return null;
  const none: RateLimits = { rpm: null, requestsLeft: null, tpm: null, tokensLeft: null };
  return code === "request_rate_limit"
    ? { ...none, rpm: Number(limit), requestsLeft: remaining }
    : { ...none, tpm: Number(limit), tokensLeft: remaining };
}
