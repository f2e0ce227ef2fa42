import { usageStates } from "./facts.ts";
import { bullets, code, plain, table } from "./markdown.ts";
import type { ParameterOutcome } from "./matrix.ts";
import type { ProbeReport, ReportCall } from "./report-schema.ts";

export interface Section {
  readonly title: string;
  readonly text: string;
}

export function renderEnvironment({ environment: env }: ProbeReport): Section {
  const guess = env.tokenizer_is_guess ? " (a guess: the model is in no published map)" : "";
  const rows = [
    ["endpoint", `${env.endpoint} (${env.kind})`],
    ["address", env.base_url],
    ["deployment", env.deployment],
    [
      "model",
      env.model_served === null || env.model_served === env.model
        ? env.model
        : `${env.model}; answers say ${env.model_served}`,
    ],
    ...(env.kind === "azure" ? [["api-version", env.api_version ?? "v1"]] : []),
    ["credential", /^no/.test(env.credential) ? env.credential : `${env.credential} [hidden]`],
    ["limit parameter", env.limit_parameter],
    ["tokenizer", `${env.tokenizer}${guess}`],
    ["price", env.price_row ?? "not known"],
    ["price book", env.price_book],
  ];
  return { title: "Environment", text: table(["what", "value"], rows) };
}

export function renderAnswers(report: ProbeReport): Section {
  const calls = report.calls.filter(({ kind }) => kind === "whole");
  return { title: "Non-streaming", text: renderCalls(calls, (call) => describeAnswer(call)) };
}

export function renderPlainStreams(report: ProbeReport): Section {
  const calls = report.calls.filter(({ kind }) => kind === "plain_stream");
  const { firstByte, firstText, perPiece } = report.latency;
  const spreads = [
    ["first byte", firstByte],
    ["first text", firstText],
    ["per piece of text", perPiece],
  ] as const;
  const rows = spreads.flatMap(([name, spread]) =>
    spread === null
      ? []
      : [[name, `${spread.medianMs}`, `${spread.leastMs}`, `${spread.mostMs}`, `${spread.samples}`]],
  );
  const latency =
    rows.length === 0
      ? ""
      : `\n\nTime, over all streams:\n\n${table(["ms", "median", "least", "most", "streams"], rows, [1, 2, 3, 4])}`;
  return {
    title: "Streaming, as a plain client asks for it",
    text: renderCalls(calls, describeStream) + latency,
  };
}

export function renderUsageStreams(report: ProbeReport): Section {
  const calls = report.calls.filter(({ kind }) => kind === "usage_stream");
  return { title: "Streaming with include_usage", text: renderCalls(calls, describeStream) };
}

function renderCalls(
  calls: readonly ReportCall[],
  describe: (call: ReportCall) => readonly string[],
): string {
  if (calls.length === 0) return "Not measured.";
  return calls
    .map((call) => `### ${call.id}: ${code(JSON.stringify(call.sent))}\n\n${bullets(describe(call))}`)
    .join("\n\n");
}

function describeAnswer(call: ReportCall): readonly string[] {
  if (call.status === null || call.fault !== null)
    return [`no answer: ${plain(call.fault ?? "the call failed")}`];
  if (call.error !== null) return [`HTTP ${call.status}: ${plain(call.error.message)}`];
  const { usage } = call;
  return [
    `HTTP ${call.status}, finish_reason ${code(call.finish_reason ?? "(none)")}, text ${code(JSON.stringify(shorten(call.text ?? "")))} (${call.visible_tokens} tokens)`,
    usage === null
      ? `usage: ${usageStates[call.usage_state]}`
      : `usage: **${usage.input}/${usage.output}/${usage.total}** (prompt/completion/total), ${usageStates[call.usage_state]}`,
    ...(call.usage_object === null
      ? []
      : [`as the vendor wrote it: ${code(JSON.stringify(call.usage_object))}`]),
    ...explainOutput(call),
  ];
}

function describeStream(call: ReportCall): readonly string[] {
  const { stream } = call;
  if (stream === null) return describeAnswer(call);
  const end =
    stream.cut === null
      ? stream.has_done
        ? "ended by [DONE]"
        : "ended without [DONE]"
      : `cut: ${plain(stream.cut)}`;
  const comments = stream.comments === 0 ? "" : `, ${stream.comments} comments`;
  return [
    `**${stream.chunks} chunks**${comments}, ${end}`,
    ...describeAnswer(call),
    ...(stream.first === null ? [] : [`first chunk: ${code(shorten(stream.first))}`]),
    ...(stream.last === null ? [] : [`last chunk: ${code(shorten(stream.last))}`]),
  ];
}

/** What became of the output that is billed, in words: the question that a bare pair of figures leaves open. */
export function explainOutput(call: ReportCall): readonly string[] {
  const { usage, visible_tokens: visible, hidden_tokens: hidden, cap } = call;
  if (usage === null || visible === null || hidden === null || hidden <= 0) return [];
  const reasoning =
    usage.reasoning > 0
      ? `${usage.reasoning} of them reasoning by the vendor's own details`
      : "which the usage does not explain";
  if (call.is_cap_reached && visible === 0) {
    return [
      `why ${usage.output}: the limit was ${cap}, and hidden reasoning used all of it before any text (${usage.output} billed − 0 visible = ${hidden} hidden, ${reasoning})`,
    ];
  }
  const limit = call.is_cap_reached ? `; the limit of ${cap} was reached` : "";
  return [
    `why ${usage.output}: ${usage.output} billed − ${usage.output - hidden} shown = ${hidden} hidden, ${reasoning}${limit}`,
  ];
}

const outcomes: Readonly<Record<ParameterOutcome, string>> = {
  accepted: "accepted",
  ignored: "accepted, without effect",
  refused: "refused",
  renamed: "wanted under another name",
  fixed: "only the default is accepted",
  unclear: "unclear: the call failed otherwise",
  not_run: "not measured",
};

export function renderMatrix({ parameters }: ProbeReport): Section {
  const rows = parameters.map(({ parameter, sent, outcome, status, said }) => [
    code(parameter),
    code(shorten(JSON.stringify(sent) ?? "", 40)),
    outcomes[outcome],
    status === null ? "" : String(status),
    plain(said ?? ""),
  ]);
  return { title: "Parameter matrix", text: table(["parameter", "sent", "outcome", "HTTP", "said"], rows) };
}

export function renderErrors({ errors }: ProbeReport): Section {
  if (errors.length === 0) return { title: "Error envelopes", text: "Not measured." };
  const rows = errors.map(({ call, status, message, envelope_fault: fault }) => [
    call,
    status === null ? "" : String(status),
    status !== null && status < 300 ? "not refused" : (fault ?? "OpenAI's"),
    plain(message ?? ""),
  ]);
  return { title: "Error envelopes", text: table(["request", "HTTP", "envelope", "message"], rows) };
}

/** Both ends of a long text: the end of a chunk often tells most. */
export function shorten(text: string, most = 360): string {
  if (text.length <= most) return text;
  const half = Math.floor((most - 3) / 2);
  return `${text.slice(0, half)} … ${text.slice(-half)}`;
}
