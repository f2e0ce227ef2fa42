import { expect, test } from "vitest";
import { type DeploymentRoute, orderDeployments } from "./routing.ts";

const route = (deployment: string, priority: number, weight = 1): DeploymentRoute => ({
  endpoint: "e",
  kind: "openai",
  provider: "openai",
  deployment,
  model: "m",
  weight,
  priority,
  onDisconnect: "drain",
  drainTimeoutMs: 1,
  apiVersion: null,
  chargeFilteredPrompt: true,
});
const order = (routes: DeploymentRoute[], lots: number[], cooling: string[] = []): string => {
  let at = 0;
  return orderDeployments(
    routes,
    () => lots[at++ % lots.length] as number,
    (one) => cooling.includes(one.deployment),
  )
    .map((one) => one.deployment)
    .join(" ");
};

test("deployments are tried by priority", () => {
  expect(order([route("c", 2), route("a", 0), route("b", 1)], [0.5])).toBe("a b c");
});

test("within one priority they are drawn by weight", () => {
  const pair = [route("light", 0, 1), route("heavy", 0, 3)];
  expect([0, 0.24, 0.26, 0.99].map((lot) => order(pair, [lot]))).toEqual([
    "light heavy",
    "light heavy",
    "heavy light",
    "heavy light",
  ]);
});

test("those that failed a moment ago come last, and are still there", () => {
  expect(order([route("a", 0), route("b", 1), route("c", 2)], [0.5], ["a", "b"])).toBe("c a b");
});
