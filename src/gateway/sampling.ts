import type { InputShape } from "../core/lessons.ts";
import type { PicoUsd } from "../core/money.ts";
import { multiplyUp } from "../core/money.ts";
import { tierFor, unitPrice } from "../core/rating.ts";
import type { DeploymentRoute } from "../core/routing.ts";
import { encodingFor, isReasoningModel } from "../core/tokens/encodings.ts";
import { planInput } from "../core/tokens/input.ts";
import { estimateInput } from "../core/tokens/plan.ts";
import type { Usage } from "../core/usage.ts";
import type { Ports, UsageSample } from "../ports.ts";
import type { SeenOutput } from "../protocol/answer-meter.ts";
import { operations, type RequestFacts } from "../protocol/request.ts";
import { asArray, asObject } from "../protocol/usage.ts";
import { estimateOutput } from "./estimate.ts";
import { type OverheadLearner, overheadOf, shapeOf } from "./overheads.ts";
import type { Admitted, GatewaySettings, PricedDeployment } from "./types.ts";

/** An answer with vendor usage, as far as a comparison with the estimate needs it. */
export interface Sample {
  readonly admitted: Admitted;
  readonly served: PricedDeployment;
  /** The row that priced the answer. */
  readonly row: PricedDeployment["row"];
  readonly serviceTier: string | null;
  readonly model: string;
  readonly cap: number | null;
  readonly usage: Usage;
  readonly output: SeenOutput;
  readonly isComplete: boolean;
}

/** Texts above this are not counted only for the statistics, bytes. */
const maxSampledBytes = 20_000;

/**
 * Estimates an answer whose usage the vendor reported, after it was settled and sent: how good the estimates of a
 * deployment are, what simpler ways of counting would have billed, and what the deployment adds to the input.
 */
export async function compareEstimate(
  ports: Ports,
  about: { settings: GatewaySettings; overheads: OverheadLearner },
  sample: Sample,
): Promise<void> {
  const { facts } = sample.admitted.request;
  const { route } = sample.served;
  const shape = shapeOf(facts);
  const isWanted =
    about.settings.random() < about.settings.estimateSampleRate || about.overheads.needsSamples(route, shape);
  if (!isWanted || facts.bodyBytes > maxSampledBytes || sample.output.text.length > maxSampledBytes) return;
  const known = overheadOf(ports.catalog.lessons(route.endpoint, route.deployment), shape);
  const plan = planInput(operations[facts.operation], facts.body, sample.model);
  const input = estimateInput(
    plan,
    await ports.tokens.countAll(plan.texts, encodingFor(sample.model).encoding),
  );
  const output = await estimateOutput(ports.tokens, sample.output, { ...sample, facts });
  if (input.unknownParts.length === 0 && input.boundedParts.length === 0)
    await learnOverhead(ports, about.overheads, {
      route,
      shape,
      difference: sample.usage.input - input.tokens,
      known,
    });
  await ports.samples.keep(
    sampleRow(sample, { input: Math.max(input.tokens + known, 0), output: output.tokens }),
  );
}

async function learnOverhead(
  ports: Ports,
  overheads: OverheadLearner,
  about: { route: DeploymentRoute; shape: InputShape; difference: number; known: number },
): Promise<void> {
  const { route } = about;
  const lesson = overheads.add(route, about.shape, about);
  if (lesson === null) return;
  await ports.catalog.learn(route.endpoint, route.deployment, lesson);
  ports.observe({
    event: "lesson_learned",
    endpoint: route.endpoint,
    deployment: route.deployment,
    lesson: lesson.kind,
  });
}

function sampleRow(sample: Sample, estimate: { input: number; output: number }): UsageSample {
  const { admitted, served, usage } = sample;
  const { facts } = admitted.request;
  const { prices } = tierFor(sample.row, sample.serviceTier, usage.input);
  const sell = (kind: "input" | "output"): PicoUsd | null => {
    const price = unitPrice(prices, kind);
    return price === null ? null : multiplyUp(price, admitted.model.markup);
  };
  return {
    requestId: admitted.id,
    endpoint: served.route.endpoint,
    deployment: served.route.deployment,
    model: sample.model,
    kind: kindOf(facts, sample),
    input: usage.input,
    output: usage.output,
    reasoning: usage.reasoning,
    estimatedInput: estimate.input,
    estimatedOutput: estimate.output,
    inputCharacters: charactersOf(facts),
    outputCharacters: sample.output.text.length,
    inputPrice: sell("input"),
    outputPrice: sell("output"),
  };
}

/** What an estimate is good or bad at: hidden reasoning, tools, media, plain text. */
function kindOf(facts: RequestFacts, sample: Sample): UsageSample["kind"] {
  if (facts.operation === "embeddings") return "embeddings";
  if (facts.images > 0 || facts.hasUnseenInput) return "media";
  if (shapeOf(facts) === "tools") return "tools";
  return sample.usage.reasoning > 0 || isReasoningModel(sample.model) ? "reasoning" : "plain";
}

/** Characters of the text that a client sees itself as sending: contents, without roles, names and schemas. */
function charactersOf(facts: RequestFacts): number {
  const { body } = facts;
  let sum = 0;
  const add = (content: unknown): void => {
    if (typeof content === "string") sum += content.length;
    for (const value of asArray(content)) {
      const part = asObject(value);
      if (typeof value === "string") sum += value.length;
      if (typeof part?.["text"] === "string") sum += part["text"].length;
      add(part?.["content"]);
    }
  };
  add(body["messages"]);
  add(body["input"]);
  add(body["instructions"]);
  if (facts.operation === "completions") add(body["prompt"]);
  return sum;
}
