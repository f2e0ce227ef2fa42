/** What vendors do, fact by fact, what Tollgate makes of it, and the test that proves it. Rendered as docs/reference/dialects.md. */

export type Stand = "supported" | "refused" | "not applicable";

export interface DialectRow {
  readonly fact: string;
  readonly stand: Stand;
  readonly how: string;
  /** A test file, and a part of one of its titles; null for what has nothing to run. */
  readonly proof: readonly [file: string, title: string] | null;
}

const e2e = (name: string): string => `test/e2e/${name}.test.ts`;
const yes = (fact: string, how: string, proof: readonly [string, string]): DialectRow => ({
  fact,
  stand: "supported",
  how,
  proof,
});
const no = (fact: string, how: string, proof: readonly [string, string]): DialectRow => ({
  fact,
  stand: "refused",
  how,
  proof,
});
const none = (fact: string, how: string): DialectRow => ({ fact, stand: "not applicable", how, proof: null });

const recorded = [e2e("fixtures"), "gives its reading"] as const;
const view = [e2e("fixtures"), "reaches a client that asked byte for byte"] as const;
const unasked = [
  e2e("fixtures"),
  "reaches a client that did not ask without what only Tollgate asked for",
] as const;
const aVendor = [e2e("vendors"), "streamed with usage"] as const;

export const dialectRows: Readonly<Record<string, readonly DialectRow[]>> = {
  "Event streams": [
    yes(
      "LF, CRLF, CR, comments, several data lines, no space after the colon, BOM",
      "split on bytes, forwarded as they came",
      recorded,
    ),
    yes(
      "Network pieces cut anywhere, inside characters too",
      "every recorded stream whole, byte by byte and in random pieces",
      recorded,
    ),
    yes("Frames after [DONE]", "neither read nor sent", recorded),
    yes("A last frame without its blank line", "completed and forwarded", recorded),
    yes("A frame cut inside its JSON", "never shown; one error event after the last whole one", [
      e2e("endings"),
      "fault=cut_mid_frame",
    ]),
    yes("Keep-alive comments, `keepalive` events", "forwarded", view),
    yes("Frames of megabytes", "up to 16 MiB", [e2e("endings"), "a frame of 8 MiB passes"]),
    yes("`obfuscation` filler", "passed on; nothing is counted of it", recorded),
  ],
  "Usage in chat": [
    yes(
      "No usage in a stream unless asked",
      "`include_usage` is added to every streamed chat and legacy completion",
      unasked,
    ),
    yes(
      "`usage: null` on the other chunks, a chunk of usage alone",
      "taken out for a client that did not ask",
      unasked,
    ),
    yes("`choices: []` that is no usage chunk: Azure's first one, moderation", "passed on", view),
    yes("Usage on the finish chunk, twice, in `x_groq`, in a choice", "read wherever it sits, once", [
      "src/protocol/usage.test.ts",
      "finds it %s",
    ]),
    yes("Running totals on every chunk", "the last one counts; never added up", aVendor),
    yes("Running totals per choice (vLLM)", "added over choices while no whole one has come", recorded),
    yes("`continuous_usage_stats`", "asked for at endpoints with `provider: vllm`: exact even when cut", [
      e2e("vendors"),
      "is exact even when its stream breaks off",
    ]),
    yes("Cached and written input inside input, reasoning inside output", "parts leave their whole", [
      "src/core/rating.test.ts",
      "prices the parts, never the parts and the whole",
    ]),
    yes("Details missing or null", "0", ["src/protocol/usage.test.ts", "readUsage()"]),
    yes("xAI: reasoning beside completion; Gemini: thinking in the total alone", "added to the output", [
      "src/protocol/usage.test.ts",
      "xAI: reasoning beside completion",
    ]),
    yes("A total that is not the sum of its parts", "recorded as found, noted", [
      e2e("prices"),
      "a total that differs from its parts is recorded as found",
    ]),
    yes("Usage that cannot be true", "rejected with an alarm; an estimate takes its place", [
      e2e("endings"),
      "usage that cannot be true raises an alarm",
    ]),
    yes("Usage larger than the hold", "believed; charged up to the hold, the rest is the operator's loss", [
      e2e("prices"),
      "usage beyond the hold",
    ]),
    yes("Rejected predictions", "inside output, held for by the prediction's size", recorded),
    yes("n > 1", "input once, output of all choices", recorded),
    yes("Legacy completions", "as chat", [e2e("sdk-openai"), "legacy completions, whole and streamed"]),
    no("`stream_options` without `stream`", "400 before the vendor is called", [
      "test/hostile/fields.test.ts",
      "stream options of a wrong form are refused",
    ]),
  ],
  Endings: [
    yes("Usage and [DONE]", "complete, exact", [e2e("endings"), "tokens=8"]),
    yes("Usage and no [DONE]", "complete, exact", recorded),
    yes("[DONE] and no usage", "complete, estimated (`vendor_sends_none`)", [
      e2e("endings"),
      "fault=no_usage",
    ]),
    yes(
      "An error in a 200, with or without [DONE], under `event: error`",
      "passed on as it came, then the end; what was generated is estimated",
      [e2e("endings"), "fault=error_event_named"],
    ),
    yes(
      "An error as a stream's first event",
      "another deployment is tried; else passed on, nothing charged",
      [e2e("routing"), "a stream that begins with an error"],
    ),
    yes(
      "A silent cut, a reset, silence",
      "estimated (`vendor_cut`); the client gets one error event, never a false end",
      [e2e("endings"), "fault=hang_mid"],
    ),
    yes("Cut by the content filter, with or without usage", "exact, or a lower bound", [
      e2e("endings"),
      "fault=content_filter_cut_no_usage",
    ]),
    yes("A filtered Foundry stream without [DONE]", "a finish of content_filter ends it", recorded),
    yes(
      "The client leaves: before the first byte, in the middle, after the last content",
      "`drain` reads on to the usage, `cancel` closes the vendor and charges the estimate",
      [e2e("endings"), "a client that leaves"],
    ),
    yes("… at every event and in the middle of each", "ten recorded streams, both policies", [
      e2e("aborts"),
      "left at every event and in the middle of each",
    ]),
    yes("A client that retries", "`Idempotency-Key`: the same bytes, one charge", [
      e2e("repeats"),
      "gets the same bytes",
    ]),
  ],
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
  ],
  Parameters: [
    yes(
      "The table of model families",
      "limits are renamed, sampling dropped where only the default is taken; below",
      ["src/core/parameters.test.ts", "takes %s; a temperature is %s"],
    ),
    yes("A 400 that names a parameter", "repeated once with it renamed or left out, learned for 30 days", [
      e2e("parameters"),
      "is learned from its 400s",
    ]),
    yes("Refusals without a code on Responses", "matched on message and parameter", [
      "src/core/parameters.test.ts",
      "lessonFrom()",
    ]),
    yes("Sampling at effort none only", "a lesson holds for the effort at which it was learned", [
      e2e("routing"),
      "a lesson learned from one deployment is no failure",
    ]),
    yes("A limit is never lost", "renamed, never dropped; two different ones are refused", [
      "src/core/parameters.test.ts",
      "renames limits both ways, and never loses one",
    ]),
    yes("`strict_parameters`", "the vendor's 400 goes to the client", [
      e2e("parameters"),
      "strict_parameters passes the vendor's 400 on",
    ]),
    yes(
      "Tools with an effort, unsupported `stop`, `logprobs`, efforts",
      "sent as they are: leaving them out would change what was asked for",
      ["src/core/parameters.test.ts", "leaves everything else as it is"],
    ),
  ],
  "Responses API": [
    yes("Typed events, no [DONE]", "the terminal event ends the stream; its usage is charged", view),
    yes(
      "`response.failed`, flat and nested error events",
      "vendor_error; charged what the usage says, else what was generated",
      recorded,
    ),
    yes("A stream that breaks off", "the kept response is read again: exact", [
      e2e("responses"),
      "whose stream breaks off is read again",
    ]),
    yes("`background`", "held for until the run ends, charged by the vendor's usage; outlives the process", [
      e2e("responses"),
      "outlives the process that began it",
    ]),
    yes("Cancelled runs have no usage", "an estimate of the input and the text", [
      e2e("responses"),
      "that is cancelled has no usage",
    ]),
    yes(
      "Reading, deleting, cancelling, continuing",
      "for ids that the account made, and at the endpoint that keeps them",
      [e2e("responses"), "of another account cannot be read"],
    ),
    no(
      "`conversation`, stored `prompt`, files, larger containers",
      "400: their APIs are not served, so nobody can own one",
      [e2e("responses"), "is refused before the vendor is called"],
    ),
    no("`input_tokens`, `compact`, `input_items`, streaming a stored response again", "404 or 400", [
      e2e("responses"),
      "cannot be streamed again, and has no other routes",
    ]),
    yes(
      "Web search, file search, code interpreter",
      "counted and charged per call where the model allows them and they have a price; else refused",
      [e2e("prices"), "are counted and charged per call"],
    ),
    yes("Search models on chat", "one search per request", [
      e2e("prices"),
      "a chat model that searches for every request",
    ]),
  ],
  "Other endpoints": [
    yes("Embeddings, base64 too", "as the vendor reports", [
      e2e("sdk-openai"),
      "embeddings, as numbers and as the base64",
    ]),
    no("Images, audio, files, batches, realtime, fine-tuning, vector stores", "404 until they are metered", [
      e2e("azure"),
      "is not metered, so it is not there",
    ]),
  ],
  Prices: [
    yes(
      "The served model and service tier decide",
      "else the deployment's own model; the record says which",
      [e2e("prices"), "the service tier that served"],
    ),
    yes("More than 272 000 input tokens reprice the request", "not at 272 000", [
      "src/core/rating.test.ts",
      "an input of %i tokens",
    ]),
    yes("Cache writes, audio and image tokens", "by their own prices where they have some", [
      e2e("prices"),
      "cache reads and writes",
    ]),
    yes("Batch, flex, priority, `fast`", "tables of their own; a tier without a price is refused", [
      e2e("prices"),
      "refuses %s before the vendor is called",
    ]),
    no("An embedding model on chat", "no output price, no chat", [
      e2e("prices"),
      "an embedding model has no price for chat",
    ]),
  ],
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
  ],
};
