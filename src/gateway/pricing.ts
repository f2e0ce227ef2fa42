import { searchModels } from "../core/dialects.ts";
import { multiplyUp, type PicoUsd, pico } from "../core/money.ts";
import type { MeterKind, PriceBook, PriceRow } from "../core/prices.ts";
import { canRate, dearest, tiersOf, unitPrice } from "../core/rating.ts";
import type { DeploymentRoute, ModelRoute } from "../core/routing.ts";
import { type HoldTerms, inputBound, largestCap } from "../core/upper-bound.ts";
import type { Operation, RequestFacts } from "../protocol/request.ts";
import { refusal } from "./refusals.ts";
import type { ApiRequest, PricedDeployment, Refusal } from "./types.ts";

/** Sent as `max_tool_calls` when the client gave none, so that the hold covers what may be called. */
export const defaultToolCalls = 20;

/** What a row must have a price for, to serve an operation at all. */
const neededKinds: Record<Operation, readonly MeterKind[]> = {
  chat: ["input", "output"],
  responses: ["input", "output"],
  completions: ["input", "output"],
  embeddings: ["input"],
};

export type Pricing =
  | { readonly ok: true; readonly deployments: readonly PricedDeployment[] }
  | { readonly ok: false; readonly refusal: Refusal };

/** The deployments that can serve the request at a known price: for its operation, its service tier and its hosted tools. */
export function priceDeployments(
  about: { id: string; facts: RequestFacts; model: ModelRoute },
  from: { routes: readonly DeploymentRoute[]; book: PriceBook; nowMs: number },
): Pricing {
  const { id, facts, model } = about;
  const refuse = (one: Refusal): Pricing => ({ ok: false, refusal: one });
  const priced = from.routes.flatMap((route): PricedDeployment[] => {
    const row = from.book.find(route.provider, route.model, from.nowMs);
    return row === null ? [] : [{ route, row }];
  });
  if (priced.length === 0) return refuse(unpriced(id, model, "no price"));
  const serving = priced.filter(({ row }) => canRate(row, null, neededKinds[facts.operation]));
  if (serving.length === 0) return refuse(unpriced(id, model, `no price for ${facts.operation}`));
  const tiered = serving.filter(({ row }) => canRate(row, facts.serviceTier, neededKinds[facts.operation]));
  if (tiered.length === 0) return refuse(tierUnpriced(id, facts, model));
  const deployments = tiered.filter(({ row }) =>
    canRate(row, facts.serviceTier, facts.hostedTools as readonly MeterKind[]),
  );
  if (deployments.length > 0) return { ok: true, deployments };
  const message = `The hosted tools ${facts.hostedTools.join(", ")} have no price for "${model.name}", so they cannot be billed; use function tools or ask the operator.`;
  return refuse(refusal(id, "unsupported_feature", message, { param: "tools" }));
}

function unpriced(id: string, model: ModelRoute, what: string): Refusal {
  const message = `The model "${model.name}" has ${what} in force, so it cannot be billed; the operator must add one under \`prices\`.`;
  return refusal(id, "model_not_priced", message, { param: "model" });
}

function tierUnpriced(id: string, facts: RequestFacts, model: ModelRoute): Refusal {
  const message = `The service tier "${facts.serviceTier}" has no price for "${model.name}", so it cannot be billed; leave \`service_tier\` out.`;
  return refusal(id, "unsupported_feature", message, { param: "service_tier" });
}

/** The request with what its model does unasked: a chat model that searches the web for every request is billed for that. */
export function withImpliedTools(request: ApiRequest, model: ModelRoute): ApiRequest {
  const { facts } = request;
  if (facts.operation !== "chat" || facts.hostedTools.includes("web_search")) return request;
  if (!model.deployments.some((route) => searchModels.test(route.model))) return request;
  return {
    ...request,
    facts: { ...facts, hostedTools: [...facts.hostedTools, "web_search"], hasUnseenInput: true },
  };
}

/** What the operator has not allowed for this model: a hosted tool, a service tier. */
export function disallowedFeature(id: string, facts: RequestFacts, model: ModelRoute): Refusal | null {
  const tool = facts.hostedTools.find((one) => !model.hostedTools.includes(one));
  if (tool !== undefined) {
    const message = `The hosted tool "${tool}" costs money per call and is not enabled for "${model.name}"; use function tools or ask the operator.`;
    return refusal(id, "unsupported_feature", message, { param: "tools" });
  }
  const tier = facts.serviceTier;
  const isAllowed =
    tier === null ||
    model.serviceTiers.includes(tier) ||
    (tier === "fast" && model.serviceTiers.includes("priority"));
  if (isAllowed) return null;
  const message = `The service tier "${tier}" is not enabled for "${model.name}"; leave \`service_tier\` out or ask the operator.`;
  return refusal(id, "unsupported_feature", message, { param: "service_tier" });
}

/** Tiers that could serve: the one asked for, or the standard one, to which a vendor may fall back (dialect §6.1). */
const reachableTiers = (asked: string | null): (string | null)[] => (asked === null ? [null] : [null, asked]);

/** The terms of the hold over every deployment and tier that could serve, the dearest of each part. Null when nothing bounds it. */
export function boundOf(
  facts: RequestFacts,
  model: ModelRoute,
  deployments: readonly PricedDeployment[],
): HoldTerms | null {
  let input: bigint = 0n;
  let output: bigint = 0n;
  let bound = 0;
  for (const { row } of deployments) {
    const price = dearest(row, reachableTiers(facts.serviceTier), model.markup);
    if (price.input > input) input = price.input;
    if (price.output > output) output = price.output;
    const most = inputBound({
      maxInputTokens: row.maxInputTokens,
      contextWindow: row.contextWindow,
      ...facts,
    });
    if (most === null) return null;
    bound = Math.max(bound, most);
  }
  return {
    inputBound: bound,
    inputPrice: pico(input),
    outputPrice: pico(output),
    choices: facts.choices,
    extraOutput: facts.predictionBytes,
    fees: feesOf(
      facts,
      model,
      deployments.map(({ row }) => row),
    ),
  };
}

/** Every hosted tool at its dearest over the tiers and sizes that could serve, called as often as the request allows. */
function feesOf(facts: RequestFacts, model: ModelRoute, rows: readonly PriceRow[]): PicoUsd {
  let sum = 0n;
  for (const kind of facts.hostedTools as readonly MeterKind[]) {
    let most = 0n;
    for (const row of rows) {
      for (const { prices } of reachableTiers(facts.serviceTier).flatMap(
        (name) => tiersOf(row, name) ?? row.tiers,
      )) {
        const price = unitPrice(prices, kind);
        const sell = price === null ? 0n : multiplyUp(price, model.markup);
        if (sell > most) most = sell;
      }
    }
    sum += most * BigInt(mostCalls(facts));
  }
  return pico(sum);
}

/** Chat searches once per request; Responses as often as `max_tool_calls` says, which is always sent. */
const mostCalls = (facts: RequestFacts): number =>
  facts.operation === "chat" ? 1 : (facts.maxToolCalls ?? defaultToolCalls);

/** The cap that is held for: the client's own, or the most that any deployment would take. */
export interface CapRange {
  readonly most: number;
  /** `least` < `most` only when the client gave none. */
  readonly least: number;
  readonly isOurs: boolean;
}

/** The Responses API takes no cap below 16 (dialect §5.1). */
const leastCap = (facts: RequestFacts): number => (facts.operation === "responses" ? 16 : 1);

export function capRange(
  facts: RequestFacts,
  deployments: readonly PricedDeployment[],
  known: { inputTokens: number | null; whenUnknown: number },
): CapRange {
  if (facts.cap !== null) return { most: facts.cap, least: facts.cap, isOurs: false };
  const most = Math.max(
    ...deployments.map(({ row }) => largestCap(row, known.inputTokens, known.whenUnknown)),
  );
  const least = leastCap(facts);
  return { most: Math.max(most, least), least, isOurs: true };
}

/** The part of a cap of ours that `row` takes: another deployment may allow more than this one. */
export function capFor(
  row: PriceRow,
  cap: number,
  known: { inputTokens: number | null; whenUnknown: number },
): number {
  return Math.min(cap, largestCap(row, known.inputTokens, known.whenUnknown));
}
