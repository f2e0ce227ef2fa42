import { stopWord } from "./plan.ts";
import { parseObject } from "./read-answer.ts";
import type { CallRecord, Measurement } from "./types.ts";

/**
 * How a deployment treats a parameter. `fixed`: only the default value is taken. `renamed`: another name is wanted.
 * `ignored`: taken, without the effect that it must have. `unclear`: the call failed for another reason.
 */
export type ParameterOutcome =
  | "accepted"
  | "ignored"
  | "refused"
  | "renamed"
  | "fixed"
  | "unclear"
  | "not_run";

export interface ParameterResult {
  readonly parameter: string;
  readonly sent: unknown;
  readonly outcome: ParameterOutcome;
  readonly status: number | null;
  /** The vendor's words, or what shows that the parameter had no effect. */
  readonly said: string | null;
  /** The name that is wanted instead. */
  readonly instead: string | null;
}

/** The parameter matrix, in the order of the calls; calls that were left out are in it too. */
export function parameterMatrix(measurement: Measurement): readonly ParameterResult[] {
  const done = measurement.calls.filter(({ plan }) => plan.parameter !== null).map(resultOf);
  const left = measurement.skipped
    .filter(({ parameter }) => parameter !== null)
    .map(({ parameter, body }) => emptyResult(String(parameter), body[String(parameter)]));
  return [...done, ...left].sort((a, b) => placeOf(a.parameter) - placeOf(b.parameter));
}

const order = [
  "max_tokens",
  "max_completion_tokens",
  "temperature",
  "top_p",
  "stop",
  "n",
  "reasoning_effort",
];
const placeOf = (parameter: string): number => {
  const place = order.indexOf(parameter);
  return place < 0 ? order.length : place;
};

const emptyResult = (parameter: string, sent: unknown): ParameterResult => ({
  ...{ parameter, sent, outcome: "not_run", status: null, said: null, instead: null },
});

function resultOf(call: CallRecord): ParameterResult {
  const parameter = String(call.plan.parameter);
  const base = { ...emptyResult(parameter, call.plan.body[parameter]), status: call.status };
  if (call.answer !== null) {
    const fault = effectFault(parameter, call);
    return { ...base, outcome: fault === null ? "accepted" : "ignored", said: fault };
  }
  const said = call.error?.message ?? call.fault?.message ?? null;
  const isRefusal =
    call.status !== null && [400, 404, 422].includes(call.status) && said?.includes(parameter) === true;
  if (!isRefusal) return { ...base, outcome: "unclear", said };
  const instead = /use ['"`](\w+)['"`] instead/i.exec(said)?.[1] ?? null;
  const isFixed = /only the default/i.test(said);
  return { ...base, outcome: instead !== null ? "renamed" : isFixed ? "fixed" : "refused", said, instead };
}

/** Why an accepted parameter cannot have worked, or null; only effects that must show are looked for. */
function effectFault(parameter: string, { plan, answer }: CallRecord): string | null {
  if (answer === null) return null;
  if (parameter === "n" && answer.choices < plan.choices)
    return `${answer.choices} choice where ${plan.choices} were asked for`;
  if (parameter === "logprobs" && !answer.hasLogprobs) return "no logprobs in the answer";
  if (parameter === "stop" && answer.text.includes(stopWord))
    return `the text goes on past the stop word "${stopWord}"`;
  if (parameter === "response_format" && answer.text !== "" && answer.finishReasons[0] === "stop") {
    return parseObject(answer.text) === null ? "the text is no JSON object of the schema" : null;
  }
  const isLimit = parameter === "max_tokens" || parameter === "max_completion_tokens";
  const output = answer.usage?.output ?? null;
  if (isLimit && output !== null && output > plan.cap)
    return `${output} output tokens under a limit of ${plan.cap}`;
  return null;
}
