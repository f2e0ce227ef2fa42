import { adaptParameters, canAskForUsage, type Lesson, limitParameter, type ParameterRules, type Rewrite } from "../core/parameters.ts";
import type { DeploymentRoute } from "../core/routing.ts";
import type { RequestFacts } from "../protocol/request.ts";
import { defaultToolCalls } from "./admit.ts";

/** The body for one deployment, what was changed for it, and whether usage was asked for on Tollgate's own account. */
export interface UpstreamBody {
  readonly json: Readonly<Record<string, unknown>>;
  readonly bytes: Uint8Array;
  readonly rewrites: readonly Rewrite[];
  readonly asksUsage: boolean;
}

/**
 * Serialises for the vendor what was parsed from the client, so that both read one request. Adds the cap that the hold
 * rests on and asks for usage in a stream; renames and drops what the deployment refuses.
 */
export function upstreamBody(
  facts: RequestFacts,
  target: { route: DeploymentRoute; cap: number | null; isCapOurs: boolean; lessons: readonly Lesson[] },
): UpstreamBody {
  const { route } = target;
  const rules: ParameterRules = { model: route.model, apiVersion: route.apiVersion, lessons: target.lessons };
  const { body, rewrites } = facts.operation === "chat" ? adaptParameters(facts.body, rules) : adaptOther(facts, rules);
  body["model"] = route.deployment;
  if (target.isCapOurs && target.cap !== null) {
    const name = capName(facts, rules);
    body[name] = target.cap;
    rewrites.push({ parameter: name, action: "added", to: String(target.cap), reason: "no cap was sent; this one is held for" });
  }
  if (facts.hostedTools.length > 0 && facts.maxToolCalls === null && facts.operation === "responses") {
    body["max_tool_calls"] = defaultToolCalls;
    rewrites.push({ parameter: "max_tool_calls", action: "added", to: String(defaultToolCalls), reason: "hosted tools cost per call" });
  }
  const asksUsage = askForUsage(facts, { body, rewrites, rules });
  return { json: body, bytes: new TextEncoder().encode(JSON.stringify(body)), rewrites, asksUsage };
}

function capName(facts: RequestFacts, rules: ParameterRules): string {
  if (facts.operation === "responses") return "max_output_tokens";
  return facts.operation === "completions" ? "max_tokens" : limitParameter(rules);
}

/** Other operations know no family table; lessons of this deployment apply all the same. */
function adaptOther(facts: RequestFacts, rules: ParameterRules): { body: Record<string, unknown>; rewrites: Rewrite[] } {
  return adaptParameters(facts.body, { ...rules, model: "" });
}

function askForUsage(
  facts: RequestFacts,
  target: { body: Record<string, unknown>; rewrites: Rewrite[]; rules: ParameterRules },
): boolean {
  const { body, rewrites, rules } = target;
  if (!facts.stream || (facts.operation !== "chat" && facts.operation !== "completions")) return false;
  const options = typeof body["stream_options"] === "object" && body["stream_options"] !== null ? body["stream_options"] : {};
  if (canAskForUsage(body, rules)) {
    body["stream_options"] = { ...options, include_usage: true };
    return !facts.wantsUsage;
  }
  if (body["stream_options"] !== undefined) {
    delete body["stream_options"];
    const reason = body["data_sources"] === undefined ? "this deployment refuses it" : "refused together with data_sources";
    rewrites.push({ parameter: "stream_options", action: "dropped", to: null, reason });
  }
  return false;
}
