/** Probes a simulator, or any vendor, as the command does, without the command. */
import { loadPriceBook } from "../../src/config/load-price-book.ts";
import { parseUsd } from "../../src/core/money.ts";
import { priceProviderOf } from "../../src/core/price-providers.ts";
import type { Vendor } from "../../src/ports.ts";
import { runProbe } from "../../src/probe/probe.ts";
import type { ProbeReport } from "../../src/probe/report-schema.ts";
import type { ProbeOptions, ProbePorts, ProbeTarget } from "../../src/probe/types.ts";
import type { SimulatorOptions } from "../../src/simulator/options.ts";
import { type Simulator, startSimulator } from "../../src/simulator/server.ts";
import { createTokenCounter } from "../../src/tokens/token-counter.ts";
import { createVendorClient } from "../../src/vendor/client.ts";

const tokens = createTokenCounter();
const book = loadPriceBook({ operatorRows: [], adminRows: [] });

export const probePorts = (vendor: Vendor, now: () => number = Date.now): ProbePorts => ({
  vendor,
  tokens,
  clock: { now, elapsed: () => performance.now() },
  catalog: { prices: () => book },
});

export interface Place {
  readonly kind: "azure" | "openai";
  readonly baseUrl: string;
  readonly model: string;
  readonly deployment?: string;
  readonly isModelKnown?: boolean;
  readonly apiVersion?: string;
  readonly key?: string;
}

export function probeTarget(place: Place): ProbeTarget {
  const { kind, baseUrl, model } = place;
  return {
    route: {
      ...{
        endpoint: "probed",
        kind,
        provider: priceProviderOf(kind, baseUrl),
        deployment: place.deployment ?? model,
        model,
      },
      ...{ weight: 1, priority: 0, onDisconnect: "drain", drainTimeoutMs: 1_000, chargeFilteredPrompt: true },
      apiVersion: place.apiVersion ?? (kind === "azure" ? "2024-12-01-preview" : null),
    },
    baseUrl,
    isModelKnown: place.isModelKnown ?? true,
    credential: "a key of the test",
  };
}

export const probeOptions = (given: Partial<ProbeOptions> = {}): ProbeOptions => ({
  ...{ id: "probe-test", maxCost: parseUsd("0.05"), isMaxCostStrict: false, price: null, volume: 1_000_000 },
  ...{
    timeoutMs: 5_000,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    sleep: async () => undefined,
  },
  ...given,
});

export async function probeUrl(place: Place, given: Partial<ProbeOptions> = {}): Promise<ProbeReport> {
  const target = probeTarget(place);
  const { kind, baseUrl } = place;
  const endpoint = {
    ...{ name: "probed", kind, baseUrl, apiVersion: target.route.apiVersion, extraHeaders: {} },
    auth: kind === "azure" ? ("api-key" as const) : ("bearer" as const),
    credential: async () => place.key ?? "vendor-key",
    ...{ connectTimeoutMs: 2_000, firstByteTimeoutMs: 30_000, idleTimeoutMs: 30_000 },
  };
  const vendor = createVendorClient(new Map([["probed", endpoint]]));
  try {
    return await runProbe(probePorts(vendor), target, probeOptions(given));
  } finally {
    await vendor.close();
  }
}

/** Starts a simulator for one probe. */
export async function probeSimulator(
  simulated: SimulatorOptions,
  place: Omit<Place, "baseUrl" | "kind">,
  given: Partial<ProbeOptions> = {},
): Promise<{ report: ProbeReport; simulator: Simulator }> {
  const simulator = await startSimulator(simulated);
  try {
    const isAzure = simulated.profile.startsWith("azure");
    const baseUrl = isAzure ? simulator.url : `${simulator.url}/v1`;
    return {
      report: await probeUrl({ ...place, kind: isAzure ? "azure" : "openai", baseUrl }, given),
      simulator,
    };
  } finally {
    await simulator.close();
  }
}
