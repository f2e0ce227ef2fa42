import Type from "typebox";
import { formatUsd, sumPico } from "../../core/money.ts";
import { limitParameter } from "../../core/parameters.ts";
import { largestCost } from "../../probe/budget.ts";
import { allCalls } from "../../probe/plan.ts";
import { AdminError } from "../errors.ts";
import { type AdminRoute, read } from "../route.ts";
import { probePlan } from "../schemas/reports.ts";
import { filter, nameParams, strict } from "../schemas/shared.ts";

/** What a probe would do and cost, before anyone decides to make it. */
export const probePlanRoutes: readonly AdminRoute[] = [
  read(
    {
      ...{ path: "/endpoints/{name}/probe/plan", tag: "Operation", role: "viewer" },
      summary:
        "How many requests a probe of a deployment sends, and the most they can cost. Nothing is sent.",
      ...{ params: nameParams, query: Type.Object({ deployment: filter }, strict), answer: probePlan },
    },
    async ({ params, query, ports, desk }) => {
      const route = ports
        .routes()
        .flatMap((model) => model.deployments)
        .find((one) => one.endpoint === params.name && one.deployment === query.deployment);
      if (route === undefined) {
        const message = `Cannot plan a probe: endpoint ${params.name} has no deployment ${query.deployment}; see GET /endpoints.`;
        throw new AdminError({ status: 404, code: "deployment_not_found", message });
      }
      const row = ports.prices.book().find(route.provider, route.model, desk.clock.now());
      const limit = limitParameter({ model: route.model, apiVersion: route.apiVersion, lessons: [] });
      const calls = allCalls(limit);
      const largest = row === null ? null : sumPico(calls.map((call) => largestCost(call, row)));
      return { calls: calls.length, largest_cost_usd: largest === null ? null : formatUsd(largest) };
    },
  ),
];
