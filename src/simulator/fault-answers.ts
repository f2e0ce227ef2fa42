import type { Directives } from "./directives.ts";
import { type ErrorStyle, jsonError, keyError, refusalError, type VendorError } from "./errors.ts";
import type { FaultName } from "./faults.ts";

interface FaultAnswerContext {
  readonly style: ErrorStyle;
  readonly model: string;
  readonly apiVersion: string | null;
  readonly directives: Directives;
}

/** The answer that a fault gives instead of the real one; null when the fault strikes elsewhere. */
export function faultAnswer(fault: FaultName, context: FaultAnswerContext): VendorError | null {
  const { style } = context;
  const isAzure = style === "azure";
  switch (fault) {
    case "429":
      return rateLimit(context, context.directives.retryAfter ?? 1, "token");
    case "429_day":
      return rateLimit(context, 86_400, "call");
    case "429_capacity":
      return capacity(context);
    case "429_quota":
      return refusalError(style, {
        status: 429,
        message: quotaMessage,
        type: "insufficient_quota",
        code: "insufficient_quota",
      });
    case "401":
      return keyError(style, "sk-refused-by-fault");
    case "408":
      return jsonError(408, { error: { code: "Timeout", message: "The operation was timeout." } });
    case "500":
      return refusalError(style, {
        status: 500,
        message: isAzure ? azureServerMessage : serverMessage,
        type: "server_error",
      });
    case "503": {
      const headers = { "retry-after": String(context.directives.retryAfter ?? 1) };
      const message = "The engine is currently overloaded, please try again later.";
      return refusalError(style, { status: 503, message, type: "server_error", headers });
    }
    case "html_502":
      return { status: 502, headers: { "content-type": "text/html" }, body: html502 };
    case "redirect":
      return { status: 307, headers: { location: "http://127.0.0.1:9/elsewhere" }, body: "" };
    case "content_filter":
      return filtered();
    default:
      return null;
  }
}

function rateLimit(context: FaultAnswerContext, seconds: number, kind: "token" | "call"): VendorError {
  const headers = retryHeaders(seconds);
  if (context.style === "azure") {
    const message =
      "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version " +
      `${context.apiVersion ?? "v1"} have exceeded ${kind} rate limit of your current OpenAI ` +
      `S0 pricing tier. Please retry after ${seconds} seconds. Please go here: ` +
      "https://aka.ms/oai/quotaincrease if you would like to further increase the default rate " +
      "limit.";
    return jsonError(429, { error: { code: "429", message } }, headers);
  }
  const what =
    kind === "token"
      ? "tokens per min (TPM): Limit 30000, Used 22343, Requested 10955"
      : "requests per day (RPD): Limit 200, Used 200, Requested 1";
  const message =
    `Rate limit reached for ${context.model} in organization org-example on ${what}. Please ` +
    `try again in ${seconds}s. Visit https://platform.openai.com/account/rate-limits to ` +
    "learn more.";
  const type = kind === "token" ? "tokens" : "requests";
  return refusalError(context.style, { status: 429, message, type, code: "rate_limit_exceeded", headers });
}

function capacity(context: FaultAnswerContext): VendorError {
  const seconds = context.directives.retryAfter ?? 1;
  const message =
    "The system is currently experiencing high demand and cannot process your request. Your " +
    "request exceeds the maximum usage size allowed during peak load. Please retry after " +
    `${seconds} seconds. For improved latency reliability, consider switching to Provisioned ` +
    "Throughput.";
  const headers = retryHeaders(seconds);
  if (context.style === "azure") return jsonError(429, { error: { code: "429", message } }, headers);
  return refusalError(context.style, {
    status: 429,
    message,
    type: "requests",
    code: "rate_limit_exceeded",
    headers,
  });
}

function retryHeaders(seconds: number): Record<string, string> {
  return { "retry-after": String(seconds), "retry-after-ms": String(seconds * 1_000) };
}

/**
 * The prompt was filtered: a 400 without usage, which Azure charges all the same
 * (azure-400-content-filter-prompt.json).
 */
function filtered(): VendorError {
  const safe = { filtered: false, severity: "safe" };
  const results = {
    hate: safe,
    jailbreak: { filtered: true, detected: true },
    self_harm: safe,
    sexual: safe,
    violence: safe,
  };
  return jsonError(400, {
    error: {
      message: filterMessage,
      type: null,
      param: "prompt",
      code: "content_filter",
      status: 400,
      innererror: { code: "ResponsibleAIPolicyViolation", content_filter_result: results },
    },
  });
}

const filterMessage =
  "The response was filtered due to the prompt triggering Azure OpenAI's content " +
  "management policy. Please modify your prompt and retry. To learn more about our content " +
  "filtering policies please read our documentation: " +
  "https://go.microsoft.com/fwlink/?linkid=2198766";
const quotaMessage =
  "You exceeded your current quota, please check your plan and billing details. For more " +
  "information on this error, read the docs: " +
  "https://platform.openai.com/docs/guides/error-codes/api-errors.";
const serverMessage = "The server had an error while processing your request. Sorry about that!";
const azureServerMessage =
  "The server had an error processing your request. Sorry about that! You can retry your " +
  "request, or contact us through an Azure support request at: " +
  "https://go.microsoft.com/fwlink/?linkid=2213926 if you keep seeing this error.";
const html502 =
  "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n" +
  "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>cloudflare</center>\r\n</body>\r\n</html>\r\n";
