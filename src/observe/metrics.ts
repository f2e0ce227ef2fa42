import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { formatUsd, type PicoUsd } from "../core/money.ts";
import type { Observation } from "../ports.ts";

/** Labels never name an account, a key or a client's own model text: the number of series stays bounded. */
export interface Metrics {
  observe(observation: Observation): void;
  render(): Promise<{ contentType: string; text: string }>;
}

export interface MetricsSources {
  /** Read at each scrape. */
  readonly openRequests: () => number;
  readonly knownModels: () => ReadonlySet<string>;
  readonly version: string;
}

export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: "tollgate_requests_total",
    help: "Requests that ended, by outcome.",
    labelNames: ["model", "endpoint", "outcome", "stream"],
    registers,
  });
  const refused = new Counter({
    name: "tollgate_refusals_total",
    help: "Requests refused before a vendor was called.",
    labelNames: ["code"],
    registers,
  });
  const tokens = new Counter({
    name: "tollgate_tokens_total",
    help: "Tokens billed, by kind and by who counted them.",
    labelNames: ["kind", "source"],
    registers,
  });
  const money = new Counter({
    name: "tollgate_usd_total",
    help: "Dollars charged, billed by vendors, and lost beyond holds. For pictures only: the exact figures are in the ledger.",
    labelNames: ["kind"],
    registers,
  });
  // There from the start, so that a rate over them is 0 and not absent.
  for (const kind of ["charged", "vendor_cost", "loss"]) money.inc({ kind }, 0);
  const settlements = new Counter({
    name: "tollgate_settlements_total",
    help: "Settlements by source of usage.",
    labelNames: ["source"],
    registers,
  });
  const attempts = new Counter({
    name: "tollgate_attempts_failed_total",
    help: "Vendor calls that failed.",
    labelNames: ["endpoint", "status"],
    registers,
  });
  const duration = new Histogram({
    name: "tollgate_request_duration_seconds",
    help: "From the request's head to the answer's end.",
    labelNames: ["stream"],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
    registers,
  });
  const overhead = new Histogram({
    name: "tollgate_gateway_overhead_seconds",
    help: "Tollgate's own part of a request's duration.",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    registers,
  });
  const ttft = new Histogram({
    name: "tollgate_time_to_first_token_seconds",
    help: "From the request's head to the vendor's first byte.",
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30],
    registers,
  });
  const events = new Counter({
    name: "tollgate_events_total",
    help: "Things an operator should know of.",
    labelNames: ["event"],
    registers,
  });
  new Gauge({
    name: "tollgate_in_flight_requests",
    help: "Requests that run now in this process.",
    registers,
    collect() {
      this.set(sources.openRequests());
    },
  });
  new Gauge({ name: "tollgate_build_info", help: "Always 1.", labelNames: ["version"], registers }).set(
    { version: sources.version },
    1,
  );
  return {
    observe(one) {
      switch (one.event) {
        case "request_ended": {
          const model = sources.knownModels().has(one.model) ? one.model : "other";
          requests.inc({
            model,
            endpoint: one.endpoint ?? "none",
            outcome: one.outcome,
            stream: String(one.stream),
          });
          settlements.inc({ source: one.source });
          duration.observe({ stream: String(one.stream) }, one.durationMs / 1_000);
          overhead.observe(one.overheadMs / 1_000);
          if (one.ttftMs !== null) ttft.observe(one.ttftMs / 1_000);
          if (one.charge > 0n) money.inc({ kind: "charged" }, roughly(one.charge));
          if (one.vendorCost > 0n) money.inc({ kind: "vendor_cost" }, roughly(one.vendorCost));
          if (one.loss > 0n) money.inc({ kind: "loss" }, roughly(one.loss));
          if (one.tokens !== null) {
            for (const [kind, name] of tokenKinds) {
              if (one.tokens[kind] > 0) tokens.inc({ kind: name, source: one.source }, one.tokens[kind]);
            }
          }
          return;
        }
        case "request_refused":
          return refused.inc({ code: one.code });
        case "attempt_failed":
          return attempts.inc({
            endpoint: one.endpoint,
            status: one.status === null ? "none" : String(one.status),
          });
        default:
          return events.inc({ event: one.event });
      }
    },
    async render() {
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
}

/** A gauge's float: good for a plot, never used for money. */
const roughly = (amount: PicoUsd): number => Number(formatUsd(amount));

const tokenKinds = [
  ["input", "input"],
  ["cachedInput", "cached_input"],
  ["cacheWrite", "cache_write"],
  ["output", "output"],
  ["reasoning", "reasoning"],
] as const;
