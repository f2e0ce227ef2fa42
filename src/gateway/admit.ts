import { type PicoUsd, pico } from "../core/money.ts";
import type { PriceBook, PriceRow } from "../core/prices.ts";
import { dearest, tiersOf, unitPrice } from "../core/rating.ts";
import { type DeploymentRoute, type ModelRoute, orderDeployments } from "../core/routing.ts";
import { affordableCap, capStep, countedInputBound, type HoldTerms, holdAmount, inputBound } from "../core/upper-bound.ts";
import { multiplyUp } from "../core/money.ts";
import type { HoldOperation, HoldOutcome, HoldRefusal, Ports } from "../ports.ts";
import { LedgerFault } from "../ports.ts";
import type { CoolDowns } from "./cool-downs.ts";
import { countInput } from "./estimate.ts";
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
  /** The cap to ask for; `least` < `most` only when the client gave none. */
  readonly cap: { readonly most: number; readonly least: number; readonly isOurs: boolean };
}

/** Tiers that could serve: the one asked for, or the standard one, to which a vendor may fall back (dialect §6.1). */
const reachableTiers = (asked: string | null): (string | null)[] => (asked === null ? [null] : [null, asked]);

/**
 * Prices the request, bounds what it can cost, and commits a hold of that size. Nothing reaches a vendor before this has
 * succeeded. Refuses what has no price, what cannot be bounded, and what the balance does not cover.
 */
export async function admit(
  ports: Ports,
  context: { settings: GatewaySettings; coolDowns: CoolDowns; id: string },
  request: ApiRequest,
): Promise<Admission> {
  const { id, settings } = context;
  const model = ports.catalog.findModel(request.facts.model);
  const allowed = request.identity.models;
  if (model === null || (allowed !== null && !allowed.includes(model.name))) return refuse(unknownModel(id, request));
  const unsupported = unsupportedFeature(id, request, model);
  if (unsupported !== null) return refuse(unsupported);
  const book = ports.catalog.prices();
  const now = ports.clock.now();
  const isCooling = (route: DeploymentRoute): boolean => context.coolDowns.isCooling(route, now);
  const deployments = orderDeployments(model.deployments, settings.random, isCooling).flatMap((route): PricedDeployment[] => {
    const row = book.find(route.provider, route.model, now);
    return row === null ? [] : [{ route, row }];
  });
  const bounded = boundOf(request, model, { deployments, settings });
  if (deployments.length === 0) return refuse(unpriced(id, model));
  if (bounded === null) {
    return refuse(refusal(id, "unsupported_feature", "Cannot bound what this request would cost: it reads stored or unseen input and the model's context window is not known."));
  }
  return commitHold(ports, { id, request, model, book, deployments, ...bounded }, settings);
}

const refuse = (value: Refusal): Admission => ({ ok: false, refusal: value });

function unknownModel(id: string, request: ApiRequest): Refusal {
  const name = JSON.stringify(request.facts.model.slice(0, 100));
  return refusal(id, "model_not_found", `The model ${name} does not exist or this key may not use it; GET /v1/models lists those it may.`, { param: "model" });
}

function unpriced(id: string, model: ModelRoute): Refusal {
  const message = `The model "${model.name}" has no price in force, so it cannot be billed; the operator must add one under \`prices\`.`;
  return refusal(id, "model_not_priced", message, { param: "model" });
}

function unsupportedFeature(id: string, request: ApiRequest, model: ModelRoute): Refusal | null {
  const denied = request.facts.hostedTools.find((tool) => !model.hostedTools.includes(tool));
  if (denied === undefined) return null;
  const message = `The hosted tool "${denied}" costs money per call and is not enabled for "${model.name}"; use function tools or ask the operator.`;
  return refusal(id, "unsupported_feature", message, { param: "tools" });
}

/** The terms of the hold over every deployment and service tier that could serve, dearest first in each part. */
function boundOf(
  request: ApiRequest,
  model: ModelRoute,
  about: { deployments: readonly PricedDeployment[]; settings: GatewaySettings },
): Pick<Plan, "terms" | "cap"> | null {
  const { facts } = request;
  const rows = about.deployments.map(({ row }) => row);
  let input: bigint = 0n;
  let output: bigint = 0n;
  let bound = 0;
  for (const row of rows) {
    const price = dearest(row, reachableTiers(facts.serviceTier), model.markup);
    if (price.input > input) input = price.input;
    if (price.output > output) output = price.output;
    const most = inputBound({ ...facts, maxInputTokens: row.maxInputTokens, contextWindow: row.contextWindow });
    if (most === null) return null;
    bound = Math.max(bound, most);
  }
  const terms: HoldTerms = {
    inputBound: bound,
    inputPrice: pico(input),
    outputPrice: pico(output),
    choices: facts.choices,
    extraOutput: facts.predictionBytes,
    fees: feesOf(request, model, rows),
  };
  if (facts.cap !== null) return { terms, cap: { most: facts.cap, least: facts.cap, isOurs: false } };
  const own = Math.max(...rows.map((row) => row.maxOutputTokens ?? about.settings.defaultMaxOutputTokens));
  return { terms, cap: { most: own, least: facts.operation === "responses" ? 16 : 1, isOurs: true } };
}

/** Hosted tools at their dearest: each may be called as often as `max_tool_calls` allows. */
function feesOf(request: ApiRequest, model: ModelRoute, rows: readonly PriceRow[]): PicoUsd {
  const { hostedTools, maxToolCalls } = request.facts;
  let most = 0n;
  for (const tool of hostedTools) {
    const kind = tool === "web_search" || tool === "file_search" || tool === "code_interpreter" ? tool : null;
    if (kind === null) continue;
    for (const row of rows) {
      const price = unitPrice((tiersOf(row, null)?.[0] ?? { prices: {} }).prices, kind);
      if (price !== null) {
        const amount = multiplyUp(price, model.markup) * BigInt(maxToolCalls ?? defaultToolCalls);
        if (amount > most) most = amount;
      }
    }
  }
  return pico(most * BigInt(Math.max(hostedTools.length, 1)));
}

/** Sent as `max_tool_calls` when the client gave none, so that the hold covers what may be called. */
export const defaultToolCalls = 20;

/** First with the free byte bound; only when the balance does not cover that, with a count of the tokens. */
async function commitHold(ports: Ports, plan: Plan, settings: GatewaySettings): Promise<Admission> {
  try {
    const isLastTry = plan.request.facts.hasUnseenInput;
    const first = await ports.ledger.hold(operationOf(plan, plan.terms, isLastTry));
    if (first.ok || isLastTry || !isAboutMoney(first.refusal)) return outcomeOf(ports, { plan, outcome: first, terms: plan.terms, settings });
    const counted = await countInput(ports.tokens, plan.request.facts, { model: plan.deployments[0]?.route.model ?? "", overhead: 0 });
    const tighter = counted.unknownParts.length === 0 ? countedInputBound(counted.tokens, plan.terms.inputBound) : plan.terms.inputBound;
    const terms = { ...plan.terms, inputBound: tighter };
    const second = await ports.ledger.hold(operationOf(plan, terms, true));
    return outcomeOf(ports, { plan, outcome: second, terms, settings });
  } catch (error) {
    if (!(error instanceof LedgerFault)) throw error;
    ports.observe({ event: "fault", where: "hold", error: error.message });
    const message = error.code === "overloaded" ? "Too many requests wait for the ledger; try again shortly." : "The ledger cannot be reached, so nothing can be charged; try again shortly.";
    return refuse(refusal(plan.id, error.code, message, { retryAfterMs: 1_000 }));
  }
}

const isAboutMoney = (one: HoldRefusal): boolean => one.code === "insufficient_funds" || one.code === "key_spend_limit";

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
    tokens: Math.ceil(facts.bodyBytes / 4) + (facts.cap ?? 0) * facts.choices,
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
    markup: { units: model.markup.units.toString(), scale: model.markup.scale },
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
  const granted = cap.isOurs ? Math.min(cap.most, affordableCap(terms, outcome.amount) ?? cap.least) : cap.most;
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
      limits: outcome.limits,
      admittedAtMs: nowMs,
      createdAt: new Date(nowMs).toISOString(),
    },
  };
}
