import { markupToJson } from "../core/held-request.ts";
import type { PriceBook } from "../core/prices.ts";
import { type DeploymentRoute, type ModelRoute, orderDeployments } from "../core/routing.ts";
import {
  affordableCap,
  capStep,
  countedInputBound,
  type HoldTerms,
  holdAmount,
} from "../core/upper-bound.ts";
import type { HoldOperation, HoldOutcome, HoldRefusal, Ports } from "../ports.ts";
import { LedgerFault } from "../ports.ts";
import type { CoolDowns } from "./cool-downs.ts";
import { countInput } from "./estimate.ts";
import { ownedRoutes } from "./owned.ts";
import {
  boundOf,
  type CapRange,
  capRange,
  disallowedFeature,
  priceDeployments,
  withImpliedTools,
} from "./pricing.ts";
import { refusal, refusalOfHold } from "./refusals.ts";
import type { Admitted, ApiRequest, GatewaySettings, PricedDeployment, Refusal } from "./types.ts";

export type Admission =
  | { readonly ok: true; readonly admitted: Admitted }
  | { readonly ok: false; readonly refusal: Refusal }
  /** The idempotency key was used before and its first result stands. */
  | { readonly ok: "replay" };

interface Plan {
  readonly id: string;
  readonly request: ApiRequest;
  readonly model: ModelRoute;
  readonly book: PriceBook;
  readonly deployments: readonly PricedDeployment[];
  readonly terms: HoldTerms;
  readonly cap: CapRange;
  /** What the input is known to be at most, for the cap; null when unseen input makes that unknowable. */
  readonly inputTokens: number | null;
}

/**
 * Prices the request, bounds what it can cost, and commits a hold of that size. Nothing reaches a vendor before this has
 * succeeded. Refuses what has no price, what cannot be bounded, and what the balance does not cover.
 */
export async function admit(
  ports: Ports,
  context: { settings: GatewaySettings; coolDowns: CoolDowns; id: string },
  asked: ApiRequest,
): Promise<Admission> {
  const { id, settings } = context;
  const model = ports.catalog.findModel(asked.facts.model);
  const allowed = asked.identity.models;
  if (model === null || (allowed !== null && !allowed.includes(model.name)))
    return refuse(unknownModel(id, asked));
  const disallowed = disallowedFeature(id, asked.facts, model);
  if (disallowed !== null) return refuse(disallowed);
  const request = withImpliedTools(asked, model);
  const { facts } = request;
  const owned = await ownedRoutes(ports, { id, request, model });
  if (!owned.ok) return refuse(owned.refusal);
  const book = ports.catalog.prices();
  const nowMs = ports.clock.now();
  const isCooling = (route: DeploymentRoute): boolean => context.coolDowns.isCooling(route, nowMs);
  const routes = orderDeployments(owned.routes, settings.random, isCooling);
  const pricing = priceDeployments({ id, facts, model }, { routes, book, nowMs });
  if (!pricing.ok) return refuse(pricing.refusal);
  const { deployments } = pricing;
  const terms = boundOf(facts, model, deployments);
  if (terms === null) {
    const message =
      "Cannot bound what this request would cost: it reads stored or unseen input and the model's context window is not known.";
    return refuse(refusal(id, "unsupported_feature", message));
  }
  const room = await capWithRoom(ports, { request, deployments, terms, settings });
  return commitHold(ports, { id, request, model, book, deployments, terms, ...room }, settings);
}

const refuse = (value: Refusal): Admission => ({ ok: false, refusal: value });

function unknownModel(id: string, request: ApiRequest): Refusal {
  const name = JSON.stringify(request.facts.model.slice(0, 100));
  return refusal(
    id,
    "model_not_found",
    `The model ${name} does not exist or this key may not use it; GET /v1/models lists those it may.`,
    { param: "model" },
  );
}

/**
 * The cap to hold for. Where input and output share a window, bytes are a poor measure of what the input leaves: only when
 * they would shorten the answer are the tokens counted.
 */
async function capWithRoom(
  ports: Ports,
  about: {
    request: ApiRequest;
    deployments: readonly PricedDeployment[];
    terms: HoldTerms;
    settings: GatewaySettings;
  },
): Promise<Pick<Plan, "cap" | "inputTokens">> {
  const { facts } = about.request;
  const whenUnknown = about.settings.defaultMaxOutputTokens;
  const widest = capRange(facts, about.deployments, { inputTokens: null, whenUnknown });
  if (facts.hasUnseenInput || !widest.isOurs) return { cap: widest, inputTokens: null };
  const byBytes = capRange(facts, about.deployments, { inputTokens: about.terms.inputBound, whenUnknown });
  if (byBytes.most >= widest.most - 1) return { cap: byBytes, inputTokens: about.terms.inputBound };
  const counted = await countInput(ports.tokens, facts, {
    model: about.deployments[0]?.route.model ?? "",
    overhead: 0,
  });
  const inputTokens =
    counted.unknownParts.length === 0
      ? countedInputBound(counted.tokens, about.terms.inputBound)
      : about.terms.inputBound;
  return { cap: capRange(facts, about.deployments, { inputTokens, whenUnknown }), inputTokens };
}

/** First with the free byte bound; only when the balance does not cover that, with a count of the tokens. */
async function commitHold(ports: Ports, plan: Plan, settings: GatewaySettings): Promise<Admission> {
  try {
    const isLastTry = plan.request.facts.hasUnseenInput;
    const first = await ports.ledger.hold(operationOf(plan, plan.terms, isLastTry));
    if (first.ok || isLastTry || !isAboutMoney(first.refusal))
      return outcomeOf(ports, { plan, outcome: first, terms: plan.terms, settings });
    const counted = await countInput(ports.tokens, plan.request.facts, {
      model: plan.deployments[0]?.route.model ?? "",
      overhead: 0,
    });
    const tighter =
      counted.unknownParts.length === 0
        ? countedInputBound(counted.tokens, plan.terms.inputBound)
        : plan.terms.inputBound;
    const terms = { ...plan.terms, inputBound: tighter };
    const second = await ports.ledger.hold(operationOf(plan, terms, true));
    return outcomeOf(ports, { plan, outcome: second, terms, settings });
  } catch (error) {
    if (!(error instanceof LedgerFault)) throw error;
    ports.observe({ event: "fault", where: "hold", error: error.message });
    const message =
      error.code === "overloaded"
        ? "Too many requests wait for the ledger; try again shortly."
        : "The ledger cannot be reached, so nothing can be charged; try again shortly.";
    return refuse(refusal(plan.id, error.code, message, { retryAfterMs: 1_000 }));
  }
}

const isAboutMoney = (one: HoldRefusal): boolean =>
  one.code === "insufficient_funds" || one.code === "key_spend_limit";

function operationOf(plan: Plan, terms: HoldTerms, isFinal: boolean): HoldOperation {
  const { request, cap } = plan;
  const { facts, identity } = request;
  return {
    id: plan.id,
    accountId: identity.accountId,
    keyId: identity.keyId,
    amount: holdAmount(terms, cap.most),
    elastic: isFinal && cap.isOurs ? { least: holdAmount(terms, cap.least), step: capStep(terms) } : null,
    isFinal,
    // As vendors count: about the input, and the cap that the client asked for (dialect §9).
    tokens: Math.ceil(facts.bodyBytes / 4) + (facts.cap === null ? 0 : facts.cap * facts.choices),
    idempotency: request.idempotency,
    request: heldRequest(plan, terms),
  };
}

/** What any process needs to settle this request after a crash, and what its record shows while it is open. */
function heldRequest(plan: Plan, terms: HoldTerms): HoldOperation["request"] {
  const { request, deployments, model } = plan;
  const first = deployments[0];
  return {
    model_requested: request.facts.model,
    stream: request.facts.stream,
    operation: request.facts.operation,
    endpoint: first?.route.endpoint ?? null,
    deployment: first?.route.deployment ?? null,
    priced_as: first?.row.model ?? null,
    price_row: first?.row.id ?? null,
    provider: first?.route.provider ?? null,
    model: first?.route.model ?? null,
    markup: markupToJson(model.markup),
    service_tier: request.facts.serviceTier,
    body_bytes: request.facts.bodyBytes,
    input_bound: terms.inputBound,
    client_request_id: request.clientRequestId,
    idempotency_key: request.idempotency?.key ?? null,
  };
}

function outcomeOf(
  ports: Ports,
  about: { plan: Plan; outcome: HoldOutcome; terms: HoldTerms; settings: GatewaySettings },
): Admission {
  const { plan, outcome, terms } = about;
  if (!outcome.ok) {
    if (outcome.refusal.code === "replay") return { ok: "replay" };
    const required = holdAmount(terms, plan.cap.isOurs ? plan.cap.least : plan.cap.most);
    const { available } = outcome.refusal;
    return refuse(
      refusalOfHold(plan.id, outcome.refusal, {
        required,
        maxAffordableOutputTokens: available === null ? null : affordableCap(terms, available),
        credit: about.settings.credit,
      }),
    );
  }
  const { request, model, book, deployments, cap } = plan;
  const granted = cap.isOurs
    ? Math.min(cap.most, affordableCap(terms, outcome.amount) ?? cap.least)
    : cap.most;
  const nowMs = ports.clock.now();
  return {
    ok: true,
    admitted: {
      id: plan.id,
      request,
      model,
      book,
      deployments,
      terms,
      hold: outcome.amount,
      cap: request.facts.operation === "embeddings" ? null : granted,
      isCapOurs: cap.isOurs,
      inputTokens: plan.inputTokens,
      limits: outcome.limits,
      admittedAtMs: nowMs,
      createdAt: new Date(nowMs).toISOString(),
    },
  };
}
