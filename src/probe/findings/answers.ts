import { namesToTry } from "../../core/price-book.ts";
import { baseModelName } from "../../core/tokens/encodings.ts";
import { answered, streams } from "../facts.ts";
import { isLocalAddress, latencyOf } from "../latency.ts";
import type { Measurement } from "../types.ts";
import { type Evidence, evidence, type FindingRule, quoteFrame, quoteHeader } from "./finding.ts";

/** From these on a stream counts as slow: to its first byte, and for each piece of text, ms. */
export const slowFirstByteMs = 5_000;
export const slowPieceMs = 100;
/** Clocks further apart than this differ, s. */
const clockSlackSeconds = 300;
/** Clients of OpenAI's library wait no longer than this for a retry (dialect §8). */
const longRetryMs = 60_000;

/** Tiers that are sold as the standard one; Groq calls it on_demand. */
const standardTiers: ReadonlySet<string> = new Set(["auto", "default", "standard", "on_demand"]);
const requestIdHeaders = [
  "x-request-id",
  "apim-request-id",
  "request-id",
  "x-ms-request-id",
  "x-generation-id",
  "cf-ray",
];

/** Who answered, at which price, with which headers, and how fast. */
export const answerRules: readonly FindingRule[] = [
  {
    ...{ id: "TG-P038", name: "served_model_differs", severity: "high" },
    title: "Another model served than was asked for",
    meaning: "Prices and parameter rules of the model that was asked for do not apply.",
    advice:
      "Price what served: the gateway does, when the price book knows it. Correct the deployment's `model`.",
    detect(measurement) {
      const { route, isModelKnown } = measurement.target;
      const served = new Map(answered(measurement).map((call) => [call.answer.model, call]));
      return [...served].flatMap(([name, call]) => {
        if (!isModelKnown || name === null || name === route.deployment || isSameModel(name, route.model))
          return [];
        return [
          evidence(call, `${route.model} was asked for, ${name} served`, `"model": ${JSON.stringify(name)}`),
        ];
      });
    },
  },
  {
    ...{ id: "TG-P039", name: "served_model_unnamed", severity: "medium" },
    title: "Answers do not name the model that served",
    meaning: "Aliases and routers cannot be priced by what really ran.",
    advice: "Price by the deployment's `model`, and watch the vendor's notices.",
    detect: (measurement) =>
      answered(measurement)
        .filter((call) => call.answer.model === null)
        .slice(0, 1)
        .map((call) =>
          evidence(call, "no `model` in the answer", quoteFrame(call.answer.stream?.frames.at(-1))),
        ),
  },
  {
    ...{ id: "TG-P040", name: "service_tier_differs", severity: "high" },
    title: "Another service tier served than was asked for",
    meaning: "Tiers have prices of their own: priority costs about twice the standard price, flex half.",
    advice:
      "Price the tier of the answer, as the gateway does, and look at the project's default tier at the vendor.",
    detect: (measurement) =>
      answered(measurement)
        .filter((call) => {
          const asked = call.plan.body.service_tier;
          const { serviceTier } = call.answer;
          return serviceTier !== null && serviceTier !== asked && !standardTiers.has(serviceTier);
        })
        .slice(0, 3)
        .map((call) =>
          evidence(
            call,
            `asked for: ${call.plan.body.service_tier ?? "none"}; served: ${call.answer.serviceTier}`,
            `"service_tier": ${JSON.stringify(call.answer.serviceTier)}`,
          ),
        ),
  },
  {
    ...{ id: "TG-P041", name: "price_unknown", severity: "high" },
    title: "No price is known",
    meaning: "The gateway refuses a model without a price, because it could not bill it.",
    advice: "Add it under `prices` in tollgate.yaml, or with `tollgate prices set`.",
    detect: ({ priceRow, model, target, priceBook }) =>
      priceRow === null
        ? [evidence(null, `${target.route.provider} has no price for ${model} in the price book`, priceBook)]
        : [],
  },
  {
    ...{ id: "TG-P042", name: "error_envelope_differs", severity: "low" },
    title: "Errors do not come in OpenAI's envelope",
    meaning: "Clients that read `error.code`, `error.param` or `error.type` find something else.",
    advice:
      "Read `error.message ?? message ?? the text`. The gateway gives its clients one envelope for all vendors.",
    detect: (measurement) =>
      measurement.calls
        .filter((call) => call.error !== null && call.error.envelopeFault !== null)
        .map((call) => evidence(call, `HTTP ${call.status}: ${call.error?.envelopeFault}`, call.error?.raw)),
  },
  {
    ...{ id: "TG-P043", name: "rate_limit_headers", severity: "info" },
    title: "Answers state rate limits",
    meaning: "What is left of requests and tokens per minute can be known before a 429.",
    advice: "Compare the limits with the volume you plan.",
    detect(measurement) {
      const call = measurement.calls.find(({ headers }) => Object.keys(headers).some(isRateHeader));
      if (call === undefined) return [];
      const shown = Object.entries(call.headers).filter(([name]) => isRateHeader(name));
      return [
        evidence(
          call,
          `${shown.length} headers`,
          shown.map(([name, value]) => quoteHeader(name, value)).join("; "),
        ),
      ];
    },
  },
  {
    ...{ id: "TG-P044", name: "rate_limited", severity: "low" },
    title: "Calls were refused for rate limits",
    meaning: "Even a probe's few calls exceed what this deployment allows at the moment.",
    advice: "Raise the deployment's quota, or spread the load over several.",
    detect: (measurement) =>
      measurement.calls
        .filter(({ waits }) => waits.length > 0)
        .map((call) =>
          evidence(call, `429, ${call.waits.length === 1 ? "once" : "twice"}`, call.waits[0]?.header),
        ),
  },
  {
    ...{ id: "TG-P045", name: "retry_after_long", severity: "medium" },
    title: "A 429 asks to wait for more than a minute",
    meaning: "OpenAI's clients ignore a wait beyond 60 s and try again at once, which cannot help.",
    advice:
      "Pass such an answer on with `x-should-retry: false`, as the gateway does, and use another deployment meanwhile.",
    detect: (measurement) =>
      measurement.calls.flatMap((call) =>
        call.waits
          .filter(({ retryAfterMs }) => retryAfterMs !== null && retryAfterMs > longRetryMs)
          .map(({ header }) => evidence(call, "429 with a long wait", header)),
      ),
  },
  {
    ...{ id: "TG-P046", name: "first_byte_slow", severity: "low" },
    title: "The first byte is slow",
    meaning: `Half of the streams took longer than ${slowFirstByteMs / 1_000} s until their first byte.`,
    advice: "Choose a nearer region or a faster model, and set timeouts beyond this.",
    detect(measurement) {
      const { firstByte } = latencyOf(measurement);
      if (firstByte === null || firstByte.medianMs <= slowFirstByteMs) return [];
      return [
        evidence(
          null,
          `median ${firstByte.medianMs} ms in ${firstByte.samples} streams, ${firstByte.leastMs} to ${firstByte.mostMs} ms`,
        ),
      ];
    },
  },
  {
    ...{ id: "TG-P047", name: "text_slow", severity: "low" },
    title: "Text comes slowly",
    meaning: `Half of the streams took longer than ${slowPieceMs} ms for each piece of text, about one token.`,
    advice: "Expect long answers to take minutes, and let nothing between here and the endpoint cut them.",
    detect(measurement) {
      const { perPiece } = latencyOf(measurement);
      if (perPiece === null || perPiece.medianMs <= slowPieceMs) return [];
      return [
        evidence(
          null,
          `median ${perPiece.medianMs} ms in ${perPiece.samples} streams, ${perPiece.leastMs} to ${perPiece.mostMs} ms`,
        ),
      ];
    },
  },
  {
    ...{ id: "TG-P048", name: "clock_differs", severity: "low" },
    title: "The vendor's clock differs from ours",
    meaning: "`created` does not say when an answer was made, so records cannot be matched by time.",
    advice: "Match requests by their ids, and check this machine's clock.",
    detect(measurement) {
      const off = answered(measurement).find(({ answer, endedAtMs }) => {
        const { created } = answer;
        return created !== null && Math.abs(created - Math.round(endedAtMs / 1_000)) > clockSlackSeconds;
      });
      if (off === undefined) return [];
      const seconds = Number(off.answer.created) - Math.round(off.endedAtMs / 1_000);
      return [
        evidence(
          off,
          `${Math.abs(seconds)} s ${seconds < 0 ? "behind" : "ahead of"} this machine`,
          `"created": ${off.answer.created}`,
        ),
      ];
    },
  },
  {
    ...{ id: "TG-P049", name: "id_anomaly", severity: "low" },
    title: "Answer ids are missing or not unique",
    meaning: "An answer cannot be found again in the vendor's records by its id.",
    advice: "Keep the vendor's request id of the headers instead.",
    detect: idAnomalies,
  },
  {
    ...{ id: "TG-P050", name: "no_request_id", severity: "info" },
    title: "Answers have no request id in their headers",
    meaning: "A complaint to the vendor has nothing to point at.",
    advice: "Keep the id of the answer, and the time.",
    detect(measurement) {
      const call = answered(measurement)[0];
      if (call === undefined || requestIdHeaders.some((name) => call.headers[name] !== undefined)) return [];
      return [evidence(call, `none of ${requestIdHeaders.join(", ")}`, Object.keys(call.headers).join(", "))];
    },
  },
  {
    ...{ id: "TG-P051", name: "key_in_clear", severity: "high" },
    title: "The key travels unencrypted",
    meaning: "Whoever sits between here and the endpoint can read the key and every prompt.",
    advice: "Use https, or a tunnel.",
    detect: ({ target }) =>
      target.baseUrl.startsWith("http://") && !isLocalAddress(target.baseUrl)
        ? [evidence(null, "the address is http, and not of this machine", new URL(target.baseUrl).origin)]
        : [],
  },
];

const isRateHeader = (name: string): boolean => /^x-ratelimit-/.test(name);

/** A dated snapshot of a model, or its name with a maker's prefix, is that model. */
function isSameModel(served: string, asked: string): boolean {
  const names = (model: string): readonly string[] => namesToTry(baseModelName(model));
  return names(served).some((name) => names(asked).includes(name));
}

function idAnomalies(measurement: Measurement): readonly Evidence[] {
  const found: Evidence[] = [];
  const calls = answered(measurement);
  const nameless = calls.find(({ answer }) => answer.id === null);
  if (nameless !== undefined) found.push(evidence(nameless, "no `id` in the answer"));
  const ids = calls.flatMap(({ answer }) => (answer.id === null ? [] : [answer.id]));
  const twice = ids.find((id, index) => ids.indexOf(id) < index);
  if (twice !== undefined)
    found.push(evidence(null, "two answers have the same id", `"id": ${JSON.stringify(twice)}`));
  for (const call of streams(measurement)) {
    const own = new Set(
      call.stream.frames.flatMap(({ json }) =>
        typeof json?.id === "string" && json.id !== "" ? [json.id] : [],
      ),
    );
    if (own.size > 1)
      return [...found, evidence(call, `${own.size} ids within one stream`, [...own].slice(0, 3).join(", "))];
  }
  return found;
}
