import type { JsonBody, LimitParameter } from "../core/parameters.ts";
import { type PromptName, prompts } from "./prompts.ts";
import type { CallKind, CallPlan } from "./types.ts";

/** Output caps: of answers that are read, of the recorded streams, and of calls that only show what is accepted. */
const wholeCap = 50;
const streamCap = 100;
const parameterCap = 16;

export const noSuchDeployment = "tollgate-probe-no-such-model";

interface Shape {
  readonly id: string;
  readonly title: string;
  readonly kind: CallKind;
  readonly prompt: PromptName;
  readonly limit: LimitParameter;
  readonly cap: number;
  readonly parameter?: string;
  readonly fields?: JsonBody;
}

function planCall(shape: Shape): CallPlan {
  const { id, title, kind, prompt, limit, cap, fields = {} } = shape;
  const body = { messages: prompts[prompt], [limit]: cap, ...fields };
  const choices = typeof fields.n === "number" ? fields.n : 1;
  const parameter = shape.parameter ?? null;
  return { id, title, kind, prompt, parameter, body, rawBody: null, cap, choices, deployment: null };
}

/** The call that everything else waits for. It also shows whether `limit` is taken. */
export const firstCall = (limit: LimitParameter): CallPlan =>
  planCall({
    ...{ id: "whole-a", title: `Answer in one piece, ${limit} ${wholeCap}`, kind: "whole", prompt: "a" },
    ...{ limit, cap: wholeCap, parameter: limit },
  });

/** Streams as a plain client asks for them and with usage asked for, and the second prompt in one piece. */
export function answerCalls(limit: LimitParameter): readonly CallPlan[] {
  const stream = { stream: true };
  const withUsage = { stream: true, stream_options: { include_usage: true } };
  return [
    planCall({
      id: "plain-a",
      title: "Stream as a plain client asks",
      kind: "plain_stream",
      prompt: "a",
      limit,
      cap: streamCap,
      fields: stream,
    }),
    planCall({
      id: "usage-a",
      title: "Stream with include_usage",
      kind: "usage_stream",
      prompt: "a",
      limit,
      cap: streamCap,
      fields: withUsage,
    }),
    planCall({
      id: "whole-b",
      title: "Second prompt in one piece",
      kind: "whole",
      prompt: "b",
      limit,
      cap: wholeCap,
    }),
    planCall({
      id: "plain-b",
      title: "Second prompt, plain stream",
      kind: "plain_stream",
      prompt: "b",
      limit,
      cap: streamCap,
      fields: stream,
    }),
    planCall({
      id: "usage-b",
      title: "Second prompt, stream with include_usage",
      kind: "usage_stream",
      prompt: "b",
      limit,
      cap: streamCap,
      fields: withUsage,
    }),
    planCall({
      id: "usage-c",
      title: "Longer prompt, stream with include_usage",
      kind: "usage_stream",
      prompt: "c",
      limit,
      cap: streamCap,
      fields: withUsage,
    }),
  ];
}

/** In place of `usage-c` where usage cannot be asked for in a stream: the third sample of prompt tokens. */
export const wholeLongCall = (limit: LimitParameter): CallPlan =>
  planCall({
    id: "whole-c",
    title: "Longer prompt in one piece",
    kind: "whole",
    prompt: "c",
    limit,
    cap: wholeCap,
  });

const tool = {
  type: "function",
  function: {
    name: "look_up_weather",
    description: "The weather in a city.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};
const answerSchema = {
  type: "json_schema",
  json_schema: {
    name: "greeting",
    strict: true,
    schema: {
      type: "object",
      properties: { answer: { type: "string" } },
      required: ["answer"],
      additionalProperties: false,
    },
  },
};

/** The word at which the answer to prompt `a` must end when `stop` is heeded. */
export const stopWord = "Azure";

/** Values that differ from the default, so that a deployment that takes only the default says so. */
const parameterValues: readonly (readonly [name: string, value: unknown, cap: number])[] = [
  ["temperature", 0.7, wholeCap],
  ["top_p", 0.9, parameterCap],
  ["presence_penalty", 0.5, parameterCap],
  ["frequency_penalty", 0.5, parameterCap],
  ["stop", [stopWord], parameterCap],
  ["n", 2, parameterCap],
  ["seed", 7, parameterCap],
  ["logprobs", true, parameterCap],
  ["reasoning_effort", "low", parameterCap],
  ["service_tier", "default", parameterCap],
  ["tools", [tool], parameterCap],
  ["response_format", answerSchema, wholeCap],
];

/** One call for each parameter of the matrix; of the limits, only the one that the first call did not show. */
export function parameterCalls(limit: LimitParameter, isOtherShown: boolean): readonly CallPlan[] {
  const other: LimitParameter = limit === "max_tokens" ? "max_completion_tokens" : "max_tokens";
  const calls = parameterValues.map(([name, value, cap]) =>
    planCall({
      id: name,
      title: `Parameter ${name}`,
      kind: "parameter",
      prompt: "a",
      limit,
      cap,
      parameter: name,
      fields: { [name]: value },
    }),
  );
  return isOtherShown ? calls : [limitCall(other), ...calls];
}

const limitCall = (name: LimitParameter): CallPlan =>
  planCall({
    id: name,
    title: `Parameter ${name}`,
    kind: "parameter",
    prompt: "a",
    limit: name,
    cap: wholeCap,
    parameter: name,
  });

/** The first call as an entry of the matrix, when it was refused for its limit. */
export const asParameterCall = (plan: CallPlan): CallPlan => ({
  ...plan,
  id: String(plan.parameter),
  kind: "parameter",
});

/** Requests that are wrong on purpose, for the envelope of the refusal. No false key is sent: vendors may lock out who does. */
export function errorCalls(limit: LimitParameter): readonly CallPlan[] {
  const base = { kind: "error", prompt: "a", limit, cap: parameterCap } as const;
  const incomplete = planCall({ ...base, id: "no-messages", title: "Error: messages left out" });
  const { messages: _, ...rest } = incomplete.body;
  return [
    {
      ...planCall({ ...base, id: "no-such-model", title: "Error: a model that does not exist" }),
      deployment: noSuchDeployment,
    },
    { ...incomplete, body: rest },
    {
      ...planCall({ ...base, id: "broken-json", title: "Error: JSON that breaks off" }),
      rawBody: '{"messages": [{"role": "user", "con',
    },
  ];
}

/** Every call that a probe may make, with the limit parameter that is tried first. */
export const allCalls = (limit: LimitParameter): readonly CallPlan[] => [
  firstCall(limit),
  ...answerCalls(limit),
  ...parameterCalls(limit, false),
  ...errorCalls(limit),
];
