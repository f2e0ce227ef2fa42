import { AmountError, formatUsd, type PicoUsd, parseUsd } from "../../core/money.ts";
import type { ProbeRefusalCode, ProbeRequest } from "../../ports-reports.ts";
import { AdminError, invalid } from "../errors.ts";
import { type ActionRoute, action } from "../route.ts";
import { probeAsk, probeReport } from "../schemas/probe.ts";
import { nameParams } from "../schemas/shared.ts";

const usualMaxCost = "0.05";
const maxCostMax = parseUsd("10");
const usualVolume = 1_000_000;

/** The compiler demands an answer for everything that stops a probe. */
export const probeRefusals: Readonly<Record<ProbeRefusalCode, { status: number; meaning: string }>> = {
  probe_not_possible: {
    status: 400,
    meaning:
      "The probe cannot be made as asked: the deployment is not clear or not there, or the cost too small.",
  },
  endpoint_unreachable: {
    status: 502,
    meaning: "The endpoint cannot be reached, or does not answer as an API.",
  },
  endpoint_refuses_key: { status: 502, meaning: "The endpoint refuses the configured credential." },
  endpoint_refuses_probe: { status: 502, meaning: "The endpoint refuses the plainest request." },
  probe_interrupted: {
    status: 503,
    meaning: "The server stopped, or the probe took too long; what it cost is booked.",
  },
};

export const probeRoutes: readonly ActionRoute[] = [
  action(
    {
      ...{ path: "/endpoints/{name}/probe", tag: "Operation", role: "operator" },
      summary:
        "Measure a deployment with about two dozen small requests. What the vendor's usage says they cost is booked.",
      ...{ params: nameParams, body: probeAsk, answer: probeReport },
    },
    async ({ params, body, desk, ports }, signal) => {
      if (!ports.endpoints.list().some(({ name }) => name === params.name)) {
        const message = `Cannot probe ${JSON.stringify(params.name)}: there is no endpoint of this name; see GET /endpoints.`;
        throw new AdminError({ status: 404, code: "endpoint_not_found", message });
      }
      const request: ProbeRequest = {
        id: desk.ids.next("probe"),
        endpoint: params.name,
        deployment: body.deployment ?? null,
        save: body.save ?? false,
        maxCost: readMaxCost(body.max_cost_usd ?? usualMaxCost),
        volume: body.volume ?? usualVolume,
      };
      const probed = await ports.probeEndpoint(request, signal);
      const { spent } = probed;
      return {
        outcome: probed.ok
          ? { ok: true, answer: { status: 200, body: probed.report } }
          : {
              ok: false,
              error: new AdminError({
                ...{ status: probeRefusals[probed.code].status, code: probed.code },
                message: probed.message,
              }),
            },
        record: async ({ tables, actor }) => {
          if (spent.known > 0n) await tables.entries.bookProbe(request.id, spent.known);
          // Nothing was asked of the vendor, so there is nothing to tell.
          if (!probed.ok && spent.known === 0n && spent.atMost === 0n) return;
          const found = probed.ok
            ? { findings: probed.report.findings.map(({ id }) => id), saved: request.save }
            : { failure: probed.code, findings: [], saved: false };
          const cost = {
            known_usd: formatUsd(spent.known),
            at_most_usd: spent.atMost === null ? null : formatUsd(spent.atMost),
          };
          const after = { id: request.id, deployment: probed.deployment, ...cost, ...found };
          await tables.audit.add({
            ...{ actor, action: "endpoint.probe", target: request.endpoint },
            ...{ before: null, after },
          });
        },
      };
    },
  ),
];

function readMaxCost(text: string): PicoUsd {
  try {
    const amount = parseUsd(text);
    if (amount > 0n && amount <= maxCostMax) return amount;
  } catch (error) {
    if (!(error instanceof AmountError)) throw error;
  }
  const message = `Cannot use \`max_cost_usd\`: write dollars like "0.05", above 0 and up to ${formatUsd(maxCostMax)}.`;
  throw invalid("invalid_amount", message, "max_cost_usd");
}
