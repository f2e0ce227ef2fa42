import { acceptRequest } from "./accept.ts";
import { type Prompt, readPrompt, writeAnswer } from "./answers.ts";
import type { Api } from "./ask.ts";
import type { Attempt } from "./attempt.ts";
import { chatSteps } from "./chunks.ts";
import { answerEmbeddings, answerInputTokens } from "./embeddings.ts";
import { refusalError } from "./errors.ts";
import type { Accepted, GenerateRoute, Job } from "./job.ts";
import { perform } from "./perform.ts";
import { contextRefusal } from "./refusals.ts";
import { answerResponses } from "./responses.ts";
import { bodyScript, cutByFilter, faultScript, reportedCount } from "./script.ts";
import { completionsShape } from "./shapes/completions.ts";
import { type ChatShape, doneFrame, frame } from "./shapes/shape.ts";
import { chooseFault, strikeInstead } from "./strike.ts";

/** Answers a request for generated text: refuses it, fails it as the fault says, or plays the answer. */
export function generate(attempt: Attempt, route: GenerateRoute): void {
  const accepted = acceptRequest(attempt, route);
  if ("status" in accepted) {
    attempt.refuse(accepted);
    return;
  }
  const { ask, model, directives } = accepted;
  const prompt = readPrompt(ask, model);
  if (route.api === "input_tokens") {
    answerInputTokens(attempt, prompt.input);
    return;
  }
  attempt.fault = chooseFault(attempt, ask, directives);
  attempt.tier = directives.tier ?? servedTier(ask.serviceTier);
  if (strikeInstead(accepted, prompt.input)) return;
  const tooLong = contextRefusal(model, prompt);
  if (tooLong !== null) attempt.refuse(refusalError(attempt.vendor.settings.profile.errors, tooLong));
  else if (route.api === "embeddings") answerEmbeddings(accepted, prompt.input);
  else answer(prepareJob(accepted, prompt));
}

function answer(job: Job): void {
  const { api } = job.route;
  if (api === "responses") answerResponses(job);
  else answerChat(job, api === "completions" ? completionsShape : job.attempt.vendor.settings.profile.shape);
}

function prepareJob(accepted: Accepted, prompt: Prompt): Job {
  const { attempt, route, ask, model, directives } = accepted;
  const { settings, cache } = attempt.vendor;
  const whole = writeAnswer({ ask, model, directives, prompt, seed: settings.seed, cache });
  const isCut = attempt.fault === "content_filter_cut" || attempt.fault === "content_filter_cut_no_usage";
  const answer = isCut ? cutByFilter(whole) : whole;
  const id = answerIdFor(attempt, route.api);
  attempt.answerId = id;
  return {
    ...accepted,
    answer,
    context: {
      id,
      created: Math.floor(attempt.atMs / 1_000),
      model: model.served,
      tier: attempt.tier ?? "default",
      fingerprint: model.fingerprint,
      deployment: attempt.deployment ?? model.name,
      apiVersion: route.apiVersion,
      ask,
      answer,
      reported: reportedCount(answer.count, attempt.fault),
      random: attempt.random,
    },
  };
}

function answerIdFor(attempt: Attempt, api: Api): string {
  if (api === "responses") return `resp_0${attempt.random.hex(49)}`;
  if (api === "completions") return `cmpl-${attempt.random.text(29)}`;
  return attempt.vendor.settings.profile.answerId(attempt.random);
}

/** `fast` is served as priority; a tier the vendor has not at hand is served as default. */
function servedTier(asked: string | null): string {
  if (asked === "flex" || asked === "priority" || asked === "scale") return asked;
  return asked === "fast" ? "priority" : "default";
}

function answerChat(job: Job, shape: ChatShape): void {
  const { attempt, context, ask, answer, directives } = job;
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
    perform(job, { script, headers: { "content-type": "text/event-stream; charset=utf-8" } });
    return;
  }
  const usage = context.reported === null ? undefined : shape.usageObject(context, context.reported);
  const { script, headers } = bodyScript(shape.body(context, usage), {
    count: answer.count,
    fault: attempt.fault,
    error: JSON.stringify(shape.errorFrame()),
  });
  perform(job, { script, headers: { "content-type": "application/json", ...headers } });
}
