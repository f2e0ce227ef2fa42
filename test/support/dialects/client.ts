/** Failures, clients, and what nobody knows for sure. */
import { type DialectRows, e2e, recorded, yes } from "./row.ts";

export const clientRows: DialectRows = {
  "Failures and retries": [
    yes(
      "429, 5xx, timeouts, refused connections",
      "the next deployment, before the first byte has gone out",
      [e2e("routing"), "another deployment is tried"],
    ),
    yes(
      "`retry-after`, `retry-after-ms`, dates",
      "the deployment is left alone for that long, at most ten minutes",
      [e2e("routing"), "is left alone for as long as it asked"],
    ),
    yes("A retry-after of a day", "passed on with `x-should-retry: false`", [
      e2e("endings"),
      "a retry-after of a day",
    ]),
    yes("A call that cost money and brought nothing", "on the operator's `loss`, shown on its attempt", [
      e2e("routing"),
      "when all fail the client gets the last failure",
    ]),
    yes(
      "Redirects, 1xx heads, surplus bytes, broken lengths",
      "not followed, skipped, never another request's answer",
      ["src/vendor/client.test.ts", "never becomes the next request's answer"],
    ),
    yes("Vendors echo keys in errors", "taken out", ["src/core/vendor-errors.test.ts", "redact()"]),
    yes("Bodies of Gemini (a list), FastAPI (`detail`), old vLLM, events with a 4xx", "OpenAI's envelope", [
      "src/core/vendor-errors.test.ts",
      "Gemini, in a list",
    ]),
    yes(
      "429 of requests, of tokens, of an empty account",
      "as sent; the last one with `x-should-retry: false`",
      [e2e("endings"), "a retry-after of a day"],
    ),
    yes("500, 503, pages of a proxy", "502 `upstream_unavailable`", [e2e("odd-bodies"), "a page of a proxy"]),
  ],
  Clients: [
    yes(
      "openai 6 and 7, AzureOpenAI: chat, tools, schemas, responses, embeddings, aborts",
      "the same objects and errors as at the vendor",
      [e2e("sdk-openai"), "chat, whole and streamed, with and without usage"],
    ),
    yes("The AI SDK and LangChain", "the same results and errors as at the vendor", [
      e2e("sdk-ai"),
      "text, whole and streamed",
    ]),
    yes("A retry of a client is a new request, and billed again", "unless it carries an `Idempotency-Key`", [
      e2e("repeats"),
      "gets the same bytes",
    ]),
    yes("Clients ignore a retry-after over 60 s and come back at once", "`x-should-retry: false` is added", [
      e2e("endings"),
      "a retry-after of a day",
    ]),
    yes("`api-key` and `Authorization` of the client", "never reach a vendor", [
      e2e("parameters"),
      "nothing of the client's credentials or headers reaches the vendor",
    ]),
    yes(
      "Paths of AzureOpenAI: `/openai/deployments/…`, `/openai/responses`, `/openai/models`",
      "served; the path goes before the body",
      [e2e("odd-requests"), "is listed at %s"],
    ),
    yes(
      "A client that stops reading at [DONE]",
      "has everything: the charge is committed before it is sent",
      [e2e("sdk-openai"), "chat, whole and streamed"],
    ),
    yes(
      "A half frame makes a client throw or end silently",
      "none is ever sent: whole events, then one error event",
      [e2e("sdk-openai"), "a cut stream: the vendor's breaks off, ours says so"],
    ),
  ],
  "Open points": [
    yes("The cost of an aborted stream", "drain by default; the rest is an estimate that says so", [
      e2e("aborts"),
      "drained: charged what the vendor counts",
    ]),
    yes("Usage after a cut of Azure's filter", "both", [e2e("endings"), "fault=content_filter_cut_no_usage"]),
    yes("What a filtered prompt costs", "an estimate of the input; `charge_filtered_prompt` says who pays", [
      e2e("endings"),
      "a filtered prompt is paid by policy",
    ]),
    yes("`stream_options` at 2024-08-01-preview", "tried; on a 400 repeated without, and learned", [
      e2e("azure"),
      "a version that refuses stream_options is learned",
    ]),
    yes(
      "Sampling on gpt-5.4 at effort none; tools with an effort",
      "sent; on a 400 the message is followed, for that effort alone",
      [e2e("routing"), "a lesson learned from one deployment is no failure"],
    ),
    yes("Error events flat or nested", "both", recorded),
    yes(
      "Whether partial output before an error is billed",
      "charged as an estimate of what the customer got",
      [e2e("endings"), "fault=error_event after=4"],
    ),
    yes("Reasoning of 0 with hidden output", "never worked out from visible text", recorded),
  ],
};
