import type { Decimal } from "./money.ts";

/** A model as clients know it and the deployments that can serve it, in order of preference. */
export interface ModelRoute {
  readonly name: string;
  readonly markup: Decimal;
  /** True: a vendor's 400 about a parameter goes to the client instead of being repaired. */
  readonly strictParameters: boolean;
  /** Hosted tools that may be used, each priced per call. */
  readonly hostedTools: readonly string[];
  readonly serviceTiers: readonly string[];
  readonly deployments: readonly DeploymentRoute[];
}

export interface DeploymentRoute {
  readonly endpoint: string;
  readonly kind: "azure" | "openai";
  /** Whose price list applies: "azure", "openai", or another vendor's name in the price book. */
  readonly provider: string;
  /** What the vendor calls it. */
  readonly deployment: string;
  /** The underlying model: decides price, tokenizer and parameter rules until an answer says which model served. */
  readonly model: string;
  /** Deployments of one priority share requests by weight; the next priority is for when they fail. */
  readonly weight: number;
  readonly priority: number;
  readonly onDisconnect: "drain" | "cancel";
  readonly drainTimeoutMs: number;
  readonly apiVersion: string | null;
  /** Azure bills the prompt of a request its filter refused, without usage; true charges an estimate of it (dialect §3.6). */
  readonly chargeFilteredPrompt: boolean;
  /** The operator's word on asking for usage in streams; null or absent = the vendor's rules and lessons decide. */
  readonly sendStreamOptions?: boolean | null;
}

/**
 * The order in which to try deployments: by priority, within one by weighted lot from `random` (0 ≤ x < 1),
 * those that are cooling down last. Pure: the same lot gives the same order.
 */
export function orderDeployments(
  deployments: readonly DeploymentRoute[],
  random: () => number,
  isCooling: (deployment: DeploymentRoute) => boolean,
): readonly DeploymentRoute[] {
  if (deployments.length < 2) return deployments;
  const groups = new Map<number, DeploymentRoute[]>();
  for (const deployment of deployments) {
    const group = groups.get(deployment.priority);
    if (group === undefined) groups.set(deployment.priority, [deployment]);
    else group.push(deployment);
  }
  const ordered = [...groups.entries()]
    .sort(([a], [b]) => a - b)
    .flatMap(([, group]) => drawByWeight(group, random));
  return [...ordered.filter((one) => !isCooling(one)), ...ordered.filter(isCooling)];
}

function drawByWeight(group: readonly DeploymentRoute[], random: () => number): DeploymentRoute[] {
  const rest = [...group];
  const drawn: DeploymentRoute[] = [];
  while (rest.length > 0) {
    let lot = random() * rest.reduce((sum, one) => sum + one.weight, 0);
    let index = rest.findIndex((one) => {
      lot -= one.weight;
      return lot < 0;
    });
    if (index < 0) index = rest.length - 1;
    drawn.push(...rest.splice(index, 1));
  }
  return drawn;
}
