import type { Config } from "../config/config.ts";
import type { PicoUsd } from "../core/money.ts";
import type { Catalog } from "../ports.ts";
import { runProbe } from "../probe/probe.ts";
import type { ProbeReport } from "../probe/report-schema.ts";
import type { ProbeOptions, ProbePorts } from "../probe/types.ts";
import { configuredTarget } from "./probe-targets.ts";

/** What a running process needs to probe one of its own endpoints: its configuration and its ports. */
export interface ProbingProcess {
  readonly config: Config;
  readonly ports: ProbePorts & { readonly catalog: Pick<Catalog, "learn" | "prices"> };
}

export interface EndpointProbe {
  readonly id: string;
  readonly endpoint: string;
  /** Null: the only one of the endpoint. */
  readonly deployment: string | null;
  /** Learn what was found; the next request goes by it. */
  readonly save: boolean;
  readonly maxCost: PicoUsd;
  readonly volume: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onProgress?: ProbeOptions["onProgress"];
}

/**
 * Probes a configured endpoint from inside a running process, on that process's own connections. Rejects with a `CliError`
 * when the deployment is not clear, and with a `ProbeFailure` when the endpoint cannot be measured.
 */
export async function probeEndpoint(
  { config, ports }: ProbingProcess,
  probe: EndpointProbe,
): Promise<ProbeReport> {
  const { target } = configuredTarget(config, probe.endpoint, { deployment: probe.deployment, model: null });
  const report = await runProbe(ports, target, {
    ...{ id: probe.id, maxCost: probe.maxCost, isMaxCostStrict: false, price: null, volume: probe.volume },
    ...{
      timeoutMs: probe.timeoutMs,
      signal: probe.signal,
      onProgress: probe.onProgress ?? (() => undefined),
    },
  });
  if (probe.save) {
    const { endpoint, deployment } = target.route;
    for (const lesson of report.lessons) await ports.catalog.learn(endpoint, deployment, lesson);
  }
  return report;
}
