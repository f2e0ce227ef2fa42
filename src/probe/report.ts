import { formatUsd, type PicoUsd, pico } from "../core/money.ts";
import { redact } from "../core/vendor-errors.ts";
import { accuracyRows, promptOverhead } from "./accuracy.ts";
import { hiddenOutput, usageState } from "./facts.ts";
import { shownUrl } from "./failures.ts";
import { percentOf } from "./figures.ts";
import { findAll } from "./findings/all.ts";
import { evidenceMax } from "./findings/finding.ts";
import { latencyOf } from "./latency.ts";
import { lessonsOf } from "./lessons.ts";
import { parameterMatrix } from "./matrix.ts";
import { moneyCases } from "./money.ts";
import {
  type ProbeReport,
  probeSchema,
  type ReportAccuracy,
  type ReportCall,
  type ReportCost,
  type ReportEnvironment,
  type ReportError,
  type ReportMoney,
  type ReportStream,
} from "./report-schema.ts";
import { spentOn } from "./spent.ts";
import type { CallRecord, Measurement } from "./types.ts";

/** Everything a measurement says, as plain JSON. Pure. */
export function reportOf(measurement: Measurement): ProbeReport {
  const { options, skipped } = measurement;
  const overhead = promptOverhead(measurement);
  return {
    schema: probeSchema,
    at: new Date(measurement.startedAtMs).toISOString(),
    duration_ms: Math.round(measurement.durationMs),
    environment: environmentOf(measurement),
    cost: costOf(measurement.calls, options.maxCost),
    calls: measurement.calls.map((call) => callOf(measurement, call)),
    skipped: skipped.map(({ id }) => id),
    parameters: parameterMatrix(measurement),
    errors: measurement.calls.filter(({ plan }) => plan.kind === "error").map(errorOf),
    accuracy: accuracyOf(measurement),
    prompt_overhead: { tokens: overhead.constant, samples: overhead.samples.length },
    latency: latencyOf(measurement),
    money: moneyOf(measurement),
    findings: findAll(measurement).map(({ id, name, severity, title, meaning, advice, evidence }) => ({
      ...{ id, name, severity, title, meaning, advice },
      ...{ evidence: evidence.slice(0, evidenceMax), more: Math.max(0, evidence.length - evidenceMax) },
    })),
    lessons: lessonsOf(measurement),
  };
}

function environmentOf(measurement: Measurement): ReportEnvironment {
  const { target, encoding, priceRow } = measurement;
  const first = measurement.calls.find(({ plan }) => plan.id === "whole-a");
  return {
    endpoint: target.route.endpoint,
    kind: target.route.kind,
    base_url: shownUrl(target.baseUrl),
    deployment: target.route.deployment,
    model: measurement.model,
    model_served: first?.answer?.model ?? null,
    api_version: target.route.apiVersion,
    credential: target.credential,
    limit_parameter: measurement.limit,
    tokenizer: encoding.name,
    tokenizer_is_guess: encoding.isGuess,
    price_row: priceRow?.id ?? null,
    price_book: measurement.priceBook,
  };
}

function costOf(calls: readonly CallRecord[], max: PicoUsd): ReportCost {
  const { known, atMost } = spentOn(calls);
  return {
    known_usd: formatUsd(known),
    at_most_usd: atMost === null ? null : formatUsd(atMost),
    max_usd: formatUsd(max),
    calls: calls.length,
    refused: calls.filter(({ cost }) => cost.basis === "nothing").length,
    without_usage: calls.filter(
      ({ cost, answer }) => cost.basis === "at_most" || (cost.basis === "unknown" && answer?.usage == null),
    ).length,
  };
}

const textLengthMax = 2_000;

function callOf(measurement: Measurement, call: CallRecord): ReportCall {
  const { plan, answer, error, cost } = call;
  const { messages: _, ...sent } = plan.body;
  const usage = answer?.usage ?? null;
  const hidden = hiddenOutput(measurement, call);
  return {
    ...{ id: plan.id, title: plan.title, kind: plan.kind, prompt: plan.prompt, cap: plan.cap, sent },
    status: call.status,
    fault: call.fault?.message ?? null,
    error:
      error === null
        ? null
        : { message: error.message, type: error.type, param: error.param, code: error.code },
    usage_state: usageState(call),
    usage:
      usage === null
        ? null
        : {
            input: usage.input,
            output: usage.output,
            reasoning: usage.reasoning,
            cached_input: usage.cachedInput,
            total: usage.total,
          },
    usage_object: answer?.rawUsage ?? null,
    text: answer === null ? null : redact(answer.text.slice(0, textLengthMax)),
    visible_tokens: measurement.counts.get(plan.id)?.visibleTokens ?? null,
    hidden_tokens: hidden?.hidden ?? null,
    is_cap_reached: hidden?.isCapReached ?? false,
    finish_reason: answer?.finishReasons[0] ?? null,
    model_served: answer?.model ?? null,
    service_tier: answer?.serviceTier ?? null,
    stream: streamOf(call),
    first_byte_ms: roundOrNull(call.firstByteMs),
    first_text_ms: roundOrNull(answer?.stream?.firstTextMs ?? null),
    duration_ms: Math.round(call.durationMs),
    cost_usd: cost.amount === null ? null : formatUsd(cost.amount),
    cost_basis: cost.basis,
  };
}

const roundOrNull = (value: number | null): number | null => (value === null ? null : Math.round(value));

function streamOf({ answer }: CallRecord): ReportStream | null {
  const stream = answer?.stream ?? null;
  if (stream === null) return null;
  const { chunks, frames, comments, cut } = stream;
  const show = (text: string | undefined): string | null =>
    text === undefined ? null : redact(text.slice(0, textLengthMax));
  return {
    chunks,
    first: show(frames[0]?.text),
    last: show(frames.at(-1)?.text),
    has_done: stream.hasDone,
    comments: comments.length,
    cut,
  };
}

function errorOf({ plan, status, error, fault }: CallRecord): ReportError {
  return {
    call: plan.id,
    status,
    message: error?.message ?? fault?.message ?? null,
    body: error?.raw ?? null,
    envelope_fault: error?.envelopeFault ?? null,
  };
}

function accuracyOf(measurement: Measurement): readonly ReportAccuracy[] {
  return accuracyRows(measurement).map(({ call, method, basis, billedBy, input, output, billed }) => {
    const total = billed.input + billed.output;
    return {
      ...{ call, method, basis, billed_by: billedBy },
      estimate: { input, output, total: input + output },
      billed: { ...billed, total },
      missing_percent_of_billed_total: percentOf(total - input - output, total),
    };
  });
}

function moneyOf(measurement: Measurement): ReportMoney | null {
  if (measurement.priceRow === null) return null;
  const cases = moneyCases(measurement).map(({ call, billedBy, basis, lines }) => {
    const billed = lines.find(({ method }) => method === "vendor")?.all ?? pico(0n);
    return {
      ...{ call, billed_by: billedBy, basis },
      lines: lines.map(({ method, input, output, each, all, missing }) => ({
        ...{
          method,
          input,
          output,
          each_usd: formatUsd(each),
          all_usd: formatUsd(all),
          missing_usd: formatUsd(missing),
        },
        missing_percent_of_billed: percentOf(missing, billed),
      })),
    };
  });
  return { volume: measurement.options.volume, cases };
}
