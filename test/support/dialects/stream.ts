/** Framing, usage and endings of streams. */
import {
  aVendor,
  type DialectRows,
  e2e,
  no,
  oddBody,
  oddStream,
  recorded,
  unasked,
  view,
  yes,
} from "./row.ts";

export const streamRows: DialectRows = {
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
    yes("Raw UTF-8 and `\\uXXXX` escapes", "the same text, hence the same estimate", recorded),
    yes(
      "CR alone, a BOM, data that is no object",
      "forwarded; the meter reads what it can",
      oddStream("data that is no object"),
    ),
    yes(
      "`[DONE]` with blanks, without its blank line",
      "an end like any other",
      oddStream("[DONE] with blanks around it"),
    ),
    yes(
      "A stream called JSON, JSON for a stream, no content type",
      "read by what it is",
      oddBody("JSON for a stream without a content type"),
    ),
    yes(
      "Compression nobody asked for",
      "undone; an unknown one is a broken answer",
      oddBody("a packed stream"),
    ),
    yes(
      "A page or somebody else's JSON with status 200",
      "502, another deployment is tried, the cost is the operator's",
      oddBody("is no answer: 502, and the operator bears what it cost"),
    ),
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
    yes(
      "Usage where `choices` is null or absent",
      "a usage chunk too",
      oddStream("usage where choices are null"),
    ),
    yes(
      "A usage object without counts, before or after one with counts",
      "none at all",
      oddStream("usage, and then an empty one"),
    ),
    yes(
      "No output count beside the total",
      "the total less the input",
      oddStream("no output count beside its total"),
    ),
    yes(
      "Tool calls in fragments, the old `function_call`",
      "their names and arguments are billed text; without usage a lower bound",
      oddStream("tool calls alone, and no usage"),
    ),
    yes(
      "`delta.refusal`, `logprobs`, `system_fingerprint` null or absent",
      "passed on; a refusal is billed text",
      recorded,
    ),
    yes(
      "Finish reasons stop, length, tool_calls, content_filter, function_call",
      "passed on; length without usage is billed the cap",
      [e2e("estimates"), "that stopped at the cap is billed the cap"],
    ),
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
    yes(
      "`error` beside `choices` with `finish_reason: error` (OpenRouter)",
      "a failure; passed on whole",
      recorded,
    ),
    yes(
      "An error after the usage",
      "a failure; its charge is exact",
      oddBody("after the usage leaves it exact"),
    ),
    yes(
      "A finish, and a clean end without usage and [DONE]",
      "a cut: the usage that was asked for is missing",
      oddStream("an end after a finish, without usage and [DONE]"),
    ),
    yes(
      "One of several choices cut",
      "a cut of the whole",
      oddStream("one of two choices filtered, the other not finished"),
    ),
  ],
};
