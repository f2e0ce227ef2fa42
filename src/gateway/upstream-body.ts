import { continuousUsageProviders } from "../core/dialects.ts";
import {
  adaptParameters,
  canAskForUsage,
  type Lesson,
  limitParameter,
  type ParameterRules,
  type Rewrite,
} from "../core/parameters.ts";
import type { RequestFacts } from "../protocol/request.ts";
import { asObject } from "../protocol/usage.ts";
import { capFor, defaultToolCalls } from "./pricing.ts";
import type { Admitted, GatewaySettings, PricedDeployment } from "./types.ts";

/** The body for one deployment, what was changed for it, and whether usage was asked for on Tollgate's own account. */
export interface UpstreamBody {
  readonly json: Readonly<Record<string, unknown>>;
  readonly bytes: Uint8Array;
  readonly rewrites: readonly Rewrite[];
  /** The last chunk's usage exists because Tollgate asked. */
  readonly asksUsage: boolean;
  /** Running usage on every chunk exists because Tollgate asked. */
  readonly asksContinuous: boolean;
  /** The cap per choice that is sent, the client's or ours; null where the operation has none. */
  readonly cap: number | null;
}

/**
 * Serialises for the vendor what was parsed from the client, so that both read one request. Adds the cap that the hold
 * rests on and asks for usage in a stream; renames and drops what the deployment refuses.
 */
export function upstreamBody(
  admitted: Admitted,
  target: { served: PricedDeployment; lessons: readonly Lesson[]; settings: GatewaySettings },
): UpstreamBody {
  const { route, row } = target.served;
  const { facts } = admitted.request;
  const rules: ParameterRules = {
    model: route.model,
    apiVersion: route.apiVersion,
    lessons: target.lessons,
    sendStreamOptions: route.sendStreamOptions ?? null,
  };
  const { body, rewrites } = adapt(facts, admitted.model.strictParameters, rules);
  body["model"] = route.deployment;
  const known = { inputTokens: admitted.inputTokens, whenUnknown: target.settings.defaultMaxOutputTokens };
  const cap = admitted.cap !== null && admitted.isCapOurs ? capFor(row, admitted.cap, known) : admitted.cap;
  if (admitted.isCapOurs && cap !== null) {
    const name = capName(facts, rules);
    body[name] = cap;
    rewrites.push({
      parameter: name,
      action: "added",
      to: String(cap),
      reason: "no cap was sent; this one is held for",
    });
  }
  if (facts.hostedTools.length > 0 && facts.maxToolCalls === null && facts.operation === "responses") {
    body["max_tool_calls"] = defaultToolCalls;
    rewrites.push({
      parameter: "max_tool_calls",
      action: "added",
      to: String(defaultToolCalls),
      reason: "hosted tools cost per call",
    });
  }
  const asked = askForUsage(facts, { body, rewrites, rules, provider: route.provider });
  return { json: body, bytes: new TextEncoder().encode(JSON.stringify(body)), rewrites, cap, ...asked };
}

/** A strict model gets the client's parameters as they are: the vendor's 400 is the answer then. */
function adapt(
  facts: RequestFacts,
  isStrict: boolean,
  rules: ParameterRules,
): { body: Record<string, unknown>; rewrites: Rewrite[] } {
  if (isStrict) return { body: { ...facts.body }, rewrites: [] };
  const api = facts.operation === "chat" || facts.operation === "responses" ? facts.operation : "other";
  return adaptParameters(facts.body, rules, api);
}

function capName(facts: RequestFacts, rules: ParameterRules): string {
  if (facts.operation === "responses") return "max_output_tokens";
  return facts.operation === "completions" ? "max_tokens" : limitParameter(rules);
}

function askForUsage(
  facts: RequestFacts,
  target: { body: Record<string, unknown>; rewrites: Rewrite[]; rules: ParameterRules; provider: string },
): Pick<UpstreamBody, "asksUsage" | "asksContinuous"> {
  const { body, rewrites, rules } = target;
  const nothing = { asksUsage: false, asksContinuous: false };
  if (!facts.stream || (facts.operation !== "chat" && facts.operation !== "completions")) return nothing;
  const options = asObject(body["stream_options"]) ?? {};
  if (canAskForUsage(body, rules)) {
    const asksContinuous =
      continuousUsageProviders.has(target.provider) && options["continuous_usage_stats"] !== true;
    body["stream_options"] = {
      ...options,
      include_usage: true,
      ...(asksContinuous ? { continuous_usage_stats: true } : {}),
    };
    return { asksUsage: !facts.wantsUsage, asksContinuous };
  }
  if (body["stream_options"] !== undefined) {
    delete body["stream_options"];
    const reason =
      body["data_sources"] === undefined
        ? "this deployment refuses it"
        : "refused together with data_sources";
    rewrites.push({ parameter: "stream_options", action: "dropped", to: null, reason });
  }
  return nothing;
}
