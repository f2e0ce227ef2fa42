import { parseUsd, zeroPico } from "../core/money.ts";
import type { Secret } from "../lib/secret.ts";
import type { ProbeEndpoint, ProbeRefusalCode } from "../ports-reports.ts";
import type { ProbeReport } from "../probe/report-schema.ts";
import { ProbeFailure, type ProbeFailureCode } from "../probe/types.ts";
import { hideAll, hideSecrets } from "./hide-secrets.ts";
import { type ProbingProcess, probeEndpoint } from "./probe-endpoint.ts";
import { configuredTarget } from "./probe-targets.ts";
import { CliError } from "./terminal.ts";

/** Of one call, to its end. */
const callMsMax = 30_000;
/** Of a whole probe inside a server. Two dozen calls, four at once, rarely need a tenth of it. */
export const serverProbeMsMax = 240_000;

const codeOf: Readonly<Record<ProbeFailureCode, ProbeRefusalCode>> = {
  unreachable: "endpoint_unreachable",
  not_authorised: "endpoint_refuses_key",
  usage: "probe_not_possible",
  failed: "endpoint_refuses_probe",
  interrupted: "probe_interrupted",
};

/** Probes for the admin API, on the process's own connections and with its own configuration. */
export function probePort(parts: ProbingProcess): ProbeEndpoint<ProbeReport> {
  return async (request, signal) => {
    const secrets = secretsOf(parts, request.endpoint);
    const timeout = AbortSignal.timeout(serverProbeMsMax);
    let { deployment } = request;
    try {
      const chosen = { deployment, model: null };
      deployment = configuredTarget(parts.config, request.endpoint, chosen).target.route.deployment;
      const report = await probeEndpoint(parts, {
        ...request,
        ...{ deployment, timeoutMs: callMsMax, signal: AbortSignal.any([signal, timeout]) },
      });
      const { known_usd, at_most_usd } = report.cost;
      const atMost = at_most_usd === null ? null : parseUsd(at_most_usd);
      const spent = { known: parseUsd(known_usd), atMost };
      return { ok: true, deployment, spent, report: hideAll(report, secrets) };
    } catch (error) {
      const message = error instanceof Error ? hideSecrets(inFields(error.message), secrets) : "";
      if (error instanceof CliError) {
        const spent = { known: zeroPico, atMost: zeroPico };
        return { ok: false, code: "probe_not_possible", message, deployment, spent };
      }
      if (!(error instanceof ProbeFailure)) throw error;
      return { ok: false, code: codeOf[error.code], message, deployment, spent: error.spent };
    }
  };
}

/** What is a flag on the command line is a field of the body here; the time that a call may take is fixed. */
const inFields = (message: string): string =>
  message
    .replaceAll("--deployment", "`deployment`")
    .replaceAll("--max-cost", "`max_cost_usd`")
    .replaceAll(", or need a longer --timeout", "");

function secretsOf({ config }: ProbingProcess, name: string): readonly Secret[] {
  const endpoint = config.endpoints.get(name);
  if (endpoint === undefined) return [];
  const { credential, headers } = endpoint;
  return [...(credential.kind === "api_key" ? [credential.key] : []), ...headers.values()];
}
