import type { DeploymentRoute, ModelRoute } from "../core/routing.ts";
import type { Ports } from "../ports.ts";
import { refusal } from "./refusals.ts";
import type { ApiRequest, Refusal } from "./types.ts";

export type OwnedRoutes =
  | { readonly ok: true; readonly routes: readonly DeploymentRoute[] }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * The deployments that can serve a request which leans on stored objects: those that keep them. Objects that this account
 * did not make are refused, whether they exist or not: vendors would give one customer another's conversation.
 */
export async function ownedRoutes(
  ports: Pick<Ports, "kept">,
  about: { id: string; request: ApiRequest; model: ModelRoute },
): Promise<OwnedRoutes> {
  const { request, model } = about;
  const { stored } = request.facts;
  if (stored.length === 0) return { ok: true, routes: model.deployments };
  const places = await ports.kept.findOwners(
    request.identity.accountId,
    stored.map((one) => one.id),
  );
  for (const { id, param } of stored) {
    if (places.has(id)) continue;
    const message = `Cannot use ${JSON.stringify(id.slice(0, 100))}: this account made no stored response or part of one with that id here.`;
    return { ok: false, refusal: refusal(about.id, "stored_object_not_found", message, { param }) };
  }
  const keeps = (route: DeploymentRoute): boolean =>
    [...places.values()].every((place) => place.endpoint === route.endpoint);
  const routes = model.deployments.filter(keeps);
  if (routes.length > 0) return { ok: true, routes };
  const message = `Cannot use the stored objects with "${model.name}": they are kept by another vendor endpoint; name the model that made them.`;
  return {
    ok: false,
    refusal: refusal(about.id, "stored_object_not_found", message, { param: stored[0]?.param ?? null }),
  };
}
