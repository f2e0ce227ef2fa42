import type { JsonObject } from "./json.ts";

/** An answer that is not a success, ready to send. */
export interface VendorError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Whose envelope errors come in (dialect: error bodies). */
export type ErrorStyle = "openai" | "azure" | "vllm" | "ollama" | "openrouter";

export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly type?: string;
  readonly param?: string | null;
  readonly code?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Azure's validation of `data_sources` answers in an envelope of its own. */
  readonly isValidation?: boolean;
}

/** A refusal in the style's envelope. Parameter refusals of Azure have OpenAI's envelope. */
export function refusalError(style: ErrorStyle, refusal: Refusal): VendorError {
  const { message, param = null, code = null } = refusal;
  const type = refusal.type ?? "invalid_request_error";
  const headers = refusal.headers ?? {};
  if (refusal.isValidation === true) {
    const requestid = "00000000-0000-4000-a000-000000000000";
    return jsonError(refusal.status, { error: { requestid, code: refusal.status, message } });
  }
  if (style === "openrouter")
    return jsonError(refusal.status, { error: { code: refusal.status, message, metadata: null } }, headers);
  if (style === "vllm") {
    return jsonError(
      refusal.status,
      { error: { message, type: "BadRequestError", param, code: refusal.status } },
      headers,
    );
  }
  return jsonError(refusal.status, { error: { message, type, param, code } }, headers);
}

export function jsonError(
  status: number,
  body: JsonObject,
  headers: Readonly<Record<string, string>> = {},
): VendorError {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
}

/** No key, or one that is not accepted. OpenAI echoes the key masked; Azure says the same for both. */
export function keyError(style: ErrorStyle, key: string | null): VendorError {
  if (style === "azure") return jsonError(401, { error: { code: "401", message: azureKeyMessage } });
  if (style === "openrouter")
    return jsonError(401, { error: { code: 401, message: "No auth credentials found" } });
  if (style === "vllm") return jsonError(401, { error: "Unauthorized" });
  if (key === null) return refusalError("openai", { status: 401, message: missingKeyMessage });
  const message =
    `Incorrect API key provided: ${maskKey(key)}. You can find your API key at ` +
    "https://platform.openai.com/account/api-keys.";
  return refusalError("openai", { status: 401, message, code: "invalid_api_key" });
}

/** Azure's answer to a bearer token that is no Entra token: no `error` envelope at all. */
export function entraError(): VendorError {
  const message =
    "Unauthorized. Access token is missing, invalid, audience is incorrect " +
    "(https://cognitiveservices.azure.com), or have expired.";
  return jsonError(401, { statusCode: 401, message });
}

export function pathError(style: ErrorStyle, method: string, path: string): VendorError {
  if (style === "azure") return jsonError(404, { error: { code: "404", message: "Resource not found" } });
  return refusalError(style, { status: 404, message: `Invalid URL (${method} ${path})` });
}

export function modelError(style: ErrorStyle, model: string): VendorError {
  if (style === "azure")
    return jsonError(404, { error: { code: "DeploymentNotFound", message: deploymentMessage } });
  if (style === "ollama")
    return refusalError(style, {
      status: 404,
      message: `model '${model}' not found`,
      type: "not_found_error",
    });
  const message = `The model \`${model}\` does not exist or you do not have access to it.`;
  return refusalError(style, { status: 404, message, code: "model_not_found" });
}

function maskKey(key: string): string {
  return key.length <= 12
    ? "*".repeat(key.length)
    : `${key.slice(0, 8)}${"*".repeat(key.length - 12)}${key.slice(-4)}`;
}

const azureKeyMessage =
  "Access denied due to invalid subscription key or wrong API endpoint. Make sure to " +
  "provide a valid key for an active subscription and use a correct regional API endpoint " +
  "for your resource.";

const deploymentMessage =
  "The API deployment for this resource does not exist. If you created the deployment " +
  "within the last 5 minutes, please wait a moment and try again.";

const missingKeyMessage =
  "You didn't provide an API key. You need to provide your API key in an Authorization " +
  "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password " +
  "field (with blank username) if you're accessing the API from your browser and are " +
  "prompted for a username and password. You can obtain an API key from " +
  "https://platform.openai.com/account/api-keys.";
