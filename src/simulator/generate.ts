import { type Answer, type Count, writeAnswer } from "./answers.ts";
import { type Ask, lastUserText, readAsk } from "./ask.ts";
import { type Attempt, noCount } from "./attempt.ts";
import { chatSteps } from "./chunks.ts";
import { type Directives, readDirectives } from "./directives.ts";
import { modelError, refusalError } from "./errors.ts";
import { faultAnswer } from "./fault-answers.ts";
import type { FaultName } from "./faults.ts";
import { parseJsonObject, readString } from "./json.ts";
import type { Model } from "./models.ts";
import { type Pace, Player } from "./player.ts";
import { contextRefusal, findRefusal } from "./refusals.ts";
import type { Route } from "./routes.ts";
import { bodyScript, cutByFilter, faultScript, reportedCount, type Script } from "./script.ts";
import { doneFrame, frame, type ShapeContext } from "./shapes/shape.ts";

export type GenerateRoute = Extract<Route, { kind: "generate" }>;

/** What an accepted request comes to: the answer and all it takes to write it. */
export interface Job {
  readonly attempt: Attempt;
  readonly route: GenerateRoute;
  readonly ask: Ask;
  readonly model: Model;
  readonly directives: Directives;
  readonly answer: Answer;
  readonly context: ShapeContext;
}

/** Answers a request for generated text: refuses it, fails it as the fault says, or plays the answer. */
export function generate(attempt: Attempt, route: GenerateRoute): void {
  const job = acceptRequest(attempt, route);
  if (job !== null) playChat(job);
}

/** The job, or null when the request was answered otherwise already. */
function acceptRequest(attempt: Attempt, route: GenerateRoute): Job | null {
  const { settings } = attempt.vendor;
  const { profile } = settings;
  const style = profile.errors;
  const body = parseJsonObject(attempt.body.toString("utf8"));
  if (body === null) {
    const message =
      "We could not parse the JSON body of your request. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.";
    attempt.refuse(refusalError(style, { status: 400, message }));
    return null;
  }
  const name = route.deployment ?? readString(body.model);
  attempt.deployment = name;
  attempt.isStream = body.stream === true;
  if (name === null || name === "") {
    attempt.refuse(refusalError(style, { status: 400, message: "you must provide a model parameter" }));
    return null;
  }
  const model = settings.deployments.get(name) ?? profile.findModel(name);
  if (model === null) {
    attempt.refuse(modelError(style, name));
    return null;
  }
  attempt.model = model;
  const ask = readAsk(route.api, body);
  const directives = readDirectives(attempt.request.headers, lastUserText(ask.messages));
  if (typeof directives === "string") {
    attempt.refuse(refusalError(style, { status: 400, message: directives, type: "simulator_error" }));
    return null;
  }
  const { isAzure, isStrict } = profile;
  const refusal = findRefusal({
    api: route.api,
    body,
    ask,
    model,
    isAzure,
    apiVersion: route.apiVersion,
    isStrict,
  });
  if (refusal !== null) {
    attempt.refuse(refusalError(style, refusal));
    return null;
  }
  return prepareJob(attempt, route, { ask, model, directives });
}

function prepareJob(
  attempt: Attempt,
  route: GenerateRoute,
  asked: { ask: Ask; model: Model; directives: Directives },
): Job | null {
  const { vendor } = attempt;
  const { settings } = vendor;
  const { ask, model, directives } = asked;
  attempt.fault = chooseFault(attempt, ask, directives);
  attempt.tier = directives.tier ?? servedTier(ask.serviceTier);
  const whole = writeAnswer({ ask, model, directives, seed: settings.seed, cache: vendor.cache });
  const tooLong = contextRefusal(model, whole.count.input);
  if (tooLong !== null) {
    attempt.refuse(refusalError(settings.profile.errors, tooLong));
    return null;
  }
  if (strikeInstead(attempt, route, asked, whole.count)) return null;
  const isCut = attempt.fault === "content_filter_cut" || attempt.fault === "content_filter_cut_no_usage";
  const answer = isCut ? cutByFilter(whole) : whole;
  attempt.answerId = settings.profile.answerId(attempt.random);
  const context: ShapeContext = {
    id: attempt.answerId,
    created: Math.floor(attempt.atMs / 1_000),
    model: model.served,
    tier: attempt.tier,
    fingerprint: model.fingerprint,
    deployment: attempt.deployment ?? model.name,
    apiVersion: route.apiVersion,
    ask,
    answer,
    reported: reportedCount(answer.count, attempt.fault),
    random: attempt.random,
  };
  return { attempt, route, ask, model, directives, answer, context };
}

/** `fast` is served as priority; a tier the vendor has not at hand is served as default. */
function servedTier(asked: string | null): string {
  if (asked === "flex" || asked === "priority" || asked === "scale") return asked;
  return asked === "fast" ? "priority" : "default";
}

function chooseFault(attempt: Attempt, ask: Ask, directives: Directives): FaultName | null {
  const { vendor, random } = attempt;
  const { faultRate, faults } = vendor.settings;
  const isDrawn = random.fraction() < faultRate;
  const drawn = isDrawn ? (faults[random.below(faults.length)] ?? null) : null;
  if (directives.fault === "none") return null;
  if (directives.fault !== null) {
    if (directives.times === null) return directives.fault;
    const earlier = vendor.occurrences.next(`times\n${JSON.stringify(ask.messages)}`);
    return earlier < directives.times ? directives.fault : null;
  }
  return vendor.outage ?? drawn;
}

/** Faults that come instead of an answer; true when one did. */
function strikeInstead(
  attempt: Attempt,
  route: GenerateRoute,
  asked: { model: Model; directives: Directives },
  count: Count,
): boolean {
  const { fault, response, vendor } = attempt;
  if (fault === null) return false;
  if (fault === "hang" || fault === "reset_before") {
    const settle = (): void =>
      attempt.settle({ count: noCount, reason: "fault", status: null, aborted: fault === "hang" });
    response.on("close", settle);
    if (fault === "reset_before") response.socket?.resetAndDestroy();
    return true;
  }
  const error = faultAnswer(fault, {
    style: vendor.settings.profile.errors,
    model: asked.model.name,
    apiVersion: route.apiVersion,
    directives: asked.directives,
  });
  if (error === null) return false;
  // Azure charges the prompt of a filtered or timed-out request though the answer states no usage.
  const isCharged = fault === "content_filter" || fault === "408";
  attempt.refuse(error, isCharged ? { ...count, output: 0, reasoning: 0 } : noCount);
  return true;
}

function playChat(job: Job): void {
  const { attempt, context, ask, answer, directives } = job;
  const { shape } = attempt.vendor.settings.profile;
  if (ask.isStream) {
    const script = faultScript(chatSteps(context, shape), {
      fault: attempt.fault,
      directives,
      random: attempt.random,
      output: answer.count.output,
      errorFrame: frame(shape.errorFrame()),
      doneFrame,
      hasUsageChunk: shape.usage.where === "own_chunk",
    });
    play(job, script, { "content-type": "text/event-stream; charset=utf-8" });
    return;
  }
  const usage = context.reported === null ? undefined : shape.usageObject(context, context.reported);
  const body = shape.body(context, usage);
  const { script, headers } = bodyScript(body, {
    count: answer.count,
    fault: attempt.fault,
    error: JSON.stringify(shape.errorFrame()),
  });
  play(job, script, { "content-type": "application/json", ...headers });
}

/** Plays the script, and puts on the bill what was generated. */
export function play(job: Job, script: Script, headers: Record<string, string>): void {
  const { attempt, answer, ask, directives } = job;
  const { response, fault } = attempt;
  const { settings, pacer } = attempt.vendor;
  const socket = response.socket;
  if (fault === "surplus_bytes")
    response.on("finish", () => socket?.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
  const player = new Player({
    response,
    script,
    pace: readPace(settings, directives, fault),
    pacer,
    writes: settings.writes,
    random: attempt.random,
    outlivesClient: !ask.isStream && fault !== "endless",
    begin: () => {
      response.writeHead(200, { ...attempt.headers, ...headers });
      if (ask.isStream) response.flushHeaders();
    },
    done: ({ output, reasoning, aborted }) => {
      const isFull = aborted && settings.billOnAbort === "full" && fault !== "endless";
      const count = isFull ? answer.count : { ...answer.count, output, reasoning };
      const isNothing = fault === "error_first";
      const reason = aborted ? "client_left" : fault === null ? "complete" : "fault";
      attempt.settle({ count: isNothing ? noCount : count, reason, status: 200, aborted });
    },
  });
  player.start();
}

function readPace(
  settings: { latencyMs: number; tokensPerSecond: number | null },
  directives: Directives,
  fault: FaultName | null,
): Pace {
  const slow = fault === "slow" ? 5 : null;
  return {
    latencyMs: directives.latencyMs ?? settings.latencyMs,
    tokensPerSecond: directives.tokensPerSecond ?? slow ?? settings.tokensPerSecond,
  };
}
