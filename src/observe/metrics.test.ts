import { expect, test } from "vitest";
import { parseUsd } from "../core/money.ts";
import type { Observation } from "../ports.ts";
import { createMetrics } from "./metrics.ts";

const ended: Extract<Observation, { event: "request_ended" }> = {
  event: "request_ended",
  requestId: "req_1",
  accountId: "acc_secret",
  model: "gpt-5-mini",
  endpoint: "azure-east",
  outcome: "complete",
  source: "vendor",
  status: 200,
  stream: true,
  charge: parseUsd("2"),
  vendorCost: parseUsd("2.125"),
  loss: parseUsd("0.25"),
  tokens: { input: 10, cachedInput: 4, cacheWrite: 0, output: 5, reasoning: 1, total: 15 },
  ttftMs: 200,
  durationMs: 1_200,
  overheadMs: 4,
};

test("what a request charged, cost and lost beyond its hold is counted in dollars", async () => {
  const metrics = createMetrics({ openRequests: () => 3, knownModels: () => new Set(), version: "1.2.3" });
  metrics.observe(ended);
  metrics.observe({ ...ended, requestId: "req_2", loss: parseUsd("0") });
  const { text } = await metrics.render();
  expect(text.split("\n").filter((line) => line.startsWith("tollgate_usd_total"))).toEqual([
    'tollgate_usd_total{kind="charged"} 4',
    'tollgate_usd_total{kind="vendor_cost"} 4.25',
    'tollgate_usd_total{kind="loss"} 0.25',
  ]);
  expect(text).toContain('tollgate_tokens_total{kind="cached_input",source="vendor"} 8');
  expect(text).toContain("tollgate_in_flight_requests 3");
  // No series for each account, nor for each name that a client makes up.
  expect(text).not.toContain("acc_secret");
  expect(text).toContain('tollgate_requests_total{model="other",endpoint="azure-east"');
});
