/** Parameters, the Responses API, other endpoints. */
import { type DialectRows, e2e, no, recorded, view, yes } from "./row.ts";

export const requestRows: DialectRows = {
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
    yes(
      "`max_tokens` on o-series and gpt-5: the exact refusals",
      "known beforehand; an unknown deployment is learned from them",
      ["src/core/parameters.test.ts", "lessonFrom()"],
    ),
    yes("A cap counts hidden reasoning too", "a stop at the cap is billed the whole cap", [
      e2e("recorded-runs"),
      "gpt-5-mini answers 28/50/78 through the %s client",
    ]),
    yes("gpt-5-chat is a classic model", "its `max_tokens` and temperature are sent as they are", [
      e2e("recorded-runs"),
      "gpt-5-chat answers 29/7/36 through the %s client",
    ]),
    yes(
      "A deployment's name says nothing of its model",
      "`model` of the configuration decides, then the answer",
      [e2e("parameters"), "a deployment of which nothing is known is learned from its 400s"],
    ),
    yes("Fields of null", "as if they were not there", [
      e2e("odd-requests"),
      "a field of null is as if it were not there",
    ]),
    yes("Unknown fields", "passed on: the vendor decides", [e2e("sdk-openai"), "an unknown field"]),
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
    yes(
      "`response.incomplete`, `response.failed` with usage null",
      "charged by the usage; without any, an estimate or nothing",
      recorded,
    ),
    yes("`service_tier: auto` first, the real one at the end", "the last one decides", [
      e2e("prices"),
      "asked %s, served %s",
    ]),
    yes("`keepalive` events nobody documents", "passed on", recorded),
    yes(
      "A first event of `insufficient_quota` in a 200",
      "another deployment is tried; nothing is charged",
      recorded,
    ),
    yes("Recorded runs in the background: queued, completed, cancelled", "pending until the usage is read", [
      e2e("recorded-background"),
      "queued and then completed: pending until its usage is read",
    ]),
    yes(
      "Azure: `content_filters`, `model` is the deployment's name",
      "priced as the configured model",
      recorded,
    ),
    yes("`max_output_tokens` has a floor of 16", "the vendor's 400 goes to the client", [
      e2e("fixtures"),
      "reaches the client in OpenAI's envelope",
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
    yes("Embeddings without usage", "counted", [e2e("odd-bodies"), "embeddings without usage are counted"]),
  ],
};
