import { describe, expect, test } from "vitest";
import { readVendorError, redact } from "./vendor-errors.ts";

const shown = (body: unknown): string => {
  const { message, type, param, code } = readVendorError(
    400,
    typeof body === "string" ? body : JSON.stringify(body),
  );
  return [message, type, param, code].join(" | ");
};

describe("readVendorError() takes every envelope (dialect §3.4)", () => {
  test.each<[string, unknown, string]>([
    [
      "OpenAI",
      { error: { message: "no", type: "invalid_request_error", param: "n", code: "bad" } },
      "no | invalid_request_error | n | bad",
    ],
    ["Azure, a code and a message", { error: { code: "429", message: "slow" } }, "slow |  |  | 429"],
    [
      "Azure, a number as code",
      { error: { requestid: "r", code: 400, message: "Validation error" } },
      "Validation error |  |  | 400",
    ],
    ["Azure Entra, no envelope", { statusCode: 401, message: "Unauthorized." }, "Unauthorized. |  |  | "],
    ["a text as error", { error: "model not found" }, "model not found |  |  | "],
    [
      "a page of a proxy",
      "<html><head><title>502</title></head>\n<body> Bad   Gateway</body></html>",
      "502 Bad Gateway |  |  | ",
    ],
    [
      "vLLM of old, no envelope",
      { object: "error", message: "too long", type: "BadRequestError", param: "prompt", code: 400 },
      "too long | BadRequestError | prompt | 400",
    ],
    [
      "Gemini, in a list",
      [{ error: { code: 400, message: "bad model", status: "INVALID_ARGUMENT" } }],
      "bad model |  |  | 400",
    ],
    ["FastAPI, a detail", { detail: "Not Found" }, "Not Found |  |  | "],
    [
      "FastAPI, a list of details",
      {
        detail: [{ loc: ["body", "top_k"], msg: "Extra inputs are not permitted", type: "extra_forbidden" }],
      },
      "body.top_k: Extra inputs are not permitted |  |  | ",
    ],
    [
      "an event of a stream",
      'event: error\ndata: {"error":{"message":"slow","code":"429"}}\n\n',
      "slow |  |  | 429",
    ],
    ["an envelope with nothing in it", { error: null }, '{"error":null} |  |  | '],
    ["nothing", "", "HTTP 400 |  |  | "],
    ["JSON that says nothing", {}, "{} |  |  | "],
  ])("%s", (_from, body, want) => {
    expect(shown(body)).toBe(want);
  });

  test("knows a filtered prompt in both of Azure's forms", () => {
    const old = readVendorError(400, '{"error":{"message":"filtered","code":"content_filter"}}');
    expect([old.isContentFilter, old.innerError]).toEqual([true, null]);
    const now = readVendorError(
      400,
      '{"error":{"message":"filtered","code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}}',
    );
    expect([now.isContentFilter, now.innerError]).toEqual([true, { code: "ResponsibleAIPolicyViolation" }]);
  });
});

describe("redact()", () => {
  test.each([
    ["Incorrect API key provided: sk-ab***********yz.", "Incorrect API key provided: [hidden]"],
    ["key sk-proj-abcDEF123456 is wrong", "key [hidden] is wrong"],
    ["Authorization: Bearer abcdef1234567890", "Authorization: [hidden]"],
    ["api-key: 0123456789abcdef0123456789abcdef", "api-key: [hidden]"],
    ["token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.abc", "token [hidden]"],
    ["api-12345678 key-a1b2c3d4", "[hidden] [hidden]"],
  ])("%s", (message, want) => {
    expect(redact(message)).toBe(want);
  });
  test("leaves words and addresses alone", () => {
    const message =
      "See https://platform.openai.com/docs/guides/error-codes/api-errors and use key-value pairs; gpt-4o-2024-08-06 is fine";
    expect(redact(message)).toBe(message);
  });
  test("takes no longer than the text is long", () => {
    const started = performance.now();
    redact("api-".repeat(20_000));
    redact("sk-".repeat(20_000));
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});
