/** Vendors by name, and Azure. */
import { type DialectRows, e2e, inProfile, none, oddBody, oddStream, recorded, yes } from "./row.ts";

export const vendorRows: DialectRows = {
  "Azure OpenAI": [
    yes("Dated and v1 addresses", "both, on both sides", [
      e2e("azure"),
      "is reached at its address with its credential alone",
    ]),
    yes("`api-key`, Entra tokens", "`auth: key` or `bearer`, `token_file`, `token_command`", [
      e2e("azure"),
      "is reached at its address with its credential alone",
    ]),
    yes("The plain client sends both headers", "one key is one key; two different ones are refused", [
      e2e("azure"),
      "is answered as it should be",
    ]),
    yes(
      "First chunk without choices, filter annotations",
      "passed on, with the second one, so that the head tells the served model",
      [e2e("azure"), "is passed on, and the head tells who serves all the same"],
    ),
    yes("Asynchronous filter: choices without a delta, also after the finish", "passed on", recorded),
    yes("`stream_options` by api-version", "asked for from 2024-08-01 on; a 400 is learned", [
      e2e("azure"),
      "a version that refuses stream_options is learned",
    ]),
    yes("`data_sources`", "no `stream_options` are sent; the estimate is a lower bound", [
      e2e("estimates"),
      "exact in practice for plain text",
    ]),
    yes("2024-10-21 lacks `max_completion_tokens`", "sent as `max_tokens`", [
      e2e("azure"),
      "2024-10-21 knows no max_completion_tokens",
    ]),
    yes(
      "Spillover: `x-ms-deployment-name`",
      "priced as the deployment that served; held for as the one that was asked, the rest is the operator's loss",
      [e2e("prices"), "of an overflow is priced by the deployment that took it"],
    ),
    yes("Model router", "priced by the `model` of the answer; the router's own fee is not metered", [
      e2e("prices"),
      "prices the answer, when it has a price",
    ]),
    yes(
      "A filtered prompt is billed without usage",
      "charged as an estimate of the input, or borne by the operator (`charge_filtered_prompt`)",
      [e2e("endings"), "a filtered prompt is paid by policy"],
    ),
    yes("A 408 is billed", "an estimate of the input, on the operator", [
      e2e("endings"),
      "a 408 is billed for its input",
    ]),
    yes(
      "Error envelopes: code and message, numbers as codes, no envelope",
      "OpenAI's envelope; `innererror` is kept",
      [e2e("fixtures"), "reaches the client in OpenAI's envelope"],
    ),
    none("Provisioned units by the hour", "not a price per token: give the deployment prices of its own"),
    yes("`services.ai.azure.com`, addresses with their whole path", "as `openai.azure.com`", [
      "src/vendor/endpoint.test.ts",
      "a Foundry address with the whole path",
    ]),
    yes("Responses on dated addresses: no deployment in the path", "so asked for", [
      e2e("azure"),
      "responses of a dated version have no deployment in their path",
    ]),
    yes("Entra tokens expire", "a file or a command is read again every minute", [
      "src/cli/credentials.test.ts",
      "a token file is read again after a minute",
    ]),
    yes(
      "`prompt_annotations` and unasked `usage: null` of 2023 previews",
      "the first is passed on, the second taken out",
      oddStream("a first one of a preview"),
    ),
    yes(
      "`content_filter_error` in the results",
      "the filter was down; the stream is fine, and passed on",
      recorded,
    ),
    yes(
      "An asynchronous filter blocks what was shown",
      "whole, a lower bound when no usage follows",
      oddStream("an asynchronous filter that blocks what was shown"),
    ),
    yes("Usage after a cut of the filter, or none", "exact, or a lower bound", recorded),
    yes(
      "401 of a key, of Entra, of a missing role",
      "502 `upstream_auth_failed`: the operator's credential is wrong, not the customer's",
      [e2e("fixtures"), "reaches the client in OpenAI's envelope"],
    ),
    yes("404 of a deployment, of a path, of a version", "as sent, after other deployments were tried", [
      e2e("routing"),
      "a deployment that is gone",
    ]),
    yes(
      "`apim-request-id`, `x-request-id`",
      "kept with the attempt, given back as `x-vendor-request-id`",
      oddBody("a vendor's id of the request is kept and given back"),
    ),
    yes(
      "`x-ratelimit-*` of the vendor",
      "not passed on: they are the operator's; a key has limits of its own",
      oddBody("its rate limits are the operator's"),
    ),
    yes("A finish of content_filter is billed", "as its usage says", [
      e2e("endings"),
      "fault=content_filter_cut after=4",
    ]),
    yes("401 and 429 are not billed", "nothing is charged, nothing is lost", [
      e2e("endings"),
      "tokens=8 fault=401",
    ]),
    none(
      "A 400 for too long an input may be billed",
      "nobody says when and how much; it is not charged, and would show in the vendor's bill",
    ),
    none("`Foundry-Features`", "headers of a client never reach a vendor"),
  ],
  Vendors: [
    yes(
      "Groq: usage on the finish chunk, also in `x_groq`; `delta.reasoning`",
      "counted once; reasoning is billed text",
      inProfile,
    ),
    yes(
      "DeepSeek: usage on the finish chunk or a chunk of its own; cache hit and miss",
      "either; hits are cached input",
      inProfile,
    ),
    yes("DeepSeek: blank lines before JSON, `: keep-alive`", "forwarded", recorded),
    yes(
      "Mistral: usage on the finish chunk; content as a list with thinking",
      "read; thinking is billed text",
      inProfile,
    ),
    yes("xAI: completion without its reasoning", "added", inProfile),
    none(
      "xAI: a US endpoint costs 1.1 times",
      "an endpoint has a price of its own where the operator gives it one",
    ),
    yes("xAI: an input of 200 000 reprices the request", "as every long context: by the price book", [
      "src/core/rating.test.ts",
      "an input of %i tokens",
    ]),
    yes(
      "Perplexity: running totals on every chunk, last object `chat.completion.done`",
      "the last one counts",
      inProfile,
    ),
    yes(
      "Gemini: running totals on every chunk, thinking in the total alone",
      "the last one counts, thinking added; not added over choices",
      oddStream("running totals of the whole request on chunks of two choices: they are not added up"),
    ),
    yes("Moonshot: usage in `choices[0]`, `cached_tokens` beside the counts", "read", inProfile),
    yes(
      "vLLM: the usage key is left out, not null; running totals per choice",
      "exact even when cut, where asked for",
      inProfile,
    ),
    yes("llama.cpp: a usage chunk nobody asked for, `timings`", "hidden from who did not ask", inProfile),
    yes(
      "Ollama: the role on every chunk, no details, error types of its own",
      "passed on; a missing part is 0",
      inProfile,
    ),
    yes(
      "OpenRouter: usage always, comments, numeric error codes, 402",
      "read; codes become texts; a 402 tries the next deployment",
      inProfile,
    ),
    yes(
      "OpenRouter: `X-Generation-Id`",
      "kept as the vendor's id of the request",
      oddBody("a vendor's id of the request is kept and given back"),
    ),
    yes(
      "DeepSeek on Foundry: `reasoning_tokens` at the top, and 0",
      "0: never worked out from text",
      recorded,
    ),
  ],
};
